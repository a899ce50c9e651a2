#!/usr/bin/env bash
# Builds test programs for 64-bit ARM and runs them under emulation: the kernels in NEON vectors give what the scalar
# oracle gives. neon.sh [FOLDER...]: the folders of tests/ (default: tensor attention peak, where kernels are).
# Exit status 77: the compiler or the emulator is not installed (an error where CI is set).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folders=("$@")
[[ ${#folders[@]} -gt 0 ]] || folders=(tensor attention peak)

compiler=aarch64-linux-gnu-g++
emulator=qemu-aarch64
for needed in "$compiler" "$emulator"; do
    command -v "$needed" >/dev/null && continue
    echo "neon: $needed is not installed (g++-aarch64-linux-gnu, qemu-user)"
    [[ -z ${CI:-} ]] || exit 1
    exit 77
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
launcher=()
! command -v ccache >/dev/null || launcher=(ccache)
# Eigen and doctest are headers; the compiler's own C library comes before the machine's.
flags=(-std=c++20 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wno-restrict -Werror -I"$root/include" -I"$root/tests"
       -isystem /usr/include/eigen3 -idirafter /usr/include
       -DOSTEND_TEST_DATA="\"$root/tests/data\"" -DOSTEND_SOURCE_DIR="\"$root\"")

compile() { "${launcher[@]}" "$compiler" "${flags[@]}" -c "$1" -o "$2"; }
compile "$root/tests/support/main.cpp" "$scratch/main.o"
for folder in "${folders[@]}"; do
    objects=("$scratch/main.o")
    for source in "$root/tests/$folder"/*_test.cpp; do
        object=$scratch/$folder-$(basename "$source" .cpp).o
        compile "$source" "$object" || { echo "neon: $source does not compile for 64-bit ARM" >&2; exit 1; }
        objects+=("$object")
    done
    "$compiler" -static "${objects[@]}" -pthread -o "$scratch/test"
    echo "neon: tests/$folder"
    "$emulator" "$scratch/test" || { echo "neon: tests/$folder failed" >&2; exit 1; }
done
echo "neon: passed: ${folders[*]}"
