#!/usr/bin/env bash
# OpenCV's core module as Debian packages it. opencv.sh [--options]: there are none, CMake finds it.
set -euo pipefail
[[ ${1:-} == --options ]] || "$(dirname "${BASH_SOURCE[0]}")/../install_deps.sh" opencv
