#!/usr/bin/env bash
# Compiles every header of the library alone, with each compiler given (default: g++ and clang++), warnings as
# errors. Then all of them together in two units, one plain and one without checks (and for AVX2 on x86), which
# must link into one program. An adapter whose library is not installed is skipped with one line.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
compilers=("$@")
[[ ${#compilers[@]} -gt 0 ]] || compilers=(g++ clang++)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export flags="-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Werror -I$root/include -isystem /usr/include/eigen3"
[[ ! -d /usr/include/opencv4 ]] || flags+=" -isystem /usr/include/opencv4"
for folder in $(mpicxx --showme:incdirs 2>/dev/null || true); do # where Open MPI has its headers
    flags+=" -isystem $folder"
done

# What an adapter adapts, as a header that must be there: file name of the adapter, header to find.
needs() {
    case "$1" in
    eigen.hpp) echo Eigen/Core ;;
    eigen_tensor.hpp) echo unsupported/Eigen/CXX11/Tensor ;;
    dlpack.hpp) echo dlpack/dlpack.h ;;
    openmp.hpp) echo omp.h ;;
    tbb.hpp) echo tbb/parallel_for.h ;;
    opencv*.hpp) echo opencv2/core.hpp ;;
    torch*.hpp) echo ATen/ATen.h ;;
    mpi.hpp) echo mpi.h ;;
    openvino*.hpp) echo openvino/openvino.hpp ;;
    ggml_llama.hpp) echo llama.h ;;
    ggml*.hpp) echo ggml.h ;;
    esac
}

jobs="$scratch/jobs"
: >"$jobs"
count=0
for compiler in "${compilers[@]}"; do
    if ! command -v "$compiler" >/dev/null; then
        echo "headers_alone: $compiler is not installed, its pass is skipped"
        [[ -z ${CI:-} ]] || exit 1 # where everything is installed, a pass that is missing is a failure
        continue
    fi
    while IFS= read -r header; do
        name=${header#"$root/include/"}
        if [[ $name == ostend/adapt/* ]]; then
            library=$(needs "$(basename "$name")")
            if [[ -n $library ]] && ! echo "#include <$library>" |
                "$compiler" $flags -E -x c++ - >/dev/null 2>&1; then
                echo "headers_alone: $name is skipped with $compiler, <$library> is not installed"
                continue
            fi
        fi
        echo "$compiler $name" >>"$jobs"
        count=$((count + 1))
    done < <(find "$root/include/ostend" -name '*.hpp' | LC_ALL=C sort)
done
[[ $count -gt 0 ]] || { echo "headers_alone: nothing to compile" >&2; exit 1; }

compile() {
    local output more=
    [[ $2 != */openmp.hpp ]] || more=-fopenmp
    if ! output=$(echo "#include \"$2\"" | "$1" $flags $more -fsyntax-only -x c++ - 2>&1); then
        printf 'headers_alone: %s does not compile alone with %s\n%s\n' "$2" "$1" "$output" >&2
        exit 1
    fi
}
export -f compile
xargs -P "$(nproc)" -L 1 bash -c 'compile "$@"' compile <"$jobs"

wide=()
[[ $(uname -m) != x86_64 ]] || wide=(-mavx2 -mfma)
for compiler in $(cut -d' ' -f1 "$jobs" | sort -u); do
    sed -n "s|^$compiler \(.*\)|#include \"\1\"|p" "$jobs" >"$scratch/all.hpp"
    more=()
    libraries=()
    ! grep -q openmp.hpp "$scratch/all.hpp" || more=(-fopenmp)
    ! grep -q tbb.hpp "$scratch/all.hpp" || libraries=(-ltbb)
    printf '#include "all.hpp"\nint main() {}\n' >"$scratch/a.cpp"
    printf '#include "all.hpp"\n' >"$scratch/b.cpp"
    "$compiler" $flags "${more[@]}" -c "$scratch/a.cpp" -o "$scratch/a.o" &
    plain=$!
    if ! { "$compiler" $flags "${more[@]}" -DOSTEND_CHECKS=0 "${wide[@]}" -c "$scratch/b.cpp" -o "$scratch/b.o" &&
        wait "$plain" && "$compiler" "${more[@]}" "$scratch/a.o" "$scratch/b.o" "${libraries[@]}" -o "$scratch/both"; }; then
        echo "headers_alone: all headers in two units do not build together with $compiler" >&2
        exit 1
    fi
done
echo "headers_alone: $count compilations alone, no warning; all together in two units link"
