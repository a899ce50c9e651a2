#!/usr/bin/env python3
"""ostend_ground as a user runs it: files and their fields, teacher forcing, phrases, presets, bad input.
Usage: ground_test.py FOLDER_OF_PROGRAMS"""
import json
import re
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import (MODEL, PRESETS, SCENES, SEGMENTER, WORD_MODEL, decode_mask, files_in, read_png, run, write_png)

IMAGE = SCENES / "scene_0000.png"
WIDE = SCENES / "scene_0031.png"
OUTPUTS = {"grounding.json", "overlays", "report.html"}


class Ground(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-ground-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def ground(self, *arguments, model=MODEL, image=IMAGE, out=None):
        """A run that must succeed: what it printed, and grounding.json."""
        out = out or self.out
        done = run("ostend_ground", "--model", model, "--image", image, "--out", out, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, json.loads((out / "grounding.json").read_text(encoding="utf-8"))

    def refused(self, *words, arguments=(), model=MODEL, image=IMAGE, out=None):
        """A run that must fail: exit status 1, nothing on stdout, no file in out, each word in the message."""
        out = out or self.out
        before = files_in(self.folder)
        done = run("ostend_ground", "--model", model, "--image", image, "--out", out, *arguments)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(files_in(self.folder), before, "something was left behind")
        message = done.stderr.splitlines()[-1]
        self.assertTrue(message.startswith("ostend_ground: "), done.stderr)
        for word in words:
            self.assertIn(str(word), message)
        return message


class Outputs(Ground):
    def check_fields(self, found, size):
        width, height = size
        self.assertEqual(set(found), {"image", "run", "size", "caption", "preset", "options", "tokens", "phrases", "dropped"})
        self.assertEqual(set(found["run"]), {"model", "segmenter", "prompt", "text", "phrases", "max_tokens",
                                             "map_as_prior", "heads"})
        self.assertEqual(found["size"], {"width": width, "height": height})
        self.assertEqual(set(found["options"]), {"words", "tokens", "normalise", "query", "upsample", "remove_corners",
                                                 "candidate"})
        self.assertTrue(all(set(t) == {"id", "text"} for t in found["tokens"]))
        self.assertGreater(len(found["phrases"]), 0)
        for phrase in found["phrases"]:
            self.assertEqual(set(phrase), {"text", "characters", "tokens", "token_span", "peak", "confidence", "box",
                                           "mask", "mask_score", "overlay"})
            first, last = phrase["characters"]
            self.assertEqual(found["caption"][first:last], phrase["text"])
            self.assertEqual(phrase["token_span"], [phrase["tokens"][0], phrase["tokens"][-1] + 1])
            said = "".join(found["tokens"][t]["text"] for t in phrase["tokens"]).strip()
            self.assertTrue(said and (said in phrase["text"] or phrase["text"] in said), (said, phrase["text"]))
            self.assertEqual(set(phrase["peak"]), {"x", "y", "value"})
            self.assertTrue(0 <= phrase["peak"]["x"] < width and 0 <= phrase["peak"]["y"] < height)
            self.assertTrue(0 <= phrase["confidence"] <= 1)
            mask = decode_mask(phrase["mask"])
            self.assertEqual(mask.shape, (height, width))
            ys, xs = np.nonzero(mask)
            self.assertEqual(phrase["box"], [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
            overlay = read_png(self.out / phrase["overlay"])
            self.assertEqual(overlay.shape, (height, width, 3))
        for dropped in found["dropped"]:
            self.assertEqual(set(dropped), {"text", "reason"})

    def test_the_files_and_their_fields(self):
        for image, size in ((IMAGE, (144, 144)), (WIDE, (216, 144))):
            printed, found = self.ground(image=image)
            self.check_fields(found, size)
            self.assertEqual(found["image"], str(image))
            self.assertEqual(found["preset"], "ostend")
            # The tokens are the caption; the end token has no text of its own there.
            text = "".join(t["text"] for t in found["tokens"])
            self.assertTrue(text.strip().startswith(found["caption"].strip()), text)
            # What was printed is what was written.
            lines = printed.splitlines()
            self.assertEqual(lines[0], found["caption"])
            self.assertEqual(lines[-1], f"report: {self.out / 'report.html'}")
            for phrase, line in zip(found["phrases"], lines[1:]):
                self.assertIn(phrase["text"], line)
                self.assertIn(f"({phrase['peak']['x']}, {phrase['peak']['y']})", line)
            # Files: one overlay a phrase, and nothing else; no half of one.
            self.assertEqual({name.split("/")[0] for name in files_in(self.out)}, OUTPUTS)
            self.assertEqual(sorted("overlays/" + p.name for p in (self.out / "overlays").iterdir()),
                             sorted(p["overlay"] for p in found["phrases"]))
            report = (self.out / "report.html").read_text(encoding="utf-8")
            self.assertEqual(report.count('<button type="button" class="phrase"'), len(found["phrases"]))
            self.assertEqual(re.findall(r'(?:src|href)="(?!data:)', report), [])
            shutil.rmtree(self.out)

    def test_the_same_run_gives_the_same_bytes(self):
        self.ground()
        again = self.folder / "again"
        self.ground(out=again)
        self.assertEqual(files_in(self.out), files_in(again))
        for name in files_in(self.out):
            if (self.out / name).is_file():
                self.assertEqual((self.out / name).read_bytes(), (again / name).read_bytes(), name)

    def test_the_second_model(self):
        _, found = self.ground(model=WORD_MODEL)
        self.check_fields(found, (144, 144))

    def test_images_of_every_kind_and_shape(self):
        random = np.random.default_rng(1)
        shapes = [(2, 2), (1, 2000), (2000, 1), (7, 300), (1, 2), (1080, 1920)]
        for height, width in shapes:
            image = self.folder / "image.png"
            write_png(image, random.integers(0, 256, (height, width, 3)))
            _, found = self.ground(image=image)
            self.assertEqual(found["size"], {"width": width, "height": height})
            for phrase in found["phrases"]:
                self.assertTrue(0 <= phrase["peak"]["x"] < width and 0 <= phrase["peak"]["y"] < height)
                self.assertEqual(decode_mask(phrase["mask"]).shape, (height, width))
        pixels = np.zeros((8, 12, 3), np.uint8)
        ppm = self.folder / "image.ppm"
        ppm.write_bytes(b"P6 12 8 255\n" + pixels.tobytes())
        self.assertEqual(self.ground(image=ppm)[1]["size"], {"width": 12, "height": 8})
        bmp = self.folder / "image.bmp"
        bmp.write_bytes(b"BM" + struct.pack("<IIIIiiHHIIiiII", 54 + 8 * 36, 0, 54, 40, 12, 8, 1, 24, 0, 0, 0, 0, 0, 0) +
                        pixels.tobytes())
        self.assertEqual(self.ground(image=bmp)[1]["size"], {"width": 12, "height": 8})


class Modes(Ground):
    def test_forced_text_gives_the_peaks_of_generation(self):
        for model, image in ((MODEL, IMAGE), (MODEL, WIDE), (WORD_MODEL, IMAGE)):
            _, generated = self.ground(model=model, image=image)
            _, forced = self.ground("--text", generated["caption"], model=model, image=image)
            self.assertEqual(forced["caption"], generated["caption"])
            self.assertEqual(len(forced["phrases"]), len(generated["phrases"]))
            for a, b in zip(forced["phrases"], generated["phrases"]):
                self.assertEqual((a["text"], a["tokens"]), (b["text"], b["tokens"]))
                self.assertEqual([a["peak"][k] for k in "xy"], [b["peak"][k] for k in "xy"])
                self.assertAlmostEqual(a["peak"]["value"], b["peak"]["value"], delta=1e-5)

    def test_any_text_is_grounded_even_bytes_the_vocabulary_lacks(self):
        text = "a ☃ snow man and a lion near 漢字"
        _, found = self.ground("--text", text)
        self.assertEqual(found["caption"], text)
        self.assertIn("a lion", [p["text"] for p in found["phrases"]])

    def test_phrases_select(self):
        _, every = self.ground()
        by_text = {p["text"]: p for p in every["phrases"]}
        self.assertEqual(set(by_text), {"a basketball", "a train", "a drop of water", "a lion"})
        _, some = self.ground("--phrases", "a lion", "a train")
        self.assertEqual([p["text"] for p in some["phrases"]], ["a lion", "a train"])
        for phrase in some["phrases"]:
            for key in ("tokens", "token_span", "characters"):
                self.assertEqual(phrase[key], by_text[phrase["text"]][key])
            self.assertEqual(phrase["peak"], by_text[phrase["text"]]["peak"])
        # Any words of the answer, one inside another, too.
        _, words = self.ground("--phrases", "water", "drop of water", "LION")
        self.assertEqual([p["text"] for p in words["phrases"]], ["water", "drop of water", "lion"])

    def test_a_phrase_said_twice_is_meant_twice(self):
        text = "a lion and a train and a lion"
        _, found = self.ground("--text", text, "--phrases", "a lion", "a lion")
        self.assertEqual([p["characters"] for p in found["phrases"]], [[0, 6], [23, 29]])
        message = self.refused("a lion", "2 times, not 3", out=self.folder / "other",
                               arguments=("--text", text, "--phrases", "a lion", "a lion", "a lion"))
        self.assertIn("(at 2)", message)

    def test_presets(self):
        expected = {"ostend": ("without_article", "mean", "best_score"), "paper": ("root", "mean", "last"),
                    "groundlmm_de8b74d": ("root", "mean", "last"), "groundlmm_b77f889": ("root", "max", "last")}
        peaks = {}
        for preset in PRESETS:
            _, found = self.ground("--preset", preset)
            self.assertEqual(found["preset"], preset)
            o = found["options"]
            self.assertEqual((o["words"], o["tokens"], o["candidate"]), expected[preset])
            self.assertEqual((o["normalise"], o["query"], o["upsample"]), ("mean_token", "predicting", "bicubic"))
            self.assertIn(f"preset {preset},", (self.out / "report.html").read_text(encoding="utf-8"))
            peaks[preset] = [p["peak"]["value"] for p in found["phrases"]]
        # One head, all heads, the maximum: other maps each.
        self.assertEqual(len({tuple(p) for p in peaks.values()}), 4)

    def test_prompt_length_and_prior(self):
        _, usual = self.ground()
        self.assertEqual(usual["run"], {"model": str(MODEL), "segmenter": "built-in graph cut", "prompt": None, "text": None,
                                        "phrases": [], "max_tokens": 64, "map_as_prior": True,
                                        "heads": {"layers": 4, "in_each": 6, "used": 24}})
        _, asked = self.ground("--prompt", "what?")
        self.assertEqual(asked["run"]["prompt"], "what?")
        self.assertNotEqual(asked["caption"], usual["caption"])
        _, short = self.ground("--max-tokens", "7")
        self.assertEqual(len(short["tokens"]), 7)
        self.assertEqual(short["run"]["max_tokens"], 7)
        self.assertTrue(usual["caption"].startswith(short["caption"]))
        _, alone = self.ground("--no-prior")
        self.assertIs(alone["run"]["map_as_prior"], False)
        self.assertEqual([p["peak"] for p in alone["phrases"]], [p["peak"] for p in usual["phrases"]])
        self.assertNotEqual([p["mask"] for p in alone["phrases"]], [p["mask"] for p in usual["phrases"]])

    def test_the_segmenter_is_the_one_that_is_named(self):
        _, usual = self.ground()
        pages = {}
        for name in ("built-in", SEGMENTER):
            _, found = self.ground("--segmenter", name)
            pages[name] = (self.out / "report.html").read_text(encoding="utf-8")
            if name == "built-in":
                self.assertEqual(found, usual)
                continue
            self.assertEqual(found["run"]["segmenter"], str(SEGMENTER))
            self.assertEqual([p["peak"] for p in found["phrases"]], [p["peak"] for p in usual["phrases"]])
            for phrase, cut in zip(found["phrases"], usual["phrases"]):
                mask, other = decode_mask(phrase["mask"]) != 0, decode_mask(cut["mask"]) != 0
                self.assertFalse(np.array_equal(mask, other))
                self.assertGreater((mask & other).sum() / (mask | other).sum(), 0.5)  # the same object
        self.assertIn("built-in graph-cut segmenter", pages["built-in"])
        self.assertIn(f"segmenter {SEGMENTER}", pages[SEGMENTER])

    def test_check_layout(self):
        printed, usual = self.ground()
        for model, image in ((MODEL, IMAGE), (MODEL, WIDE), (WORD_MODEL, IMAGE)):
            done = run("ostend_ground", "--model", model, "--image", image, "--out", self.out, "--check-layout")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("layout: The layout is right", done.stderr)
            if (model, image) == (MODEL, IMAGE):
                self.assertEqual(done.stdout, printed)
        dot = self.folder / "dot.png"
        write_png(dot, np.zeros((2, 2, 3)))
        shutil.rmtree(self.out)
        done = run("ostend_ground", "--model", MODEL, "--image", dot, "--out", self.out, "--check-layout")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("so small an image", done.stderr)
        self.assertFalse(self.out.exists())

    def test_text_without_a_noun_phrase_grounds_nothing(self):
        printed, found = self.ground("--text", "and of the")
        self.assertEqual(found["phrases"], [])
        self.assertIn("No phrase was grounded.", (self.out / "report.html").read_text(encoding="utf-8"))
        self.assertEqual(printed.splitlines()[0], "and of the")


class BadInput(Ground):
    def test_images(self):
        image = self.folder / "image.png"
        good = IMAGE.read_bytes()
        for data, why in ((b"", "not an image"), (b"words, not pixels", "not an image"), (good[:20], "not an image"),
                          (good[:len(good) // 2], "damaged"), (good[:60] + b"\xff" * 200 + good[260:], "damaged")):
            image.write_bytes(data)
            self.refused(image, why, image=image)
        for side, why in ((17000, "claims 17000 x 17000 pixels"), (1 << 23, "not an image that can be read")):
            image.write_bytes(good[:16] + struct.pack(">II", side, side) + good[24:])
            self.refused(image, why, image=image)
        image.write_bytes(good[:16] + struct.pack(">II", 0, 10) + good[24:])
        self.refused(image, image=image)
        self.refused(self.folder / "nowhere.png", "there is no such file", image=self.folder / "nowhere.png")
        self.refused(self.folder, "this is a folder", image=self.folder)

    def test_an_image_of_one_pixel(self):
        image = self.folder / "one.png"
        write_png(image, [[[1, 2, 3]]])
        self.refused("1 x 1", image=image)

    def test_text_and_phrases(self):
        for text in ("", "  ", "\n"):
            self.refused("--text", "empty", arguments=("--text", text))
        for phrase in ("", " "):
            self.refused("phrase", "empty", arguments=("--phrases", phrase))
        self.refused('"a dinosaur"', "0 times", arguments=("--phrases", "a lion", "a dinosaur"))
        self.refused('"lio"', "0 times", arguments=("--phrases", "lio"))  # no whole word
        self.refused("text", "'zorgon'", arguments=("--text", "a zorgon and a dog"), model=WORD_MODEL)
        self.refused("text", "positions", arguments=("--text", "a dog " * 600))
        self.refused("prompt", "positions", arguments=("--prompt", "a dog " * 600))
        self.refused("preset", "'best'", *PRESETS, arguments=("--preset", "best"))

    def test_segmenters(self):
        def refused(segmenter, *words):
            self.refused(*words, arguments=("--segmenter", segmenter))

        refused("builtin", "--segmenter", "no folder 'builtin'", "built-in")
        refused("", "--segmenter", "no folder ''")
        refused(IMAGE, "--segmenter", "no folder")
        refused(MODEL, MODEL / "model.safetensors", "encoder.stem.0.weight", "no such tensor")
        spoilt = self.folder / "segmenter"
        shutil.copytree(SEGMENTER, spoilt)
        weights = spoilt / "model.safetensors"
        whole = weights.read_bytes()
        for data, *words in ((whole[:-1], "data_offsets"), (whole[:5], "header"),
                             (whole.replace(b"[48,9,3,3]", b"[9,48,3,3]"), "decoder.enter_prompt.weight",
                              "shape [9, 48, 3, 3] where [48, 9, 3, 3] is wanted")):
            weights.write_bytes(data)
            refused(spoilt, weights, *words)
        weights.unlink()
        refused(spoilt, weights, "cannot be opened")

    def test_the_output_folder(self):
        file = self.folder / "file"
        file.write_text("mine")
        for out in (file, file / "deeper", file / "much" / "deeper", Path("/proc/nowhere/out")):
            self.refused(out, out=out)
        self.assertEqual(file.read_text(), "mine")
        done = run("ostend_ground", "--model", MODEL, "--image", IMAGE, "--out", "", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--out", done.stderr)
        # A folder where a file should go: found before any file is replaced.
        for name in ("report.html", "grounding.json"):
            (self.out / name).mkdir(parents=True)
            self.refused(self.out / name, "folder")
            (self.out / name).rmdir()

    def test_a_failure_leaves_what_was_there(self):
        self.ground()
        before = {name: (self.out / name).read_bytes() for name in files_in(self.out) if (self.out / name).is_file()}
        self.refused('"a dinosaur"', arguments=("--phrases", "a dinosaur"))
        for name, data in before.items():
            self.assertEqual((self.out / name).read_bytes(), data)


class BadModels(Ground):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(MODEL, self.model)
        self.weights = self.model / "model.safetensors"
        data = self.weights.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        self.header, self.values = json.loads(data[8:8 + length]), data[8 + length:]

    def with_header(self, header, length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.weights.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + self.values)

    def test_missing_files(self):
        self.refused(self.folder / "nowhere", model=self.folder / "nowhere")
        for name in ("config.json", "model.safetensors"):
            kept = (self.model / name).read_bytes()
            (self.model / name).unlink()
            self.refused(self.model / name, model=self.model)
            (self.model / name).write_bytes(kept)
        for name in ("tokenizer.model", "tokenizer.json"):
            (self.model / name).unlink()
        self.refused(self.model, "tokenizer", model=self.model)

    def test_truncated_weights(self):
        whole = self.weights.read_bytes()
        for length in (0, 7, 8, 100, 13000, 14000, len(whole) // 2, len(whole) - 1):
            self.weights.write_bytes(whole[:length])
            self.refused(self.weights, model=self.model)

    def test_a_lying_header(self):
        name = "language_model.model.embed_tokens.weight"
        for length in (1 << 60, (1 << 64) - 1, 0, 5, len(self.values) * 2):
            self.with_header(self.header, length)
            self.refused(self.weights, model=self.model)
        for text in (b"{", b"[]", b"null", b"\xff" * 50, b"[" * 100000, b'{"a": 1}'):
            self.with_header(text)
            self.refused(self.weights, model=self.model)
        for field, values in (("dtype", ("F64", "X9", 3, None)),
                              ("shape", ([576, 191], [1 << 40, 1 << 40], [-576, -192], "wide", [576], [192, 576])),
                              ("data_offsets", ([0, 0], [442368, 221184], [0, 1 << 62], [-4, 8], [221184], None))):
            for value in values:
                spoilt = json.loads(json.dumps(self.header))
                spoilt[name][field] = value
                self.with_header(spoilt)
                # A tensor that is moved may be found by the gap before its neighbour.
                self.refused(self.weights, "weight" if field == "data_offsets" else name, model=self.model)
        spoilt = dict(self.header)
        del spoilt[name]
        self.with_header(spoilt)
        self.refused(self.weights, "weight", model=self.model)  # the gap that it leaves

    def test_weights_that_are_not_numbers(self):
        """Attention that is not finite: an error that says so, not a point in the corner."""
        for name, value in (("language_model.model.layers.2.self_attn.q_proj.weight", np.nan),
                            ("language_model.model.layers.0.self_attn.k_proj.weight", np.inf)):
            first, last = self.header[name]["data_offsets"]
            values = bytearray(self.values)
            values[first:last] = np.full((last - first) // 2, value, "<f2").tobytes()
            text = json.dumps(self.header).encode()
            self.weights.write_bytes(struct.pack("<Q", len(text)) + text + bytes(values))
            message = self.refused(model=self.model)
            self.assertRegex(message, "finite|NaN|nan")

    def test_a_damaged_configuration(self):
        config = json.loads((self.model / "config.json").read_text())
        for spoil, word in ((lambda c: c.pop("text_config"), "text_config"),
                            (lambda c: c["text_config"].update(num_hidden_layers=0), "num_hidden_layers"),
                            (lambda c: c["text_config"].update(hidden_size="wide"), "hidden_size"),
                            (lambda c: c["vision_config"].update(patch_size=0), "patch_size"),
                            (lambda c: c["vision_config"].update(model_type="other"), "other")):
            spoilt = json.loads(json.dumps(config))
            spoil(spoilt)
            (self.model / "config.json").write_text(json.dumps(spoilt))
            self.refused(self.model / "config.json", word, model=self.model)
        (self.model / "config.json").write_text("{")
        self.refused(self.model / "config.json", model=self.model)


class Arguments(unittest.TestCase):
    def test_help(self):
        done = run("ostend_ground", "--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--model", "--segmenter", "--image", "--out", "--prompt", "--text", "--phrases", "--preset",
                     "Exit status", "grounding.json", "report.html", *PRESETS):
            self.assertIn(word, done.stdout)

    def test_bad_arguments(self):
        for arguments in ((), ("--model", MODEL), ("--model", MODEL, "--image", IMAGE), ("--unknown",),
                          ("--model", MODEL, "--image", IMAGE, "--out", "x", "--max-tokens", "0")):
            done = run("ostend_ground", *arguments)
            self.assertGreaterEqual(done.returncode, 100)
            self.assertNotEqual(done.stderr, "")
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
