#!/usr/bin/env bash
# Makes the project's own Python environment, build/venv, with the packages of tools/requirements-GROUP.txt:
# install_python.sh [test] [bench] [cuda]. Nothing outside build/ is touched; a run with nothing to do takes no time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/build/venv
for group in "${@:-test}"; do
    wanted=$root/tools/requirements-$group.txt
    [[ -f $wanted ]] || { echo "install_python.sh: there is no group '$group' (test, bench, cuda)" >&2; exit 2; }
    stamp=$venv/installed-$group
    cat "$root"/tools/requirements-*.txt | cmp -s - "$stamp" && continue
    [[ -x $venv/bin/python ]] || /usr/bin/python3 -m venv "$venv"
    echo "installing Python packages: $(grep -v '^[#-]' "$wanted" | tr '\n' ' ')"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cat "$root"/tools/requirements-*.txt >"$stamp"
done
