"""Masks, logits and boxes of the peers of benchmarks/mask/, the same numbers as shapes.hpp, forms.hpp and boxes.hpp
there make, and the packages that read them as strings."""
import numpy as np


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


def mixed(k):
    """Steele's and Vigna's mix of each number."""
    h = (k + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def hashes(side):
    return mixed(np.arange(side * side, dtype=np.uint64)).reshape(side, side)


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


def hundred(coco, side):
    """Masks as strings, most of them apart."""
    return [coco.encode(np.asfortranarray(ellipses(side, 10 + i, 1))) for i in range(100)]


def scored_boxes(n):
    """Many boxes an object, [n, 4] as x, y, width, height in whole numbers, and their scores."""

    def random_unit(k):
        return (mixed(k) >> np.uint64(40)) / 2**24

    i = np.arange(n, dtype=np.uint64)
    one = np.uint64(1)
    objects, own = np.uint64(4) * (i % np.uint64(n // 20)), np.uint64(100000) + np.uint64(5) * i
    columns = []
    for least, most in ((0, 800), (0, 600), (20, 150), (20, 150)):
        columns.append(np.floor(least + most * random_unit(objects) + 20 * random_unit(own)))
        objects, own = objects + one, own + one
    return np.stack(columns, 1), 0.01 + 0.99 * random_unit(own)


def pycocotools():
    import pycocotools.mask as coco

    return coco


def faster_coco_eval():
    import faster_coco_eval.core.mask as coco

    return coco
