#!/usr/bin/env bash
# Runs the benchmarks that `make bench` has built, and their peers; writes build/bench/results.jsonl, table.md and
# roofline.svg, and prints the table. ONLY=regex selects operations, ROUNDS=n samples of each (benchmarks/README.md).
# bench.sh [build]: another build than build/bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/bench}
[[ -d $build/bin ]] || { echo "bench.sh: there are no programs in $build/bin; make bench builds them" >&2; exit 1; }
python=build/venv/bin/python # has the peers' packages; without it those peers are left out
[[ -x $python ]] || python=python3
exec "$python" tools/bench/run.py "$build/bin" "$python" "$build" "${ONLY:-}"
