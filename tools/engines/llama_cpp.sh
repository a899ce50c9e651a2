#!/usr/bin/env bash
# llama.cpp: libllama and libmtmd for the processor, built from the sources inside the Python source package
# llama-cpp-python, and the Python package gguf that writes its files. llama_cpp.sh [--options]
#
# Made once, in about ten minutes on two cores, in $OSTEND_CACHE/llama.cpp-VERSION:
#   include/, lib/     the headers and the libraries as they are published; with ggml's RPC backend, a device whose
#                      memory is that of another process, for the tests
#   lib-mended/        libmtmd again, with the class token of CLIP towers where the positions expect it
#                      (docs/hosts/llama_cpp.md); for the tests, which must be right with either
#   venv/              the Python environment of tools/engines/write_gguf.py
set -euo pipefail
version=0.3.36 # of llama-cpp-python
gguf=0.19.0
prefix=${OSTEND_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostend}/llama.cpp-$version
if [[ ${1:-} == --options ]]; then
    echo "-DOSTEND_LLAMA_CPP_DIR=$prefix"
    exit 0
fi
[[ ! -f $prefix/complete || ! -f $prefix/lib/libggml-rpc.so ]] || exit 0

for program in cmake ninja g++ python3; do
    command -v $program >/dev/null || { echo "llama_cpp.sh: $program is missing; run tools/install_deps.sh build test" >&2; exit 1; }
done
mkdir -p "$prefix"
work=$prefix/build # always the same, so that ccache knows the files again
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
log=$prefix/install.log
: >"$log"
say() { echo "llama.cpp: $*"; }
run() { "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "llama_cpp.sh: failed: $* (all of it: $log)" >&2; exit 1; }; }

say "Python environment in $prefix/venv"
run python3 -m venv "$prefix/venv"
run "$prefix/venv/bin/pip" install --quiet --disable-pip-version-check "gguf==$gguf" numpy

say "downloading the sources of llama-cpp-python $version"
run "$prefix/venv/bin/pip" download --disable-pip-version-check --no-deps \
    --no-binary llama-cpp-python -d "$work" "llama-cpp-python==$version"
run tar -xzf "$work/llama_cpp_python-$version.tar.gz" -C "$work"
source=$work/llama_cpp_python-$version/vendor/llama.cpp

say "building libllama and libmtmd (minutes)"
run cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
    -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
    -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "-DCMAKE_INSTALL_RPATH=\$ORIGIN;\$ORIGIN/../lib" -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_MTMD=ON -DGGML_RPC=ON -DGGML_RPC_RDMA=OFF -DGGML_CCACHE="$(command -v ccache >/dev/null && echo ON || echo OFF)"
run cmake --build "$work/build" --target llama mtmd --parallel "${JOBS:-$(nproc)}"

keep() { # the libraries into folder $1, with the names by which programs find them
    mkdir -p "$1"
    find "$work/build" -name 'lib*.so*' -exec cp -P {} "$1" \;
}
keep "$prefix/lib"
mkdir -p "$prefix/include"
cp "$source"/include/*.h "$source"/ggml/include/*.h "$source"/tools/mtmd/mtmd.h "$source"/tools/mtmd/mtmd-helper.h \
    "$prefix/include"

say "building libmtmd with the class token first"
graph=$source/tools/mtmd/models/llava.cpp
sed -i 's/ggml_concat(ctx0, inp, model.class_embedding, 1)/ggml_concat(ctx0, model.class_embedding, inp, 1)/' "$graph"
grep -q 'ggml_concat(ctx0, model.class_embedding, inp, 1)' "$graph" || { echo "llama_cpp.sh: $graph is not as expected" >&2; exit 1; }
run cmake --build "$work/build" --target mtmd --parallel "${JOBS:-$(nproc)}"
keep "$work/mended"
mkdir -p "$prefix/lib-mended"
cp -P "$work"/mended/libmtmd.so* "$prefix/lib-mended"

touch "$prefix/complete"
say "installed in $prefix"
