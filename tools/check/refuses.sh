#!/usr/bin/env bash
# Compiles each file of tests/refuses, which must fail with the sentence in its first line:
#     // refuses: the sentence that the compiler's message must hold
# The file control.cpp must compile: it shows that the others fail for their own reason.
# Arguments: compilers (default: g++ and clang++).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
compilers=("$@")
[[ ${#compilers[@]} -gt 0 ]] || compilers=(g++ clang++)
export flags="-std=c++20 -fsyntax-only -I$root/include -isystem /usr/include/eigen3"

refuse() {
    local compiler=$1 file=$2 output wanted
    if [[ $(basename "$file") == control.cpp ]]; then
        if ! output=$("$compiler" $flags "$file" 2>&1); then
            printf 'refuses: %s should compile with %s\n%s\n' "$file" "$compiler" "$output" >&2
            exit 1
        fi
        return
    fi
    wanted=$(sed -n '1s|^// refuses: ||p' "$file")
    if [[ -z $wanted ]]; then
        echo "refuses: $file does not open with '// refuses: <sentence>'" >&2
        exit 1
    fi
    if output=$("$compiler" $flags "$file" 2>&1); then
        echo "refuses: $file compiles with $compiler, and should not" >&2
        exit 1
    fi
    if ! grep -qF -- "$wanted" <<<"$output"; then
        printf 'refuses: %s fails with %s, but not with "%s"\n%s\n' "$file" "$compiler" "$wanted" "$output" >&2
        exit 1
    fi
}
export -f refuse

ran=0
for compiler in "${compilers[@]}"; do
    if ! command -v "$compiler" >/dev/null; then
        echo "refuses: $compiler is not installed, its pass is skipped"
        continue
    fi
    find "$root/tests/refuses" -name '*.cpp' -print0 |
        xargs -0 -P "$(nproc)" -I{} bash -c 'refuse "$@"' refuse "$compiler" {}
    ran=1
done
[[ $ran == 1 ]] || { echo "refuses: no compiler" >&2; exit 1; }
echo "refuses: every file that must not compile is refused with its sentence"
