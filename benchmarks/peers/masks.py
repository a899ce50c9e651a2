"""Peers of benchmarks/mask/ on COCO's strings: pycocotools and faster-coco-eval, with OpenCV and numpy where these do
not have the work itself."""
import math

import numpy as np

from mask_shapes import ellipses, faster_coco_eval, hundred, noise, pycocotools, unit
from peer import case, serve


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

    @case(f"iou.rle.100x100.{size}", impl)
    def _():
        coco = package()
        masks = hundred(coco, side)
        return lambda: coco.iou(masks, masks, [0] * 100)


def counts_of(mask):
    """Run lengths down the columns, zeros first."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat, prepend=0))
    return np.diff(ends, prepend=0, append=flat.size).astype(np.uint32)


def register_strings(impl, package, side):
    for name, make in ((str(side), lambda: ellipses(side, 1, 6)), (f"noise{side}", lambda: noise(side))):

        @case(f"coco_string.write.{name}", impl)
        def _(make=make):
            coco = package()
            counts = {"size": [side, side], "counts": counts_of(make())}
            return lambda: coco.frPyObjects(counts, side, side)

        @case(f"coco_string.read+write.{name}", impl + " (merge of one)")
        def _(make=make):
            coco = package()
            rle = coco.encode(np.asfortranarray(make()))
            return lambda: coco.merge([rle])


def star(x, y, size):
    xy = []
    for i in range(60):
        angle, radius = i * 6.283185307179586 / 60, size * (0.3 + 0.1 * (i % 3))
        xy += [x + radius * math.cos(angle) + 0.3, y + radius * math.sin(angle) + 0.7]
    return xy


def register_polygons(impl, package, side):
    @case(f"poly2rle.1.{side}", impl)
    def _():
        coco, xy = package(), star(side / 2, side / 2, side)
        return lambda: coco.frPyObjects([xy], side, side)

    @case(f"poly2rle.union8.{side}", impl)
    def _():
        coco = package()
        rings = [star(unit(2 * k) * side, unit(2 * k + 1) * side, side / 4) for k in range(8)]
        return lambda: coco.merge(coco.frPyObjects(rings, side, side))

    @case(f"box2rle.100.{side}", impl)
    def _():
        coco = package()
        boxes = np.array([[unit(4 * k) * side, unit(4 * k + 1) * side, unit(4 * k + 2) * side / 4,
                           unit(4 * k + 3) * side / 4] for k in range(100)])
        return lambda: coco.frPyObjects(boxes, side, side)


def register_sets(impl, package, side):
    for name, intersect in (("union", False), ("intersection", True)):

        @case(f"set.rle.{name}.2.{side}", impl)
        def _(intersect=intersect):
            coco = package()
            two = [coco.encode(np.asfortranarray(ellipses(side, 1, 6, shift))) for shift in (0, 7)]
            return lambda: coco.merge(two, intersect)

        @case(f"set.rle.{name}.100.{side}", impl)
        def _(intersect=intersect):
            coco = package()
            many = hundred(coco, side)
            return lambda: coco.merge(many, intersect)


def register_packed(impl, package, side):
    for name, make in ((str(side), lambda: ellipses(side, 1, 6)), (f"noise{side}", lambda: noise(side))):

        @case(f"packed.encode.{name}", "numpy+" + impl)
        def _(make=make):
            coco, bits = package(), np.packbits(make(), axis=1)
            return lambda: coco.encode(np.asfortranarray(np.unpackbits(bits, axis=1, count=side)))

        @case(f"packed.decode.{name}", impl + "+numpy")
        def _(make=make):
            coco = package()
            rle = coco.encode(np.asfortranarray(make()))
            return lambda: np.packbits(coco.decode(rle), axis=1)


def register_transforms(impl, package, side):
    """By way of pixels, since these packages have no such functions on strings."""

    def register(name, make):
        @case(f"transform.rle.{name}", impl)
        def _():
            coco, change = package(), make()
            rle = coco.encode(np.asfortranarray(ellipses(side, 1, 6)))
            return lambda: coco.encode(np.asfortranarray(change(coco.decode(rle))))

    def resized(to, rule):
        import cv2

        return lambda m: cv2.resize(m, (to, to), interpolation=getattr(cv2, rule))

    x, y, half, margin = side // 4, side // 8, side // 2, side // 8
    register(f"crop.{side}", lambda: lambda m: m[y:y + half, x:x + half])
    register(f"pad.{side}", lambda: lambda m: np.pad(m, margin))
    register(f"flip_vertically.{side}", lambda: np.flipud)
    register(f"flip_horizontally.{side}", lambda: np.fliplr)
    for to in (side * 3 // 8, side * 3 // 2):
        register(f"resize_centre.{side}to{to}", lambda to=to: resized(to, "INTER_NEAREST_EXACT"))
        register(f"resize_corner.{side}to{to}", lambda to=to: resized(to, "INTER_NEAREST"))


for side in (1024, 2048):
    for name, package in (("pycocotools", pycocotools), ("faster-coco-eval", faster_coco_eval)):
        register_rle(name, package, side)
        register_strings(name, package, side)
        register_polygons(name, package, side)
        register_sets(name, package, side)
    register_packed("pycocotools", pycocotools, side)
    register_transforms("pycocotools+numpy+opencv", pycocotools, side)
serve()
