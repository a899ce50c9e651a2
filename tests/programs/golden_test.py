#!/usr/bin/env python3
"""ostend_golden: the recorded cases, new ones of other shapes made with NumPy, and manifests that are damaged.
Usage: golden_test.py FOLDER_OF_PROGRAMS"""
import copy
import json
import math
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import GOLDEN, mask_json, run
from golden_oracles import ORACLES

CATEGORIES = list(ORACLES)
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text(encoding="utf-8"))


def differs(ours, theirs, tolerance, path=""):
    """The first place where a nested value leaves the tolerance, or None."""
    if isinstance(theirs, dict):
        return next((d for k in theirs if (d := differs(ours[k], theirs[k], tolerance, f"{path}.{k}"))), None)
    if isinstance(theirs, (list, tuple)):
        if len(ours) != len(theirs):
            return f"{path}: {len(ours)} and {len(theirs)}"
        return next((d for i, t in enumerate(theirs) if (d := differs(ours[i], t, tolerance, f"{path}[{i}]"))), None)
    if theirs is None or ours is None or isinstance(theirs, (str, bool)):
        return None if ours == theirs else f"{path}: {ours} and {theirs}"
    if math.isnan(theirs) or math.isnan(ours):
        return None if math.isnan(theirs) and math.isnan(ours) else f"{path}: {ours} and {theirs}"
    limit = tolerance.get("atol", 0) + tolerance.get("rtol", 0) * abs(theirs)
    return None if ours == theirs or abs(ours - theirs) <= limit else f"{path}: {ours} and {theirs}"


class Recorded(unittest.TestCase):
    def test_all_pass(self):
        done = run("ostend_golden", GOLDEN, "--only", ",".join(CATEGORIES))
        count = sum(c["category"] in CATEGORIES for c in MANIFEST["cases"])
        self.assertEqual(done.stdout, f"{count} passed, 0 failed\n")
        self.assertEqual(done.returncode, 0)

    def test_each_category_alone(self):
        for category in CATEGORIES:
            done = run("ostend_golden", GOLDEN, "--only", category)
            count = sum(c["category"] == category for c in MANIFEST["cases"])
            self.assertEqual(done.stdout, f"{count} passed, 0 failed\n")

    def test_the_oracles_agree_with_the_recorded_cases(self):
        for case in MANIFEST["cases"]:
            if case["category"] not in ORACLES:
                continue
            with self.subTest(case["name"]):
                inputs = {k: np.load(GOLDEN / f) for k, f in case["inputs"].items()}
                params = dict(case["params"])
                if case["category"] == "samcoords":
                    params["sizes"] = [{k: c[k] for k in ("hw", "points", "boxes")}
                                       for c in case["expected_values"]["cases"]]
                arrays, values = ORACLES[case["category"]](inputs, params)
                tolerance = {k: 4 * v for k, v in case["tolerance"].items() if k != "exact"}
                for key, file in case["expected"].items():
                    if key == "mean_all_f16out":  # rounded by the reference
                        continue
                    theirs = np.load(GOLDEN / file)
                    self.assertEqual(arrays[key].shape, theirs.shape, key)
                    self.assertIsNone(differs(np.asarray(arrays[key], float).tolist(), theirs.astype(float).tolist(),
                                              tolerance, key))
                for key, theirs in case["expected_values"].items():
                    if key in ("core_words", "argmax_margin"):
                        continue
                    self.assertIsNone(differs(values[key], theirs, tolerance, key))


def blobs(random, height, width):
    """A mask of a few rectangles, or of noise."""
    mask = np.zeros((height, width), bool)
    if random.random() < 0.3:
        return random.random((height, width)) < random.random()
    for _ in range(random.integers(0, 5)):
        y, x = random.integers(0, height), random.integers(0, width)
        mask[y:y + random.integers(1, height + 1), x:x + random.integers(1, width + 1)] ^= True
    return mask


def softmax(values):
    e = np.exp(values - values.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Maker:
    """Makes cases: inputs and params at random, what is expected by the oracle."""

    def __init__(self, folder, seed):
        self.folder, self.random, self.cases = Path(folder), np.random.default_rng(seed), []

    def add(self, category, inputs, params, tolerance, only=None):
        name = f"{category}/{len(self.cases)}"
        arrays, values = ORACLES[category](inputs, params)
        case = {"name": name, "category": category, "peer": "NumPy", "inputs": {}, "params": params,
                "expected": {}, "expected_values": values, "tolerance": tolerance}
        for part, named in (("inputs", inputs), ("expected", arrays)):
            for key, array in named.items():
                if array is None or (part == "expected" and only is not None and key not in only):
                    continue
                array = np.asarray(array)
                file = f"{name.replace('/', '_')}.{part}.{key}.npy"
                np.save(self.folder / file,
                        np.ascontiguousarray(array, np.uint8 if array.dtype in (bool, np.uint8) else np.float32))
                case[part][key] = file
        self.cases.append(case)

    def write(self):
        text = json.dumps({"cases": self.cases}, ensure_ascii=False)
        (self.folder / "manifest.json").write_text(text, encoding="utf-8")

    def size(self, most):
        return int(self.random.integers(1, most + 1)), int(self.random.integers(1, most + 1))

    def aggregate(self):
        r = self.random
        layers, heads, tokens = (int(v) for v in r.integers(1, 6, 3))
        rows, columns = self.size(9)
        p = {"layers": layers, "heads": heads, "T": tokens, "img_start": int(r.integers(0, 5)), "grid": [rows, columns]}
        only = {"mean_all"}
        kind = r.integers(0, 4)
        count = rows * columns
        if kind == 0:
            only |= {"mean_subset", "mean_pairs", "normalized_all"} | ({"shipped_head_minus2"} if heads > 1 else set())
            p["layer_subset"] = sorted(map(int, r.choice(layers, r.integers(1, layers + 1), False)))
            p["head_subset"] = sorted(map(int, r.choice(heads, r.integers(1, heads + 1), False)))
            every = [[a, b] for a in range(layers) for b in range(heads)]
            p["pairs"] = [every[i] for i in sorted(r.choice(len(every), r.integers(1, len(every) + 1), False))]
        elif kind == 1:
            p["reg_tokens"] = int(r.integers(0, 4))
        elif kind == 2:
            base = self.size(4)
            p.update(base_tokens=base[0] * base[1], base_grid=list(base), newline_column=True)
            only.add("mean_base")
            count = rows * (columns + 1)
        keys = p["img_start"] + p.get("base_tokens", 0) + p.get("reg_tokens", 0) + count + int(r.integers(0, 6))
        p["K"] = keys
        attention = softmax(r.normal(0, 3, (tokens, layers, heads, keys))).astype(np.float32)
        if kind == 3:
            only = {"mean_all_f32acc"}
            attention = attention.astype(np.float16).astype(np.float32)
        self.add("aggregate", {"attn": attention}, p, {"atol": 1e-7, "rtol": 2e-6}, only)

    def qk(self):
        r = self.random
        layers, kv_heads, queries = (int(v) for v in r.integers(1, 4, 3))
        heads = kv_heads * int(r.integers(1, 4))
        keys, width = queries + int(r.integers(0, 90)), int(r.integers(1, 40))
        cols = sorted(map(int, r.choice(keys + 1, 2, False)))
        self.add("qk", {"q": r.normal(0, 1, (layers, heads, queries, width)).astype(np.float32),
                        "k": r.normal(0, 1, (layers, kv_heads, keys, width)).astype(np.float32)},
                 {"scale": float(np.float32(width ** -0.5)), "cols": cols, "layers": layers, "heads": heads,
                  "kv_heads": kv_heads, "D": width, "T": queries, "K": keys}, {"atol": 2e-7, "rtol": 1e-5})

    def groups(self):
        r = self.random
        alphabet = ["a", "dog", " ", " the", ".", ",", "é", "ß", "漢", "字", "🐕", "İ", "e\u0301", "\n"]
        text = "".join(alphabet[i] for i in r.integers(0, len(alphabet), r.integers(1, 40)))
        stripped = bool(r.integers(0, 2))
        data = (" " if stripped and r.random() < 0.8 else "").encode() + text.encode()
        if r.random() < 0.2:
            data += bytes(r.integers(128, 256, 3).astype(np.uint8))
        cuts = sorted(set(map(int, r.integers(0, len(data) + 1, r.integers(0, 20)))) | {0, len(data)})
        tokens = [data[a:b].hex() for a, b in zip(cuts, cuts[1:])]
        for _ in range(r.integers(0, 3)):
            tokens.insert(int(r.integers(0, len(tokens) + 1)), None)
        from golden_oracles import token_spans
        spans = token_spans(tokens, stripped)
        length = max(spans[-1][1], 1)
        nouns = []
        for _ in range(r.integers(0, 6)):
            a, b = sorted(map(int, r.integers(0, length + 1, 2)))
            nouns.append([a, max(b, a + 1)])
        shape = (len(tokens),) + self.size(7)
        self.add("groups", {"maps": r.normal(0, 1, shape).astype(np.float32)},
                 {"text": text, "token_bytes_hex": tokens, "leading_space_stripped": stripped,
                  "token_char_start": [s for s, _ in spans], "token_char_end": [e for _, e in spans],
                  "noun_char_spans": nouns, "phrase_char_spans": nouns}, {"atol": 2e-7, "rtol": 2e-6})

    def upsample(self):
        r = self.random
        rows, columns = self.size(24)
        mode = "pad" if r.random() < 0.5 else "original"
        if mode == "pad":
            columns = rows
        height, width = self.size(90) if r.random() < 0.8 else (int(r.integers(1, 4)), int(r.integers(200, 700)))
        maps = (r.normal(0, 2e-4, (int(r.integers(1, 4)), rows, columns))).astype(np.float32)
        p = {"image_h": height, "image_w": width, "mode": mode, "remove_corner": bool(r.integers(0, 2))}
        only = {"up"}
        if r.random() < 0.4:
            p.update(probe_y=r.integers(0, height, 50).tolist(), probe_x=r.integers(0, width, 50).tolist())
            only = {"probes"}
        self.add("upsample", {"maps": maps}, p, {"atol": 2e-9, "rtol": 2e-5}, only)

    def argmax(self):
        rows, columns = self.size(6)
        self.add("upsample", {"maps": self.random.integers(0, 3, (1, rows, columns)).astype(np.float32)}, {},
                 {"exact": True})

    def samcoords(self):
        r = self.random
        sizes = []
        for _ in range(20):
            height, width = self.size(3000)
            def pair():
                return [int(r.integers(0, width)), int(r.integers(0, height))]
            sizes.append({"hw": [height, width], "points": [pair() for _ in range(3)],
                          "boxes": [pair() + pair() for _ in range(2)]})
        self.add("samcoords", {}, {"sizes": sizes}, {"atol": 0.0, "rtol": 1e-12})

    def maskprompt(self):
        r = self.random
        height, width = self.size(80)
        probes = 200
        self.add("maskprompt", {"map": r.random((1, height, width)).astype(np.float32)},
                 {"eps": 0.001, "edge": 256, "thresh": 0.75, "probe_y": r.integers(0, 256, probes).tolist(),
                  "probe_x": r.integers(0, 256, probes).tolist()}, {"atol": 5e-5, "rtol": 2e-5})

    def rle(self):
        self.add("rle", {"mask": blobs(self.random, *self.size(70)).astype(np.uint8)}, {}, {"exact": True})

    def masks(self, count, size):
        return [mask_json(blobs(self.random, *size)) for _ in range(count)]

    def rleiou(self):
        size = self.size(50)
        gt = self.masks(int(self.random.integers(1, 6)), size)
        dt = self.masks(int(self.random.integers(2, 7)), size)
        dt[0] = gt[0] if self.random.random() < 0.3 else dt[0]
        self.add("rleiou", {}, {"dt": dt, "gt": gt, "iscrowd": self.random.integers(0, 2, len(gt)).tolist()},
                 {"atol": 0.0, "rtol": 1e-12})

    def regions(self):
        self.add("regions", {"mask": blobs(self.random, *self.size(40)).astype(np.uint8)},
                 {"area_thresh": int(self.random.choice([1, 2, 4, 16, 100, 2000]))}, {"exact": True})

    def masknms(self):
        count, size = int(self.random.integers(1, 9)), self.size(30)
        masks = np.array([blobs(self.random, *size) for _ in range(count)])
        masks[-1] = masks[0]
        scores = (self.random.permutation(count) / 10).tolist()
        self.add("masknms", {"masks": masks.astype(np.uint8)}, {"scores": scores, "iou_thresh": 0.75},
                 {"atol": 0.0, "rtol": 1e-9})

    def gcg(self):
        size = self.size(40)
        gt, dt = self.masks(int(self.random.integers(1, 5)), size), self.masks(int(self.random.integers(1, 5)), size)
        dt[0] = gt[-1]
        self.add("gcg", {}, {"gt": gt, "dt": dt, "iou_thresh": 0.5, "sim_thresh": 0.5,
                             "text_sim_gt_dt": self.random.uniform(0.3, 1, (len(gt), len(dt))).round(3).tolist()},
                 {"atol": 0.0, "rtol": 1e-12})

    def pacc(self):
        size = self.size(40)
        gt, dt = {}, {}
        for image in range(3):
            gt[str(image)] = [{"category_id": c, "segmentation": self.masks(1, size)[0]} for c in (1, 2, 2, 3)]
            dt[str(image)] = [{"category_id": int(self.random.integers(1, 4)),
                               "point": [int(self.random.integers(0, size[1])), int(self.random.integers(0, size[0]))]}
                              for _ in range(6)]
        self.add("pacc", {}, {"h": size[0], "w": size[1], "gt": gt, "dt": dt}, {"exact": True})


class Made(unittest.TestCase):
    def test_other_shapes_and_seeds_pass(self):
        for seed in range(3):
            with tempfile.TemporaryDirectory() as folder:
                maker = Maker(folder, seed)
                for _ in range(12):
                    for category in CATEGORIES + ["argmax"]:
                        getattr(maker, category)()
                maker.write()
                done = run("ostend_golden", folder)
                self.assertEqual(done.stdout, f"{len(maker.cases)} passed, 0 failed\n")
                self.assertEqual(done.returncode, 0)

    def test_a_wrong_expectation_fails_in_every_category(self):
        def spoil(value):
            """One number of a nested value changed; False when it holds none."""
            items = list(value.items() if isinstance(value, dict) else enumerate(value))
            for key, item in reversed(items):
                if isinstance(item, bool):
                    value[key] = not item
                elif isinstance(item, (int, float)):
                    value[key] = item + 1 + abs(item)
                elif isinstance(item, str):
                    value[key] = "0" + item
                elif not isinstance(item, (list, dict)) or not spoil(item):
                    continue
                return True
            return False

        with tempfile.TemporaryDirectory() as folder:
            maker = Maker(folder, 99)
            for category in CATEGORIES:
                getattr(maker, category)()
            good = copy.deepcopy(maker.cases)
            maker.write()
            self.assertEqual(run("ostend_golden", folder).returncode, 0)
            tried = 0
            for i, case in enumerate(good):
                for part in ("expected", "expected_values"):
                    for key in case[part]:
                        if key in ("size", "core_words", "argmax_margin"):  # said, but by another field too
                            continue
                        maker.cases = copy.deepcopy(good)
                        if part == "expected":
                            file = case[part][key]
                            array = np.load(maker.folder / file)
                            if array.size == 0:
                                continue
                            array[(-1,) * array.ndim] = array[(-1,) * array.ndim] == 0
                            np.save(maker.folder / f"spoilt.{file}", array)
                            maker.cases[i][part][key] = f"spoilt.{file}"
                        else:
                            holder = {key: maker.cases[i][part][key]}
                            if not spoil(holder):
                                continue
                            maker.cases[i][part][key] = holder[key]
                        maker.write()
                        done = run("ostend_golden", folder)
                        lines = done.stdout.splitlines()
                        with self.subTest(case=case["name"], key=key):
                            self.assertEqual(done.returncode, 1)
                            self.assertEqual(len(lines), 2, lines)
                            self.assertRegex(lines[0], f"^FAIL {re.escape(case['name'])}: .")
                            self.assertEqual(lines[1], f"{len(good) - 1} passed, 1 failed")
                        tried += 1
            self.assertGreater(tried, 40)


class Damaged(unittest.TestCase):
    """A case that cannot be run fails with its name; the others are run, and nothing crashes."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()) if hasattr(self, "enterContext")
                           else tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.maker = Maker(self.folder, 7)
        for category in CATEGORIES:
            getattr(self.maker, category)()

    def outcome(self, cases, *arguments):
        (self.folder / "manifest.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
        done = run("ostend_golden", self.folder, *arguments)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[-1], r"^\d+ passed, \d+ failed$")
        self.assertEqual(done.returncode, 0 if lines[-1].endswith(" 0 failed") else 1)
        self.assertTrue(all(re.match(r"FAIL .+: .+", line) for line in lines[:-1]), lines)
        return lines

    def test_every_field_missing_or_of_another_type(self):
        cases, names = [], []
        for case in self.maker.cases:
            for part in ("inputs", "params", "expected", "expected_values", "tolerance"):
                for key in [None] + list(case[part]):
                    for wrong in ("missing", None, 7, -3.5, 1e300, "text", [], [[]], {}, True, [1, 2, 3]):
                        spoilt = copy.deepcopy(case)
                        target, field = (spoilt, part) if key is None else (spoilt[part], key)
                        if wrong == "missing":
                            del target[field]
                        else:
                            target[field] = wrong
                        spoilt["name"] = f"{case['name']}: {field} {wrong}"
                        names.append(spoilt["name"])
                        cases.append(spoilt)
        lines = self.outcome(cases + self.maker.cases)
        passed, failed = map(int, re.findall(r"\d+", lines[-1]))
        self.assertEqual(passed + failed, len(cases) + len(self.maker.cases))
        self.assertEqual(len(lines), failed + 1)
        self.assertTrue(all(line.startswith("FAIL ") and any(n in line for n in names) for line in lines[:-1]))
        # Without its parts a case must not pass.
        for case in self.maker.cases:
            for part in ("tolerance", "params" if case["params"] and case["category"] != "samcoords" else "tolerance",
                         "inputs" if case["inputs"] else "tolerance"):
                self.assertTrue(any(line.startswith(f"FAIL {case['name']}: {part} missing: ") for line in lines),
                                f"{case['name']} {part}")

    def test_unknown_categories_and_cases_that_are_none(self):
        good = self.maker.cases
        lines = self.outcome([{"name": "future/1", "category": "future", "tolerance": {"exact": True}}, good[0], 17,
                              None, "case", []])
        self.assertEqual(lines[0], "FAIL future/1: the category 'future' is not known")
        self.assertEqual(lines[-1], "1 passed, 5 failed")
        lines = self.outcome(good[:1], "--only", "aggregate,future")
        self.assertEqual(lines, ["FAIL future: the manifest has no such category", "1 passed, 1 failed"])
        lines = self.outcome(good, "--only", "rle")
        self.assertEqual(lines, ["1 passed, 0 failed"])

    def test_a_case_without_a_category_is_known_by_its_name(self):
        case = dict(self.maker.cases[0])
        del case["category"]
        self.assertEqual(self.outcome([case]), ["1 passed, 0 failed"])

    def test_damaged_arrays(self):
        cases = []
        for case in self.maker.cases:
            for part in ("inputs", "expected"):
                for key, file in case[part].items():
                    data = (self.folder / file).read_bytes()
                    damaged = [b"", data[:5], data[:40], data[:-1], b"x" + data[1:],
                               data.replace(b"'descr'", b"'d'    "), data.replace(b"False", b"True ")]
                    damaged += [data.replace(b"'shape': (", b"'shape': (" + extent, 1)
                                for extent in (b"9,", b"99999999999,", b"99999999999999999999999,", b"-1,", b"1e3,")]
                    for i, bad in enumerate(damaged):
                        spoilt = copy.deepcopy(case)
                        spoilt["name"] = f"{case['name']}/{part}/{key}/{i}"
                        spoilt[part][key] = f"damaged.{i}.{file}"
                        (self.folder / spoilt[part][key]).write_bytes(bad)
                        cases.append(spoilt)
                    cases.append(copy.deepcopy(case))
                    cases[-1].update(name=f"{case['name']}/{part}/{key}/none")
                    cases[-1][part][key] = "nowhere.npy"
        lines = self.outcome(cases)
        self.assertEqual(lines[-1], f"0 passed, {len(cases)} failed")
        for case, line in zip(cases, lines):
            self.assertTrue(line.startswith(f"FAIL {case['name']}: "), line)
            if case["name"].endswith("none"):
                self.assertIn("nowhere.npy: there is no such file", line)

    def test_a_manifest_that_cannot_be_read(self):
        manifest = self.folder / "manifest.json"
        for text, why in (("{", "this is not JSON"), ("[]", "no list of cases"), ("{}", "no list of cases"),
                          ('{"cases": 3}', "no list of cases"), ("[" * 100000, "nested deeper")):
            manifest.write_text(text, encoding="utf-8")
            done = run("ostend_golden", self.folder)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(str(manifest), done.stderr)
            self.assertIn(why, done.stderr)
        manifest.unlink()
        done = run("ostend_golden", self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{manifest}: there is no such file", done.stderr)


class Arguments(unittest.TestCase):
    def test_help_and_bad_arguments(self):
        done = run("ostend_golden", "--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--only", "N passed, N failed", "Exit status", *CATEGORIES):
            self.assertIn(word, done.stdout)
        for arguments in ((), ("--unknown",), (GOLDEN, "--only")):
            done = run("ostend_golden", *arguments)
            self.assertGreaterEqual(done.returncode, 100)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
