#!/usr/bin/env python3
"""opencv_overlay as a user runs it. Usage: opencv_overlay_test.py FOLDER_OF_PROGRAMS"""
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
from programs import MODEL, SCENES, files_in, read_png, run  # noqa: E402

IMAGE = SCENES / "scene_0031.png"


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-opencv-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "overlay.png"

    def test_overlay(self):
        done = run("opencv_overlay", "--model", MODEL, "--image", IMAGE, "--out", self.out, "--check-layout")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("layout: The layout is right", done.stderr)
        usual = run("ostend_ground", "--model", MODEL, "--image", IMAGE, "--out", self.folder / "report")
        self.assertEqual(done.stdout.splitlines()[:-1], usual.stdout.splitlines()[:-1])  # blue first or red first
        before, after = read_png(IMAGE), read_png(self.out)
        self.assertEqual(before.shape, after.shape)
        changed = (before != after).any(2).mean()
        self.assertTrue(0.02 < changed < 0.6, changed)

    def test_bad_input(self):
        for arguments, words in ((("--model", self.folder, "--image", IMAGE, "--out", self.out), "config.json"),
                                 (("--model", MODEL, "--image", "none.png", "--out", self.out), "none.png"),
                                 (("--model", MODEL, "--image", IMAGE, "--out", self.folder), str(self.folder))):
            done = run("opencv_overlay", *arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(words, done.stderr)
            self.assertEqual(files_in(self.folder), [])


if __name__ == "__main__":
    unittest.main()
