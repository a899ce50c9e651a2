#!/usr/bin/env bash
# check.sh PROGRAM NAME [FOLDER]: runs an example and compares what it prints with expected/NAME.txt and what it
# draws with expected/NAME.png, byte for byte. It runs in FOLDER, or in an empty one. UPDATE=1 writes both anew.
set -euo pipefail
program=$1
name=$2
expected=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/expected
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "${3:-$out}"
"$program" >"$out/$name.txt"
if [[ ${UPDATE:-} == 1 ]]; then
    cp -- "$out"/* "$expected"
fi
for file in "$out"/* "$expected/$name".*; do
    file=$(basename "$file")
    [[ -f $out/$file ]] || { echo "check.sh: $program did not write $file" >&2; exit 1; }
    [[ -f $expected/$file ]] || { echo "check.sh: $program wrote $file, which is not in $expected" >&2; exit 1; }
    diff -u "$expected/$file" "$out/$file"
done
