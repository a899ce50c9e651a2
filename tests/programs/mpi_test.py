#!/usr/bin/env python3
"""ostend_coco_eval and ostend_evaluate under mpirun: 1, 2 and 4 ranks give the bits of one process; a rank that fails
or dies fails the job; what a stopped run saved is gone on from. And adapt/mpi.hpp, and a build without MPI.
Usage: mpi_test.py FOLDER_OF_PROGRAMS. Exit status 77: there is no mpirun."""
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from programs import BIN, MODEL, run

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"]
PROGRAM = str(BIN / "ostend_coco_eval")
KILLED = "signal 9|non-zero exit code"  # mpirun's words, by which it hears first: the death or what follows from it


def start(*command):
    return subprocess.Popen([*map(str, command)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
                                 "OMPI_MCA_mpi_yield_when_idle": "1"})


def start_ranks(*contexts):
    """Each context is a number of ranks and their command; the job."""
    command = list(MPIRUN)
    for i, (ranks, *arguments) in enumerate(contexts):
        command += ([":"] if i else []) + ["-n", ranks, *arguments]
    return start(*command)


def ended(job):
    """The job, its output in place of the pipes."""
    try:
        job.stdout, job.stderr = job.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        job.kill()
        job.communicate()
        raise
    return job


def mpirun(*contexts):
    return ended(start_ranks(*contexts))


def until_it_evaluates(job, state):
    """When every rank has read its input, the state is one file; then the first image is evaluated."""
    while not state.exists() or list(state.parent.glob(f"{state.name}.rank*")):
        if job.poll() is not None:
            raise AssertionError(f"ended before it evaluated: {job.communicate()}")
        time.sleep(0.005)


class Ranks(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        rng = random.Random(3)
        images = [{"id": 7 * i - 30, "width": 40, "height": 30} for i in range(30)]
        truths, results = [], []
        for image in images:
            for _ in range(rng.randrange(5)):
                box = [rng.randrange(20), rng.randrange(15), rng.randrange(4, 20), rng.randrange(4, 15)]
                category = rng.randrange(1, 4)
                truths.append({"id": len(truths) + 1, "image_id": image["id"], "category_id": category, "bbox": box,
                               "area": box[2] * box[3], "iscrowd": int(rng.random() < 0.1),
                               "segmentation": [[box[0], box[1], box[0] + box[2], box[1], box[0], box[1] + box[3]]]})
                for _ in range(3):
                    moved = [v + rng.choice([0, 0, 1, -1]) for v in box]
                    results.append({"image_id": image["id"], "category_id": category, "bbox": moved,
                                    "score": rng.choice([0.1, 0.5, 0.5, 0.9])})
        self.gt, self.dt = self.folder / "gt.json", self.folder / "dt.json"
        self.gt.write_text(json.dumps({"images": images, "annotations": truths,
                                       "categories": [{"id": c, "name": str(c)} for c in (1, 2, 3)]}), encoding="utf-8")
        self.dt.write_text(json.dumps(results), encoding="utf-8")

    def alone(self, *arguments):
        figures = self.folder / "alone.json"
        done = run("ostend_coco_eval", self.gt, self.dt, "--json", figures, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, figures.read_bytes()

    def test_any_number_of_ranks_gives_the_same_bytes(self):
        for iou in ("bbox", "segm", "boundary"):
            lines, figures = self.alone("--iou", iou)
            self.assertGreater(json.loads(figures)["stats"][0], 0)
            for ranks in (1, 2, 4):
                file = self.folder / f"{iou}{ranks}.json"
                done = mpirun((ranks, PROGRAM, self.gt, self.dt, "--iou", iou, "--json", file))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, lines)
                self.assertEqual(file.read_bytes(), figures)

    def refused(self, done, sentence):
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("Average Precision", done.stdout)
        self.assertRegex(done.stderr, sentence)
        self.assertFalse((self.folder / "figures.json").exists())

    def test_a_rank_that_cannot_read_its_files(self):
        figures = self.folder / "figures.json"
        good = (PROGRAM, self.gt, self.dt, "--iou", "bbox", "--json", figures)
        missing = (PROGRAM, self.gt, self.folder / "none.json", "--iou", "bbox", "--json", figures)
        self.refused(mpirun((1, *good), (1, *missing)), "rank 1: ")
        self.refused(mpirun((2, *good), (1, *missing), (1, *good)), "rank 2: ")
        self.refused(mpirun((1, *missing), (1, *good)), "none.json: cannot be opened")

        cut = self.folder / "cut.json"
        cut.write_bytes(self.dt.read_bytes()[:-40])
        self.refused(mpirun((1, *good), (1, PROGRAM, self.gt, cut, *good[3:])), "the file ends too early")
        # Whole, but not what the others have.
        cut.write_bytes(self.dt.read_bytes() + b"\n")
        self.refused(mpirun((1, *good), (1, PROGRAM, self.gt, cut, *good[3:])), "a state of another result file")

    def test_a_rank_that_never_starts(self):
        figures = self.folder / "figures.json"
        good = (PROGRAM, self.gt, self.dt, "--iou", "bbox", "--json", figures)
        self.refused(mpirun((1, *good), (1, "sh", "-c", "kill -9 $$")), KILLED)

    def test_a_build_without_mpi(self):
        without = str(BIN / "ostend_coco_eval_alone")
        self.assertNotIn("libmpi", subprocess.run(["ldd", without], text=True, stdout=subprocess.PIPE,
                                                  check=True).stdout)
        self.assertIn("libmpi", subprocess.run(["ldd", PROGRAM], text=True, stdout=subprocess.PIPE, check=True).stdout)
        figures = self.folder / "figures.json"
        for iou in ("bbox", "segm"):
            lines, want = self.alone("--iou", iou)
            done = run(without, self.gt, self.dt, "--iou", iou, "--json", figures)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, lines, ""))
            self.assertEqual(figures.read_bytes(), want)
            figures.unlink()
        # Two that would each evaluate everything: neither does.
        done = mpirun((2, without, self.gt, self.dt, "--iou", "bbox", "--json", figures))
        self.refused(done, "started as one of 2 ranks, but built without MPI")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        done = mpirun((1, without, self.gt, self.dt, "--iou", "bbox", "--json", figures))
        self.assertEqual((done.returncode, done.stdout), (0, self.alone("--iou", "bbox")[0]), done.stderr)

    def test_a_state_outlives_the_number_of_ranks(self):
        lines, _ = self.alone("--iou", "bbox")
        states = []
        for part in (1, 2, 3):
            states.append(self.folder / f"state{part}")
            done = mpirun((part, PROGRAM, self.gt, self.dt, "--iou", "bbox", "--state", states[-1],
                           "--part", f"{part}/3"))
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        for ranks in (1, 2):
            done = mpirun((ranks, PROGRAM, self.gt, self.dt, "--iou", "bbox", "--merge", *states))
            self.assertEqual((done.returncode, done.stdout), (0, lines), done.stderr)
        # From a state of one part on: the rest is evaluated, by another number of ranks.
        done = mpirun((4, PROGRAM, self.gt, self.dt, "--iou", "bbox", "--state", states[0]))
        self.assertEqual((done.returncode, done.stdout), (0, lines), done.stderr)
        self.assertEqual(sorted(f.name for f in self.folder.glob("state1*")), ["state1"])


class Merge(unittest.TestCase):
    def test_accumulators_meet_on_rank_0(self):
        for ranks in (1, 2, 4):
            done = mpirun((ranks, BIN / "mpi_ranks"))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"{ranks} ranks agree", done.stdout)


class CutOff(unittest.TestCase):
    """Runs that end in the middle: each would take seconds, and is cut off as soon as it evaluates."""

    @classmethod
    def setUpClass(cls):
        cls.inputs = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.inputs, ignore_errors=True)
        rng = random.Random(8)
        images = [{"id": i, "width": 6400, "height": 4800} for i in range(240)]
        truths, results = [], []

        def star(x, y, radius):
            ring = []
            for angle in (k * math.pi / 12 for k in range(24)):
                length = radius * (0.6 + 0.4 * rng.random())
                ring += [round(x + length * math.cos(angle), 1), round(y + length * math.sin(angle), 1)]
            return [ring]

        for image in images:
            for _ in range(12):
                x, y, radius = rng.randrange(6400), rng.randrange(4800), rng.randrange(600, 2000)
                about = {"image_id": image["id"], "category_id": 1}
                truths.append({**about, "id": len(truths) + 1, "area": radius * radius, "iscrowd": 0,
                               "segmentation": star(x, y, radius)})
                results += [{**about, "score": round(rng.random(), 2),
                             "segmentation": star(x + rng.randrange(-50, 51), y, radius)} for _ in range(3)]
        (cls.inputs / "gt.json").write_text(json.dumps({"images": images, "annotations": truths,
                                                        "categories": [{"id": 1, "name": "star"}]}), encoding="utf-8")
        (cls.inputs / "dt.json").write_text(json.dumps(results), encoding="utf-8")

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state, self.file = self.folder / "state", self.folder / "figures.json"

    def coco_eval(self, *more):
        return (PROGRAM, self.inputs / "gt.json", self.inputs / "dt.json", "--iou", "boundary", "--json", self.file,
                *more)

    def evaluate(self, *more, scenes=60):
        return (BIN / "ostend_evaluate", "--model", MODEL, "--seed", 5, "--count", scenes, "--json", self.file, *more)

    def names(self):
        return sorted(f.name for f in self.folder.iterdir())

    def figures(self, job):
        """Those of a job that must have ended well: as text, and as JSON. The file goes."""
        self.assertEqual(ended(job).returncode, 0, job.stderr)
        figures = json.loads(self.file.read_text(encoding="utf-8"))
        figures.pop("seconds", None)
        self.file.unlink()
        return job.stdout, figures

    def start_two(self, command):
        """Two ranks, and a file for the id of each."""
        ids = [self.folder / f"id{rank}" for rank in (0, 1)]
        return start_ranks(*((1, "sh", "-c", 'echo $$ > "$0" && exec "$@"', ids[r], *command) for r in (0, 1))), ids

    def test_a_rank_that_is_killed(self):
        for command in (self.coco_eval("--state", self.state), self.evaluate("--state", self.state, scenes=100000)):
            for killed in (0, 1):
                job, ids = self.start_two(command)
                until_it_evaluates(job, self.state)
                os.kill(int(ids[killed].read_text(encoding="utf-8")), signal.SIGKILL)
                ended(job)
                self.assertNotEqual(job.returncode, 0)
                self.assertEqual(job.stdout, "")
                self.assertRegex(job.stderr, KILLED)
                self.assertEqual(self.names(), ["id0", "id1", "state"])  # no figures
                for name in self.names():
                    (self.folder / name).unlink()

    def check_stopped(self, job, program):
        ended(job)
        self.assertEqual((job.returncode, job.stdout), (3, ""), job.stderr)
        self.assertIn(f"{program}: stopped; the same command goes on from {self.state}\n", job.stderr)
        self.assertFalse(self.file.exists())

    def check_goes_on(self, program, command):
        want = self.figures(start(*command))
        command += ("--state", self.state)
        sizes = []
        for number in (signal.SIGTERM, signal.SIGINT):
            job = start(*command)
            until_it_evaluates(job, self.state)
            sizes.append(self.state.stat().st_size)
            job.send_signal(number)
            self.check_stopped(job, program)
            self.assertEqual(self.names(), ["state", "state.rank0"])
        self.assertGreater(sizes[1], sizes[0])  # the second run had what the first one saved
        self.assertEqual(self.figures(start(*command)), want)
        self.assertEqual(self.names(), ["state"])
        self.assertGreater(self.state.stat().st_size, sizes[1])

        # One rank is told to stop: all do, and another number of ranks goes on.
        self.state.unlink()
        job, ids = self.start_two(command)
        until_it_evaluates(job, self.state)
        os.kill(int(ids[1].read_text(encoding="utf-8")), signal.SIGTERM)
        self.check_stopped(job, program)
        self.assertEqual(self.names(), ["id0", "id1", "state", "state.rank0", "state.rank1"])
        self.assertEqual(self.figures(start_ranks((4, *command))), want)
        self.assertEqual(self.names(), ["id0", "id1", "state"])

    def test_a_coco_evaluation_that_is_stopped_goes_on(self):
        self.check_goes_on("ostend_coco_eval", self.coco_eval())

    def test_an_evaluation_of_scenes_that_is_stopped_goes_on(self):
        self.check_goes_on("ostend_evaluate", self.evaluate())


class Evaluate(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def command(self, file, *more, model=MODEL, seed=5, count=7):
        return (BIN / "ostend_evaluate", "--model", model, "--seed", seed, "--count", count, "--json", file, *more)

    def figures(self, file):
        figures = json.loads(Path(file).read_text(encoding="utf-8"))
        figures.pop("seconds")
        return figures

    def test_any_number_of_ranks_gives_the_same_figures(self):
        one = self.folder / "one.json"
        done = run(*self.command(one))
        self.assertEqual(done.returncode, 0, done.stderr)
        for ranks in (1, 2, 4):
            file = self.folder / f"{ranks}.json"
            report = self.folder / f"report{ranks}"
            job = mpirun((ranks, *self.command(file, "--report", report, "--report-scenes", 2)))
            self.assertEqual(job.returncode, 0, job.stderr)
            self.assertEqual(self.figures(file), self.figures(one))
            self.assertTrue((report / "report.html").exists())

    def test_a_rank_that_cannot_read_its_model(self):
        file = self.folder / "figures.json"
        job = mpirun((1, *self.command(file)), (1, *self.command(file, model=self.folder)))
        self.assertNotEqual(job.returncode, 0)
        self.assertIn("rank 1: ", job.stderr)
        self.assertNotIn("noun recall", job.stdout)
        self.assertFalse(file.exists())
        # Another model than the others' is noticed when the sums meet.
        job = mpirun((1, *self.command(file)), (1, *self.command(file, model=MODEL.parent / "tiny-llava-clip")))
        self.assertNotEqual(job.returncode, 0)
        self.assertIn("a state of another model", job.stderr)
        self.assertFalse(file.exists())

    def test_a_state_is_gone_on_from(self):
        one, file, state = (self.folder / name for name in ("one.json", "figures.json", "state"))
        self.assertEqual(run(*self.command(one)).returncode, 0)
        self.assertEqual(run(*self.command(file, "--state", state, count=3)).returncode, 0)
        self.assertEqual(self.figures(file)["scenes"], 3)
        job = mpirun((2, *self.command(file, "--state", state)))
        self.assertEqual(job.returncode, 0, job.stderr)
        self.assertEqual(self.figures(file), self.figures(one))
        self.assertEqual(sorted(f.name for f in self.folder.glob("state*")), ["state"])

        for other, sentence in ((self.command(file, "--state", state, count=4), "has 7 scenes, but 4 are asked for"),
                                (self.command(file, "--state", state, seed=6), "a state of another model"),
                                (self.command(file, "--state", state, "--preset", "paper"), "preset paper")):
            done = run(*other)
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)
        good = state.read_bytes()
        for at in range(0, len(good), max(1, len(good) // 5)):
            state.write_bytes(good[:at] + bytes([good[at] ^ 16]) + good[at + 1:])
            done = run(*self.command(file, "--state", state))
            self.assertEqual((done.returncode, "damaged" in done.stderr), (1, True), done.stderr)
            state.write_bytes(good[:at])
            self.assertEqual(run(*self.command(file, "--state", state)).returncode, 1)


if __name__ == "__main__":
    if shutil.which("mpirun") is None:
        print("there is no mpirun", file=sys.stderr)
        sys.exit(77)
    unittest.main()
