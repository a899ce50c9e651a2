#!/usr/bin/env bash
# The main job on real input: a small LLaVA describes held-out scenes, and the report shows where it looked.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/demo
build/bin/ostend_evaluate --model models/tiny-llava --scenes tests/data/scenes --json "$out/evaluation.json" --report "$out"
