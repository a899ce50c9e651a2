#!/usr/bin/env python3
"""Reference values of models/tiny-sam's ONNX files by ONNX Runtime, for the tests of the segmenter on Eigen.

    make_segmenter_reference.py --model models/tiny-sam --scenes tests/data/scenes \\
        --images tests/data/reference/images --out tests/data/reference/tiny-sam

Each scene's first object is asked for in three ways: the middle of its pixels; that point and a pyramid of mask
logits about it, 4 - (|x - cx| + |y - cy|) / 16 at the cells of 256 x 256; its box and, off it, the middle of the
second object. Images without objects are asked for at their middle. Writes
  answers.json          a list of prompts: image, points [x, y, label] in pixels, box, the pyramid's cx and cy; of
                        each candidate the predicted IoU, the mask as COCO writes it, and `ties`: pixels (down the
                        columns) whose logit is within 0.002 of the threshold and may fall on either side
  answers.safetensors   logits [prompts, 3, 8, 8]: the low-resolution logits at cells 16, 48, 80, ... of both axes

The image is resized to SAM's square of 1024 by PyTorch (a triangle that widens where it shrinks); masks are the
decoder's own output `masks`.
"""
# Requirements: onnxruntime, torch, numpy, safetensors, pillow, pycocotools.
import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from pycocotools import mask as coco
from safetensors.numpy import save_file
from torch.nn import functional as F
from train_segmenter import MEAN, SIDE, STD

NEAR = 2e-3


def square(pixels):
    """[height, width, 3] -> what SAM sees: [1, 3, 1024, 1024], and the size of the image in it."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = int(height * scale + 0.5), int(width * scale + 0.5)
    image = torch.from_numpy(pixels.copy()).float().permute(2, 0, 1)[None]
    image = F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)
    image = (image - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return F.pad(image, (0, SIDE - size[1], 0, SIDE - size[0])).numpy(), size


def middle(mask):
    """The middle pixel of a mask's pixels down the columns, as [x, y]."""
    at = np.flatnonzero(mask.flatten(order="F"))
    at = int(at[len(at) // 2])
    return [at // mask.shape[0], at % mask.shape[0]]


def prompts_of(size, masks):
    """Points in continuous pixels."""
    height, width = size
    if not masks:
        return [{"points": [[width / 2, height / 2, 1]]}]
    x, y = middle(masks[0])
    point = [x + 0.5, y + 0.5, 1]
    longest = max(size)
    pyramid = [int(point[0] * 256 / longest), int(point[1] * 256 / longest)]
    ys, xs = np.nonzero(masks[0])
    box = [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
    other = middle(masks[1])
    return [{"points": [point]}, {"points": [point], "pyramid": pyramid},
            {"points": [[other[0] + 0.5, other[1] + 0.5, 0]], "box": box}]


def ask(decoder, embeddings, asked, size, shown):
    scale = shown[1] / size[1], shown[0] / size[0]
    points = [[x * scale[0] - 0.5, y * scale[1] - 0.5] for x, y, _ in asked["points"]]
    labels = [label for _, _, label in asked["points"]]
    if "box" in asked:
        x0, y0, x1, y1 = asked["box"]
        points += [[x0 * scale[0] - 0.5, y0 * scale[1] - 0.5], [x1 * scale[0] - 0.5, y1 * scale[1] - 0.5]]
        labels += [2, 3]
    else:
        points, labels = points + [[0, 0]], labels + [-1]
    mask = np.zeros((1, 1, 256, 256), np.float32)
    if "pyramid" in asked:
        cells = np.arange(256, dtype=np.float32)
        cx, cy = asked["pyramid"]
        mask[0, 0] = 4 - (np.abs(cells[None] - cx) + np.abs(cells[:, None] - cy)) / 16
    return decoder.run(["masks", "iou_predictions", "low_res_masks"], {
        "image_embeddings": embeddings, "point_coords": np.float32([points]), "point_labels": np.float32([labels]),
        "mask_input": mask, "has_mask_input": np.float32(["pyramid" in asked]), "orig_im_size": np.float32(size)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--model", "--scenes", "--images", "--out"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    encoder, decoder = (onnxruntime.InferenceSession(options.model / f"{part}.onnx",
                                                     providers=["CPUExecutionProvider"])
                        for part in ("encoder", "decoder"))

    files = []
    for scene in json.loads((options.scenes / "scenes.json").read_text(encoding="utf-8"))["scenes"]:
        files.append((options.scenes / scene["file"], [coco.decode(o["mask"]) for o in scene["objects"]]))
    files += [(file, []) for file in sorted(options.images.glob("*.png"))]

    answers, samples = [], []
    for file, masks in files:
        pixels = np.asarray(Image.open(file).convert("RGB"))
        size = pixels.shape[:2]
        image, shown = square(pixels)
        embeddings = encoder.run(["image_embeddings"], {"image": image})[0]
        for asked in prompts_of(size, masks):
            found, iou, low_res = ask(decoder, embeddings, asked, size, shown)
            samples.append(low_res[0, :, 16::32, 16::32])
            candidates = []
            for k in range(3):
                logits = found[0, k]
                runs = coco.encode(np.asfortranarray((logits > 0).astype(np.uint8)))
                near = np.flatnonzero(np.abs(logits.flatten(order="F")) < NEAR)
                candidates.append({"iou": round(float(iou[0, k]), 6), "ties": near.tolist(),
                                   "mask": {"size": list(size), "counts": runs["counts"].decode()}})
            answers.append({"image": file.name, **asked, "candidates": candidates})
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(answer) for answer in answers)
    (options.out / "answers.json").write_text(f'{{"prompts": [\n{lines}\n]}}\n', encoding="utf-8")
    save_file({"logits": np.stack(samples)}, options.out / "answers.safetensors")
    ties = sum(len(c["ties"]) for a in answers for c in a["candidates"])
    print(f"{len(answers)} prompts, {ties} pixels near the threshold")


if __name__ == "__main__":
    main()
