#!/usr/bin/env python3
"""Compares ostend_coco_eval with pycocotools: coco_test.py FOLDER_OF_PROGRAMS [--files N] [--seed N]

Random annotation and result files: crowds, ties of scores and overlaps, images and categories without objects, areas at
the limits of the ranges, more detections than the limits, polygons and run lengths of both kinds, results with boxes,
masks or both. The printed lines, the twelve numbers, every category's and every curve must be equal to the last bit; for
boundaries pycocotools is given the lesser IoU from plain erosions. Exit status 0: all equal.
"""
import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pycocotools.mask as coco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


class BoundaryEval(COCOeval):
    """pycocotools with IoU = min(mask IoU, boundary IoU), of a crowd the masks' alone."""

    bands = {}

    def band(self, rle):
        key = (tuple(rle["size"]), bytes(rle["counts"]) if isinstance(rle["counts"], bytes) else rle["counts"])
        if key not in self.bands:
            mask = coco.decode(rle)
            h, w = mask.shape
            kept = np.pad(mask, 1)
            for _ in range(max(1, round(0.02 * float(np.sqrt(h * h + w * w))))):
                rows = np.minimum(np.minimum(kept[:-2], kept[1:-1]), kept[2:])
                core = np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
                kept = np.pad(core, 1)
            self.bands[key] = coco.encode(np.asfortranarray(mask - kept[1:-1, 1:-1]))
        return self.bands[key]

    def computeIoU(self, image, category):
        masks = super().computeIoU(image, category)
        if len(masks) == 0:
            return masks
        p = self.params
        categories = [category] if p.useCats else p.catIds
        gt = [g for c in categories for g in self._gts[image, c]]
        dt = [d for c in categories for d in self._dts[image, c]]
        dt = [dt[i] for i in np.argsort([-d["score"] for d in dt], kind="mergesort")][:p.maxDets[-1]]
        bands = coco.iou([self.band(d["segmentation"]) for d in dt], [self.band(g["segmentation"]) for g in gt],
                         [0] * len(gt))
        crowd = np.array([g["iscrowd"] for g in gt], bool)
        return np.where(crowd[None], masks, np.minimum(masks, bands))


def peer(gt, dt, iou, agnostic):
    """pycocotools' evaluation of two files, and the lines that it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(gt))
        results = truth.loadRes(str(dt))
        evaluation = (BoundaryEval if iou == "boundary" else COCOeval)(truth, results,
                                                                       "bbox" if iou == "bbox" else "segm")
        evaluation.params.useCats = 0 if agnostic else 1
        evaluation.evaluate()
        evaluation.accumulate()
    lines = io.StringIO()
    with contextlib.redirect_stdout(lines):
        evaluation.summarize()
    return evaluation, lines.getvalue()


class Maker:
    """One pair of files."""

    def __init__(self, rng):
        self.rng = rng
        self.one = lambda *values: values[int(rng.integers(0, len(values)))]

    def mask(self, h, w):
        y, x = np.mgrid[:h, :w]
        cy, cx = self.rng.random(2) * (h, w)
        ry, rx = (0.05 + 0.5 * self.rng.random(2)) * (h, w)
        kind = self.rng.integers(0, 8)
        if kind == 0:
            return (self.rng.random((h, w)) < 0.5).astype(np.uint8)
        if kind == 1:
            return np.full((h, w), self.rng.integers(0, 2), np.uint8)
        if kind < 5:
            return ((abs(y - cy) < ry) & (abs(x - cx) < rx)).astype(np.uint8)
        return (((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1).astype(np.uint8)

    def near(self, mask):
        """Another mask that overlaps this one much, or is it."""
        if self.rng.random() < 0.3:
            return mask
        return np.roll(mask, self.rng.integers(-2, 3, 2), (0, 1))

    def runs(self, mask, as_list):
        rle = coco.encode(np.asfortranarray(mask))
        if not as_list:
            return {"size": rle["size"], "counts": rle["counts"].decode()}
        flat = mask.flatten(order="F")
        ends = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
        return {"counts": ([0] if flat[0] else []) + counts, "size": list(mask.shape)}

    def rings(self, h, w):
        rings = []
        for _ in range(int(self.rng.integers(1, 3))):
            n = int(self.rng.integers(3, 9))
            angle = np.sort(self.rng.random(n)) * 2 * np.pi
            centre, radius = self.rng.random(2) * (w, h), (0.1 + 0.5 * self.rng.random()) * min(h, w)
            points = centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
            rings.append([float(v) for v in np.round(points, int(self.rng.integers(0, 3))).reshape(-1)])
        return rings

    def shuffled(self, items):
        items = list(items)
        self.rng.shuffle(items)
        return items

    def record(self, fields):
        return dict(self.shuffled(fields.items()))

    def make(self):
        rng, one = self.rng, self.one
        h, w = int(rng.integers(1, 90)), int(rng.integers(2, 90))
        ids = [int(i) for i in rng.choice(100000, int(rng.integers(1, 9)), replace=False) - 5]
        categories = [int(c) for c in rng.choice(one(5, 12, 300), one(1, 3, 5), replace=False)]
        if rng.random() < 0.25:
            categories = [int(c) for c in rng.choice(500, 14, replace=False)]
        images = [{"id": i, "width": w, "height": h, "file_name": f"{i}.jpg"} for i in ids]
        scores = one([0.5], [0.1, 0.2, 0.9], [round(v, 3) for v in rng.random(40)], list(rng.random(500)), [0, 1, 1e-9])
        kind = one("boxes", "masks", "both", "both")
        used = categories[:max(1, len(categories) - 1)]
        annotations, results = [], []
        crowds = one(0, 0.2, 0.6)
        first_id = one(1, 1, 1, 0)
        for i in ids:
            truths = []
            for _ in range(int(rng.integers(0, one(2, 7, 12)))):
                mask = self.mask(h, w)
                crowd = int(rng.random() < crowds)
                box = [float(v) for v in coco.toBbox(coco.encode(np.asfortranarray(mask)))]
                shape = one("polygons", "list", "string")
                annotations.append(self.record({
                    "id": len(annotations) + first_id, "image_id": i, "category_id": int(rng.choice(used)),
                    "iscrowd": crowd, "bbox": box,
                    "area": one(float(mask.sum()), int(mask.sum()), 1024, 1024.5, 9216.0, 9215.999, 1e10, 1e10 + 1),
                    "segmentation": self.rings(h, w) if shape == "polygons" else self.runs(mask, shape == "list"),
                    **({"ignore": int(rng.integers(0, 2))} if rng.random() < 0.1 else {})}))
                truths.append((mask, annotations[-1]))
            for _ in range(int(rng.integers(0, one(3, 12, 12, 140)))):
                if truths and rng.random() < 0.8:
                    mask, truth = truths[int(rng.integers(0, len(truths)))]
                    mask, category = self.near(mask), truth["category_id"]
                    box = [v + one(0, 0, 0.25) for v in truth["bbox"]]
                else:
                    mask, category = self.mask(h, w), int(rng.choice(categories))
                    box = [float(v) for v in rng.uniform(-3, max(h, w), 4)]
                if rng.random() < 0.2:
                    category = int(rng.choice(categories))
                result = {"image_id": i, "category_id": category, "score": one(*scores)}
                if kind != "masks":
                    result["bbox"] = box
                if kind != "boxes":
                    # Without boxes pycocotools takes the compressed form alone.
                    result["segmentation"] = (self.rings(h, w) if kind == "both" and rng.random() < 0.2
                                              else self.runs(mask, kind == "both" and rng.random() < 0.2))
                results.append(self.record(result))
        if not results:
            results.append({"image_id": ids[0], "category_id": categories[0], "score": 0.5, "bbox": [0, 0, 1, 1],
                            "segmentation": self.runs(self.mask(h, w), False)})
        if rng.random() < 0.5:
            annotations, results = self.shuffled(annotations), self.shuffled(results)
        truth = {"info": {}, "images": self.shuffled(images), "annotations": annotations,
                 "categories": self.shuffled({"id": c, "name": f"class {c}"} for c in categories)}
        return self.record(truth), results


def same(ours, theirs):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    return ours.shape == theirs.shape and (ours == theirs).all()


def mean(values):
    values = values[values > -1]
    return np.mean(values) if values.size else -1.0


def numbers_of(evaluation, k):
    """The twelve numbers of one category, by pycocotools' rules."""
    precision, recall = evaluation.eval["precision"][:, :, k], evaluation.eval["recall"][:, k]
    return [mean(precision[:, :, 0, 2]), mean(precision[0:1, :, 0, 2]), mean(precision[5:6, :, 0, 2]),
            *(mean(precision[:, :, a, 2]) for a in (1, 2, 3)), *(mean(recall[:, 0, m]) for m in (0, 1, 2)),
            *(mean(recall[:, a, 2]) for a in (1, 2, 3))]


def compare(program, folder, truth, results, iou, agnostic):
    """What differs, or None."""
    gt, dt, figures = folder / "gt.json", folder / "dt.json", folder / "figures.json"
    gt.write_text(json.dumps(truth), encoding="utf-8")
    dt.write_text(json.dumps(results), encoding="utf-8")
    evaluation, lines = peer(gt, dt, iou, agnostic)
    whole_sums = tuple(int(v) for v in np.__version__.split(".")[:2]) >= (2, 3)
    done = subprocess.run([program, gt, dt, "--iou", iou, "--json", figures, "--numpy", "2.3" if whole_sums else "2.2",
                           *(["--class-agnostic"] if agnostic else [])],
                          text=True, capture_output=True, check=False, timeout=300)
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr}"
    if done.stdout != lines:
        return f"lines:\n{done.stdout}{lines}"
    ours = json.loads(figures.read_text(encoding="utf-8"))
    if not same(ours["stats"], evaluation.stats):
        return f"stats: {ours['stats']}\n{list(evaluation.stats)}"
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    categories = [-1] if agnostic else evaluation.params.catIds
    if [c["category_id"] for c in ours["per_class"]] != list(map(int, categories)):
        return "categories"
    curves = {c["category_id"]: c for c in ours["curves"]["categories"]}
    if not same(ours["curves"]["recall_thresholds"], evaluation.params.recThrs):
        return "recall thresholds"
    for k, (category, numbers) in enumerate(zip(categories, ours["per_class"])):
        if not same([numbers[name] for name in NAMES], numbers_of(evaluation, k)):
            return f"category {category}: {numbers}\n{numbers_of(evaluation, k)}"
        if category not in curves:
            if (precision[:, :, k, 0, 2] != -1).any():
                return f"curve of category {category} is missing"
            continue
        curve = curves[category]
        for name, theirs in (("precision", precision[:, :, k, 0, 2]), ("recall", recall[:, k, 0, 2]),
                             ("score", evaluation.eval["scores"][:, :, k, 0, 2])):
            if not same(curve[name], theirs):
                return f"{name} of category {category}"
    return None


def golden(programs, folder, rng, count):
    """The same numbers as cases of ostend_golden."""
    cases = []
    for number in range(count):
        while True:
            truth, results = Maker(rng).make()
            if "bbox" not in results[0] and all("segmentation" in r for r in results):
                break
        data = folder / f"data_{number}.json"
        data.write_text(json.dumps({"gt": truth, "dt": results}), encoding="utf-8")
        (folder / "gt.json").write_text(json.dumps(truth), encoding="utf-8")
        (folder / "dt.json").write_text(json.dumps(results), encoding="utf-8")
        figures = {}
        for name, iou, agnostic in (("segm", "segm", False), ("bbox", "bbox", False),
                                    ("segm_class_agnostic", "segm", True)):
            evaluation, _ = peer(folder / "gt.json", folder / "dt.json", iou, agnostic)
            figures[name] = list(evaluation.stats)
            if name == "segm":
                figures["per_category_AP"] = [numbers_of(evaluation, k)[0]
                                              for k in range(len(evaluation.params.catIds))]
        cases.append({"name": f"cocoeval/{number}", "category": "cocoeval", "params": {"data": data.name},
                      "expected_values": figures, "tolerance": {"atol": 1e-12, "rtol": 0.0}})
    (folder / "manifest.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
    done = subprocess.run([programs / "ostend_golden", folder], text=True, capture_output=True, check=False)
    return None if done.stdout == f"{count} passed, 0 failed\n" else done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failures, compared = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(options.files):
            truth, results = Maker(np.random.default_rng([options.seed, number])).make()
            for iou in ("segm", "bbox", "boundary"):
                for agnostic in (False, True):
                    different = compare(options.programs / "ostend_coco_eval", folder, truth, results, iou, agnostic)
                    compared += 1
                    if different:
                        failures += 1
                        print(f"seed {options.seed}, file {number}, {iou}{', agnostic' if agnostic else ''}: {different}")
        different = golden(options.programs, folder, np.random.default_rng([options.seed, 10 ** 6]), 5)
        if different:
            failures += 1
            print(f"ostend_golden: {different}")
    print(f"{compared} evaluations of {options.files} files, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
