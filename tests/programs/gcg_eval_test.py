#!/usr/bin/env python3
"""ostend_gcg_eval against the published protocol, written here in plain Python over dense masks, with
pycocotools for AP. Usage: gcg_eval_test.py FOLDER_OF_PROGRAMS"""
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PROGRAM = os.path.join(sys.argv.pop(1), "ostend_gcg_eval")
WORDS = ["a dog", "the dog", "two cats", "grass", "a red car", "the sky", "Ünïcode 木", 'with "quotes"']


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def compressed(mask):
    rle = coco_mask.encode(np.asfortranarray(mask))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def uncompressed(mask):
    counts, value, run = [], 0, 0
    for pixel in mask.flatten(order="F"):
        if pixel != value:
            counts.append(run)
            value, run = pixel, 0
        run += 1
    return {"size": list(mask.shape), "counts": counts + [run]}


def dense(rle):
    if isinstance(rle["counts"], list):
        rle = coco_mask.frPyObjects(rle, *rle["size"])
    return coco_mask.decode(rle)


class Protocol:
    """What the two scripts compute, from the files that they read."""

    def __init__(self, folder, masks, captions, cosines, on_failure):
        truth, captions = load(masks), load(captions)
        self.failed, self.ious, self.found, self.labels = [], [], 0, 0
        results = []
        for image in captions["images"]:
            prediction = load(os.path.join(folder, f"{image['id']}.json"))
            first = prediction[next(iter(prediction))]
            if isinstance(first, dict) and "caption" in first and "phrases" in first:
                prediction = first
            dt = [dense(m) for m in prediction["pred_masks"]]
            gt = [dense(a["segmentation"]) for a in truth["annotations"] if a["image_id"] == image["id"]]
            results += [{"image_id": image["id"], "category_id": 1, "score": 1.0, "segmentation": compressed(m)}
                        for m in dt]
            with np.errstate(invalid="ignore"):
                iou = np.array([[(g & d).sum() / (g | d).sum() for d in dt] for g in gt]).reshape(len(gt), len(dt))
            self.ious.append(self.mean_of_pairs(iou))
            mine = [c for c in captions["annotations"] if c["image_id"] == image["id"]]
            try:
                labels = mine[0]["labels"]
                self.labels += len(labels)
                table = [[cosines(a, b) for b in prediction["phrases"]] for a in labels]
                self.found += self.matches(iou, table)
            except IndexError:
                self.failed.append(image["id"])
                if on_failure == "stop":
                    raise
        self.ap, self.ap50 = self.average_precision(masks, results)
        self.miou = sum(self.ious) / len(self.ious)
        self.recall = self.found / self.labels if self.labels else 0

    @staticmethod
    def mean_of_pairs(iou):
        """Predictions are the rows: the first of equal IoUs is the one of the first prediction."""
        iou, taken = iou.T.copy(), []
        while iou.size and np.max(iou) > 0:
            row, column = np.unravel_index(np.argmax(iou), iou.shape)
            taken.append(iou[row, column])
            iou = np.delete(np.delete(iou, row, 0), column, 1)
        return sum(taken) / len(taken) if taken else 0.0

    @staticmethod
    def matches(iou, table):
        iou, found = iou.copy(), 0
        while iou.size:
            row, column = np.unravel_index(np.argmax(iou), iou.shape)
            if iou[row, column] < 0.5 or table[row][column] < 0.5:
                break
            found += 1
            iou[row, :] = 0
            iou[:, column] = 0
        return found

    @staticmethod
    def average_precision(masks, results):
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(masks)
            evaluation = COCOeval(truth, truth.loadRes(results), "segm")
            evaluation.params.catIds = [1]
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation.stats[0], evaluation.stats[1]


def blob(rng, height, width):
    mask = np.zeros((height, width), np.uint8)
    for _ in range(rng.randint(1, 2)):
        y, x = rng.randrange(height), rng.randrange(width)
        mask[y:y + rng.randint(1, height), x:x + rng.randint(1, width)] ^= 1
    return mask if rng.random() > 0.06 else np.zeros_like(mask)


def near(rng, mask):
    return np.roll(mask, rng.randint(-2, 2), rng.randrange(2)) if rng.random() < 0.7 else mask.copy()


class Data:
    """Files of a small random data set in a folder of its own."""

    def __init__(self, rng, folder, mismatches=True, captionless=False):
        self.folder = folder
        self.predictions = os.path.join(folder, "predictions")
        self.masks, self.captions = os.path.join(folder, "masks.json"), os.path.join(folder, "captions.json")
        self.similarity = os.path.join(folder, "similarity.json")
        os.mkdir(self.predictions)
        number = rng.random() < 0.5
        ids = [(i if number else f"sa_{i}") for i in rng.sample(range(1, 3000), rng.randint(1, 9))]
        self.table = {a: {b: 1.0 if a == b else rng.choice([0.3, 0.499999, 0.5, 0.51, 0.9, -0.2]) for b in WORDS}
                      for a in WORDS}
        annotations, captions, images, next_id = [], [], [], rng.choice([0, 1, 7])
        self.any_mask = False
        for image in ids:
            size = rng.randint(3, 30), rng.randint(3, 30)
            images.append({"id": image, "height": size[0], "width": size[1]})
            gt = [blob(rng, *size) for _ in range(rng.randint(0, 5))]
            dt = [near(rng, rng.choice(gt)) if gt and rng.random() < 0.8 else blob(rng, *size)
                  for _ in range(rng.randint(0, 5))]
            self.any_mask = self.any_mask or bool(dt)
            for mask in gt:
                annotations.append({"id": next_id, "image_id": image, "iscrowd": int(rng.random() < 0.1),
                                    "category_id": 1 if rng.random() < 0.9 else 2,
                                    "segmentation": compressed(mask), "area": int(mask.sum()),
                                    "bbox": [0, 0, 1, 1]})
                next_id += 1
            extra = rng.choice([-1, 0, 0, 1]) if mismatches else 0
            labels = [rng.choice(WORDS) for _ in range(max(0, len(gt) + extra))]
            extra = rng.choice([-1, 0, 0, 1]) if mismatches else 0
            phrases = [rng.choice(WORDS) for _ in range(max(0, len(dt) + extra))]
            if not (captionless and rng.random() < 0.3):
                captions.append({"id": len(captions), "image_id": image, "caption": "words", "labels": labels})
            if rng.random() < 0.2:  # a second one, which is not used
                captions.append({"id": len(captions), "image_id": image, "caption": "more", "labels": ["grass"] * 9})
            prediction = {"image_id": str(image), "caption": "words", "phrases": phrases,
                          "pred_masks": [rng.choice([compressed, uncompressed])(m) for m in dt]}
            if rng.random() < 0.3:
                prediction = {"result": prediction, "other": {"caption": 1}}
            elif rng.random() < 0.3:  # the order of keys decides nothing here
                prediction = dict(reversed(list(prediction.items())))
            self.write(os.path.join("predictions", f"{image}.json"), prediction)
        self.write("captions.json", {"images": images, "annotations": captions})
        more = [{"id": 5000 if number else "sa_5000", "height": 4, "width": 4}] if rng.random() < 0.5 else []
        if more:  # an image without a caption counts for AP alone
            annotations.append({"id": next_id, "image_id": more[0]["id"], "category_id": 1, "iscrowd": 0,
                                "segmentation": compressed(np.ones((4, 4), np.uint8)), "area": 16})
            self.write("predictions/5000.json", {})  # not read
        rng.shuffle(images)
        rng.shuffle(annotations)
        self.write("masks.json", {"info": {}, "images": images + more, "annotations": annotations,
                                  "categories": [{"id": 1, "name": "object"}, {"id": 2, "name": "other"}]})
        self.write("similarity.json", self.table)
        self.ids = ids

    def write(self, name, value):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=name != "similarity.json")

    def edit(self, name, change):
        value = load(os.path.join(self.folder, name))
        self.write(name, change(value) or value)

    def run(self, *options, similarity=True, out="figures.json"):
        out = os.path.join(self.folder, out)
        if os.path.isfile(out):
            os.remove(out)
        command = [PROGRAM, "--predictions", self.predictions, "--gt-mask", self.masks, "--gt-caption", self.captions,
                   "--json", out, *options]
        command += ["--text-similarity", self.similarity] if similarity else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        done.figures = load(out) if os.path.isfile(out) else None
        return done


class GcgEvalTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name

    def data(self, seed, **options):
        rng = random.Random(seed)
        while True:
            folder = tempfile.mkdtemp(dir=self.place)
            data = Data(rng, folder, **options)
            if data.any_mask:  # pycocotools stops at a file without results
                return data

    def check_equal(self, done, want):
        self.assertEqual(done.returncode, 0, done.stderr)
        got = done.figures
        self.assertEqual(got["ap"], want.ap)
        self.assertEqual(got["ap50"], want.ap50)
        self.assertAlmostEqual(got["miou"], want.miou, delta=1e-13)
        self.assertEqual(got["recall"], want.recall)
        self.assertEqual(got["counts"]["recall"], {"numerator": want.found, "denominator": want.labels})
        self.assertEqual(got["counts"]["miou"]["denominator"], len(want.ious))
        self.assertEqual(got["images"], len(want.ious))

    def test_random_data_sets(self):
        found = failures = 0
        for seed in range(60):
            with self.subTest(seed=seed):
                data = self.data(seed, captionless=seed % 3 == 0)
                cosines = lambda label, phrase: data.table[label][phrase]
                want = Protocol(data.predictions, data.masks, data.captions, cosines, "miss")
                done = data.run("--on-failure", "miss")
                self.check_equal(done, want)
                self.assertEqual(sorted(done.figures["failed_images"]), sorted(map(str, want.failed)))
                found += want.found
                failures += len(want.failed)
                if want.failed:
                    with self.assertRaises(IndexError):
                        Protocol(data.predictions, data.masks, data.captions, cosines, "stop")
                    stopped = data.run()
                    self.assertEqual(stopped.returncode, 1)
                    self.assertIn("labels" if "labels" in stopped.stderr else "phrases"
                                  if "phrases" in stopped.stderr else "has no caption", stopped.stderr)
                    self.assertIsNone(stopped.figures)
                else:
                    self.check_equal(data.run(), want)
        self.assertGreater(found, 50)
        self.assertGreater(failures, 5)

    def test_polygons_of_the_truth(self):
        polygon = [[1.2, 0.4, 2.9, 0.5, 2.5, 2.8], [0.3, 0.1, 1.4, 2.2, 0.2, 2.9]]

        def as_polygons(whole):
            for annotation in whole["annotations"]:
                annotation["segmentation"] = polygon

        def as_masks(whole):
            sizes = {image["id"]: (image["height"], image["width"]) for image in whole["images"]}
            for annotation in whole["annotations"]:
                rle = coco_mask.merge(coco_mask.frPyObjects(polygon, *sizes[annotation["image_id"]]))
                annotation["segmentation"] = {"size": rle["size"], "counts": rle["counts"].decode()}

        overlaps = 0
        for seed in range(200, 206):
            data = self.data(seed, mismatches=False)
            data.edit("masks.json", as_polygons)
            got = data.run().figures
            data.edit("masks.json", as_masks)
            self.assertEqual(got, data.run().figures)
            overlaps += got["miou"] > 0
        self.assertGreater(overlaps, 2)

    def test_equality_of_the_strings_without_a_file(self):
        for seed in range(100, 110):
            data = self.data(seed, mismatches=False)
            want = Protocol(data.predictions, data.masks, data.captions, lambda a, b: float(a == b), "stop")
            done = data.run(similarity=False)
            self.check_equal(done, want)
            self.assertEqual(done.figures["text_similarity"], "equality of the strings")
            self.assertIn("compared for equality", done.stdout)
            self.assertNotIn("compared for equality", data.run().stdout)

    def one_image(self, gt, dt, labels, phrases):
        """A row of pixels; masks are strings of 0 and 1."""
        folder = tempfile.mkdtemp(dir=self.place)
        data = Data.__new__(Data)
        data.folder, data.predictions = folder, os.path.join(folder, "predictions")
        data.masks, data.captions = os.path.join(folder, "masks.json"), os.path.join(folder, "captions.json")
        data.similarity = os.path.join(folder, "similarity.json")
        os.mkdir(data.predictions)
        rle = lambda text: uncompressed(np.array([[int(c) for c in text]], np.uint8))
        data.write("masks.json", {"images": [{"id": "x"}], "annotations": [
            {"id": i + 1, "image_id": "x", "category_id": 1, "segmentation": rle(m)} for i, m in enumerate(gt)]})
        data.write("captions.json", {"images": [{"id": "x"}],
                                     "annotations": [{"id": 1, "image_id": "x", "labels": labels}]})
        data.write("predictions/x.json", {"caption": "", "phrases": phrases, "pred_masks": [rle(m) for m in dt]})
        return data

    def test_by_hand(self):
        # IoU 1 with text that fits, IoU 2/3 with text that fits.
        data = self.one_image(["1100", "0011"], ["1100", "0111"], ["a", "b"], ["a", "b"])
        got = data.run(similarity=False).figures
        self.assertAlmostEqual(got["miou"], (1 + 2 / 3) / 2, delta=1e-15)
        self.assertEqual(got["recall"], 1.0)
        self.assertAlmostEqual(got["ap50"], 1.0, delta=1e-12)
        # The greatest IoU has a text that does not fit: the published recall stops there, skip goes on.
        data = self.one_image(["1100", "0011"], ["1100", "0111"], ["a", "b"], ["c", "b"])
        self.assertEqual(data.run(similarity=False).figures["recall"], 0.0)
        got = data.run("--on-text-failure", "skip", similarity=False).figures
        self.assertEqual(got["counts"]["recall"], {"numerator": 1.0, "denominator": 2.0})
        self.assertEqual(got["protocol"]["on_text_failure"], "skip")
        # Two empty masks: NaN is a match, and ends mIoU.
        data = self.one_image(["0000", "0011"], ["0000", "0011"], ["a", "b"], ["a", "b"])
        got = data.run(similarity=False).figures
        self.assertEqual((got["recall"], got["miou"]), (1.0, 0.0))
        got = data.run("--empty-pair", "zero", similarity=False).figures
        self.assertEqual((got["recall"], got["miou"]), (0.5, 1.0))

    def refused(self, data, *parts, **how):
        done = data.run(**how)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertIsNone(done.figures)

    def test_missing_and_other_files(self):
        data = self.one_image(["1100"], ["1100"], ["a"], ["a"])
        data.write("predictions/stray.json", {})
        done = data.run(similarity=False)
        self.assertEqual(done.figures["other_files"], ["stray.json"])
        self.assertIn("stray.json", done.stderr)
        os.remove(os.path.join(data.predictions, "x.json"))
        self.refused(data, "predictions/x.json: there is no such file", similarity=False)
        got = data.run("--on-missing", "miss", similarity=False).figures
        self.assertEqual(got["missing_predictions"], ["x"])
        self.assertEqual(got["counts"]["recall"], {"numerator": 0.0, "denominator": 1.0})
        self.assertEqual((got["ap"], got["miou"]), (0.0, 0.0))

    def test_texts_and_masks_of_different_number(self):
        data = self.one_image(["1100"], ["1100"], ["a"], [])
        self.refused(data, "predictions/x.json: mask 0 of the prediction is matched and has no phrase",
                     "1 masks, 0 phrases", similarity=False)
        done = data.run("--on-failure", "miss", similarity=False)
        self.assertEqual(done.figures["failed_images"], ["x"])
        self.assertEqual(done.figures["counts"]["recall"], {"numerator": 0.0, "denominator": 1.0})
        self.assertEqual(done.figures["miou"], 1.0)
        data = self.one_image(["1100", "0011"], ["0011"], ["a"], ["a"])
        self.refused(data, "mask 1 of the truth is found and has no label", similarity=False)
        # More texts than masks disturb neither script.
        data = self.one_image(["1100"], ["1100"], ["a", "b"], ["a", "b", "c"])
        done = data.run(similarity=False)
        self.assertEqual(done.figures["recall"], 0.5)
        self.assertIn("3 phrases, 1 masks", done.stderr)

    def test_a_missing_cosine_names_both(self):
        data = self.one_image(["1100"], ["0011"], ["a"], ["b"])  # even where no mask overlaps
        data.write("similarity.json", {"a": {"c": 1}, "b": {"a": 1}})
        self.refused(data, "similarity.json", 'label "a"', 'phrase "b"')
        data.write("similarity.json", {"b": {"a": 1}})
        self.refused(data, 'label "a"', 'phrase "b"')
        for bad, part in (({"a": {"b": "1"}}, "a: b: expected a number"), ({"a": 1}, "a: expected {phrase"),
                          ([], "expected {label"), ({"a": {"b": float("nan")}}, "NaN is not a number in JSON")):
            data.write("similarity.json", bad)
            self.refused(data, "similarity.json", part)

    def test_bad_files_are_named_with_their_field(self):
        def good():
            return self.one_image(["1100"], ["1100"], ["a"], ["a"])

        def change(file, path, value):
            data = good()

            def put(whole):
                at = whole
                for key in path[:-1]:
                    at = at[key]
                if value is KeyError:
                    del at[path[-1]]
                else:
                    at[path[-1]] = value

            data.edit(file, put)
            return data

        wide = {"size": [1, 5], "counts": [5]}
        for file, path, value, said in [
                ("masks.json", ["images"], KeyError, "images: the field is missing"),
                ("masks.json", ["images"], 3, "images: expected an array"),
                ("masks.json", ["images"], [{"id": "x"}, {"id": "x"}], "images: 1: id: x is listed twice"),
                ("masks.json", ["images"], [{"id": 1.5}], "images: 0: id: expected a string or a whole number"),
                ("masks.json", ["images"], [], "annotations: 0: image_id: x is not among the images"),
                ("masks.json", ["annotations", 0, "id"], KeyError, "annotations: 0: id: the field is missing"),
                ("masks.json", ["annotations", 0, "id"], "one", "annotations: 0: id: expected a whole number"),
                ("masks.json", ["annotations", 0, "category_id"], KeyError, "category_id: the field is missing"),
                ("masks.json", ["annotations", 0, "area"], "big", "annotations: 0: area: expected a number"),
                ("masks.json", ["annotations", 0, "iscrowd"], "no", "annotations: 0: iscrowd: expected 0 or 1"),
                ("masks.json", ["annotations", 0, "segmentation"], KeyError, "segmentation: the field is missing"),
                ("masks.json", ["annotations", 0, "segmentation", "counts"], [0, 9],
                 "annotations: 0: segmentation: counts"),
                ("masks.json", ["annotations", 0, "segmentation", "size"], [1, -4], "segmentation: size: expected"),
                ("masks.json", ["annotations", 0, "segmentation", "size"], [1 << 33, 4], "segmentation: size: expected"),
                ("masks.json", ["images", 0, "width"], -1, "images: 0: width: expected a number of pixels"),
                ("masks.json", ["annotations", 0, "segmentation"], [[0, 0, 1, 1, 2, 0]],
                 "segmentation: polygons, and no height and width among the images"),
                ("captions.json", ["images"], KeyError, "images: the field is missing"),
                ("captions.json", ["annotations", 0, "labels"], KeyError, "annotations: 0: labels: the field"),
                ("captions.json", ["annotations", 0, "labels"], ["a", 1], "labels: expected an array of strings"),
                ("captions.json", ["annotations", 0, "image_id"], "y", "image_id: y is not among the images"),
                ("captions.json", ["annotations"], [], "annotations: image x has no caption"),
                ("predictions/x.json", ["caption"], KeyError, "caption: the field is missing"),
                ("predictions/x.json", ["phrases"], "a", "phrases: expected an array of strings"),
                ("predictions/x.json", ["pred_masks"], KeyError, "pred_masks: the field is missing"),
                ("predictions/x.json", ["pred_masks", 0], None, "pred_masks: 0: size: expected an object"),
                ("predictions/x.json", ["pred_masks", 0, "counts"], "~~", "pred_masks: 0: counts"),
                ("predictions/x.json", ["pred_masks", 0], wide, "pred_masks 0: a mask of 1 x 5 beside one of 1 x 4"),
                ("predictions/x.json", ["pred_masks", 0, "counts"], float("nan"), "NaN is not a number in JSON"),
        ]:
            with self.subTest(file=file, path=path, value=value):
                self.refused(change(file, path, value), file, said, similarity=False)
        data = good()
        data.edit("masks.json", lambda whole: {"images": [], "annotations": []})
        self.refused(data, "masks.json: images: x", "has predicted masks", similarity=False)
        data = good()
        with open(data.masks, "w") as file:
            file.write("[" * 100000)
        self.refused(data, "masks.json", "nested deeper", similarity=False)
        data = good()
        data.predictions = os.path.join(data.folder, "nowhere")
        self.refused(data, "nowhere", similarity=False)
        data = good()
        os.mkdir(os.path.join(data.folder, "figures.json.folder"))
        self.refused(data, "is in the place of the file", similarity=False, out="figures.json.folder")

    def test_arguments(self):
        run = lambda *args: subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60)
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("--text-similarity", run("--help").stdout)
        self.assertGreaterEqual(run().returncode, 100)
        data = self.one_image(["1100"], ["1100"], ["a"], ["a"])
        self.assertGreaterEqual(data.run("--empty-pair", "some").returncode, 100)


if __name__ == "__main__":
    unittest.main()
