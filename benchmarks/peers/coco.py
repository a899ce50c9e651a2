"""Peers of benchmarks/metrics/coco_bench.cpp: COCO's evaluation of masks, on the same files number for number."""
import contextlib
import io
import json
import tempfile
from pathlib import Path

from coco_shapes import HEIGHT, WIDTH, Generator, draw
from peer import case, serve


def text_of(rle):
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def make():
    """The annotations and the results."""
    import pycocotools.mask as coco

    random = Generator()

    images, annotations, results = [], [], []
    for i in range(1, 201):
        images.append({"id": i, "width": WIDTH, "height": HEIGHT})
        classes = [1 + random.below(80) for _ in range(3)]
        truths = []
        for _ in range(7):
            ellipse = random.anywhere()
            truths.append((ellipse, classes[random.below(3)]))
            rle = draw(ellipse)
            annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": truths[-1][1], "iscrowd": 0,
                                "area": float(coco.area(rle)), "bbox": coco.toBbox(rle).tolist(),
                                "segmentation": text_of(rle)})
        for _ in range(30):
            ellipse, category = truths[random.below(7)]
            if random.below(3) == 0:
                ellipse, category = random.anywhere(), 1 + random.below(80)
            else:
                ellipse = random.moved(ellipse)
            results.append({"image_id": i, "category_id": category, "score": random.below(1000) / 1000,
                            "segmentation": text_of(draw(ellipse))})
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
