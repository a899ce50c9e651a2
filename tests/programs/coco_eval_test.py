#!/usr/bin/env python3
"""ostend_coco_eval as a user runs it: what it prints is what its JSON says, its switches do what --help says, and every
mistake is a sentence and an exit status. (Its numbers are compared with pycocotools' in tests/peers/coco_test.py.)
Usage: coco_eval_test.py FOLDER_OF_PROGRAMS"""
import json
import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import run

AREAS = ("all", "small", "medium", "large")
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
# Of each line: what, the IoU thresholds, the area range, which limit of detections.
LINES = [("Average Precision", "AP", "0.50:0.95", 0, 2), ("Average Precision", "AP", "0.50", 0, 2),
         ("Average Precision", "AP", "0.75", 0, 2), ("Average Precision", "AP", "0.50:0.95", 1, 2),
         ("Average Precision", "AP", "0.50:0.95", 2, 2), ("Average Precision", "AP", "0.50:0.95", 3, 2),
         ("Average Recall", "AR", "0.50:0.95", 0, 0), ("Average Recall", "AR", "0.50:0.95", 0, 1),
         ("Average Recall", "AR", "0.50:0.95", 0, 2), ("Average Recall", "AR", "0.50:0.95", 1, 2),
         ("Average Recall", "AR", "0.50:0.95", 2, 2), ("Average Recall", "AR", "0.50:0.95", 3, 2)]
CATEGORIES = [(3, "traffic light"), (1, "cat"), (40, "dog"), (7, "never there")]


def rectangle(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


class CocoEval(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-coco-eval-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.gt, self.dt, self.file = (self.folder / name for name in ("gt.json", "dt.json", "figures.json"))
        rng = random.Random(11)
        self.images = [{"id": 5 * i, "width": 300, "height": 200} for i in range(25)]
        self.truths, self.results = [], []
        for image in self.images:
            for _ in range(rng.randrange(1, 7)):
                x, y, width, height = rng.randrange(150), rng.randrange(80), rng.randrange(5, 140), rng.randrange(5, 110)
                about = {"image_id": image["id"], "category_id": rng.choice((1, 3, 40))}
                self.truths.append({**about, "id": len(self.truths) + 1, "bbox": [x, y, width, height],
                                    "area": width * height, "iscrowd": 0,
                                    "segmentation": rectangle(x, y, width, height)})
                for _ in range(rng.randrange(4)):
                    moved = [max(0, x + rng.randrange(-2, 3)), y, width + rng.randrange(3), height]
                    self.results.append({**about, "bbox": moved, "score": rng.randrange(100) / 100,
                                         "segmentation": rectangle(*moved)})
        self.write()

    def write(self, categories=CATEGORIES):
        self.gt.write_text(json.dumps({"images": self.images, "annotations": self.truths,
                                       "categories": [{"id": i, "name": name} for i, name in categories]}),
                           encoding="utf-8")
        self.dt.write_text(json.dumps(self.results), encoding="utf-8")

    def evaluate(self, *arguments):
        """A run that must succeed: what it printed, on standard output and beside, and its JSON."""
        done = run("ostend_coco_eval", self.gt, self.dt, "--json", self.file, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr, json.loads(self.file.read_text(encoding="utf-8"))

    def refused(self, status, sentence, *arguments, files=None):
        done = run("ostend_coco_eval", *(files or (self.gt, self.dt)), *arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertFalse(self.file.exists())


class Figures(CocoEval):
    def lines_of(self, figures, limits=(1, 10, 100)):
        return [f" {what:<18} ({short}) @[ IoU={iou:<9} | area={AREAS[area]:>6} | maxDets={limits[limit]:>3} ] = "
                f"{value:.3f}" for (what, short, iou, area, limit), value in zip(LINES, figures["stats"])]

    def test_twelve_lines_of_every_overlap(self):
        for iou in ("segm", "bbox", "boundary"):
            printed, beside, figures = self.evaluate("--iou", iou)
            self.assertEqual(printed.splitlines(), self.lines_of(figures))
            self.assertEqual(beside, "")
            self.assertEqual((figures["iou"], figures["images"]), (iou, 25))
            self.assertEqual(tuple(figures["stat_names"]), NAMES)
            self.assertTrue(0 < figures["stats"][0] < 1)
            without = run("ostend_coco_eval", self.gt, self.dt, "--iou", iou)
            self.assertEqual((without.returncode, without.stdout), (0, printed))
        self.assertEqual(run("ostend_coco_eval", self.gt, self.dt).stdout, self.evaluate("--iou", "segm")[0])

    def test_stats_are_the_means_of_the_curves(self):
        for iou in ("segm", "bbox"):
            figures = self.evaluate("--iou", iou)[2]
            curves = figures["curves"]
            np.testing.assert_allclose(curves["recall_thresholds"], np.linspace(0, 1, 101), rtol=0, atol=1e-15)
            precision = np.array([c["precision"] for c in curves["categories"]])
            recall = np.array([c["recall"] for c in curves["categories"]])
            self.assertEqual(precision.shape, (3, 10, 101))
            want = [precision.mean(), precision[:, 0].mean(), precision[:, 5].mean(), recall.mean()]
            np.testing.assert_allclose([figures["stats"][i] for i in (0, 1, 2, 8)], want, rtol=1e-12)
            for one in (c for c in figures["per_class"] if c["truths"][0]):
                mine = next(c for c in curves["categories"] if c["category_id"] == one["category_id"])
                np.testing.assert_allclose(one["AP"], np.mean(mine["precision"]), rtol=1e-12)
                np.testing.assert_allclose(one["AR100"], np.mean(mine["recall"]), rtol=1e-12)

    def test_a_line_a_category(self):
        printed, _, figures = self.evaluate("--per-class")
        twelve, table = printed.split("\n\n")
        self.assertEqual(twelve.splitlines(), self.lines_of(figures))
        head, *rows = table.splitlines()
        self.assertEqual(head.split(), ["id", "category", "truths", *NAMES])
        self.assertEqual([one["category_id"] for one in figures["per_class"]], sorted(i for i, _ in CATEGORIES))
        self.assertEqual(len(rows), len(figures["per_class"]))
        for row, one in zip(rows, figures["per_class"]):
            counted = sum(t["category_id"] == one["category_id"] for t in self.truths)
            self.assertEqual(one["truths"][0], counted)
            number, name, rest = re.fullmatch(r" *(\d+)  (.{13}) (.*)", row).groups()
            self.assertEqual((int(number), name.rstrip()), (one["category_id"], one["name"]))
            self.assertEqual(name.rstrip(), dict(CATEGORIES)[int(number)])
            self.assertEqual(rest.split(), [str(counted)] + ["-" if one[n] < 0 else f"{one[n]:.3f}" for n in NAMES])
        self.assertEqual(rows[2].split()[-12:], ["-"] * 12)  # never there
        self.assertEqual({len(line) for line in table.splitlines()}, {len(head)})

    def test_limits_of_detections(self):
        printed, _, figures = self.evaluate("--max-detections", 1, 2, 3)
        self.assertEqual(printed.splitlines(), self.lines_of(figures, (1, 2, 3)))
        self.assertEqual(figures["options"]["max_detections"], [1, 2, 3])
        self.assertEqual(figures["curves"]["max_detections"], 3)
        whole = self.evaluate()[2]
        self.assertEqual(figures["stats"][6], whole["stats"][6])  # one detection each
        self.assertLess(figures["stats"][7], whole["stats"][7])
        # With no more than one, nothing else can be told apart.
        one = self.evaluate("--max-detections", 1, 1, 1)[2]
        self.assertEqual(one["stats"][6:9], [whole["stats"][6]] * 3)

    def test_one_category_for_all(self):
        for i, result in enumerate(self.results):  # ties would be broken by the category
            result["score"] += i / 1e5
        self.write()
        printed, _, figures = self.evaluate("--class-agnostic")
        self.assertEqual(printed.splitlines(), self.lines_of(figures))
        self.assertEqual([(c["category_id"], c["name"], c["truths"][0]) for c in figures["per_class"]],
                         [(-1, "(all)", len(self.truths))])
        for truth in self.truths:
            truth["category_id"] = 1
        for result in self.results:
            result["category_id"] = 1
        self.write()
        self.assertEqual(self.evaluate()[2]["stats"], figures["stats"])

    def test_an_annotation_with_id_0(self):
        want = self.evaluate("--iou", "bbox")[2]["stats"]
        found = self.results[-1]
        next(t for t in self.truths if t["image_id"] == found["image_id"] and
             abs(t["bbox"][0] - found["bbox"][0]) <= 2 and t["bbox"][1::2] == found["bbox"][1::2])["id"] = 0
        self.write()
        _, beside, quirks = self.evaluate("--iou", "bbox")
        self.assertEqual(beside,
                         "the annotation with id 0 counts as never found, as in pycocotools (see --clean)\n")
        self.assertEqual([quirks["options"][k] for k in ("honour_ignore", "zero_id_never_matches")], [False, True])
        self.assertLess(quirks["stats"][8], want[8])
        _, beside, clean = self.evaluate("--iou", "bbox", "--clean")
        self.assertEqual((beside, clean["stats"]), ("", want))
        self.assertEqual([clean["options"][k] for k in ("honour_ignore", "zero_id_never_matches")], [True, False])

    def test_annotations_to_be_ignored(self):
        want = self.evaluate("--iou", "bbox")[2]
        for truth in self.truths[::3]:
            truth["ignore"] = 1
        self.write()
        self.assertEqual(self.evaluate("--iou", "bbox")[2], want)  # no effect, as in pycocotools
        clean = self.evaluate("--iou", "bbox", "--clean")[2]
        self.assertEqual(sum(c["truths"][0] for c in clean["per_class"]),
                         len(self.truths) - len(self.truths[::3]))
        self.assertNotEqual(clean["stats"], want["stats"])

    def test_sums_as_either_numpy_takes_them(self):
        for version in ("2.2", "2.3"):
            figures = self.evaluate("--numpy", version)[2]
            self.assertEqual(figures["options"]["sums"], f"numpy {version}")
            np.testing.assert_allclose(figures["stats"], self.evaluate()[2]["stats"], rtol=1e-12)

    def test_results_of_categories_that_are_not_there(self):
        want = self.evaluate()[2]
        self.results.append({**self.results[0], "category_id": 99})
        self.write()
        _, beside, figures = self.evaluate("--skip-unknown-categories")
        self.assertEqual(beside, "1 results of categories that GT does not list are left out\n")
        self.assertEqual(figures, want)
        self.file.unlink()
        self.refused(1, f"results[{len(self.results) - 1}].category_id: there is no category 99 in the truth")

    def test_masks_of_two_to_the_31_pixels(self):
        # A run counts to 2^32 - 1, so that these are evaluated as any other; from 2^32 pixels on is an error.
        size, column = [65536, 32768], 65536
        whole, half = [0, 2**31], [0, 2**30, 2**30]
        self.images = [{"id": i, "height": size[0], "width": size[1]} for i in (1, 2, 3)]
        truths = (whole, half, [column, 2 * column, 2**31 - 3 * column])
        found = (whole, whole, [column, 3 * column, 2**31 - 4 * column])  # IoU 1, 1 / 2 and 2 / 3
        about = [{"image_id": i, "category_id": 1} for i in (1, 2, 3)]
        area = lambda counts: sum(counts[1::2])
        self.truths = [{**a, "id": 9 + i, "iscrowd": 0, "area": area(c), "segmentation": {"size": size, "counts": c}}
                       for i, (a, c) in enumerate(zip(about, truths))]
        self.results = [{**a, "score": 0.5, "segmentation": {"size": size, "counts": c}} for a, c in zip(about, found)]
        self.write()
        # Found at k of the ten thresholds 0.50, 0.55, ...: all of them, the first one, the first four.
        figures = self.evaluate()[2]
        np.testing.assert_allclose(figures["stats"][8], (10 + 1 + 4) / 30, rtol=1e-12)
        self.file.unlink()
        self.truths[0]["segmentation"] = {"size": [65536, 65536], "counts": [0, 2**32 - 1, 1]}
        self.write()
        self.refused(1, "annotations[0].segmentation.size: a mask of 65536 x 65536 has more pixels than a run can count")


class CommandLine(CocoEval):
    def test_help(self):
        done = run("ostend_coco_eval", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("GT", "DT", "--iou", "--json", "--per-class", "--class-agnostic", "--max-detections", "--clean",
                     "--numpy", "--skip-unknown-categories", "--state", "--part", "--merge", "Exit status: 0 done",
                     "segm", "bbox", "boundary", "1 10 100"):
            self.assertIn(word, done.stdout)

    def test_arguments_that_cannot_be(self):
        for arguments, word in ((("--iou", "mask"), "--iou"), (("--numpy", "1.9"), "--numpy"),
                                (("--max-detections", 1, 10), "--max-detections"),
                                (("--max-detections", 0, 10, 100), "--max-detections"),
                                (("--per-class", "--class-agnostic"), "excludes"), (("--part", "1/2"), "--state"),
                                (("--no-such-option",), "--no-such-option")):
            done = run("ostend_coco_eval", self.gt, self.dt, *arguments)
            self.assertGreaterEqual(done.returncode, 100, arguments)
            self.assertEqual(done.stdout, "")
            self.assertIn(word, done.stderr)
        done = run("ostend_coco_eval", self.gt)
        self.assertGreaterEqual(done.returncode, 100)
        self.assertIn("DT is required", done.stderr)
        self.refused(1, "ostend_coco_eval: --max-detections: the limits must ascend", "--max-detections", 1, 100, 10)

    def test_parts(self):
        state = self.folder / "state"
        for part in ("0/3", "4/3", "1", "1/", "1/3x", "a/b", "-1/3", "1/0"):
            self.refused(1, "ostend_coco_eval: --part: expected I/N, as 1/4", f"--part={part}", "--state", state)
            self.assertFalse(state.exists())
        want = self.evaluate()[0]
        self.file.unlink()
        images = 0
        states = [self.folder / f"state{i}" for i in (1, 2, 3)]
        for i, part in enumerate(states, 1):
            done = run("ostend_coco_eval", self.gt, self.dt, "--state", part, "--part", f"{i}/3", "--json", self.file)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            here = re.fullmatch(r"(\d+) of 25 images are in the state; figures need the other parts \(--merge\)\n",
                                done.stderr)
            images += int(here.group(1))
            self.assertFalse(self.file.exists())
        self.assertEqual(images, 25)
        self.assertEqual(self.evaluate("--merge", *states)[0], want)
        self.file.unlink()
        self.refused(1, "this image is in both parts", "--merge", *states, states[0])
        self.refused(1, "state1: a state of --iou segm", "--iou", "bbox", "--merge", *states)
        self.refused(1, "state1: a state of other options", "--clean", "--merge", *states)
        self.refused(1, "gt.json: ", "--merge", self.gt)

    def test_files_that_cannot_be_read_or_written(self):
        none = self.folder / "none.json"
        self.refused(1, "ostend_coco_eval: " + str(none), files=(none, self.dt))
        self.refused(1, "ostend_coco_eval: " + str(none), files=(self.gt, none))
        self.refused(1, "this is a folder", files=(self.folder, self.dt))
        self.refused(1, str(self.folder), "--json", self.folder)
        cut = self.folder / "cut.json"
        cut.write_bytes(self.dt.read_bytes()[:-9])
        self.refused(1, "cut.json", "--json", self.file, files=(self.gt, cut))
        self.refused(1, "the file ends too early", files=(self.gt, cut))
        self.results[4]["score"] = "high"
        self.write()
        self.refused(1, "dt.json: results[4].score", "--json", self.file)


if __name__ == "__main__":
    unittest.main()
