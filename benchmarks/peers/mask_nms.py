"""Peers of benchmarks/mask/ that drop, soften or unite duplicates: OpenCV and numpy by boxes; by masks, the IoUs of
pycocotools and faster-coco-eval and the rest in Python and numpy, since neither has it."""
import numpy as np

from mask_shapes import ellipses, faster_coco_eval, hundred, pycocotools, scored_boxes
from peer import case, serve


def first_of_each(iou, threshold=0.75):
    """For each mask the first that it is a duplicate of and that is none itself."""
    kept, stands_for = [], []
    for i, row in enumerate(iou.T.tolist()):
        first = next((k for k in kept if row[k] > threshold), i)
        stands_for.append(first)
        if first == i:
            kept.append(i)
    return stands_for


def register_masks(impl, package, side):
    @case(f"nms.rle.100.{side}", impl + " iou + python greedy")
    def _():
        coco = package()
        masks = hundred(coco, side)

        def nms():
            iou, kept = coco.iou(masks, masks, [0] * 100), []
            for i in range(100):
                if all(iou[k, i] <= 0.75 for k in kept):
                    kept.append(i)
            return kept

        return nms

    @case(f"merge.rle.100.{side}", impl + " iou, merge + python greedy")
    def _():
        coco = package()
        masks = [coco.encode(np.asfortranarray(ellipses(side, 10 + i % 25, 1, i // 25))) for i in range(100)]

        def merge():
            groups = {}
            for i, first in enumerate(first_of_each(coco.iou(masks, masks, [0] * 100))):
                groups.setdefault(first, []).append(masks[i])
            return [coco.merge(group) for group in groups.values()]

        return merge

    @case(f"soft_nms.gaussian.rle.100.{side}", impl + " iou + numpy")
    def _():
        coco = package()
        masks, scores = hundred(coco, side), scored_boxes(100)[1]
        return lambda: soft_nms(coco.iou(masks, masks, [0] * 100), scores, gaussian)

    @case(f"matrix_nms.gaussian.rle.100.{side}", impl + " iou + numpy (SOLOv2)")
    def _():
        coco = package()
        masks, scores = hundred(coco, side), scored_boxes(100)[1]

        def run():
            order = np.argsort(-scores, kind="stable")
            sorted_masks = [masks[i] for i in order]
            return matrix_nms(coco.iou(sorted_masks, sorted_masks, [0] * 100), scores[order])

        return run


def gaussian(iou):
    return np.exp(-iou * iou / 0.5)


def linear(iou):
    return np.where(iou > 0.3, 1 - iou, 1)


def soft_nms(iou, scores, decay):
    """Bodla's, one row of IoUs at a time: those that stay, and their scores."""
    scores, kept = scores.copy(), []
    left = np.ones(len(scores), bool)
    while left.any():
        best = int(np.argmax(np.where(left, scores, -1)))
        if scores[best] < 0.001:
            break
        kept.append((best, scores[best]))
        left[best] = False
        scores[left] *= decay(iou[best, left])
    return kept


def matrix_nms(iou, scores, sigma=2.0):
    """SOLOv2's, of those in the order of their scores: their places by the new scores, and these."""
    iou = np.triu(iou, 1)
    largest = iou.max(0)[:, None]
    scores = scores * (np.exp(-sigma * iou**2) / np.exp(-sigma * largest**2)).min(0)
    order = np.argsort(-scores, kind="stable")
    return order, scores[order]


def box_ious(boxes):
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    common = (np.minimum(high[:, None], high) - np.maximum(low[:, None], low)).clip(0).prod(-1)
    areas = boxes[:, 2:].prod(-1)
    return common / (areas[:, None] + areas - common)


def greedy(boxes, scores, threshold=0.7):
    """py_cpu_nms of Fast R-CNN, without its one pixel more a side."""
    x0, y0, x1, y1 = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    areas, order, kept = boxes[:, 2] * boxes[:, 3], np.argsort(-scores, kind="stable"), []
    while order.size:
        i, rest = order[0], order[1:]
        kept.append(i)
        wide = (np.minimum(x1[i], x1[rest]) - np.maximum(x0[i], x0[rest])).clip(0)
        high = (np.minimum(y1[i], y1[rest]) - np.maximum(y0[i], y0[rest])).clip(0)
        common = wide * high
        order = rest[common / (areas[i] + areas[rest] - common) <= threshold]
    return kept


def register_boxes(n):
    @case(f"nms.boxes.{n}", "opencv")
    def _():
        import cv2

        boxes, scores = scored_boxes(n)
        return lambda: cv2.dnn.NMSBoxes(boxes, scores, 0.0, 0.7)

    @case(f"nms.boxes.{n}", "numpy (py_cpu_nms)")
    def _():
        boxes, scores = scored_boxes(n)
        return lambda: greedy(boxes, scores)

    for name, decay in (("linear", linear), ("gaussian", gaussian)):

        @case(f"soft_nms.{name}.boxes.{n}", "opencv")
        def _(name=name):
            import cv2

            boxes, scores = scored_boxes(n)
            boxes, scores = boxes.astype(np.int32), scores.astype(np.float32)
            method = {"linear": cv2.dnn.SOFT_NMSMETHOD_SOFTNMS_LINEAR,
                      "gaussian": cv2.dnn.SOFT_NMSMETHOD_SOFTNMS_GAUSSIAN}[name]
            return lambda: cv2.dnn.softNMSBoxes(boxes, scores, 0.001, 0.3, 0, 0.5, method)

        @case(f"soft_nms.{name}.boxes.{n}", "numpy")
        def _(decay=decay):
            boxes, scores = scored_boxes(n)
            return lambda: soft_nms(box_ious(boxes), scores, decay)

    @case(f"matrix_nms.gaussian.boxes.{n}", "numpy (SOLOv2)")
    def _():
        boxes, scores = scored_boxes(n)

        def run():
            order = np.argsort(-scores, kind="stable")
            return matrix_nms(box_ious(boxes[order]), scores[order])

        return run


for side in (1024, 2048):
    register_masks("pycocotools", pycocotools, side)
    register_masks("faster-coco-eval", faster_coco_eval, side)
register_boxes(100)
register_boxes(1000)
serve()
