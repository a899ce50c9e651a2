#!/usr/bin/env python3
"""openvino_sam and openvino_sam_evaluate as a user runs them. Usage: openvino_sam_test.py FOLDER_OF_PROGRAMS"""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
from programs import MODEL, ROOT, SCENES, decode_mask, files_in, run  # noqa: E402

SEGMENTER = ROOT / "models" / "tiny-sam"
IMAGES = [SCENES / "scene_0000.png", SCENES / "scene_0031.png"]


class Programs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-openvino-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def ground(self, *more, segmenter=SEGMENTER, images=IMAGES):
        return run("openvino_sam", "--model", MODEL, "--segmenter", segmenter, "--image", *images, "--out", self.out,
                   *more)

    def test_report(self):
        done = self.ground()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("segmenter: SAM", done.stderr)
        page = (self.out / "report.html").read_text(encoding="utf-8")
        self.assertIn("tiny-sam on OpenVINO", page)
        known = {s["file"]: s for s in json.loads((SCENES / "scenes.json").read_text(encoding="utf-8"))["scenes"]}
        right = 0
        for number, image in enumerate(IMAGES, 1):
            found = json.loads((self.out / f"{number}-{image.stem}" / "grounding.json").read_text(encoding="utf-8"))
            self.assertIn(f"{image}: {found['caption']}", done.stdout)
            truth = {o["phrase"]: decode_mask(o["mask"]) for o in known[image.name]["objects"]}
            self.assertGreater(len(found["phrases"]), 1)
            for phrase in found["phrases"]:
                self.assertTrue((self.out / f"{number}-{image.stem}" / phrase["overlay"]).is_file())
                mask = decode_mask(phrase["mask"])
                self.assertEqual(list(mask.shape), [found["size"]["height"], found["size"]["width"]])
                self.assertTrue(0 <= phrase["mask_score"] <= 1)
                for name, other in truth.items():
                    if phrase["text"].endswith(name):
                        right += (mask & other).sum() / (mask | other).sum() >= 0.5
        self.assertGreaterEqual(right, 3)

    def test_check_layout(self):
        done = self.ground("--check-layout")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("layout: The layout is right"), len(IMAGES))

    def test_refusals(self):
        empty = self.folder / "empty"
        empty.mkdir()
        for words, arguments, segmenter in (
                ("no rule 'largest'", ("--rule", "largest"), SEGMENTER),
                ("holds 0 models with 'encoder'", (), empty),
                ("cannot be read", (), self.folder / "gone")):
            before = files_in(self.folder)
            done = self.ground(*arguments, segmenter=segmenter)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(words, done.stderr.splitlines()[-1])
            self.assertEqual(files_in(self.folder), before)
        done = run("openvino_sam", "--model", MODEL, "--segmenter", SEGMENTER, "--image", *IMAGES, "--out", "")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--out: the folder has no name", done.stderr)
        self.assertIn("gone.png", self.ground(images=[self.folder / "gone.png"]).stderr)

    def test_evaluation(self):
        figures = self.folder / "figures.json"
        done = run("openvino_sam_evaluate", "--model", MODEL, "--segmenter", SEGMENTER, "--seed", 7, "--count", 12,
                   "--json", figures)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(figures.read_text(encoding="utf-8"))
        recall = {v["name"]: v["mask_recall"] for v in found["variants"]}
        for asked in ("points and maps", "points alone"):
            rules = [recall[f"SAM, {asked}, {rule}"] for rule in ("predicted_iou", "stability", "last", "attention_mass")]
            self.assertGreater(max(rules), 0.5)
            self.assertGreater(recall[f"SAM, {asked}, best of all"], 0.5)
        self.assertIn("a perfect segmenter at the points", done.stdout)


if __name__ == "__main__":
    unittest.main()
