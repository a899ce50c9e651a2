#!/usr/bin/env python3
"""ground_llama_cpp as a user runs it: the report of ostend_ground, its own options, bad input.
Usage: OSTEND_GGUF=FOLDER llama_program_test.py FOLDER_OF_PROGRAMS"""
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
from programs import MODEL, SCENES, files_in, run  # noqa: E402

GGUF = Path(os.environ["OSTEND_GGUF"])
IMAGE = SCENES / "scene_0000.png"
FILES = ("--model", GGUF / "tiny-llava" / "model.gguf", "--mmproj", GGUF / "tiny-llava" / "mmproj.gguf")


class GroundLlama(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-llama-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def read(self, name="grounding.json"):
        return json.loads((self.out / name).read_text(encoding="utf-8"))

    def ground(self, *arguments):
        done = run("ground_llama_cpp", *FILES, "--image", IMAGE, "--out", self.out, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_the_report_is_that_of_ostend_ground(self):
        done = run("ostend_ground", "--model", MODEL, "--image", IMAGE, "--out", self.folder / "eigen")
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = json.loads((self.folder / "eigen" / "grounding.json").read_text(encoding="utf-8"))
        for flash in ("on", "off"):
            for more in ((), ("--deferred",)):
                printed = self.ground("--flash-attn", flash, *more, "--threads", "1").stdout
                found = self.read()
                for key in ("image", "size", "caption", "preset", "options", "tokens", "dropped"):
                    self.assertEqual(found[key], expected[key])
                self.assertEqual([p["text"] for p in found["phrases"]], [p["text"] for p in expected["phrases"]])
                for ours, theirs in zip(found["phrases"], expected["phrases"]):
                    self.assertEqual((ours["peak"]["x"], ours["peak"]["y"]), (theirs["peak"]["x"], theirs["peak"]["y"]))
                    self.assertAlmostEqual(ours["peak"]["value"], theirs["peak"]["value"], delta=2e-3)
                    self.assertTrue((self.out / ours["overlay"]).exists())
                self.assertTrue(printed.startswith(found["caption"]))
                self.assertIn("report.html", files_in(self.out))
                maps = self.read("maps.json")
                self.assertEqual((len(maps), {len(row) for row in maps}), (len(found["tokens"]), {144}))

    def test_layout_and_text(self):
        done = self.ground("--check-layout", "--text", "a lion and a train.", "--threads", "1")
        self.assertIn("layout: The layout is right", done.stderr)
        self.assertEqual(self.read()["caption"], "a lion and a train.")

    def test_bad_input(self):
        def refused(*arguments):
            done = run("ground_llama_cpp", *arguments)
            self.assertEqual(done.stdout, "")
            self.assertEqual(files_in(self.folder), [])
            return done

        usual = ("--image", IMAGE, "--out", self.out)
        done = refused(*FILES[:2], *usual)
        self.assertGreaterEqual(done.returncode, 100)
        self.assertIn("--mmproj is required", done.stderr)
        for arguments, words in (((*FILES[:2], "--mmproj", FILES[1], *usual), "not a vision tower"),
                                 ((*FILES[:3], self.folder / "none.gguf", *usual), "none.gguf: cannot be read"),
                                 ((*FILES, "--image", "none.png", "--out", self.out), "none.png"),
                                 ((*FILES, *usual, "--preset", "none"), "none"),
                                 ((*FILES, *usual, "--text", " "), "--text: the text is empty"),
                                 ((*FILES, "--image", IMAGE, "--out", ""), "--out: the folder has no name"),
                                 ((*FILES, *usual, "--prompt", "<image> <image>"), "more than one image")):
            done = refused(*arguments)
            self.assertEqual(done.returncode, 1, done.stderr)
            message = done.stderr.splitlines()[-1]
            self.assertTrue(message.startswith("ground_llama_cpp: "), done.stderr)
            self.assertIn(words, message)


if __name__ == "__main__":
    unittest.main()
