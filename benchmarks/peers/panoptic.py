"""Peer of benchmarks/metrics/panoptic_bench.cpp: panoptic quality of one image from two maps of identifiers, with
panopticapi's means (np.unique over pairs of identifiers)."""
import numpy as np

from peer import case, serve

COUNT, VOID = 20, 0


def side(height, width, moved):
    rng = np.random.default_rng(9)
    y, x = np.mgrid[:height, :width]
    nearest, ids = np.full((height, width), np.inf), np.zeros((height, width), np.uint32)
    for k in range(COUNT):
        px, py = (0.1 + 0.8 * rng.random(2) + moved * (rng.random(2) - 0.5)) * (width, height)
        distance = (x - px) ** 2 + (y - py) ** 2
        ids[distance < nearest] = 1000 + 7 * k
        nearest = np.minimum(nearest, distance)
    ids[:8] = ids[:, :8] = VOID
    return ids, {1000 + 7 * k: 1 + k % 5 for k in range(COUNT)}


def quality(truth, prediction):
    (gt, gt_category), (dt, dt_category) = truth, prediction
    areas = [dict(zip(*(v.tolist() for v in np.unique(m, return_counts=True)))) for m in (gt, dt)]
    pairs, counts = np.unique(gt.astype(np.uint64) << np.uint64(32) | dt, return_counts=True)
    common = {(int(p) >> 32, int(p) & 0xFFFFFFFF): int(n) for p, n in zip(pairs, counts)}
    stats = {c: [0.0, 0, 0, 0] for c in set(gt_category.values())}  # IoU, TP, FP, FN
    matched_gt, matched_dt = set(), set()
    for (g, d), n in common.items():
        if g == VOID or d == VOID or gt_category[g] != dt_category[d]:
            continue
        iou = n / (areas[0][g] + areas[1][d] - n - common.get((VOID, d), 0))
        if iou > 0.5:
            stats[gt_category[g]][0] += iou
            stats[gt_category[g]][1] += 1
            matched_gt.add(g)
            matched_dt.add(d)
    for g, c in gt_category.items():
        stats[c][3] += g not in matched_gt
    for d, c in dt_category.items():
        stats[c][2] += d not in matched_dt and common.get((VOID, d), 0) / areas[1][d] <= 0.5
    return np.mean([iou / (tp + 0.5 * fp + 0.5 * fn) for iou, tp, fp, fn in stats.values() if tp + fp + fn])


for h, w in ((480, 640), (1024, 1024)):

    @case(f"panoptic.20x20.{h}x{w}.per-image", "panopticapi's arithmetic in numpy")
    def _(h=h, w=w):
        truth, prediction = side(h, w, 0), side(h, w, 0.05)
        return lambda: quality(truth, prediction)


serve()
