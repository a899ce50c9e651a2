"""Peers of benchmarks/mask/ on dense masks: OpenCV, numpy and scikit-image."""
import json

import numpy as np

from mask_shapes import ellipses, speckled
from peer import case, serve


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


def register_morphology(side, square):
    plain = f"{square}x{square}.{side}"
    specks = f"{square}x{square}.speckled{side}"

    @case(f"morphology.erode.{plain}", "opencv")
    def _():
        import cv2

        mask, kernel = ellipses(side, 1, 6), np.ones((square, square), np.uint8)
        return lambda: cv2.erode(mask, kernel)

    @case(f"morphology.dilate.{plain}", "opencv")
    def _():
        import cv2

        mask, kernel = ellipses(side, 1, 6), np.ones((square, square), np.uint8)
        return lambda: cv2.dilate(mask, kernel)

    for name, which in (("open", "MORPH_OPEN"), ("close", "MORPH_CLOSE")):

        @case(f"morphology.{name}.{specks}", "opencv")
        def _(which=which):
            import cv2

            mask, kernel = speckled(side), np.ones((square, square), np.uint8)
            return lambda: cv2.morphologyEx(mask, getattr(cv2, which), kernel)

    for name, function, size, make in (
            ("erode", "binary_erosion", plain, lambda: ellipses(side, 1, 6)),
            ("dilate", "binary_dilation", plain, lambda: ellipses(side, 1, 6)),
            ("open", "binary_opening", specks, lambda: speckled(side)),
            ("close", "binary_closing", specks, lambda: speckled(side))):

        @case(f"morphology.{name}.{size}", "scikit-image")
        def _(function=function, make=make):
            from skimage import morphology

            call, mask = getattr(morphology, function), make().astype(bool)
            kernel = morphology.footprint_rectangle((square, square), decomposition="separable")
            return lambda: call(mask, kernel)


def register_transforms(side):
    x, y, half, margin = side // 4, side // 8, side // 2, side // 8

    def register(name, impl, make):
        @case(f"transform.{name}", impl)
        def _():
            change, mask = make(), ellipses(side, 1, 6)
            return lambda: change(mask)

    def opencv(call):
        def make():
            import cv2

            return call(cv2)

        return make

    register(f"crop.{side}", "numpy", lambda: lambda m: m[y:y + half, x:x + half].copy())
    register(f"pad.{side}", "numpy", lambda: lambda m: np.pad(m, margin))
    register(f"pad.{side}", "opencv", opencv(lambda cv2: lambda m: cv2.copyMakeBorder(
        m, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)))
    for code, name, flip in ((0, "flip_vertically", np.flipud), (1, "flip_horizontally", np.fliplr)):
        register(f"{name}.{side}", "numpy", lambda flip=flip: lambda m: flip(m).copy())
        register(f"{name}.{side}", "opencv", opencv(lambda cv2, code=code: lambda m: cv2.flip(m, code)))
    for to in (side * 3 // 8, side * 3 // 2):
        for name, rule in (("resize_centre", "INTER_NEAREST_EXACT"), ("resize_corner", "INTER_NEAREST")):
            register(f"{name}.{side}to{to}", "opencv", opencv(lambda cv2, to=to, rule=rule: lambda m: cv2.resize(
                m, (to, to), interpolation=getattr(cv2, rule))))


def register_sets(side):
    def register(name, impl, call):
        @case(f"set.{name}.{side}", impl)
        def _():
            a, b = ellipses(side, 1, 6), ellipses(side, 1, 6, 7)
            if impl == "opencv":
                import cv2

                return lambda: call(cv2, a, b)
            return lambda: call(a.view(bool), b.view(bool))

    register("union.2", "numpy", lambda a, b: a | b)
    register("intersection.2", "numpy", lambda a, b: a & b)
    register("difference.2", "numpy", lambda a, b: a & ~b)
    register("complement", "numpy", lambda a, b: ~a)
    register("union.2", "opencv", lambda cv2, a, b: cv2.bitwise_or(a, b))
    register("intersection.2", "opencv", lambda cv2, a, b: cv2.bitwise_and(a, b))
    register("difference.2", "opencv", lambda cv2, a, b: cv2.subtract(a, b))
    register("complement", "opencv", lambda cv2, a, b: cv2.bitwise_xor(a, 1))


def find_rings(cv2, mask):
    """Rings as lists of points, and for each hole the outer ring that it lies in (-1: it is an outer one)."""
    rings, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [ring[:, 0].tolist() for ring in rings], tree[0, :, 3].tolist()


def coco_polygons(rings, parents):
    """Holes are cut in by a line to them and back, as ours are."""
    polygons = {i: list(ring) for i, ring in enumerate(rings) if parents[i] < 0}
    for ring, parent in zip(rings, parents):
        if parent >= 0:
            polygons[parent] += [rings[parent][0], *ring, ring[0]]
    return [[number for point in polygon for number in point] for polygon in polygons.values()]


def geojson(rings, parents):
    polygons = {i: [[*ring, ring[0]]] for i, ring in enumerate(rings) if parents[i] < 0}
    for ring, parent in zip(rings, parents):
        if parent >= 0:
            polygons[parent].append([*ring, ring[0]])
    return json.dumps({"type": "MultiPolygon", "coordinates": list(polygons.values())}, separators=(",", ":"))


def svg_path(rings, parents):
    return "".join("M" + "L".join(f"{x} {y}" for x, y in ring) + "z" for ring in rings)


def register_contours(side):
    for name, make in ((str(side), lambda: ellipses(side, 1, 6)), (f"speckled{side}", lambda: speckled(side))):

        @case(f"contours.{name}", "opencv")
        def _(make=make):
            import cv2

            mask = make()
            return lambda: cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)

        @case(f"contours.{name}", "scikit-image")
        def _(make=make):
            from skimage.measure import find_contours

            mask = np.pad(make(), 1)  # else outlines at the border stay open
            return lambda: find_contours(mask, 0.5, fully_connected="high")

        for form, write in (("coco", coco_polygons), ("geojson", geojson), ("svg", svg_path)):

            @case(f"contour_text.{form}.{name}", "opencv+python")
            def _(make=make, write=write):
                import cv2

                mask = make()
                return lambda: write(*find_rings(cv2, mask))


for side in (1024, 2048):
    register_regions(side)
    register_boundary(side)
    register_morphology(side, 3)
    register_morphology(side, 21)
    register_transforms(side)
    register_sets(side)
    register_contours(side)
serve()
