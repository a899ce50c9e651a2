#!/usr/bin/env bash
# Checks that every C++ file under git is formatted as .clang-format says. `format.sh --fix` formats them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-format >/dev/null || { echo "format: clang-format is not installed" >&2; exit 1; }
mode=(--dry-run -Werror)
[[ ${1:-} != --fix ]] || mode=(-i)
files=()
while IFS= read -r file; do
    [[ ! -f $file ]] || files+=("$file")
done < <(git ls-files '*.hpp' '*.cpp')
[[ ${#files[@]} -gt 0 ]] || { echo "format: no C++ files under git" >&2; exit 1; }
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 16 clang-format "${mode[@]}"
echo "format: ${#files[@]} files are formatted"
