#!/usr/bin/env python3
"""Counts the instructions of a few kernels under callgrind and compares them with tests/instructions/counts.json:
a regression gate that noise cannot break. More than TOLERANCE above the recorded count fails; as much below it is
worth a new record. Counts belong to one compiler and one instruction set: elsewhere the check is skipped.

usage: instructions.py [--update]"""
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/instructions"
COUNTS = FOLDER / "counts.json"
TOLERANCE = 0.03
COMPILER = "g++", "12"
FLAGS = ["-std=c++20", "-O2", "-DNDEBUG", f"-I{ROOT / 'include'}", "-isystem", "/usr/include/eigen3"]


def reason_to_skip():
    """Why the counts would mean nothing here, or None."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"counts are recorded for x86-64 Linux, this is {platform.machine()} {platform.system()}"
    # Kernels are chosen at run time; valgrind shows a program AVX2 where the processor has it, and nothing wider.
    if not re.search(r"^flags.*\bavx2\b", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M):
        return "counts are recorded for a processor with AVX2, this one has none"
    for program in (COMPILER[0], "valgrind"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    version = subprocess.run([COMPILER[0], "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()
    if version.split(".")[0] != COMPILER[1]:
        return f"counts are recorded for {' '.join(COMPILER)}, this is {version}"
    return None


def build(folder):
    launcher = ["ccache"] if shutil.which("ccache") else []
    program, unit = folder / "kernels", folder / "kernels.o"
    for command in ([*launcher, COMPILER[0], *FLAGS, "-c", FOLDER / "kernels.cpp", "-o", unit],
                    [COMPILER[0], unit, "-o", program]):
        subprocess.run(command, check=True)
    return program


def count(program, kernel):
    environment = {**os.environ, "LD_BIND_NOW": "1"}  # no symbol is looked up while it counts
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                          "--toggle-collect=measured", program, kernel],
                         capture_output=True, text=True, env=environment)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected:
        sys.exit(f"instructions: {kernel} failed under valgrind\n{run.stderr}")
    return int(collected.group(1))


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    reason = reason_to_skip()
    if reason:
        print(f"instructions: skipped, {reason}")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = build(pathlib.Path(folder))
        kernels = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
        counts = {kernel: count(program, kernel) for kernel in kernels}
    recorded = json.loads(COUNTS.read_text(encoding="utf-8"))["counts"] if COUNTS.exists() else {}
    slower = []
    for kernel, now in counts.items():
        before = recorded.get(kernel)
        change = now / before - 1 if before else None
        print(f"{kernel:20} {now:12,} instructions" + ("  (new)" if change is None else f"  {100 * change:+.1f} %"))
        if not update and (change is None or change > TOLERANCE):
            slower.append(kernel)
        elif not update and change < -TOLERANCE:
            print(f"instructions: {kernel} takes fewer than recorded; record them with {__file__} --update")
    if update:
        COUNTS.write_text(json.dumps({"compiler": " ".join(COMPILER), "flags": "-std=c++20 -O2 -DNDEBUG",
                                      "tolerance": TOLERANCE, "counts": counts}, indent=2) + "\n", encoding="utf-8")
    elif slower or recorded.keys() - counts.keys():
        for kernel in recorded.keys() - counts.keys():
            print(f"instructions: {kernel} is recorded and no longer there", file=sys.stderr)
        sys.exit("instructions: more than recorded, or not recorded: " + ", ".join(slower) + ". If that is meant, "
                 f"record them with {__file__} --update")


if __name__ == "__main__":
    main()
