#!/usr/bin/env python3
"""The driver of `make bench`: names, what a program and a peer script answer, the files that it writes.
Usage: bench_test.py FOLDER_OF_PROGRAMS (not used: benchmarks are not built with the tests)"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/bench"))
import roofline  # noqa: E402
import run  # noqa: E402

# Answers as Google Benchmark does: 3 ms of wall time, 2 ms of the CPU's; 4 MB a call, 8 million FLOP a call.
PROGRAM = """#!/bin/sh
case "$*" in
*list_tests*) printf 'read.4MB/impl:machine\\nfma.f32/impl:machine\\ntoy-work.4MB/threads:2\\ntoy-work.4MB/impl:ostend-a\\n' ;;
*) echo '{"benchmarks": [{"name": "x", "real_time": 3000, "cpu_time": 2000, "time_unit": "us",
          "bytes_per_second": 2e9, "FLOP/s": 4e9}]}' ;;
esac
"""
PEERS = """
from peer import case, serve

@case("toy-work.4MB", "sum")
def _():
    values = list(range(1000))
    return lambda: sum(values)

@case("toy-work.4MB", "missing", 2)
def _():
    import a_package_that_is_not_there

serve()
"""


class Driver(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        program = self.folder / "toy_bench"
        program.write_text(PROGRAM, encoding="utf-8")
        program.chmod(0o755)
        self.ours = list(run.find_ours(self.folder))

    def test_names(self):
        self.assertEqual([one.key for one in self.ours],
                         [("read.4MB", "machine", 1), ("fma.f32", "machine", 1), ("toy-work.4MB", "ostend", 2),
                          ("toy-work.4MB", "ostend-a", 1)])

    def test_sample_is_wall_time_and_amounts_are_of_one_call(self):
        self.assertEqual(self.ours[0].sample(), 3.0)
        self.assertEqual(self.ours[0].amounts, {"bytes_per_second": 4e6, "FLOP/s": 8e6})

    def test_table_results_and_picture(self):
        peer = run.Key("toy-work.4MB", "torch", 1)
        medians = {one.key: one.sample() for one in self.ours} | {peer: 12.0}
        limits = run.limits_of(self.ours, medians)
        self.assertEqual(limits, {"read": {4e6: 4e6 / 3}, "fma": 8e6 / 3, "bf16": None})
        run.write_table(self.folder / "table.md", self.ours, medians, limits)
        rows = (self.folder / "table.md").read_text(encoding="utf-8").splitlines()
        self.assertIn("| toy-work.4MB | 1 | ostend-a | 3 | 100 % of reading | torch | 12 | 4 |", rows)
        self.assertIn("| toy-work.4MB | 2 | ostend | 3 |  | | | |", rows)
        points = [(self.ours[3].key, self.ours[3].amounts, 3.0),
                  (run.Key("bytes<only>", "ostend", 1), {"bytes_per_second": 4e6}, 6.0)]
        svg = roofline.draw(points, limits, "a machine")
        words = [t.text for t in xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("toy-work.4MB (ostend-a)", words)
        self.assertIn("bytes<only>", words)
        self.assertIn("50 %", words)

    def test_peers(self):
        script = self.folder / "toy.py"
        script.write_text(PEERS, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "benchmarks/peers")}
        listed = subprocess.run([sys.executable, script, "--list"], capture_output=True, text=True, check=True,
                                env=environment)
        cases = [json.loads(line) for line in listed.stdout.splitlines()]
        self.assertEqual(cases, [{"op": "toy-work.4MB", "impl": "sum", "threads": 1},
                                 {"op": "toy-work.4MB", "impl": "missing", "threads": 2}])
        asked = "".join(json.dumps({**one, "seconds": 0.001}) + "\n" for one in cases + cases[:1])
        answered = subprocess.run([sys.executable, script], input=asked, capture_output=True, text=True, check=True,
                                  env=environment)
        first, missing, again = (json.loads(line) for line in answered.stdout.splitlines())
        self.assertGreater(first["ms"], 0)
        self.assertIn("a_package_that_is_not_there", missing["left_out"])
        self.assertGreater(again["ms"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
