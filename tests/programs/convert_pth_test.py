#!/usr/bin/env python3
"""convert_pth.py: files as groundLMM saves them, made here with torch, against the dumps that come of them. Without
torch, or anything that reads images, only tokens and what needs neither are tested.
Usage: convert_pth_test.py FOLDER_OF_PROGRAMS (which it does not need)"""

import contextlib
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/dump"))
sys.dont_write_bytecode = True
import convert_pth  # noqa: E402
import read_dump  # noqa: E402

MODEL = ROOT / "models/tiny-llava"
IMAGE = ROOT / "tests/data/reference/images/wide.png"
RECORDED = json.loads((ROOT / "tests/data/reference/tiny-llava/tokeniser.json").read_text(encoding="utf-8"))
HAS_TORCH = importlib.util.find_spec("torch") is not None
READS_IMAGES = any(importlib.util.find_spec(name) for name in ("PIL", "cv2"))
needs_both = unittest.skipUnless(HAS_TORCH and READS_IMAGES, "skipped: torch, or Pillow and OpenCV, are not installed")


class TokensTest(unittest.TestCase):
    def test_tokens_write_what_the_tokenizer_encoded(self):
        for file in ("tokenizer.json", "tokenizer.model"):
            vocabulary = convert_pth.Vocabulary(MODEL / file)
            for case in RECORDED["encode"]:
                if not case["ids"] or min(case["ids"]) < 4 or "\u2581" in case["text"]:
                    continue
                texts, special = vocabulary.texts([1, *case["ids"], 2])
                self.assertEqual((special[0], special[-1]), (True, True))
                self.assertEqual(b"".join(texts).decode(), case["text"].removeprefix(" "), file)

    def test_byte_level_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "tokenizer.json")
            file.write_text(json.dumps({"decoder": {"type": "ByteLevel"}, "model": {"vocab": {
                "A": 0, "Ġdog": 1, "ĠÃ": 2, "¼": 3, "Ċ": 4}},
                "added_tokens": [{"id": 5, "content": "<|eot|>", "special": True}]}), encoding="utf-8")
            texts, special = convert_pth.Vocabulary(folder).texts([1, 0, 2, 3, 4, 5])
            self.assertEqual(texts, [b" dog", b"A", b" \xc3", b"\xbc", b"\n", b""])
            self.assertEqual(special, [False] * 5 + [True])

    def test_what_is_no_tokenizer(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("tokenizer.json", b"{}"), ("tokenizer.json", b"\xff"), ("tokenizer.json", b"[]"),
                               ("tokenizer.model", (MODEL / "tokenizer.model").read_bytes()[:1001]),
                               ("tokenizer.model", b"\xff" * 40), ("tokenizer.model", b"\x0a\x02\x18\x01")):
                path = pathlib.Path(folder, name)
                path.write_bytes(data)
                with self.assertRaisesRegex(convert_pth.Refused, f"{name}: this is not a tokenizer"):
                    convert_pth.Vocabulary(path)
            with self.assertRaisesRegex(convert_pth.Refused, "there is neither"):
                convert_pth.Vocabulary(ROOT / "tests")
        with self.assertRaisesRegex(convert_pth.Refused, "there is no token 1000000"):
            convert_pth.Vocabulary(MODEL).texts([5, 1000000])


class ConvertTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        case = max(RECORDED["encode"], key=lambda case: len(case["ids"]))
        self.ids, self.answer = [1, *case["ids"], 2], case["text"]

    def save(self, **changes):
        import torch

        rng = np.random.default_rng(3)
        self.attention = rng.random((len(self.ids) - 1, 3, 4)).astype(np.float16)
        saved = {"answer": self.answer, "sequences": torch.tensor(self.ids),
                 "attentions": torch.tensor(self.attention)} | changes
        torch.save({k: v for k, v in saved.items() if v is not KeyError}, self.folder / "wide.pth")

    def convert(self, *options):
        """Runs the program within this process: torch takes seconds to load."""
        arguments = ["convert_pth.py", self.folder / "wide.pth", "--images", IMAGE.parent, "--tokenizer", MODEL, "--out",
                     self.folder / "out", *options]
        with mock.patch.object(sys, "argv", list(map(str, arguments))), contextlib.redirect_stderr(io.StringIO()):
            convert_pth.main()

    def refused(self, part, *options):
        with self.assertRaises(SystemExit) as done:
            self.convert(*options)
        self.assertIn(part, done.exception.code)
        self.assertEqual(list(self.folder.glob("out/*")), [])

    @needs_both
    def test_a_saved_generation(self):
        self.save()
        self.convert()
        dump = read_dump.read(self.folder / "out/wide.safetensors")
        self.assertEqual(dump.text, self.answer.removeprefix(" "))
        self.assertEqual(dump.token_ids.tolist(), self.ids[1:])
        self.assertEqual(dump.token_special.tolist(), [0] * (len(self.ids) - 2) + [1])
        np.testing.assert_array_equal(dump.maps().reshape(self.attention.shape), self.attention)
        np.testing.assert_array_equal(dump.cells(dump.maps()[2]), self.attention[2])
        np.testing.assert_array_equal(dump.image, convert_pth.read_image(IMAGE))
        # Padded to a square of the longer side: the image's corners on the grid of 3 x 4 cells.
        height, width = dump.image.shape[:2]
        self.assertGreater(width, height)
        x, x0, y, y0 = dump.views[0, :4]
        self.assertAlmostEqual(x0, 0)
        self.assertAlmostEqual(x * width + x0, 4)
        self.assertAlmostEqual(y0, (width - height) // 2 * 3 / width)
        self.assertAlmostEqual(y * height + y0, ((width - height) // 2 + height) * 3 / width)
        # Stretched: they are the grid's.
        self.convert("--aspect-ratio", "original")
        x, x0, y, y0 = read_dump.read(self.folder / "out/wide.safetensors").views[0, :4]
        self.assertAlmostEqual(x * width + x0, 4)
        self.assertAlmostEqual(y * height + y0, 3)
        self.assertEqual((x0, y0), (0, 0))

    @needs_both
    def test_a_sequence_without_bos(self):
        import torch

        self.save(sequences=torch.tensor(self.ids[1:]))
        self.refused("rows for", "--offset", "1")
        self.convert("--offset", "0")
        self.assertTrue((self.folder / "out/wide.safetensors").is_file())

    @needs_both
    def test_what_is_refused(self):
        import torch

        for changes, part in [({"answer": KeyError}, "answer: missing"), ({"sequences": [1, 2]}, "sequences: missing, or"),
                              ({"attentions": KeyError}, "attentions: missing"),
                              ({"attentions": torch.ones(3, 4)}, "attentions: shape [3, 4]"),
                              ({"attentions": torch.ones(2, 3, 4)}, "attentions: 2 rows for"),
                              ({"answer": "of another model"}, "another tokenizer?"),
                              ({"sequences": torch.tensor([1] + [99999] * (len(self.ids) - 1))}, "no token 99999")]:
            self.save(**changes)
            self.refused(part)
        self.save(attentions=torch.full((len(self.ids) - 1, 3, 4), float("nan")))
        self.refused("attentions: a value of row 0 is not finite")
        self.save(answer=pathlib.Path("code"))  # a pickle of anything else is never run
        self.refused("wide.pth: ")
        torch.save([1], self.folder / "wide.pth")
        self.refused("a list where a dictionary is wanted")
        (self.folder / "wide.pth").write_bytes(b"no pickle")
        self.refused("wide.pth: ")
        (self.folder / "wide.pth").unlink()
        self.refused("wide.pth")
        self.save()
        self.refused("there is no image wide", "--images", ROOT / "tools")
        self.refused("--offset is negative", "--offset", "-1")

    @unittest.skipIf(HAS_TORCH or not READS_IMAGES, "torch is installed")
    def test_without_torch(self):
        self.refused("the Python package torch is needed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
