#!/usr/bin/env python3
"""prompted_scenes as training/train_segmenter.py uses it. Usage: prompted_scenes_test.py FOLDER_OF_PROGRAMS"""
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import MODEL, files_in, run


class PromptedScenes(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-prompted-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def draw(self, out, *more):
        return run("prompted_scenes", "--model", MODEL, "--seed", 3, "--out", out, *more)

    def test_files(self):
        out = self.folder / "out"
        done = self.draw(out, "--count", 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        images, labels, prompts = (np.load(out / f"{name}.npy") for name in ("images", "labels", "prompts"))
        self.assertEqual((images.shape, images.dtype), ((3, 144, 144, 3), np.uint8))
        self.assertEqual((labels.shape, labels.dtype), ((3, 144, 144), np.uint8))
        self.assertEqual((prompts.shape[1], prompts.dtype), (4 + 144, np.float32))
        self.assertGreater(len(prompts), 5)
        on_object = 0
        for scene, k, x, y in prompts[:, :4].astype(int):
            self.assertIn(k + 1, labels[scene])
            on_object += labels[scene, y, x] == k + 1
        self.assertGreater(on_object, len(prompts) / 2)
        self.assertLess(np.abs(prompts[:, 4:]).max(), 1)
        # The first scene drawn by its number alone.
        again = self.folder / "again"
        self.assertEqual(self.draw(again, "--first", 2, "--count", 1).returncode, 0)
        np.testing.assert_array_equal(np.load(again / "images.npy")[0], images[2])

    def test_refusals(self):
        done = run("prompted_scenes", "--model", self.folder / "none", "--seed", 3, "--out", self.folder / "out")
        self.assertEqual((done.returncode, files_in(self.folder)), (1, []))
        self.assertIn("none", done.stderr)


if __name__ == "__main__":
    unittest.main()
