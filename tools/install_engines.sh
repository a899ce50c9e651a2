#!/usr/bin/env bash
# Installs the engines that the tests of `make test-engines` run on: install_engines.sh [engine...]; without
# arguments all that have a script in tools/engines/. Each goes into a cache outside the checkout,
# ${XDG_CACHE_HOME:-~/.cache}/ostend/, is made once, and says what it does.
#
#   install_engines.sh --options    prints the CMake options by which the build finds what is installed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export OSTEND_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ostend

engines=("$@")
options=()
if [[ ${1:-} == --options ]]; then
    options=(--options)
    engines=()
fi
if [[ ${#engines[@]} -eq 0 ]]; then
    for script in "$here"/engines/*.sh; do
        engines+=("$(basename "$script" .sh)")
    done
fi
for engine in "${engines[@]}"; do
    script=$here/engines/$engine.sh
    [[ -f $script ]] || { echo "install_engines.sh: there is no engine '$engine'" >&2; exit 2; }
    "$script" "${options[@]}"
done
