"""Peers of benchmarks/metrics: published evaluations' arithmetic over dense masks, and the same over pycocotools' run
lengths. The inputs are ours number for number (benchmarks/metrics/cases.hpp), so the figures can be held beside
ours."""
import contextlib
import io

import numpy as np

from coco_shapes import HEIGHT, WIDTH, Generator, draw
from peer import case, serve


def dense_counts(truths, predictions):
    """Common and united pixels of the unions of decoded masks."""
    import pycocotools.mask as coco

    def union(masks):
        dense = coco.decode(masks[0]) if masks else np.zeros((HEIGHT, WIDTH), np.uint8)
        for mask in masks[1:]:
            dense = np.logical_or(dense, coco.decode(mask))
        return dense

    a, b = union(truths), union(predictions)
    return np.logical_and(a, b).sum(), np.logical_or(a, b).sum()


def rle_counts(truths, predictions):
    import pycocotools.mask as coco

    a = truths[0] if len(truths) == 1 else coco.merge(truths)
    if not predictions:
        return 0, int(coco.area(a))
    b = predictions[0] if len(predictions) == 1 else coco.merge(predictions)
    common = int(coco.area(coco.merge([a, b], intersect=True)))
    return common, int(coco.area(a)) + int(coco.area(b)) - common


COUNTS = ("in numpy", dense_counts), ("over pycocotools", rle_counts)

# Referring expressions.


def expressions():
    random = Generator()
    for _ in range(1000):
        ellipse = random.anywhere()
        target = random.below(10) != 0
        kind = random.below(10)
        prediction = random.anywhere() if kind < 3 else random.moved(ellipse)
        yield draw(ellipse if target else None), draw(None if kind == 0 else prediction), target, kind != 0


def referring(samples, counts):
    """gIoU, cIoU, P@0.7 and N-acc, as ReLA's refer_evaluation.py sums them."""
    common = united = ious = no_target = said_none = 0
    reached = {0.7: 0, 0.8: 0, 0.9: 0}
    for truth, prediction, target, found in samples:
        i, u = counts([truth], [prediction])
        if not target:
            no_target += 1
            said_none += not found
            ious += not found
            united += u
            continue
        iou = i / u if u else 0.0
        ious += iou
        common += i
        united += u
        for x in reached:
            reached[x] += iou >= x
    count = len(samples)
    return ious / count + common / united + reached[0.7] / (count - no_target) + said_none / no_target


# Panoptic narrative grounding.


def narratives():
    random = Generator()
    for _ in range(1000):
        thing = random.below(2) == 0
        objects = 3 if random.below(4) == 0 else 1
        found = random.below(8) != 0
        truths, predictions = [], []
        for _ in range(objects):
            ellipse = random.anywhere()
            truths.append(draw(ellipse))
            if found:
                predictions.append(draw(random.moved(ellipse)))
        yield truths, predictions, thing, objects > 1


def thresholds_in_turn(ious):
    """average_accuracy of PNG's utils/meters.py."""
    thresholds = np.arange(0, 1, 0.00001)
    accuracy = [np.sum((ious >= t).astype(int)) / len(ious) for t in thresholds]
    area = 0
    for i, (low, high) in enumerate(zip(thresholds[:-1], thresholds[1:])):
        area += np.abs(high - low) * accuracy[i]
    return area


def thresholds_at_once(ious):
    thresholds = np.arange(0, 1, 0.00001)
    accuracy = 1 - np.searchsorted(np.sort(ious), thresholds[:-1]) / len(ious)
    return np.sum(np.diff(thresholds) * accuracy)


def recalls(ious, things, plurals, area):
    return sum(area(ious[of]) for of in (slice(None), things, ~things, ~plurals, plurals))


def narrative_ious(phrases, counts):
    pairs = [counts(truths, predictions) for truths, predictions, _, _ in phrases]
    return np.array([i / u for i, u in pairs])


def flags(phrases):
    return np.array([p[2] for p in phrases]), np.array([p[3] for p in phrases])


# Pointing.


def pointed_images():
    random = Generator()
    for _ in range(200):
        classes = [1 + random.below(80) for _ in range(3)]
        ellipses, objects, points = [], [], []
        for _ in range(7):
            ellipses.append(random.anywhere())
            objects.append((classes[random.below(3)], draw(ellipses[-1])))
        for _ in range(5):
            at = random.below(7)
            x, y = (ellipses[at] if random.below(2) == 0 else random.anywhere())[:2]
            points.append((objects[at][0], x, y))
        yield objects, points


def union_by_category(objects):
    import pycocotools.mask as coco

    unions = {}
    for category, rle in objects:
        mask = coco.decode(rle)
        unions[category] = np.logical_or(unions[category], mask) if category in unions else mask
    return unions


def pointing(images, hits):
    """Hits by category: of all points, the mean of the categories, and that over all 80."""
    by_category = {}
    for objects, points in images:
        unions = union_by_category(objects)
        for category, x, y in points:
            sums = by_category.setdefault(category, [0, 0])
            sums[0] += bool(hits(unions[category], x, y))
            sums[1] += 1
    pooled = sum(h for h, _ in by_category.values()) / sum(n for _, n in by_category.values())
    shares = [h / n for h, n in by_category.values()]
    return pooled, sum(shares) / len(shares), sum(shares) / 80


def zone(mask, x, y):
    """TorchRay's test in a window around the point; over the whole image, as TorchRay has it, it takes 20 times as
    long."""
    top, left = max(0, y - 15), max(0, x - 15)
    part = mask[top:y + 16, left:x + 16]
    v, u = np.ogrid[top:top + part.shape[0], left:left + part.shape[1]]
    return (part.astype(bool) & ((v - y) ** 2 + (u - x) ** 2 < 15 ** 2)).any()


# Calibration.


def scored_images():
    random = Generator()
    for _ in range(2000):
        predictions = []
        for _ in range(5):
            confidence = random.below(1001)
            predictions.append((confidence / 1000, random.below(1500) < confidence))
        yield np.array(predictions)


def calibration(confidence, hit):
    order = np.argsort(confidence, kind="stable")
    confidence, hit = confidence[order], hit[order]
    n, hits = len(hit), hit.sum()
    values, first, sizes = np.unique(confidence, return_index=True, return_counts=True)
    tied_hits = np.add.reduceat(hit, first)
    tied_misses = sizes - tied_hits
    below = np.cumsum(tied_misses) - tied_misses
    auroc = (tied_hits * (below + tied_misses / 2)).sum() / (hits * (n - hits))

    def error(bins):
        gap = np.bincount(bins, hit, 15) - np.bincount(bins, confidence, 15)
        return np.abs(gap).sum() / n

    equal_width = np.clip(np.digitize(confidence, np.linspace(0, 1, 16), right=True) - 1, 0, 14)
    equal_mass = np.repeat(np.arange(15), [len(part) for part in np.array_split(hit, 15)])
    # From the most confident on; within a tie misses come as in a random order, at their share.
    share = np.repeat(tied_misses / sizes, sizes)[::-1]
    k = np.arange(1, n + 1)
    risk = np.cumsum(share) / k
    ends = np.cumsum(sizes[::-1])
    curve = ends / n, risk[ends - 1], values[::-1]
    best = (np.maximum(0, k - hits) / k).mean()
    return auroc + error(equal_width) + error(equal_mass) + risk.mean() + (risk.mean() - best), curve


# Grounded conversation generation.


def gcg_images():
    random = Generator()
    for _ in range(200):
        truths = [random.anywhere() for _ in range(6)]
        predictions = [random.anywhere() if random.below(3) == 0 else random.moved(truths[p % 6]) for p in range(8)]
        yield [draw(e) for e in truths], [draw(e) for e in predictions]


def coco_objects(COCO):
    """Truths and predictions as the packages hold them once they have read the files."""
    import pycocotools.mask as coco

    images, annotations, results = [], [], []
    for i, (truths, predictions) in enumerate(gcg_images(), 1):
        images.append({"id": i, "height": HEIGHT, "width": WIDTH})
        for rle in truths:
            annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": 1, "iscrowd": 0,
                                "area": float(coco.area(rle)), "bbox": coco.toBbox(rle).tolist(), "segmentation": rle})
        results += [{"image_id": i, "category_id": 1, "score": 1.0, "segmentation": rle} for rle in predictions]
    truth = COCO()
    truth.dataset = {"info": {}, "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    truth.createIndex()
    return truth, truth.loadRes(results)


def pycocotools():
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    return COCO, COCOeval


def faster():
    import logging

    from faster_coco_eval import COCO
    from faster_coco_eval.core.faster_eval_api import COCOeval_faster

    logging.disable(logging.CRITICAL)
    return COCO, lambda truth, found, kind: COCOeval_faster(truth, found, kind, print_function=lambda *_: None)


def register():
    for how, counts in COUNTS:

        @case("referring.1000.480x640", f"ReLA's arithmetic {how}")
        def _(counts=counts):
            samples = list(expressions())
            return lambda: referring(samples, counts)

        @case("narrative.1000.480x640", f"PNG's arithmetic {how}")
        def _(counts=counts):
            phrases = list(narratives())
            return lambda: recalls(narrative_ious(phrases, counts), *flags(phrases), thresholds_at_once)

    for impl, area in (("PNG's arithmetic in numpy", thresholds_in_turn), ("numpy searchsorted", thresholds_at_once)):

        @case("narrative.recall.1000", impl)
        def _(area=area):
            phrases = list(narratives())
            ious = narrative_ious(phrases, rle_counts)
            return lambda: recalls(ious, *flags(phrases), area)

    @case("pointing.200img.480x640", "groundLMM's arithmetic in numpy")
    def _():
        images = list(pointed_images())

        def run():
            pooled, mean, _ = pointing(images, lambda mask, x, y: mask[y, x])
            return pooled + mean
        return run

    @case("pointing_game.200img.480x640", "TorchRay's arithmetic in numpy, in a window")
    def _():
        images = list(pointed_images())

        def run():
            pooled, _, over_all = pointing(images, zone)
            return pooled + over_all
        return run

    @case("calibration.2000img", "numpy")
    def _():
        images = list(scored_images())
        return lambda: calibration(*np.concatenate(images).T)[0]

    @case("calibration.2000img.compute", "numpy")
    def _():
        confidence, hit = np.concatenate(list(scored_images())).T.copy()
        return lambda: calibration(confidence, hit)[0]

    for impl, package in (("pycocotools", pycocotools), ("faster-coco-eval", faster)):

        @case("gcg.ap.200img.8x6.480x640", impl)
        def _(package=package):
            COCO, evaluation = package()
            with contextlib.redirect_stdout(io.StringIO()):
                truth, found = coco_objects(COCO)

            def run():
                with contextlib.redirect_stdout(io.StringIO()):
                    one = evaluation(truth, found, "segm")
                    one.evaluate()
                    one.accumulate()
                    one.summarize()
                return one.stats[0] + one.stats[1]
            return run

    for count in (1000, 100000):

        @case(f"sum.f64.{count}", "numpy")
        def _(count=count):
            values = np.random.default_rng(1).random(count)
            return lambda: np.sum(values)

    @case("records.add.10000", "dict, sorted")
    def _():
        names = [f"COCO_val2014_{100000000 + i * 7919 % 10000}" for i in range(10000)]

        def run():
            records = {}
            for i, name in enumerate(names):
                if name in records:
                    raise ValueError(name)
                records[name] = i, i + 1, i + 2
            total = 0.0
            for _, (common, _, _) in sorted(records.items()):
                total = total / 2 + common
            return total
        return run


if __name__ == "__main__":
    register()
    serve()
