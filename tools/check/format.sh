#!/usr/bin/env bash
# Checks that every C++ file under git is formatted as .clang-format says. `format.sh --fix` formats them.
# It compares outputs: --dry-run of clang-format 14 finds fault with `} // namespace a::inline b` as it stands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-format >/dev/null || { echo "format: clang-format is not installed" >&2; exit 1; }
files=()
while IFS= read -r file; do
    [[ ! -f $file ]] || files+=("$file")
done < <(git ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh')
[[ ${#files[@]} -gt 0 ]] || { echo "format: no C++ files under git" >&2; exit 1; }
if [[ ${1:-} == --fix ]]; then
    printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 16 clang-format -i
else
    printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -I{} sh -c '
        clang-format "$1" | cmp -s - "$1" || { echo "format: $1 is not formatted" >&2; exit 1; }' format {}
fi
echo "format: ${#files[@]} files are formatted"
