#!/usr/bin/env bash
# OpenVINO from its Python package: C++ headers, CMake files, ONNX frontend and CPU plugin.
# openvino.sh [--options]
#
# Installed once, in seconds, into a Python environment of its own, $OSTEND_CACHE/openvino-VERSION.
set -euo pipefail
version=2026.4.1
prefix=${OSTEND_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostend}/openvino-$version

cmake_folder() { find "$prefix" -path '*/openvino/cmake/OpenVINOConfig.cmake' -printf '%h\n' 2>/dev/null | head -n 1; }

if [[ ${1:-} == --options ]]; then
    [[ ! -f $prefix/complete ]] || echo "-DOpenVINO_DIR=$(cmake_folder)"
    exit 0
fi
[[ ! -f $prefix/complete ]] || exit 0

echo "openvino: installing the Python package openvino $version into $prefix"
mkdir -p "$prefix"
[[ -x $prefix/bin/python ]] || /usr/bin/python3 -m venv "$prefix"
"$prefix/bin/pip" install --quiet --disable-pip-version-check "openvino==$version"
[[ -n $(cmake_folder) ]] || { echo "openvino.sh: the package holds no OpenVINOConfig.cmake" >&2; exit 1; }
touch "$prefix/complete"
