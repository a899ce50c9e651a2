#!/usr/bin/env bash
# Runs clang-tidy over one unit that includes the whole library, and over the programs' sources.
# Arguments: a build folder with compile_commands.json for the programs (default: build; without one, only the
# library is checked). TIDY_SECONDS bounds each unit (default 900).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
command -v clang-tidy >/dev/null || { echo "tidy: clang-tidy is not installed" >&2; exit 1; }
build=${1:-build}
export seconds=${TIDY_SECONDS:-900}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo '#include "ostend/ostend.hpp"' >"$scratch/whole.cpp"
timeout "$seconds" clang-tidy --quiet --config-file="$root/.clang-tidy" "$scratch/whole.cpp" -- \
    -std=c++20 -I"$root/include" -isystem /usr/include/eigen3 2>"$scratch/log" ||
    { cat "$scratch/log" >&2; echo "tidy: the library has findings" >&2; exit 1; }

units=0
if [[ -f $build/compile_commands.json ]]; then
    export build
    sources=()
    while IFS= read -r file; do sources+=("$file"); done < <(git ls-files 'tools/*.cpp')
    units=${#sources[@]}
    if [[ $units -gt 0 ]]; then
        printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c '
            output=$(timeout "$seconds" clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p "$build" "$1" 2>&1) ||
                { printf "%s\ntidy: %s has findings\n" "$output" "$1" >&2; exit 1; }' tidy {}
    fi
fi
echo "tidy: the library and $units program sources have no findings"
