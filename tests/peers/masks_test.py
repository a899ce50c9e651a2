#!/usr/bin/env python3
"""Compares masks with pycocotools: masks_test.py PROGRAM [--pairs N] [--polygons N] [--outlines N] [--seed N]

PROGRAM is masks_peer, built from masks_peer.cpp. Strings, areas, boxes, intersections and unions must be equal, and
IoU of masks and boxes, with and without the crowd rule, to the last bit; outlines that we give as polygons must
become the mask again there. Exit status 0: all equal.
"""
import argparse
import json
import math
import subprocess
import sys

import numpy as np
import pycocotools.mask as coco


def random_mask(rng, h, w):
    kind = rng.integers(0, 8)
    if kind == 0:
        return np.zeros((h, w), np.uint8)
    if kind == 1:
        return np.ones((h, w), np.uint8)
    if kind == 2:
        return (rng.random((h, w)) < rng.random()).astype(np.uint8)
    if kind == 3:  # runs of any length, over the ends of columns
        lengths = rng.geometric(rng.choice([0.5, 0.1, 0.01]), size=h * w + 1)
        flat = np.repeat(np.arange(len(lengths)) % 2, lengths)[:h * w]
        return flat.astype(np.uint8).reshape((h, w), order="F")
    y, x = np.mgrid[:h, :w]
    mask = np.zeros((h, w), bool)
    for _ in range(int(rng.integers(1, 5))):
        cy, cx = rng.random(2) * (h, w)
        ry, rx = (0.05 + 0.6 * rng.random(2)) * (h, w)
        if kind < 6:
            mask ^= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        else:
            mask ^= (abs(y - cy) < ry) & (abs(x - cx) < rx)
    return mask.astype(np.uint8)


def random_ring(rng, h, w):
    kind = rng.integers(0, 6)
    n = int(rng.integers(3, 12))
    if kind == 0:  # anywhere, beyond the image too
        xy = (rng.random((n, 2)) * 1.6 - 0.3) * (w, h)
    elif kind == 1:  # whole and half pixels
        xy = rng.integers(-4, 2 * max(h, w) + 4, (n, 2)) / 2
    elif kind == 2:  # around a centre, with the digits that annotations have
        angle = np.sort(rng.random(3 * n)) * 2 * math.pi
        radius = rng.uniform(0.2, 1.2, 3 * n)[:, None] * (w / 2, h / 2)
        xy = np.round((w / 2, h / 2) + radius * np.stack([np.cos(angle), np.sin(angle)], 1), 2)
    elif kind == 3:  # fifths, where the rounding of the enlarged outline decides
        xy = rng.integers(-10, 5 * max(h, w) + 10, (n, 2)) / 5 + rng.choice([0, 0.1, -0.1, 1e-9, -1e-9], (n, 2))
    elif kind == 4:  # steps along the axes, with points repeated
        xy = np.repeat(rng.integers(0, max(h, w) + 1, (n, 2)), 2, axis=0).astype(float)
        xy[1:, 0] = xy[:-1, 0]
    else:  # far outside
        xy = (rng.random((n, 2)) - 0.5) * rng.choice([10, 100, 1000]) * (w, h)
    return [float(v) for v in xy.reshape(-1)]


def pair_question(rng):
    h, w = (int(v) for v in rng.integers(1, rng.choice([8, 70, 300], p=[0.3, 0.65, 0.05]), 2))
    a, b = random_mask(rng, h, w), random_mask(rng, h, w)
    packed = {k: np.packbits(m, axis=1).tobytes().hex() for k, m in (("a", a), ("b", b))}
    return {"h": h, "w": w, **packed}, (a, b)


def pair_answer(masks):
    rles = [coco.encode(np.asfortranarray(m)) for m in masks]
    boxes = coco.toBbox(rles)
    answer = {name: {"counts": r["counts"].decode(), "area": int(coco.area(r)), "bbox": list(map(float, box)),
                     "round_trips": True}
              for name, r, box in zip("ab", rles, boxes)}
    for name, of in (("iou", lambda c: coco.iou(rles[:1], rles[1:], [c])),
                     ("box_iou", lambda c: coco.iou(boxes[:1], boxes[1:], [c]))):
        answer[name] = float(of(0)[0, 0])
        answer[name + "_crowd"] = float(of(1)[0, 0])
    answer["matrix"] = answer["iou"]
    answer["union"] = coco.merge(rles)["counts"].decode()
    answer["intersection"] = coco.merge(rles, intersect=True)["counts"].decode()
    return answer


def polygon_question(rng):
    h, w = (int(v) for v in rng.integers(1, rng.choice([12, 150]), 2))
    rings = [random_ring(rng, h, w) for _ in range(int(rng.integers(1, 4)))]
    box = [float(v) for v in (rng.random(4) * 1.4 - (0.2, 0.2, 0, 0)) * (w, h, w, h)]
    return {"h": h, "w": w, "rings": rings, "bbox": box}


def polygon_answer(q):
    rings = coco.frPyObjects(q["rings"], q["h"], q["w"])
    box = coco.frPyObjects(np.array([q["bbox"]]), q["h"], q["w"])
    return {"rings": [r["counts"].decode() for r in rings], "merged": coco.merge(rings)["counts"].decode(),
            "bbox": box[0]["counts"].decode()}


def outline_question(rng):
    h, w = (int(v) for v in rng.integers(1, 70, 2))
    mask = random_mask(rng, h, w)
    mask[rng.integers(0, h), rng.integers(0, w)] = 1
    return {"h": h, "w": w, "outline": np.packbits(mask, axis=1).tobytes().hex()}, mask


def filled(answer, mask):
    """The mask that pycocotools makes of our polygons."""
    rles = coco.frPyObjects(answer["polygons"], *mask.shape)
    return coco.merge(rles)["counts"] == coco.encode(np.asfortranarray(mask))["counts"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--pairs", type=int, default=10000)
    parser.add_argument("--polygons", type=int, default=10000)
    parser.add_argument("--outlines", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    questions, wanted = [], []
    for _ in range(options.pairs):
        question, masks = pair_question(rng)
        questions.append(question)
        wanted.append(pair_answer(masks))
    for _ in range(options.polygons):
        question = polygon_question(rng)
        questions.append(question)
        wanted.append(polygon_answer(question))
    for _ in range(options.outlines):
        question, mask = outline_question(rng)
        questions.append(question)
        wanted.append(mask)
    text = "".join(json.dumps(q) + "\n" for q in questions)
    run = subprocess.run([options.program], input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if len(answers) != len(questions):
        sys.exit(f"{len(answers)} answers to {len(questions)} questions")
    different = [i for i, (ours, theirs) in enumerate(zip(answers, wanted))
                 if (not filled(ours, theirs) if "polygons" in ours else ours != theirs)]
    for i in different[:5]:
        print(f"question {i}: {json.dumps(questions[i])[:2000]}")
        keys = [k for k in wanted[i] if answers[i].get(k) != wanted[i][k]] if isinstance(wanted[i], dict) else []
        for key in keys:
            print(f"  {key}: {answers[i].get(key)}, pycocotools {wanted[i][key]}")
    print(f"{options.pairs} pairs, {options.polygons} polygons, {options.outlines} outlines: {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
