"""Peers of benchmarks/mask/: pycocotools, faster-coco-eval, OpenCV with numpy, and segment-anything's post-processing
with PyTorch where that is installed (without it, the same steps by OpenCV, numpy and pycocotools). The masks and logits
are those of benchmarks/mask/shapes.hpp."""
import math

import numpy as np

from peer import case, serve


def unit(k):
    return ((k + 1) * 2654435761 % 2**32) / 2**32


def ellipses(side, seed, count, shift=0):
    out = np.zeros((side, side), bool)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    for k in range(count):
        at = 1000 * seed + 4 * k
        cx, cy = unit(at) * side + shift, unit(at + 1) * side
        rx, ry = (0.02 + 0.15 * unit(at + 2)) * side, (0.02 + 0.15 * unit(at + 3)) * side
        out |= ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
    return out.astype(np.uint8)


def hashes(side):
    h = np.arange(1, side * side + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (h ^ (h >> np.uint64(31))).reshape(side, side)


def noise(side):
    return (hashes(side) & np.uint64(1)).astype(np.uint8)


def speckled(side):
    return ellipses(side, 1, 6) ^ ((hashes(side) >> np.uint64(40)) % np.uint64(500) == 0).astype(np.uint8)


def blob_logits(side):
    scale = 256 / side
    y, x = np.mgrid[:side, :side] * scale
    out = []
    for k in range(3):
        v, u = y - 100 - 20 * k, x - 130 + 15 * k
        out.append(10 - 0.2 * np.sqrt(u * u + v * v) + 0.5 * np.sin(0.3 * u) * np.cos(0.4 * v))
    return np.stack(out).astype(np.float32)


def pycocotools():
    import pycocotools.mask as coco

    return coco


def faster_coco_eval():
    import faster_coco_eval.core.mask as coco

    return coco


def register_rle(impl, package, side):
    size = str(side)
    for name, make in ((size, lambda: ellipses(side, 1, 6)), ("noise" + size, lambda: noise(side))):

        @case(f"rle.encode.{name}", impl)
        def _(make=make):
            coco, mask = package(), np.asfortranarray(make())
            return lambda: coco.encode(mask)

        @case(f"rle.decode.{name}", impl)
        def _(make=make):
            coco = package()
            rle = coco.encode(np.asfortranarray(make()))
            return lambda: coco.decode(rle)

        @case(f"rle.area.{name}", impl)
        def _(make=make):
            coco = package()
            rle = coco.encode(np.asfortranarray(make()))
            return lambda: coco.area(rle)

        @case(f"rle.toBbox.{name}", impl)
        def _(make=make):
            coco = package()
            rle = coco.encode(np.asfortranarray(make()))
            return lambda: coco.toBbox(rle)

    @case(f"rle.iou1x1.{size}", impl)
    def _():
        coco = package()
        a, b = (coco.encode(np.asfortranarray(ellipses(side, 1, 6, shift))) for shift in (0, 7))
        return lambda: coco.iou([a], [b], [0])

    @case(f"poly2rle.1.{size}", impl)
    def _():
        coco, xy = package(), []
        for i in range(60):
            angle, radius = i * 6.283185307179586 / 60, side * (0.3 + 0.1 * (i % 3))
            xy += [side / 2 + radius * math.cos(angle) + 0.3, side / 2 + radius * math.sin(angle) + 0.7]
        return lambda: coco.frPyObjects([xy], side, side)

    def hundred(coco):
        return [coco.encode(np.asfortranarray(ellipses(side, 10 + i, 1))) for i in range(100)]

    @case(f"iou.rle.100x100.{size}", impl)
    def _():
        coco = package()
        masks = hundred(coco)
        return lambda: coco.iou(masks, masks, [0] * 100)

    @case(f"nms.rle.100.{size}", impl + " iou + python greedy")
    def _():
        coco = package()
        masks = hundred(coco)

        def nms():
            iou, kept = coco.iou(masks, masks, [0] * 100), []
            for i in range(100):
                if all(iou[k, i] <= 0.75 for k in kept):
                    kept.append(i)
            return kept

        return nms


def remove_small_regions(cv2, mask, area, mode):
    """segment-anything's, on bytes."""
    holes = mode == "holes"
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask ^ 1 if holes else mask, 8)
    sizes = stats[1:, -1]
    small = [i + 1 for i, s in enumerate(sizes) if s < area]
    if not small:
        return mask
    fill = [0] + small
    if not holes:
        fill = [i for i in range(n) if i not in set(fill)] or [int(np.argmax(sizes)) + 1]
    return np.isin(labels, fill).astype(np.uint8)


def register_regions(side):
    for mode in ("holes", "islands"):

        @case(f"regions.{mode}.{side}", "opencv (SAM's remove_small_regions)")
        def _(mode=mode):
            import cv2

            mask = speckled(side)
            return lambda: remove_small_regions(cv2, mask, 100, mode)

    @case(f"regions.holes+islands.{side}", "opencv (SAM's remove_small_regions)")
    def _():
        import cv2

        mask = speckled(side)
        return lambda: remove_small_regions(cv2, remove_small_regions(cv2, mask, 100, "holes"), 100, "islands")

    @case(f"cc.label8+stats.{side}", "opencv")
    def _():
        import cv2

        mask = speckled(side)
        return lambda: cv2.connectedComponentsWithStats(mask, 8)

    @case(f"cc.label8+stats.{side}", "scikit-image")
    def _():
        from skimage.measure import label, regionprops_table

        mask = speckled(side)
        return lambda: regionprops_table(label(mask, connectivity=2), properties=("area", "bbox", "centroid"))

    @case(f"regions.holes.{side}", "scikit-image")
    def _():
        from skimage.morphology import remove_small_holes

        mask = speckled(side).astype(bool)
        return lambda: remove_small_holes(mask, 100, connectivity=2)

    @case(f"regions.islands.{side}", "scikit-image")
    def _():
        from skimage.morphology import remove_small_objects

        mask = speckled(side).astype(bool)
        return lambda: remove_small_objects(mask, 100, connectivity=2)


def describe(coco, logits, threshold=0.0, offset=1.0):
    """What segment-anything's mask generator says of each mask, in numpy."""
    out = []
    for one in logits:
        mask = one > threshold
        stability = (one > threshold + offset).sum() / (one > threshold - offset).sum()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = (columns[0], rows[0], columns[-1], rows[-1])
        out.append((coco.encode(np.asfortranarray(mask.view(np.uint8))), box, mask.sum(), stability))
    return out


def register_logits(width, height):
    op = f"sam.postprocess+stability+rle+box.256to{width}x{height}.B3"
    scale = 1024 / max(width, height)
    resized_w, resized_h = int(width * scale + 0.5), int(height * scale + 0.5)

    @case(op, "opencv+numpy+pycocotools")
    def _():
        import cv2

        coco, low = pycocotools(), blob_logits(256)

        def run():
            full = []
            for one in low:
                square = cv2.resize(one, (1024, 1024), interpolation=cv2.INTER_LINEAR)[:resized_h, :resized_w]
                full.append(cv2.resize(square, (width, height), interpolation=cv2.INTER_LINEAR))
            return describe(coco, full)

        return run

    @case(op, "torch (SAM)+pycocotools")
    def _():
        import torch

        coco, low = pycocotools(), torch.from_numpy(blob_logits(256))[None]
        resize = torch.nn.functional.interpolate

        def run():
            full = resize(low, (1024, 1024), mode="bilinear", align_corners=False)[..., :resized_h, :resized_w]
            full = resize(full, (height, width), mode="bilinear", align_corners=False)[0]
            high = (full > 1.0).sum(-1, dtype=torch.int16).sum(-1, dtype=torch.int32)
            wide = (full > -1.0).sum(-1, dtype=torch.int16).sum(-1, dtype=torch.int32)
            out = []
            for mask in (full > 0.0).numpy():
                rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                box = (columns[0], rows[0], columns[-1], rows[-1])
                out.append((coco.encode(np.asfortranarray(mask.view(np.uint8))), box, mask.sum()))
            return out, high / wide

        return run


def register_dense(side):
    @case(f"threshold+stability+rle+box.{side}.B3", "numpy+pycocotools")
    def _():
        coco, full = pycocotools(), blob_logits(side)
        return lambda: describe(coco, full)


def band(cv2, mask, ratio=0.02):
    """boundary-iou-api's mask_to_boundary."""
    h, w = mask.shape
    distance = max(1, int(round(ratio * np.sqrt(h**2 + w**2))))
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)
    return mask - eroded[1:h + 1, 1:w + 1]


def register_boundary(side):
    @case(f"boundary.{side}", "boundary-iou-api (opencv)")
    def _():
        import cv2

        mask = ellipses(side, 1, 6)
        return lambda: band(cv2, mask)

    @case(f"boundaryIoU.pair.{side}", "boundary-iou-api (opencv) + numpy")
    def _():
        import cv2

        a, b = ellipses(side, 1, 6), ellipses(side, 1, 6, 7)

        def run():
            x, y = band(cv2, a), band(cv2, b)
            return (x & y).sum() / (x | y).sum()

        return run


for side in (1024, 2048):
    register_rle("pycocotools", pycocotools, side)
    register_rle("faster-coco-eval", faster_coco_eval, side)
    register_regions(side)
    register_dense(side)
    register_boundary(side)
register_logits(1024, 768)
register_logits(2048, 1536)
serve()
