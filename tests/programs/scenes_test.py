#!/usr/bin/env python3
"""ostend_scenes: files and fields, the same seed the same bytes, aspects, bad input.
Usage: scenes_test.py FOLDER_OF_PROGRAMS"""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import decode_mask, files_in, read_png, run


class Scenes(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-scenes-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def draw(self, name, *arguments):
        out = self.folder / name
        done = run("ostend_scenes", *arguments, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        return out, json.loads((out / "scenes.json").read_text(encoding="utf-8"))

    def test_files_and_fields(self):
        out, listed = self.draw("out", "--seed", 3, "--count", 12)
        self.assertEqual({k: listed[k] for k in ("generator", "seed", "aspect")},
                         {"generator": "ostend_scenes", "seed": 3, "aspect": "1:1"})
        self.assertEqual([s["file"] for s in listed["scenes"]], [f"scene_{i:04}.png" for i in range(12)])
        self.assertEqual(files_in(out), sorted([s["file"] for s in listed["scenes"]] + ["scenes.json"]))
        for scene in listed["scenes"]:
            self.assertEqual(set(scene), {"file", "width", "height", "caption", "objects"})
            pixels = read_png(out / scene["file"])
            self.assertEqual(pixels.shape, (scene["height"], scene["width"], 3))
            self.assertEqual((scene["width"], scene["height"]), (144, 144))
            self.assertTrue(1 <= len(scene["objects"]) <= 4)
            covered = np.zeros((144, 144), int)
            for thing in scene["objects"]:
                self.assertEqual(set(thing), {"class", "article", "phrase", "root", "box", "mask"})
                self.assertIn(f"{thing['article']} {thing['phrase']}", scene["caption"])
                self.assertTrue(thing["phrase"].endswith(thing["root"]))
                mask = decode_mask(thing["mask"])
                ys, xs = np.nonzero(mask)
                x0, y0, x1, y1 = thing["box"]
                self.assertTrue(x0 <= xs.min() and xs.max() < x1 and y0 <= ys.min() and ys.max() < y1)
                covered += mask
            self.assertEqual(covered.max(), 1)  # of two objects the later one has the pixel

    def test_a_seed_and_a_number_make_a_scene(self):
        some, listed = self.draw("some", "--seed", 9, "--count", 5)
        again, _ = self.draw("again", "--seed", 9, "--count", 5)
        later, of_later = self.draw("later", "--seed", 9, "--first", 3, "--count", 2)
        other, _ = self.draw("other", "--seed", 10, "--count", 5)
        for name in files_in(some):
            self.assertEqual((some / name).read_bytes(), (again / name).read_bytes())
            self.assertNotEqual((some / name).read_bytes(), (other / name).read_bytes())
        self.assertEqual(of_later["scenes"], listed["scenes"][3:])
        for scene in of_later["scenes"]:
            self.assertEqual((later / scene["file"]).read_bytes(), (some / scene["file"]).read_bytes())

    def test_aspects(self):
        for aspect, size in (("3:2", (216, 144)), ("2:3", (144, 216)), ("4:1", (576, 144)), ("10:10", (144, 144))):
            out, listed = self.draw(aspect.replace(":", "x"), "--seed", 1, "--count", 2, "--aspect", aspect)
            self.assertEqual(listed["aspect"], aspect)
            for scene in listed["scenes"]:
                self.assertEqual((scene["width"], scene["height"]), size)
                self.assertEqual(read_png(out / scene["file"]).shape, (size[1], size[0], 3))

    def test_bad_input_leaves_nothing(self):
        file = self.folder / "file"
        file.write_text("mine")
        for arguments, words in ((("--aspect", "9:1"), ("aspect",)), (("--aspect", "wide"), ("aspect",)),
                                 (("--aspect", "0:1"), ("aspect",)),
                                 (("--font", file), (str(file),)), (("--font", self.folder / "nowhere"), ("nowhere",))):
            out = self.folder / "out"
            done = run("ostend_scenes", "--seed", 1, "--count", 2, "--out", out, *arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertFalse(out.exists())
        for out in (file, file / "deeper"):
            done = run("ostend_scenes", "--seed", 1, "--count", 2, "--out", out)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(str(out), done.stderr)
        blocked = self.folder / "blocked"
        (blocked / "scenes.json").mkdir(parents=True)
        done = run("ostend_scenes", "--seed", 1, "--count", 2, "--out", blocked)
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(blocked / "scenes.json"), done.stderr)
        self.assertEqual(files_in(self.folder), ["blocked", "blocked/scenes.json", "file"])

    def test_help_and_bad_arguments(self):
        done = run("ostend_scenes", "--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--seed", "--count", "--first", "--aspect", "--font", "--out", "Exit status"):
            self.assertIn(word, done.stdout)
        for arguments in ((), ("--seed", 1), ("--out", self.folder), ("--seed", "x", "--out", self.folder),
                          ("--seed", 1, "--count", 0, "--out", self.folder)):
            done = run("ostend_scenes", *arguments)
            self.assertGreaterEqual(done.returncode, 100, arguments)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
