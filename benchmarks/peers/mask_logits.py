"""Peers of benchmarks/mask/ from logits: segment-anything's post-processing with PyTorch where that is installed, and
the same steps by OpenCV, numpy and pycocotools."""
import numpy as np

from mask_shapes import blob_logits, pycocotools
from peer import case, serve


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


def sizes(width, height):
    """The image's share of SAM's square: width, height."""
    scale = 1024 / max(width, height)
    return int(width * scale + 0.5), int(height * scale + 0.5)


def upsample_opencv(cv2, low, width, height):
    resized_w, resized_h = sizes(width, height)
    full = []
    for one in low:
        square = cv2.resize(one, (1024, 1024), interpolation=cv2.INTER_LINEAR)[:resized_h, :resized_w]
        full.append(cv2.resize(square, (width, height), interpolation=cv2.INTER_LINEAR))
    return full


def upsample_torch(torch, low, width, height):
    resized_w, resized_h = sizes(width, height)
    resize = torch.nn.functional.interpolate
    full = resize(low, (1024, 1024), mode="bilinear", align_corners=False)[..., :resized_h, :resized_w]
    return resize(full, (height, width), mode="bilinear", align_corners=False)[0]


def register_logits(width, height):
    size = f"256to{width}x{height}.B3"
    op = f"sam.postprocess+stability+rle+box.{size}"

    @case(f"sam.upsample.{size}", "opencv")
    def _():
        import cv2

        low = blob_logits(256)
        return lambda: upsample_opencv(cv2, low, width, height)

    @case(f"sam.upsample.{size}", "torch (SAM)")
    def _():
        import torch

        low = torch.from_numpy(blob_logits(256))[None]
        return lambda: upsample_torch(torch, low, width, height)

    @case(op, "opencv+numpy+pycocotools")
    def _():
        import cv2

        coco, low = pycocotools(), blob_logits(256)
        return lambda: describe(coco, upsample_opencv(cv2, low, width, height))

    @case(op, "torch (SAM)+pycocotools")
    def _():
        import torch

        coco, low = pycocotools(), torch.from_numpy(blob_logits(256))[None]

        def run():
            full = upsample_torch(torch, low, width, height)
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


for side in (1024, 2048):
    register_dense(side)
register_logits(1024, 768)
register_logits(2048, 1536)
serve()
