#!/usr/bin/env bash
# Makes the figures of docs/results.md anew: both models, square, 3:2 and 2:3 scenes, as JSON files in
# build/results, and prints the page's tables. results.sh --write puts them into the page.
# Needs build/bin/ostend_evaluate (make build); OSTEND_EVALUATE names another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
evaluate=${OSTEND_EVALUATE:-build/bin/ostend_evaluate}
[[ -x $evaluate ]] || { echo "results: $evaluate is missing; make build makes it" >&2; exit 1; }
out=build/results
mkdir -p "$out"
for model in tiny-llava tiny-llava-clip; do
    for aspect in 1:1 3:2 2:3; do
        echo "results: $model at $aspect" >&2
        "$evaluate" --model "models/$model" --seed 7 --count 300 --aspect "$aspect" \
            --json "$out/$model.${aspect/:/x}.json" >/dev/null
    done
done
exec python3 tools/results.py "$out" "$@"
