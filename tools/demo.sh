#!/usr/bin/env bash
# The main job on real input: a small LLaVA describes held-out scenes, and the report shows where it looked.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-build/bin} # folder of the programs
out=build/demo
echo "A small LLaVA (models/tiny-llava) describes scenes that it has not seen (tests/data/scenes). Its attention"
echo "gives a point for each noun phrase, a small segmenter (models/tiny-sam) makes the point a mask."
"$bin/ostend_evaluate" --model models/tiny-llava --segmenter models/tiny-sam --scenes tests/data/scenes \
    --json "$out/evaluation.json" --report "$out" --report-scenes 36
echo "Open the report in a browser: point at a phrase of a caption to see its map, its peak and its mask."
