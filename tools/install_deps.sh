#!/usr/bin/env bash
# Installs the Debian packages that are missing: install_deps.sh [build] [test] [bench] [opencv]
set -euo pipefail

build=(g++ cmake ninja-build make libeigen3-dev nlohmann-json3-dev libcli11-dev libstb-dev libfreetype-dev
       fonts-noto-color-emoji)
test=(doctest-dev libxtensor-dev libdlpack-dev libtbb-dev valgrind clang clang-format clang-tidy python3 python3-numpy
      python3-venv git chromium chromium-driver python3-selenium libopenmpi-dev openmpi-bin
      g++-aarch64-linux-gnu qemu-user)
bench=(libbenchmark-dev)
opencv=(libopencv-core-dev) # an engine: tools/engines/opencv.sh

wanted=()
for group in "${@:-build}"; do
    case "$group" in
        build) wanted+=("${build[@]}") ;;
        test) wanted+=("${test[@]}") ;;
        bench) wanted+=("${bench[@]}") ;;
        opencv) wanted+=("${opencv[@]}") ;;
        *) echo "install_deps.sh: there is no group '$group' (build, test, bench, opencv)" >&2; exit 2 ;;
    esac
done

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "install_deps.sh: run as root or install sudo to install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
log=$(mktemp)
"${as_root[@]}" apt-get update -qq >"$log" 2>&1 || true
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >>"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
