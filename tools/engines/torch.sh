#!/usr/bin/env bash
# LibTorch from the Python package torch: C++ headers, libtorch_cpu and libc10. torch.sh [--options]
#
# Installed once, in minutes (a download of 0.9 GB), into a Python environment of its own,
# $OSTEND_CACHE/torch-VERSION. The package is the one for CUDA, but only its processor's half is used: of the
# NVIDIA packages that it asks for (3 GB) the two that libtorch_cpu itself is linked to are installed, no more,
# so `import torch` does not work in this environment.
set -euo pipefail
version=2.8.0
prefix=${OSTEND_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostend}/torch-$version

torch_folder() { find "$prefix" -path '*/site-packages/torch/lib/libtorch_cpu.so' -printf '%h\n' 2>/dev/null | head -n 1; }

if [[ ${1:-} == --options ]]; then
    [[ ! -f $prefix/complete ]] || echo "-DOSTEND_TORCH_DIR=$(dirname "$(torch_folder)")"
    exit 0
fi
[[ ! -f $prefix/complete ]] || exit 0

echo "torch: installing the Python package torch $version into $prefix (minutes)"
mkdir -p "$prefix"
[[ -x $prefix/bin/python ]] || /usr/bin/python3 -m venv "$prefix"
packages=("torch==$version")
# The processor's half of the x86-64 package is linked to these two; that of other processors to neither.
[[ $(uname -m) != x86_64 ]] || packages+=(nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90)
"$prefix/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-cache-dir "${packages[@]}"
[[ -n $(torch_folder) ]] || { echo "torch.sh: the package holds no libtorch_cpu.so" >&2; exit 1; }
touch "$prefix/complete"
