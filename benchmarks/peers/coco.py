"""Peers of benchmarks/metrics/coco_bench.cpp: COCO's evaluation of masks, on the same files number for number."""
import contextlib
import io
import json
import math
import tempfile
from pathlib import Path

import numpy as np

from peer import case, serve

HEIGHT, WIDTH = 480, 640


class Generator:
    """Knuth's linear congruential generator, as ours has it."""

    state = 1

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % n


def draw(x, y, rx, ry):
    import pycocotools.mask as coco

    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    for column in range(max(0, x - rx), min(WIDTH - 1, x + rx) + 1):
        half = math.isqrt(ry * ry * (rx * rx - (column - x) ** 2) // (rx * rx))
        mask[max(0, y - half):max(0, y + half + 1), column] = 1
    rle = coco.encode(mask)
    return rle, {"size": rle["size"], "counts": rle["counts"].decode()}


def make():
    """The annotations and the results."""
    import pycocotools.mask as coco

    random = Generator()

    def anywhere():
        return random.below(WIDTH), random.below(HEIGHT), 8 + random.below(100), 8 + random.below(80)

    images, annotations, results = [], [], []
    for i in range(1, 201):
        images.append({"id": i, "width": WIDTH, "height": HEIGHT})
        classes = [1 + random.below(80) for _ in range(3)]
        truths = []
        for _ in range(7):
            ellipse = anywhere()
            truths.append((ellipse, classes[random.below(3)]))
            rle, text = draw(*ellipse)
            annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": truths[-1][1], "iscrowd": 0,
                                "area": float(coco.area(rle)), "bbox": coco.toBbox(rle).tolist(),
                                "segmentation": text})
        for _ in range(30):
            ellipse, category = truths[random.below(7)]
            if random.below(3) == 0:
                ellipse, category = anywhere(), 1 + random.below(80)
            else:
                x, y, rx, ry = ellipse
                x += random.below(13) - 6
                ellipse = x, y + random.below(13) - 6, rx, ry
            results.append({"image_id": i, "category_id": category, "score": random.below(1000) / 1000,
                            "segmentation": draw(*ellipse)[1]})
    truth = {"info": {}, "images": images, "annotations": annotations,
             "categories": [{"id": k, "name": f"class {k}"} for k in range(1, 81)]}
    return truth, results


FOLDER = tempfile.TemporaryDirectory(prefix="ostend_coco_peer")


def files():
    gt, dt = Path(FOLDER.name) / "gt.json", Path(FOLDER.name) / "dt.json"
    if not gt.exists():
        truth, results = make()
        gt.write_text(json.dumps(truth), encoding="utf-8")
        dt.write_text(json.dumps(results), encoding="utf-8")
    return str(gt), str(dt)


def quietly(call):
    """The call without what the package prints."""
    def run():
        with contextlib.redirect_stdout(io.StringIO()):
            return call()
    return run


def pycocotools():
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    return COCO, COCOeval


def faster():
    import logging

    from faster_coco_eval import COCO
    from faster_coco_eval.core.faster_eval_api import COCOeval_faster

    logging.disable(logging.CRITICAL)

    def evaluation(truth, results, kind):
        return COCOeval_faster(truth, results, kind, print_function=lambda *_: None)
    return COCO, evaluation


for impl, package in (("pycocotools", pycocotools), ("faster-coco-eval", faster)):

    @case("cocoeval.segm.200img", impl)
    def _(package=package):
        COCO, evaluation = package()
        gt, dt = files()

        def run():
            truth = COCO(gt)
            one = evaluation(truth, truth.loadRes(dt), "segm")
            one.evaluate()
            one.accumulate()
            one.summarize()
            return one.stats[0]
        return quietly(run)

    @case("cocoeval.segm.200img.evaluate+accumulate", impl)
    def _(package=package):
        COCO, evaluation = package()
        gt, dt = files()
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(gt)
            results = truth.loadRes(dt)

        def run():
            one = evaluation(truth, results, "segm")
            one.evaluate()
            one.accumulate()
        return quietly(run)


if __name__ == "__main__":
    serve()
