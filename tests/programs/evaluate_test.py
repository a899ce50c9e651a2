#!/usr/bin/env python3
"""ostend_evaluate: its figures counted again in NumPy from what ostend_ground writes, and bad input.
Usage: evaluate_test.py FOLDER_OF_PROGRAMS"""
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import MODEL, PRESETS, SCENES, SEGMENTER, WORD_MODEL, ROOT, decode_mask, files_in, mask_json, run

RATIOS = ("noun_recall", "noun_precision", "chance", "oracle_mask_recall", "mask_recall", "mask_miou")
KINDS = ("raw", "mean_token", "other_phrases", "token_itself", "with_article")
ORACLES = (*KINDS, "with_article_other_phrases")
CLASSES = {line.split("\t")[2] for line in (ROOT / "models" / "classes.tsv").read_text(encoding="utf-8").splitlines()
           if "\t" in line}


class Evaluate(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ostend-evaluate-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def scenes(self, numbers):
        """A folder with some of the checked-in scenes."""
        folder = self.folder / "scenes"
        folder.mkdir(exist_ok=True)
        every = json.loads((SCENES / "scenes.json").read_text(encoding="utf-8"))
        every["scenes"] = [every["scenes"][i] for i in numbers]
        for scene in every["scenes"]:
            shutil.copy(SCENES / scene["file"], folder)
        (folder / "scenes.json").write_text(json.dumps(every), encoding="utf-8")
        return folder, every["scenes"]

    def evaluate(self, *arguments, model=MODEL):
        """A run that must succeed: what it printed, and the figures."""
        file = self.folder / "figures.json"
        done = run("ostend_evaluate", "--model", model, "--json", file, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, json.loads(file.read_text(encoding="utf-8"))

    def check_ratios(self, figures):
        self.assertEqual(set(figures["counts"]), set(RATIOS) | {"point_accuracy", "oracle_by_point"})
        self.assertEqual(set(figures["point_accuracy"]), set(KINDS))
        self.assertEqual(set(figures["oracle_by_point"]), set(ORACLES))
        pairs = [(figures[k], figures["counts"][k]) for k in RATIOS]
        pairs += [(figures["point_accuracy"][k], figures["counts"]["point_accuracy"][k]) for k in KINDS]
        pairs += [(figures["oracle_by_point"][k], figures["counts"]["oracle_by_point"][k]) for k in ORACLES]
        for value, count in pairs:
            self.assertEqual(set(count), {"numerator", "denominator"})
            self.assertTrue(0 <= count["numerator"] <= count["denominator"])
            self.assertEqual(value, count["numerator"] / count["denominator"] if count["denominator"] else 0)
        for kind in KINDS:
            self.assertEqual(figures["counts"]["point_accuracy"][kind]["denominator"], figures["phrases"])
        for name in ("noun_recall", "oracle_mask_recall", "mask_recall"):
            self.assertIsInstance(figures["counts"][name]["numerator"], int)


class Figures(Evaluate):
    def counted(self, scenes, folder, preset, segmenter, *options):
        """The figures that follow from the captions, points and masks of ostend_ground."""
        sums = {k: [0, 0] for k in RATIOS + ("points",)}

        def add(name, hit, of=1):
            sums[name][0] += hit
            sums[name][1] += of

        for scene in scenes:
            out = self.folder / "ground"
            done = run("ostend_ground", "--model", MODEL, "--image", folder / scene["file"], "--out", out,
                       "--preset", preset, "--segmenter", segmenter, *options)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads((out / "grounding.json").read_text(encoding="utf-8"))
            objects = [(o["phrase"], decode_mask(o["mask"]) != 0) for o in scene["objects"]]
            named = []
            for phrase in found["phrases"]:
                words = re.sub("^(a|an|the|some) ", "", phrase["text"])
                if words in CLASSES:
                    named.append((words, phrase["peak"], decode_mask(phrase["mask"]) != 0))
            for words, peak, _ in named:
                add("noun_precision", words in dict(objects))
                add("points", any(words == p and m[peak["y"], peak["x"]] for p, m in objects))
            for phrase, mask in objects:
                add("noun_recall", re.search(rf"\b{phrase}\b", found["caption"]) is not None)
                add("oracle_mask_recall", any(w == phrase and mask[p["y"], p["x"]] for w, p, _ in named))
                add("chance", mask.mean())
            iou = np.array([[(m & t).sum() / max((m | t).sum(), 1) for _, _, m in named] for _, t in objects])
            same = np.array([[w == p for w, _, _ in named] for p, _ in objects])
            left, recalled = iou.copy(), 0
            while left.size and left.max() >= 0.5:
                t, p = np.unravel_index(left.argmax(), left.shape)
                if not same[t, p]:
                    break
                recalled += 1
                left[t, :] = left[:, p] = 0
            add("mask_recall", recalled, len(objects))
            left, ious = iou.copy(), []
            while left.size and left.max() > 0:
                t, p = np.unravel_index(left.argmax(), left.shape)
                ious.append(left[t, p])
                left[t, :] = left[:, p] = 0
            add("mask_miou", np.mean(ious) if ious else 0)
        return sums

    def test_figures_follow_from_captions_points_and_masks(self):
        folder, scenes = self.scenes([0, 1, 3, 9, 14, 31, 34])
        for preset, segmenter, *options in (("ostend", "built-in"), ("paper", "built-in"), ("ostend", SEGMENTER),
                                            ("ostend", SEGMENTER, "--no-prior")):
            _, figures = self.evaluate("--scenes", folder, "--preset", preset, "--segmenter", segmenter, *options)
            self.assertEqual(figures["map_as_prior"], preset == "ostend" and not options)
            self.assertEqual(set(figures), set(RATIOS) | {"point_accuracy", "oracle_by_point", "phrases", "counts",
                                                          "seconds", "scenes", "model", "segmenter", "preset",
                                                          "map_as_prior"})
            self.assertEqual(figures["segmenter"], "built-in graph cut" if segmenter == "built-in" else str(segmenter))
            self.assertEqual((figures["scenes"], figures["preset"], figures["model"]), (7, preset, str(MODEL)))
            self.assertGreater(figures["seconds"], 0)
            self.check_ratios(figures)
            expected = self.counted(scenes, folder, preset, segmenter, *options)
            for name in RATIOS:
                count = figures["counts"][name]
                self.assertEqual(count["denominator"], expected[name][1], name)
                self.assertAlmostEqual(count["numerator"], expected[name][0], delta=1e-9, msg=name)
            self.assertEqual(figures["phrases"], expected["points"][1])
            if preset == "ostend":
                self.assertEqual(figures["counts"]["point_accuracy"]["mean_token"],
                                 {"numerator": expected["points"][0], "denominator": expected["points"][1]})
                self.assertEqual(figures["counts"]["oracle_by_point"]["mean_token"],
                                 figures["counts"]["oracle_mask_recall"])

    def test_drawn_scenes_are_those_of_ostend_scenes(self):
        for aspect in ("1:1", "3:2"):
            written = self.folder / aspect.replace(":", "x")
            done = run("ostend_scenes", "--seed", 5, "--count", 4, "--aspect", aspect, "--out", written)
            self.assertEqual(done.returncode, 0, done.stderr)
            _, read = self.evaluate("--scenes", written)
            _, drawn = self.evaluate("--seed", 5, "--count", 4, "--aspect", aspect)
            self.assertEqual((drawn["seed"], drawn["aspect"]), (5, aspect))
            for key in RATIOS + ("point_accuracy", "counts", "phrases", "scenes"):
                self.assertEqual(drawn[key], read[key], key)

    def test_the_same_run_gives_the_same_figures(self):
        runs = [self.evaluate("--seed", 8, "--count", 3)[1] for _ in range(2)]
        for figures in runs:
            del figures["seconds"]
        self.assertEqual(*runs)

    def test_every_preset_and_the_second_model(self):
        folder, _ = self.scenes([2, 4])
        for preset in PRESETS:
            _, figures = self.evaluate("--scenes", folder, "--preset", preset)
            self.check_ratios(figures)
            self.assertEqual(figures["preset"], preset)
        _, figures = self.evaluate("--scenes", folder, model=WORD_MODEL)
        self.check_ratios(figures)

    def test_what_is_printed(self):
        folder, _ = self.scenes([0, 1])
        printed, figures = self.evaluate("--scenes", folder)
        count = figures["counts"]["noun_recall"]
        self.assertRegex(printed, rf"noun recall +[\d.]+ %  {count['numerator']} of {count['denominator']}")
        for word in ("noun precision", "mask recall", "mask mIoU", "chance", *KINDS, "at with_article_other_phrases",
                     "built-in graph cut, preset ostend, 2 scenes"):
            self.assertIn(word, printed)
        self.assertTrue(printed.endswith(f"figures: {self.folder / 'figures.json'}\n"))
        before = files_in(self.folder)
        done = run("ostend_evaluate", "--model", MODEL, "--scenes", folder)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, printed[:printed.index("figures: ")])
        self.assertEqual(files_in(self.folder), before)
        self.assertIn("2 of 2 scenes", done.stderr)
        self.assertNotIn("\r", done.stderr)  # a log, not a terminal

    def test_the_report(self):
        folder, scenes = self.scenes([0, 1, 2])
        report = self.folder / "report"
        _, figures = self.evaluate("--scenes", folder, "--report", report, "--report-scenes", 2)
        self.assertEqual(files_in(report), ["report.html"])
        page = (report / "report.html").read_text(encoding="utf-8")
        self.assertEqual(page.count("<article"), 2)
        for scene in scenes[:2]:
            self.assertIn(scene["file"], page)
        for name in ("noun_recall", "mask_recall"):
            count = figures["counts"][name]
            self.assertIn(f"{count['numerator']} of {count['denominator']} ", page)
        self.assertIn("points right</small>", page)
        self.assertIn("built-in graph-cut segmenter, 3 scenes", page)

    def test_the_segmenter_is_the_one_that_is_named(self):
        """Points are the same, masks are not, and the page and the figures say whose they are; the default is the
        built-in one; a state is of one segmenter."""
        folder, _ = self.scenes([0, 1, 2])
        report, state = self.folder / "report", self.folder / "state"
        printed, figures = self.evaluate("--scenes", folder, "--segmenter", SEGMENTER, "--report", report)
        self.assertIn(f"{MODEL}, {SEGMENTER}, preset ostend", printed)
        self.assertIn(f"segmenter {SEGMENTER}, 3 scenes", (report / "report.html").read_text(encoding="utf-8"))
        _, default = self.evaluate("--scenes", folder)
        _, built_in = self.evaluate("--scenes", folder, "--segmenter", "built-in")
        for found in (default, built_in, figures):
            del found["seconds"]
        self.assertEqual(default, built_in)
        for name in ("point_accuracy", "oracle_by_point", "oracle_mask_recall", "noun_recall"):
            self.assertEqual(figures[name], default[name])
        self.assertNotEqual(figures["mask_miou"], default["mask_miou"])
        self.evaluate("--scenes", folder, "--segmenter", SEGMENTER, "--state", state)
        done = run("ostend_evaluate", "--model", MODEL, "--scenes", folder, "--state", state)
        self.assertEqual(done.returncode, 1)
        self.assertIn("segmenter built-in", done.stderr)
        done = run("ostend_evaluate", "--model", MODEL, "--scenes", folder, "--segmenter", SEGMENTER, "--no-prior",
                   "--state", state)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no prior", done.stderr)


class BadInput(Evaluate):
    def refused(self, *words, arguments, model=MODEL):
        before = files_in(self.folder)
        file, report = self.folder / "figures.json", self.folder / "report"
        if "--json" not in arguments:
            arguments = (*arguments, "--json", file)
        if "--report" not in arguments:
            arguments = (*arguments, "--report", report)
        done = run("ostend_evaluate", "--model", model, *arguments)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(files_in(self.folder), before, "something was left behind")
        message = done.stderr.splitlines()[-1]
        self.assertTrue(message.startswith("ostend_evaluate: "), done.stderr)
        for word in words:
            self.assertIn(str(word), message)

    def test_scenes(self):
        folder, scenes = self.scenes([0, 1])
        file = folder / "scenes.json"
        good = json.loads(file.read_text(encoding="utf-8"))

        def with_change(change, *words):
            spoilt = json.loads(json.dumps(good))
            change(spoilt)
            file.write_text(json.dumps(spoilt), encoding="utf-8")
            self.refused(file, *words, arguments=("--scenes", folder))

        with_change(lambda s: s.pop("scenes"), "scenes", "missing")
        with_change(lambda s: s.update(scenes={}), "scenes")
        with_change(lambda s: s.update(scenes=[]), "no scene")
        with_change(lambda s: s.update(scenes=[3]), "scenes[0]")
        for field, wrong in (("file", 3), ("file", "nowhere.png"), ("file", "../scenes.json"), ("file", "scenes.json"),
                             ("objects", 4), ("objects", [7]), ("caption", 9)):
            with_change(lambda s, f=field, w=wrong: s["scenes"][1].update({f: w}), "scenes[1]")
        for field in ("file", "objects"):
            with_change(lambda s, f=field: s["scenes"][1].pop(f), "scenes[1]", field)
        for field, wrong in (("phrase", 3), ("mask", 3), ("mask", {"size": [144, 144], "counts": "~"}),
                             ("mask", {"size": [144, 144], "counts": "0"}), ("mask", {"size": [144], "counts": ""}),
                             ("mask", mask_json(np.ones((3, 4)))), ("mask", {"size": [1 << 40, 1], "counts": ""})):
            with_change(lambda s, f=field, w=wrong: s["scenes"][1]["objects"][0].update({f: w}),
                        "scenes[1]", "objects[0]")
        file.write_text(json.dumps({"scenes": [good["scenes"][0]] * 2}), encoding="utf-8")
        self.refused(scenes[0]["file"], "added before", arguments=("--scenes", folder))
        file.write_text("{", encoding="utf-8")
        self.refused(file, "not JSON", arguments=("--scenes", folder))
        file.unlink()
        self.refused(file, "there is no such file", arguments=("--scenes", folder))

    def test_places_that_cannot_be_written(self):
        folder, _ = self.scenes([0])
        blocked = self.folder / "file"
        blocked.write_text("mine")
        self.refused(blocked, arguments=("--scenes", folder, "--json", blocked / "figures.json"))
        self.refused(blocked, arguments=("--scenes", folder, "--report", blocked / "report"))
        self.refused(folder, arguments=("--scenes", folder, "--json", folder))
        self.assertEqual(blocked.read_text(), "mine")

    def test_segmenters(self):
        folder, _ = self.scenes([0])
        empty = self.folder / "empty"
        empty.mkdir()
        for segmenter, *words in (("builtin", "--segmenter", "no folder 'builtin'", "built-in"),
                                  (empty, empty / "model.safetensors", "cannot be opened"),
                                  (MODEL, MODEL / "model.safetensors", "encoder.stem.0.weight", "no such tensor")):
            self.refused(*words, arguments=("--scenes", folder, "--segmenter", segmenter))

    def test_models_presets_and_aspects(self):
        folder, _ = self.scenes([0])
        self.refused("nowhere", arguments=("--scenes", folder), model=self.folder / "nowhere")
        self.refused("'best'", *PRESETS, arguments=("--scenes", folder, "--preset", "best"))
        for aspect in ("9:1", "1:9", "0:1", "wide", "3", "3:2:1", "-3:2", "99999999999:1"):
            self.refused("aspect", arguments=("--seed", 1, "--count", 1, "--aspect=" + aspect))


class Arguments(unittest.TestCase):
    def test_help(self):
        done = run("ostend_evaluate", "--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--model", "--segmenter", "built-in", "--scenes", "--seed", "--count", "--aspect", "--json",
                     "--report", "--no-prior", "--preset", "Exit status", *PRESETS):
            self.assertIn(word, done.stdout)

    def test_bad_arguments(self):
        both = ("--model", MODEL, "--scenes", SCENES, "--seed", 1)
        for arguments in ((), ("--model", MODEL), both, ("--model", MODEL, "--seed", 1, "--count", 0),
                          ("--model", MODEL, "--scenes", SCENES, "--count", 3),
                          ("--model", MODEL, "--scenes", SCENES, "--aspect", "3:2"),
                          ("--model", MODEL, "--seed", "one"), ("--unknown",)):
            done = run("ostend_evaluate", *arguments)
            self.assertGreaterEqual(done.returncode, 100, arguments)
            self.assertNotEqual(done.stderr, "")
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
