#!/usr/bin/env python3
"""Runs our benchmarks and their peers in turn and writes results.jsonl, table.md and roofline.svg.

usage: run.py PROGRAMS PYTHON OUT [REGEX]
PROGRAMS: the folder of our programs; PYTHON: the interpreter that has the peers; OUT: the folder to write to.
Names and protocol: benchmarks/README.md. ROUNDS in the environment: samples of each (default 5)."""
import collections
import datetime
import json
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

import roofline

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = 0.1  # least duration of a sample
MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
AMOUNTS = "bytes_per_second", "FLOP/s"
LIMITS = re.compile(r"^(read\.|fma\.|gemm\.bf16\.1024x1024x1024$)")  # measure the machine; they are in every run

Key = collections.namedtuple("Key", "op impl threads")


class Ours:
    """One benchmark of one of our programs, which is started anew for each sample."""

    def __init__(self, program, name):
        self.program, self.name = program, name
        op, *modifiers = name.split("/")
        settings = dict(m.split(":", 1) for m in modifiers if ":" in m)
        self.key = Key(op, settings.get("impl", "ostend"), int(settings.get("threads", 1)))
        self.amounts = {}

    def sample(self):
        exact = re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", self.name)  # POSIX has no \-, which re.escape writes
        command = [self.program, f"--benchmark_filter=^{exact}$", "--benchmark_format=json",
                   f"--benchmark_min_time={SECONDS}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, command))}\n{done.stderr}")
        measured = json.loads(done.stdout)["benchmarks"][0]
        if measured.get("error_occurred"):
            sys.exit(f"bench: {self.name}: {measured['error_message']}")
        ms = measured["real_time"] * MS[measured["time_unit"]]
        # Google Benchmark's rates are of the CPU's time, unless the benchmark uses real time. Amounts a call are kept.
        time = "real_time" if "/real_time" in self.name else "cpu_time"
        for rate in AMOUNTS:
            if rate in measured:
                self.amounts[rate] = measured[rate] * measured[time] * MS[measured["time_unit"]] / 1e3
        return ms


class Peer:
    """One case of a peer script, which answers one line for each sample."""

    running = {}

    def __init__(self, python, script, key):
        self.python, self.script, self.key = python, script, key

    def sample(self):
        if self.script not in Peer.running:
            Peer.running[self.script] = subprocess.Popen([self.python, self.script], stdin=subprocess.PIPE,
                                                         stdout=subprocess.PIPE, text=True)
        process = Peer.running[self.script]
        process.stdin.write(json.dumps({**self.key._asdict(), "seconds": SECONDS}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.script} ended while it ran {self.key.op} by {self.key.impl}")
        answer = json.loads(line)
        if "left_out" in answer:
            print(f"bench: {self.key.op} by {self.key.impl} is left out: {answer['left_out']}", file=sys.stderr)
        return answer.get("ms")


def find_ours(folder):
    for program in sorted(pathlib.Path(folder).glob("*_bench")):
        names = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, check=True)
        yield from (Ours(program, name) for name in names.stdout.split())


def find_peers(python):
    for script in sorted((ROOT / "benchmarks/peers").glob("*.py")):
        if script.name == "peer.py":
            continue
        listed = subprocess.run([python, script, "--list"], capture_output=True, text=True)
        if "ModuleNotFoundError" in listed.stderr:
            print(f"bench: {script.name} is left out: {listed.stderr.splitlines()[-1]}", file=sys.stderr)
            continue
        if listed.returncode != 0:
            sys.exit(f"bench: {script} --list\n{listed.stderr}")
        yield from (Peer(python, script, Key(**json.loads(line))) for line in listed.stdout.splitlines())


def measure(ours, peers):
    """Key -> median in ms. Operation by operation; a sample of each in turn, in the opposite order every other
    round."""
    operations = {}
    for one in [*ours, *peers]:
        operations.setdefault(one.key.op, []).append(one)
    medians = {}
    for number, (op, sides) in enumerate(operations.items(), 1):
        print(f"bench: {number}/{len(operations)} {op}", file=sys.stderr)
        samples = collections.defaultdict(list)
        for turn in range(ROUNDS):
            for one in sides if turn % 2 == 0 else sides[::-1]:
                ms = None if samples[one.key] == [None] else one.sample()
                samples[one.key] = [None] if ms is None else [*samples[one.key], ms]
        medians.update({key: statistics.median(all_ms) for key, all_ms in samples.items() if all_ms != [None]})
    return medians


def shares(one, ms, limits):
    """What share of the machine's limits a measurement of ours reaches: (share, of what)."""
    found = []
    if one.key.threads > 1:
        return None
    if "bytes_per_second" in one.amounts and limits["read"]:
        size = min(limits["read"], key=lambda s: abs(math.log(s / one.amounts["bytes_per_second"])))
        found.append((one.amounts["bytes_per_second"] / ms / limits["read"][size], "reading"))
    if "FLOP/s" in one.amounts and limits["fma"]:
        found.append((one.amounts["FLOP/s"] / ms / limits["fma"], "f32 FMA"))
    return max(found, default=None)


def limits_of(ours, medians):
    """Bytes a ms of reading, by size, f32 FLOPs a ms of one core, and those of the best product of bf16 matrices."""
    limits = {"read": {}, "fma": None, "bf16": None}
    for one in ours:
        if one.key.op.startswith("read.") and "bytes_per_second" in one.amounts:
            limits["read"][one.amounts["bytes_per_second"]] = one.amounts["bytes_per_second"] / medians[one.key]
        elif one.key.op == "fma.f32":
            limits["fma"] = one.amounts["FLOP/s"] / medians[one.key]
    for key, ms in medians.items():
        shape = re.fullmatch(r"gemm\.bf16\.(\d+)x(\d+)x(\d+)", key.op)
        if shape and key.threads == 1:
            limits["bf16"] = max(limits["bf16"] or 0, 2 * math.prod(map(int, shape.groups())) / ms)
    return limits


def processor():
    described = pathlib.Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.*)$", described.read_text(encoding="utf-8"), re.M) if described.exists() else None
    return named.group(1) if named else platform.processor() or platform.machine()


def number(x):
    return f"{x:.3g}" if x < 100 else f"{x:,.0f}"


def write_table(path, ours, medians, limits):
    mine = {one.key for one in ours}
    peers = collections.defaultdict(list)
    for key in medians:
        if key not in mine:
            peers[key.op, key.threads].append(key)
    today = datetime.date.today().isoformat()
    lines = [f"# Benchmarks, {today}", "",
             f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {ROUNDS} samples taken"
             " in turn. Ratio: the peer's time over ours. Limit: the share of the machine's own speed, measured in the"
             " same run, at reading as many bytes or at f32 multiply-adds on one core.", "",
             "| op | threads | ours | ms | limit | peer | ms | ratio |", "|---|--:|---|--:|--:|---|--:|--:|"]
    for one in ours:
        if one.key not in medians:
            continue
        ms = medians[one.key]
        share = shares(one, ms, limits)
        start = (f"| {one.key.op} | {one.key.threads} | {one.key.impl} | {number(ms)} | "
                 + (f"{100 * share[0]:.0f} % of {share[1]}" if share and not LIMITS.match(one.key.op) else ""))
        rivals = sorted(peers[one.key.op, one.key.threads], key=lambda k: medians[k])
        for rival in rivals:
            lines.append(f"{start} | {rival.impl} | {number(medians[rival])} | {number(medians[rival] / ms)} |")
        if not rivals:
            lines.append(f"{start} | | | |")
    alone = [key for key in medians if (key.op, key.threads) not in {(k.op, k.threads) for k in mine}]
    lines += [f"| {key.op} | {key.threads} | | | | {key.impl} | {number(medians[key])} | |" for key in alone]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    programs, python, out = sys.argv[1:4]
    wanted = re.compile(sys.argv[4] if len(sys.argv) > 4 else "")
    out = pathlib.Path(out)
    every = list(find_ours(programs))
    if not every:
        sys.exit(f"bench: there are no programs in {programs}; make bench builds them")
    ours = [one for one in every if wanted.search(one.key.op) or LIMITS.match(one.key.op)]
    if not any(wanted.search(one.key.op) for one in ours):
        sys.exit(f"bench: no operation matches '{wanted.pattern}'")
    peers = [one for one in find_peers(python) if wanted.search(one.key.op) or LIMITS.match(one.key.op)]
    medians = measure(ours, peers)
    with open(out / "results.jsonl", "w", encoding="utf-8") as results:
        for key, ms in medians.items():
            results.write(json.dumps({**key._asdict(), "ms": ms}) + "\n")
    limits = limits_of(ours, medians)
    write_table(out / "table.md", ours, medians, limits)
    points = [(one.key, one.amounts, medians[one.key]) for one in ours
              if one.amounts and not LIMITS.match(one.key.op) and one.key.threads == 1]
    (out / "roofline.svg").write_text(roofline.draw(points, limits, processor()), encoding="utf-8")
    print((out / "table.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
