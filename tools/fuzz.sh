#!/usr/bin/env bash
# Fuzzes: fuzz.sh [EXECUTIONS] [NAME...]. Builds each tests/fuzz/NAME_fuzz.cpp (all of them without a NAME) with clang,
# libFuzzer and the address and undefined-behaviour sanitizers, and runs it EXECUTIONS times (default 1000000).
# A line `// fuzz-with: FILE...` in a target names further sources, from the root; `// fuzz-max-len: BYTES` bounds its
# inputs (default 4096). Seeds: tests/fuzz/corpus/NAME/.
# Prints a line a target; a crash's input stays in build/fuzz/NAME/, and the exit status is 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
clang=${CLANG:-clang++}
runs=1000000
[[ ${1:-} =~ ^[0-9]+$ ]] && { runs=$1; shift; }
targets=()
for name in "$@"; do targets+=("tests/fuzz/${name}_fuzz.cpp"); done
[[ ${#targets[@]} -gt 0 ]] || targets=(tests/fuzz/*_fuzz.cpp)
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$clang" -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null; then
    version=$("$clang" -dumpversion | cut -d. -f1)
    echo "fuzz.sh: $clang has no libFuzzer; on Debian: apt-get install libclang-rt-$version-dev" >&2
    exit 2
fi
failed=0
for source in "${targets[@]}"; do
    name=$(basename "$source" _fuzz.cpp)
    work=build/fuzz/$name
    mkdir -p "$work/corpus"
    longest=$(sed -n 's|^// fuzz-max-len: *||p' "$source")
    read -ra more < <(sed -n 's|^// fuzz-with: *||p' "$source") || true
    "$clang" -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DNDEBUG \
        -Iinclude -Itools -isystem /usr/include/eigen3 "$source" "${more[@]}" -o "$work/fuzz"
    seeds=()
    [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
    start=$SECONDS
    if "$work/fuzz" -runs="$runs" -seed=1 -max_len="${longest:-4096}" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$work/" "$work/corpus" "${seeds[@]}" >"$work/log" 2>&1; then
        result="no crash"
    else
        result="FAILED, see $work/log"
        failed=1
    fi
    done_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/log" | tail -1)
    echo "$(date -u +%F) $name: ${done_runs:-0} executions, ${covered:-?} edges covered, $((SECONDS - start)) s, $result"
done
exit $failed
