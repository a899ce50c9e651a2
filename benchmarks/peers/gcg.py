"""Peers of benchmarks/metrics/gcg_bench.cpp: mIoU and mask recall of one image over dense masks, as the published
scripts have them, and over pycocotools' IoU of run lengths. The masks are of the same kind and sizes as ours."""
import numpy as np

from peer import case, serve


def masks(height, width):
    import pycocotools.mask as coco

    rng = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width]

    def draw(cx, cy, rx, ry):
        mask = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
        return coco.encode(np.asfortranarray(mask.astype(np.uint8)))

    ellipses = [(rng.random() * width, rng.random() * height, (0.05 + 0.2 * rng.random()) * width,
                 (0.05 + 0.2 * rng.random()) * height) for _ in range(6)]
    moved = [(cx + (rng.random() - 0.5) * 0.1 * width, cy + (rng.random() - 0.5) * 0.1 * height, rx, ry)
             for cx, cy, rx, ry in (ellipses[p % 6] for p in range(8))]
    return [draw(*e) for e in moved], [draw(*e) for e in ellipses]


def dense_ious(rows, columns):
    """Of decoded masks; decoding is part of the work."""
    import pycocotools.mask as coco

    rows, columns = [[coco.decode(m) for m in side] for side in (rows, columns)]
    out = np.zeros((len(rows), len(columns)))
    for i, a in enumerate(rows):
        for j, b in enumerate(columns):
            out[i, j] = np.logical_and(a, b).sum() / np.logical_or(a, b).sum()
    return out


def rle_ious(rows, columns):
    import pycocotools.mask as coco

    return np.asarray(coco.iou(rows, columns, [0] * len(columns)))


def mean_of_pairs(iou):
    taken = []
    while iou.size and iou.max() > 0:
        i, j = np.unravel_index(iou.argmax(), iou.shape)
        taken.append(iou[i, j])
        iou = np.delete(np.delete(iou, i, 0), j, 1)
    return np.mean(taken) if taken else 0.0


def matches(iou, text):
    found = []
    while iou.size:
        i, j = np.unravel_index(iou.argmax(), iou.shape)
        if iou[i, j] < 0.5 or text[i, j] < 0.5:
            break
        found.append((i, j))
        iou[i, :] = iou[:, j] = text[i, :] = text[:, j] = 0
    return found


def register(height, width):
    size = f"8x6.{height}x{width}.per-image"
    for impl, ious in (("GLaMM's arithmetic in numpy", dense_ious), ("pycocotools iou, pairing in numpy", rle_ious)):

        @case(f"gcg.miou.{size}", impl)
        def _(ious=ious):
            predictions, truths = masks(height, width)
            return lambda: mean_of_pairs(ious(predictions, truths))

        @case(f"gcg.recall.{size}", impl)
        def _(ious=ious):
            predictions, truths = masks(height, width)
            return lambda: len(matches(ious(predictions, truths).T.copy(), np.ones((6, 8))))

    @case(f"gcg.miou.{size}", "pycocotools iou only")
    def _():
        predictions, truths = masks(height, width)
        return lambda: rle_ious(predictions, truths)


register(480, 640)
register(1024, 1024)
serve()
