#!/usr/bin/env bash
# Installs the library from a build folder into a fresh prefix, then builds and runs tests/package, a separate
# project that knows nothing but find_package(ostend). Arguments: BUILD [COMPILER].
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build}
compiler=${2:-${CXX:-g++}}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The separate project must find the installed headers, not this tree: it is copied away from it.
cp -r "$root/tests/package" "$scratch/package"
{
    cmake --install "$build" --prefix "$scratch/prefix" &&
        cmake -S "$scratch/package" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
            -DCMAKE_CXX_COMPILER="$compiler" &&
        cmake --build "$scratch/build"
} >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; echo "package: the installed library cannot be used" >&2; exit 1; }
found=$(sed -n 's/^ostend_DIR:PATH=//p' "$scratch/build/CMakeCache.txt")
[[ $found == "$scratch/prefix/"* ]] || { echo "package: another ostend was found: $found" >&2; exit 1; }
said=$("$scratch/build/uses_ostend")
[[ $said == "uses ostend: 6" ]] || { echo "package: the program said '$said'" >&2; exit 1; }
echo "package: a separate project finds, builds against and runs the installed library"
