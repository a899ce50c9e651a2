#!/usr/bin/env python3
"""ground_openvino as a user runs it: the report of ostend_ground, its own options, bad input.
Usage: openvino_llava_test.py FOLDER_OF_PROGRAMS"""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
from programs import MODEL, SCENES, WORD_MODEL, files_in, run  # noqa: E402

IMAGE = SCENES / "scene_0000.png"


class GroundOpenvino(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-openvino-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def ground(self, *arguments):
        done = run("ground_openvino", "--image", IMAGE, "--out", self.out, "--threads", "1", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done, json.loads((self.out / "grounding.json").read_text(encoding="utf-8"))

    def test_the_report_is_that_of_ostend_ground(self):
        for model in (MODEL, WORD_MODEL):
            eigen = self.folder / "eigen"
            done = run("ostend_ground", "--model", model, "--image", IMAGE, "--out", eigen)
            self.assertEqual(done.returncode, 0, done.stderr)
            expected = json.loads((eigen / "grounding.json").read_text(encoding="utf-8"))
            for keys in ("states", "outputs"):
                done, found = self.ground("--model", model, "--keys", keys)
                for key in ("image", "size", "caption", "preset", "options", "tokens", "dropped"):
                    self.assertEqual(found[key], expected[key])
                self.assertEqual([p["text"] for p in found["phrases"]], [p["text"] for p in expected["phrases"]])
                for ours, theirs in zip(found["phrases"], expected["phrases"]):
                    self.assertEqual((ours["peak"]["x"], ours["peak"]["y"]), (theirs["peak"]["x"], theirs["peak"]["y"]))
                    self.assertAlmostEqual(ours["peak"]["value"], theirs["peak"]["value"], delta=1e-4)
                    self.assertTrue((self.out / ours["overlay"]).exists())
                self.assertTrue(done.stdout.startswith(found["caption"]))
                self.assertIn("report.html", files_in(self.out))

    def test_layout_and_text(self):
        done, found = self.ground("--model", MODEL, "--check-layout", "--text", "a lion and a train.")
        self.assertIn("layout: The layout is right", done.stderr)
        self.assertEqual(found["caption"], "a lion and a train.")

    def test_bad_input(self):
        usual = ("--image", IMAGE, "--out", self.out)
        for arguments, words in ((("--model", self.folder / "none", *usual), "none/config.json"),
                                 (("--model", MODEL, "--image", "none.png", "--out", self.out), "none.png"),
                                 (("--model", MODEL, *usual, "--preset", "none"), "none"),
                                 (("--model", MODEL, *usual, "--text", " "), "--text: the text is empty"),
                                 (("--model", MODEL, *usual, "--prompt", "<image> <image>"), "not exactly one"),
                                 (("--model", MODEL, "--image", IMAGE, "--out", ""), "--out: the folder has no name")):
            done = run("ground_openvino", *arguments)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertEqual(files_in(self.folder), [])
            message = done.stderr.splitlines()[-1]
            self.assertTrue(message.startswith("ground_openvino: "), done.stderr)
            self.assertIn(words, message)
        done = run("ground_openvino", *usual)
        self.assertGreaterEqual(done.returncode, 100)
        self.assertIn("--model is required", done.stderr)


if __name__ == "__main__":
    unittest.main()
