#!/usr/bin/env bash
# Makes the figures of docs/results.md anew: both models, square, 3:2 and 2:3 scenes, both segmenters with the map
# beside the point and without, as JSON files in build/results, and prints the page's tables. results.sh --write puts
# them into the page. As many runs at once as there are processors. Needs build/bin/ostend_evaluate (make build);
# OSTEND_EVALUATE names another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export evaluate=${OSTEND_EVALUATE:-build/bin/ostend_evaluate} out=build/results
[[ -x $evaluate ]] || { echo "results: $evaluate is missing; make build makes it" >&2; exit 1; }
mkdir -p "$out"

run() { # model aspect segmenter [--no-prior]
    local name=$1.${2/:/x}.${3##*/}${4:+.points}
    echo "results: $name" >&2
    "$evaluate" --model "models/$1" --seed 7 --count 300 --aspect "$2" --segmenter "$3" ${4:-} \
        --json "$out/$name.json" >"$out/$name.log" 2>&1 || { cat "$out/$name.log" >&2; return 255; }
}
export -f run
for model in tiny-llava tiny-llava-clip; do
    for aspect in 1:1 3:2 2:3; do
        for segmenter in built-in models/tiny-sam; do
            echo "run $model $aspect $segmenter"
            echo "run $model $aspect $segmenter --no-prior"
        done
    done
done | xargs -P "$(nproc)" -I{} bash -c '{}'
exec python3 tools/results.py "$out" "$@"
