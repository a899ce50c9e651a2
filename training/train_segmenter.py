#!/usr/bin/env python3
"""Trains models/tiny-sam: a small promptable segmenter with the ONNX interface that SAM was published with.

    prompted_scenes --model models/tiny-llava --seed 1001 --count 1000 --out DATA/1001      (some more seeds)
    train_segmenter.py train --data DATA --out DIR [--minutes 15]
    train_segmenter.py test --data HELD_OUT --out DIR
    train_segmenter.py export --out DIR

Scenes of seed 7 (docs/results.md), 2026 (tests/data/scenes) and those of `test` are not trained on. A checkpoint is
written every two minutes, so a run that is cut off loses little. One thread: OMP_NUM_THREADS=1.

The interface is SAM's. Encoder: `image` [1, 3, 1024, 1024], the image resized to a longer side of 1024, less SAM's
mean and over its deviation, zeros to the right and below -> `image_embeddings`. Decoder: `image_embeddings`,
`point_coords` [1, N, 2] and `point_labels` [1, N] (1 on the object, 0 off it, 2 and 3 a box's corners, -1 padding) in
pixels of that square by their index (half a pixel is added inside, as in SAM), `mask_input` [1, 1, 256, 256],
`has_mask_input` [1], `orig_im_size` [2] -> `masks` [1, 3, height, width], `iou_predictions` [1, 3], `low_res_masks`
[1, 3, 256, 256].

Inside, the image is averaged down to 256 x 256. The encoder is a small pyramid; the decoder puts points, box and mask
as pictures beside the embeddings at 32 x 32; a few convolutions decide which object is meant and where it lies, and
give for each candidate the weights that mix fine features (128 x 128) into its outline.
"""
# Requirements: torch, numpy, safetensors; export: onnx.
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIDE = 1024
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
DEEP, FINE, CANDIDATES = 64, 12, 3


def conv(inputs, outputs, stride=1, dilation=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, width, dilation=1):
        super().__init__()
        self.first = conv(width, width, dilation=dilation)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


def twice(x):
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """[B, 3, 256, 256] -> [B, DEEP + 16 FINE, 32, 32]: deep features, and fine ones of 128 x 128 folded in."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 16, stride=2)                                        # 128
        self.quarter = nn.Sequential(conv(16, 32, stride=2), Residual(32))       # 64
        self.eighth = nn.Sequential(conv(32, 64, stride=2), Residual(64))        # 32
        self.sixteenth = nn.Sequential(conv(64, 96, stride=2), Residual(96), Residual(96, dilation=2))  # 16
        self.back_eighth = nn.Conv2d(96, 64, 1)
        self.mix_eighth = conv(64, DEEP)
        self.back_quarter = nn.Conv2d(DEEP, 32, 1)
        self.mix_quarter = conv(32, 32)
        self.back_half = nn.Conv2d(32, 16, 1)
        self.mix_half = nn.Sequential(conv(16, 16), nn.Conv2d(16, FINE, 1))

    def forward(self, x):
        half = self.stem(x)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        deep = self.mix_eighth(eighth + twice(self.back_eighth(self.sixteenth(eighth))))
        mixed = self.mix_quarter(quarter + twice(self.back_quarter(deep)))
        fine = self.mix_half(half + twice(self.back_half(mixed)))
        return torch.cat([deep, F.pixel_unshuffle(fine, 4)], 1)


class Decoder(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.enter_deep = nn.Conv2d(DEEP, width, 3, 1, 1)
        self.enter_prompt = nn.Conv2d(9, width, 3, 1, 1, bias=False)
        self.think = nn.Sequential(Residual(width, dilation=2), Residual(width, dilation=4))
        self.place = nn.Conv2d(width, CANDIDATES, 3, 1, 1)
        self.weights = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, FINE))
        self.judge = nn.Sequential(nn.Linear(2 * width + 2, 32), nn.ReLU(), nn.Linear(32, 1))
        centres = (torch.arange(32) + 0.5) / 32
        self.register_buffer("centres", centres, persistent=False)

    def pictures(self, points, labels, mask, has_mask):
        """points [B, N, 2] in [0, 1] as x and y, labels [B, N], mask [B, 1, 256, 256] logits, has_mask [B, 1, 1, 1]
        -> [B, 9, 32, 32]: points on and off at two widths, the box, whether there is one, the mask, whether."""
        dx = self.centres.view(1, 1, 1, 32) - points[..., 0, None, None]
        dy = self.centres.view(1, 1, 32, 1) - points[..., 1, None, None]
        squared = dx * dx + dy * dy
        of = [(labels == k).to(points.dtype)[..., None, None] for k in range(4)]
        narrow, wide = torch.exp(squared * -400.0), torch.exp(squared * -40.0)
        maps = [(picture * of[label]).sum(1, keepdim=True) for label in (1, 0) for picture in (narrow, wide)]
        inside = torch.sigmoid(-300.0 * dx) * torch.sigmoid(-300.0 * dy) * of[3]       # left of and above the corner
        beyond = torch.sigmoid(300.0 * dx) * torch.sigmoid(300.0 * dy) * of[2]
        box = inside.sum(1, keepdim=True) * beyond.sum(1, keepdim=True)
        plane = torch.ones_like(box)
        has_box = of[2].sum(1, keepdim=True).clamp(max=1) * plane
        has_point = of[1].sum(1, keepdim=True).clamp(max=1) * plane
        prior = F.avg_pool2d(torch.sigmoid(mask), 8) * has_mask
        return torch.cat([*maps, box, has_box, has_point, prior, has_mask * plane], 1)

    def forward(self, embeddings, points, labels, mask, has_mask, each=1):
        """`each` prompts an image -> logits [B, CANDIDATES, 128, 128], predicted IoU [B, CANDIDATES]."""
        deep, fine = embeddings[:, :DEEP], F.pixel_shuffle(embeddings[:, DEEP:], 4)
        x = self.enter_deep(deep)
        if each > 1:
            x, fine = x.repeat_interleave(each, 0), fine.repeat_interleave(each, 0)
        x = self.think(F.relu(x + self.enter_prompt(self.pictures(points, labels, mask, has_mask))))
        place = self.place(x)
        seen = self.seen(x, torch.sigmoid(place))
        logits = self.weights(seen) @ fine.flatten(2)
        logits = logits.view(-1, CANDIDATES, 128, 128) + F.interpolate(place, size=(128, 128), mode="bilinear",
                                                                       align_corners=False)
        return logits, self.judged(x, logits.detach())

    def seen(self, x, inside):
        """Features inside each candidate beside those of everywhere: [B, CANDIDATES, 2 width]."""
        own = (inside.flatten(2) @ x.flatten(2).transpose(1, 2)) / (inside.sum((2, 3))[..., None] + 1)
        return torch.cat([own, x.mean((2, 3))[:, None].expand_as(own)], 2)

    def judged(self, x, logits):
        p = torch.sigmoid(logits)
        inside, sure = F.avg_pool2d(p, 4), F.avg_pool2d((2 * p - 1).abs(), 4)
        area = inside.sum((2, 3))
        certain = (sure * inside).sum((2, 3)) / (area + 1)
        read = torch.cat([self.seen(x, inside), torch.stack([area / 100, certain], 2)], 2)
        return torch.sigmoid(self.judge(read)).squeeze(2)


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()


# What is exported: SAM's interface around the two.

class OnnxEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, image):
        return self.encoder(F.avg_pool2d(image, SIDE // 256))


class OnnxDecoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.decoder = model.decoder

    def forward(self, image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size):
        logits, iou = self.decoder(image_embeddings, (point_coords + 0.5) / SIDE, point_labels, mask_input,
                                   has_mask_input.view(1, 1, 1, 1))
        low_res = twice(logits)
        size = orig_im_size.to(torch.float32)
        shown = torch.floor(size * (SIDE / size.max()) + 0.5).to(torch.int64)
        square = F.interpolate(low_res, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        whole = orig_im_size.to(torch.int64)
        masks = F.interpolate(square[..., :shown[0], :shown[1]], size=(whole[0], whole[1]), mode="bilinear",
                              align_corners=False)
        return masks, iou, low_res


# Data.

def resizing(side, cells):
    """[cells, side]: a picture of `side` pixels enlarged to SIDE and averaged down to `cells`, along one axis."""
    large = F.interpolate(torch.eye(side)[:, None], size=SIDE, mode="linear", align_corners=False)[:, 0]
    return large.view(side, cells, SIDE // cells).mean(2).T.contiguous()


class Scenes:
    """The folders under one that hold images.npy, labels.npy and prompts.npy; more may come while training."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.names, self.images, self.labels, self.prompts = set(), [], [], []
        self.refresh()

    def refresh(self):
        for file in sorted(self.folder.glob("**/prompts.npy")):
            if file.parent in self.names:
                continue
            self.names.add(file.parent)
            self.images.append(np.load(file.parent / "images.npy"))
            self.labels.append(np.load(file.parent / "labels.npy"))
            rows = np.load(file)
            of = [{} for _ in range(len(self.images[-1]))]
            for row in rows:
                of[int(row[0])][int(row[1])] = row[2:]
            self.prompts.append(of)
        self.first = np.cumsum([0] + [len(images) for images in self.images])

    def __len__(self):
        return int(self.first[-1])

    def __getitem__(self, i):
        shard = int(np.searchsorted(self.first, i, side="right")) - 1
        k = i - self.first[shard]
        return self.images[shard][k], self.labels[shard][k], self.prompts[shard][k]


def map_logits(values, height=144, width=144):
    """A map [144] as the library makes it a mask prompt: bicubic, cut to the image (upper left), stretched to [0, 1],
    logits of [0.001, 0.999], zeros beyond the image."""
    grid = torch.as_tensor(np.ascontiguousarray(values)).view(1, 1, 12, 12)
    large = F.interpolate(grid, size=(256, 256), mode="bicubic", align_corners=False)[0]
    shown = large[:, :round(height * 256 / 144), :round(width * 256 / 144)]
    low, high = shown.min(), shown.max()
    logits = torch.zeros_like(large)
    logits[:, :shown.shape[1], :shown.shape[2]] = torch.logit(
        ((shown - low) / (high - low).clamp(min=1e-9)).clamp(1e-3, 1 - 1e-3))
    return logits


def any_pixel(rng, mask):
    ys, xs = np.nonzero(mask)
    k = rng.integers(len(ys))
    return xs[k] + 0.5, ys[k] + 0.5


def draw_prompt(rng, label, target, prompts, size):
    """A prompt for an object of a scene of `size` -> points [(x, y, label)] in pixels, mask logits or None, the
    target."""
    mask = label == target + 1
    real = prompts.get(target)
    kind = rng.random()
    ys, xs = np.nonzero(mask)
    if kind < 0.30:                                         # one point on the object
        return [(*any_pixel(rng, mask), 1)], None, target
    if kind < 0.34:                                         # several, some of them off it
        points = [(*any_pixel(rng, mask), 1) for _ in range(rng.integers(1, 4))]
        points += [(*any_pixel(rng, ~mask[:size[0], :size[1]]), 0) for _ in range(rng.integers(0, 3))]
        return points, None, target
    if kind < 0.38:                                         # a box, perhaps a point in it
        shake = rng.normal(0, 1.0, 4)
        points = [(xs.min() + shake[0], ys.min() + shake[1], 2), (xs.max() + 1 + shake[2], ys.max() + 1 + shake[3], 3)]
        return points + ([(*any_pixel(rng, mask), 1)] if rng.random() < 0.3 else []), None, target
    if kind < 0.41:                                         # a mask that was nearly right, to be refined
        rough = torch.from_numpy(mask.astype(np.float32))[None, None]
        rough = F.interpolate(F.avg_pool2d(rough, int(rng.choice([3, 6, 12]))), size=(256, 256), mode="bilinear")
        rough = (rough * 12 - 6) + float(rng.normal(0, 1))
        return ([(*any_pixel(rng, mask), 1)] if rng.random() < 0.7 else []), rough[0], target
    if real is None or kind < 0.50:                         # a point about the object, perhaps beside it
        x, y = any_pixel(rng, mask)
        x, y = x + rng.normal(0, 5), y + rng.normal(0, 5)
        x, y = min(max(x, 0.5), size[1] - 0.5), min(max(y, 0.5), size[0] - 0.5)
        under = int(label[int(y), int(x)])
        return [(x, y, 1)], None, under - 1 if under else target
    point = (real[0] + 0.5, real[1] + 0.5, 1)
    if kind < 0.65:                                         # the model's point alone: what it lies on, if anything
        under = int(label[int(real[1]), int(real[0])])
        return [point], None, under - 1 if under else target
    return ([point] if rng.random() < 0.9 else []), map_logits(real[2:], *size), target


def batch(rng, scenes, count, each, resize, resize_label):
    """Images [count, 3, 256, 256], prompts of each (points padded), targets [count * each, 128, 128], and what is any
    object [count, 128, 128]."""
    images = np.empty((count, 144, 144, 3), np.uint8)
    points = np.zeros((count * each, 6, 2), np.float32)
    labels = np.full((count * each, 6), -1, np.float32)
    masks = torch.zeros(count * each, 1, 256, 256)
    has_mask = torch.zeros(count * each, 1, 1, 1)
    targets = np.zeros((count * each, 144, 144), np.float32)
    things = np.zeros((count, 144, 144), np.float32)
    shown = torch.ones(count, 1, 256, 256)
    for i in range(count):
        image, label, prompts = scenes[int(rng.integers(len(scenes)))]
        label = label.copy()
        if rng.random() < 0.5:                              # mirrored
            image, label = image[:, ::-1], label[:, ::-1]
            prompts = {k: np.concatenate([[143 - row[0], row[1]], row[2:].reshape(12, 12)[:, ::-1].ravel()])
                       .astype(np.float32) for k, row in prompts.items()}
        image = image[..., rng.permutation(3)] if rng.random() < 0.3 else image
        cut = rng.random()
        size = (144, 144)
        if cut < 0.2:                                       # an image that is not square: the rest is padding
            length = int(rng.integers(80, 130))
            size = (length, 144) if cut < 0.1 else (144, length)
            label = label.copy()
            label[size[0]:] = 0
            label[:, size[1]:] = 0
            shown[i, :, round(size[0] * 256 / 144):] = 0
            shown[i, :, :, round(size[1] * 256 / 144):] = 0
            prompts = {k: row for k, row in prompts.items() if row[0] < size[1] and row[1] < size[0]}
        images[i] = image
        things[i] = label > 0
        areas = np.bincount(label.ravel(), minlength=2)[1:]
        able = np.nonzero(areas > 60)[0]
        for j in range(each):
            if len(able) == 0:
                continue
            row = i * each + j
            asked, mask, target = draw_prompt(rng, label, int(rng.choice(able)), prompts, size)
            for k, (x, y, kind) in enumerate(asked):
                points[row, k], labels[row, k] = (x / 144, y / 144), kind
            if mask is not None:
                masks[row], has_mask[row] = mask, 1
            targets[row] = label == target + 1
    pixels = torch.from_numpy(images).float().permute(0, 3, 1, 2)
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (count, 1, 1, 1)).astype(np.float32))
    pixels = ((pixels * gain).clamp(max=255) - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    pixels = (resize @ pixels @ resize.T) * shown
    target, thing = (resize_label @ torch.from_numpy(m) @ resize_label.T for m in (targets, things))
    return pixels, torch.from_numpy(points), torch.from_numpy(labels), masks, has_mask, target, thing


def losses(logits, iou, target):
    """The best candidate's loss, a little of the others', and the error of the predicted IoU."""
    near = F.max_pool2d(target, 5, 1, 2)
    target = target[:, None].expand_as(logits)
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    cross = (cross * (1 + 4 * near[:, None])).mean((2, 3)) * 4     # the object and its rim weigh more than the rest
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (p * target).sum((2, 3)) + 1) / (p.sum((2, 3)) + target.sum((2, 3)) + 1)
    each = cross + dice
    hard, true = logits > 0, target > 0.5
    real = (hard & true).sum((2, 3)) / (hard | true).sum((2, 3)).clamp(min=1)
    judged = (iou - real).square().mean()
    return each.min(1).values.mean() + 0.15 * each.mean() + 2 * judged, real


def save(model, folder, notes):
    from safetensors.torch import save_file
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in model.state_dict().items()
             if not k.endswith("num_batches_tracked")}
    save_file(state, folder / "model.safetensors", metadata={k: str(v) for k, v in notes.items()})


def load(folder):
    from safetensors.torch import load_file
    model = Segmenter()
    state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    missing = model.load_state_dict(state, strict=False)
    if any(not k.endswith("num_batches_tracked") for k in missing.missing_keys) or missing.unexpected_keys:
        raise SystemExit(f"{folder}: not a model of this script: {missing}")
    return model.eval()


def train(options):
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    scenes = Scenes(options.data)
    model = load(options.start) if options.start else Segmenter()
    model = model.train().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99),
                                                  use_buffers=True)
    things = nn.Conv2d(FINE, 1, 1)                          # for training only
    optimizer = torch.optim.AdamW([*model.parameters(), *things.parameters()], lr=options.rate, weight_decay=1e-3)
    resize, resize_label = resizing(144, 256), resizing(144, 128)
    start = saved = told = time.monotonic()
    seconds, step, told_at, sums = options.minutes * 60, 0, 0, np.zeros(3)
    while True:
        spent = time.monotonic() - start
        share = spent / seconds
        if share >= 1:
            break
        warm = min(1.0, (step + 1) / 50)
        optimizer.param_groups[0]["lr"] = options.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        drawn = batch(rng, scenes, options.batch, 3, resize, resize_label)
        pixels, points, labels, masks, has_mask, target, thing = drawn
        kind = torch.bfloat16 if options.bf16 else torch.float32
        with torch.autocast("cpu", dtype=kind, enabled=options.bf16):
            embeddings = model.encoder(pixels.contiguous(memory_format=torch.channels_last))
            logits, iou = model.decoder(embeddings, points, labels, masks, has_mask, each=3)
            seen = things(F.pixel_shuffle(embeddings[:, DEEP:], 4)).squeeze(1)
        loss, real = losses(logits.float(), iou.float(), target)
        loss = loss + F.binary_cross_entropy_with_logits(seen.float(), thing)   # fine features tell things from ground
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        chosen = real.gather(1, iou.argmax(1, keepdim=True))
        sums += [loss.item(), chosen.mean().item(), real.max(1).values.mean().item()]
        step += 1
        now = time.monotonic()
        if now - told > 20:
            loss_mean, chosen_mean, best_mean = sums / (step - told_at)
            print(f"{now - start:5.0f} s  step {step}  {len(scenes)} scenes  loss {loss_mean:.3f}  "
                  f"IoU {chosen_mean:.3f}  best of three {best_mean:.3f}", flush=True)
            told, told_at, sums = now, step, np.zeros(3)
        if now - saved > 120:
            saved = now
            save(average.module, options.out, {"steps": step, "seconds": round(now - start)})
            scenes.refresh()
    save(average.module, options.out, {"steps": step, "seconds": round(time.monotonic() - start)})
    print(f"{step} steps in {time.monotonic() - start:.0f} s, {len(scenes)} scenes")


@torch.no_grad()
def test(options):
    """IoU with every object of other scenes, masks in the original 144 x 144 pixels."""
    model = load(options.out)
    scenes = Scenes(options.data)
    rng = np.random.default_rng(99)
    resize = resizing(144, 256)
    kinds = ("one point on the object", "the model's point", "the model's point and map")
    chosen_iou, best_iou = {k: [] for k in kinds}, {k: [] for k in kinds}
    for i in range(len(scenes)):
        image, label, prompts = scenes[i]
        pixels = torch.from_numpy(image.copy()).float().permute(2, 0, 1)[None]
        pixels = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        embeddings = model.encoder(resize @ pixels @ resize.T)
        for k in range(int(label.max())):
            mask = label == k + 1
            if not mask.any():
                continue
            asked = {kinds[0]: (any_pixel(rng, mask), None)}
            if k in prompts:
                peak = (prompts[k][0] + 0.5, prompts[k][1] + 0.5)
                asked |= {kinds[1]: (peak, None), kinds[2]: (peak, map_logits(prompts[k][2:])[None])}
            for name, (at, logits) in asked.items():
                points = torch.tensor([[[at[0] / 144, at[1] / 144], [0, 0]]], dtype=torch.float32)
                found, iou = model.decoder(embeddings, points, torch.tensor([[1.0, -1.0]]),
                                           torch.zeros(1, 1, 256, 256) if logits is None else logits,
                                           torch.full((1, 1, 1, 1), 0.0 if logits is None else 1.0))
                square = F.interpolate(twice(found), size=(SIDE, SIDE), mode="bilinear", align_corners=False)
                masks = F.interpolate(square, size=(144, 144), mode="bilinear", align_corners=False)[0].numpy() > 0
                real = [(m & mask).sum() / (m | mask).sum() for m in masks]
                chosen_iou[name].append(real[int(iou.argmax())])
                best_iou[name].append(max(real))
    result = {}
    for name in kinds:
        c, b = np.array(chosen_iou[name]), np.array(best_iou[name])
        result[name] = {"objects": len(c), "mean_iou": round(float(c.mean()), 4), "at_least_half":
                        round(float((c >= 0.5).mean()), 4), "best_of_three": round(float(b.mean()), 4),
                        "best_at_least_half": round(float((b >= 0.5).mean()), 4)}
    print(json.dumps(result, indent=1))


def halve_weights(file):
    """Keeps the large weights of an ONNX file as f16, each with a cast to f32 behind it."""
    import onnx
    model = onnx.load(file)
    for weight in list(model.graph.initializer):
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), name + "_f16"))
        model.graph.node.insert(0, onnx.helper.make_node("Cast", [name + "_f16"], [name], to=onnx.TensorProto.FLOAT))
    onnx.checker.check_model(model)
    onnx.save(model, file)


def export(options):
    model = load(options.out)
    encoder, decoder = OnnxEncoder(model).eval(), OnnxDecoder(model).eval()
    image = torch.randn(1, 3, SIDE, SIDE)
    embeddings = encoder(image)
    torch.onnx.export(encoder, (image,), options.out / "encoder.onnx", opset_version=17, dynamo=False,
                      input_names=["image"], output_names=["image_embeddings"])
    inputs = {"image_embeddings": embeddings, "point_coords": torch.rand(1, 5, 2) * SIDE,
              "point_labels": torch.tensor([[1.0, 0.0, 2.0, 3.0, -1.0]]), "mask_input": torch.randn(1, 1, 256, 256),
              "has_mask_input": torch.ones(1), "orig_im_size": torch.tensor([1200.0, 1800.0])}
    torch.onnx.export(decoder, tuple(inputs.values()), options.out / "decoder.onnx", opset_version=17, dynamo=False,
                      input_names=list(inputs), output_names=["masks", "iou_predictions", "low_res_masks"],
                      dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"},
                                    "masks": {2: "height", 3: "width"}})
    for file in ("encoder.onnx", "decoder.onnx"):
        halve_weights(options.out / file)
    total = sum((options.out / f).stat().st_size for f in ("encoder.onnx", "decoder.onnx", "model.safetensors"))
    print(f"{options.out}: encoder.onnx, decoder.onnx; {total / 1e6:.2f} MB with model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("train", "test", "export"))
    parser.add_argument("--data", type=Path, help="folder with folders that prompted_scenes wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--start", type=Path, help="folder of a model to go on from")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="products in bf16: faster where the processor has them")
    options = parser.parse_args()
    {"train": train, "test": test, "export": export}[options.action](options)


if __name__ == "__main__":
    main()
