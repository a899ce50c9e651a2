"""What the reference programs compute, in the plainest NumPy, for each category of the golden data.

An oracle takes a case (its inputs as arrays, its params) and gives the expected arrays and values. The test
first holds the oracles against the recorded cases and then makes new cases with them."""
import numpy as np

from programs import counts_of, coco_string, decode_mask


def aggregate(inputs, p):
    attention = inputs["attn"].astype(np.float64)  # [tokens, layers, heads, keys]
    rows, columns = p["grid"]
    base = p.get("base_tokens", 0)
    first = p["img_start"] + base + p.get("reg_tokens", 0)
    keys = np.arange(first, first + rows * columns)
    if p.get("newline_column"):
        keys = np.array([first + r * (columns + 1) + c for r in range(rows) for c in range(columns)])
    image = attention[:, :, :, keys]
    mean = image.mean((1, 2))
    out = {"mean_all": mean,
           "mean_all_f32acc": mean,
           "mean_base": attention[..., p["img_start"]:p["img_start"] + base].mean((1, 2)),
           "shipped_head_minus2": image[:, :, -2].mean(1) if image.shape[2] > 1 else None,
           "normalized_all": mean - mean.mean(0)}
    if "layer_subset" in p:
        out["mean_subset"] = image[:, p["layer_subset"]][:, :, p["head_subset"]].mean((1, 2))
    if "pairs" in p:
        out["mean_pairs"] = np.mean([image[:, layer, head] for layer, head in p["pairs"]], 0)
    return {key: None if rows_of is None else rows_of.reshape(
                len(rows_of), *(p.get("base_grid", [0, 0]) if key == "mean_base" else p["grid"]))
            for key, rows_of in out.items()}, {}


def qk(inputs, p):
    q, k = inputs["q"].astype(np.float64), inputs["k"].astype(np.float64)
    layers, heads, queries, _ = q.shape
    kv_heads, keys = k.shape[1:3]
    rows = np.zeros((layers, queries, keys))
    for layer in range(layers):
        for head in range(heads):
            score = p["scale"] * q[layer, head] @ k[layer, head // (heads // kv_heads)].T
            for t in range(queries):
                seen = keys - queries + t + 1
                weights = np.exp(score[t, :seen] - score[t, :seen].max())
                rows[layer, t, :seen] += weights / weights.sum() / heads
    return {"layer_means": rows, "mean_rows": rows.mean(0),
            "mean_cols": rows.mean(0)[:, p["cols"][0]:p["cols"][1]]}, {}


def token_spans(tokens, stripped):
    """(start, end) of each token in characters, by decoding every prefix again."""
    def length(count):
        data = b"".join(bytes.fromhex(t) for t in tokens[:count] if t is not None)
        text = data.decode("utf-8", "replace")
        return len(text[1:] if stripped and text.startswith(" ") else text)
    return [(length(i), length(i + 1)) for i in range(len(tokens))]


def groups(inputs, p):
    spans = token_spans(p["token_bytes_hex"], p["leading_space_stripped"])
    members = [[i for i, (start, end) in enumerate(spans) if start < last and end > first]
               for first, last in p["noun_char_spans"]]
    maps = inputs["maps"].astype(np.float64)
    means = [maps[m].mean(0) if m else np.full(maps.shape[1:], np.nan) for m in members]
    return {"group_maps": np.array(means).reshape((len(means),) + maps.shape[1:])}, {"groups": members}


def cubic(values, size):
    """Bicubic along the last axis, align_corners=False, a = -0.75; coordinates in f32 as PyTorch has them."""
    cells = values.shape[-1]
    scale = np.float32(cells) / np.float32(size)
    source = scale * (np.arange(size, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    cell = np.floor(source).astype(int)
    part = (source - np.floor(source)).astype(np.float64)
    a = -0.75
    def near(t):
        return ((a + 2) * t - (a + 3)) * t * t + 1
    def far(t):
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    weights = (far(part + 1), near(part), near(1 - part), far(2 - part))
    return sum(w * values[..., np.clip(cell + k - 1, 0, cells - 1)] for k, w in enumerate(weights))


def bicubic(values, height, width):
    return cubic(cubic(values, width).swapaxes(-1, -2), height).swapaxes(-1, -2)


def sam_size(height, width):
    scale = 1024 / max(height, width)
    return [int(height * scale + 0.5), int(width * scale + 0.5)]


def upsample(inputs, p):
    maps = inputs["maps"].astype(np.float64).copy()
    if "mode" not in p:
        flat = maps.reshape(len(maps), -1)
        return {}, {"point_xy": [[int(i % maps.shape[2]), int(i // maps.shape[2])] for i in flat.argmax(1)]}
    height, width = p["image_h"], p["image_w"]
    if p["remove_corner"]:
        least = maps.min()
        for y in (0, -1):
            for x in (0, -1):
                maps[:, y, x] = least
    if p["mode"] == "pad":
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        image = bicubic(maps, side, side)[:, top:top + height, left:left + width]
    else:
        image = bicubic(maps, height, width)
    flat = image.reshape(len(image), -1)
    sam_h, sam_w = sam_size(height, width)
    points = [(int(i % width), int(i // width)) for i in flat.argmax(1)]
    ordered = np.sort(flat, 1)
    arrays = {"up": image}
    if "probe_y" in p:
        arrays["probes"] = image[:, p["probe_y"], p["probe_x"]]
    return arrays, {"point_xy": [list(at) for at in points],
                    "point_sam": [[x * sam_w / width, y * sam_h / height] for x, y in points],
                    "sam_hw": [sam_h, sam_w],
                    "max": flat.max(1).tolist(), "min": flat.min(1).tolist(), "mean": flat.mean(1).tolist(),
                    "argmax_margin": [float(f[-1] - f[-2]) if len(f) > 1 else 1.0 for f in ordered]}


def samcoords(_, p):
    cases = []
    for one in p["sizes"]:
        height, width = one["hw"]
        sam_h, sam_w = sam_size(height, width)
        def scaled(values):
            return [v * (sam_h / height if i % 2 else sam_w / width) for i, v in enumerate(values)]
        cases.append({**one, "sam_hw": [sam_h, sam_w], "points_sam": [scaled(v) for v in one["points"]],
                      "boxes_sam": [scaled(v) for v in one["boxes"]]})
    return {}, {"cases": cases}


def maskprompt(inputs, p):
    values = inputs["map"].astype(np.float64)[0]
    height, width = values.shape
    clipped = np.clip(values, p["eps"], 1 - p["eps"])
    edge = p["edge"]
    content = [edge if height >= width else int(height / width * edge),
               edge if width >= height else int(width / height * edge)]
    logits = np.zeros((edge, edge))
    logits[:content[0], :content[1]] = bicubic(np.log(clipped / (1 - clipped)), *content)
    boxes = []
    for one in (values, np.zeros_like(values), np.ones_like(values)):
        ys, xs = np.nonzero(one > p["thresh"])
        boxes.append([int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1] if len(xs) else [0] * 4)
    return {"probes": logits[None, p["probe_y"], p["probe_x"]]}, {
        "box_xyxy_map_zero_one": boxes, "mean": float(logits.mean()), "shape": [1, edge, edge],
        "content_hw": content}


def rle(inputs, _):
    mask = inputs["mask"] != 0
    ys, xs = np.nonzero(mask)
    box = [int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())] if len(xs) else [0, 0, 0, 0]
    wide = [box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1] if len(xs) else [0, 0, 0, 0]
    return {}, {"size": list(mask.shape), "counts": coco_string(mask), "area": int(mask.sum()),
                "bbox_xywh": [float(v) for v in wide], "box_xyxy_inclusive_sam": box,
                "uncompressed": None if mask.size == 1 else counts_of(mask)}


def coco_box(mask):
    return rle({"mask": mask}, None)[1]["bbox_xywh"]


def box_iou(d, g, crowd):
    w = min(d[0] + d[2], g[0] + g[2]) - max(d[0], g[0])
    h = min(d[1] + d[3], g[1] + g[3]) - max(d[1], g[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (d[2] * d[3] if crowd else d[2] * d[3] + g[2] * g[3] - w * h)


def mask_iou(d, g, crowd):
    both = int((d & g).sum())
    union = int(d.sum()) if crowd else int((d | g).sum())
    return both / union if both else 0.0


def rleiou(_, p):
    dt, gt = ([decode_mask(m) for m in p[k]] for k in ("dt", "gt"))
    boxes = {"dt": [coco_box(m) for m in dt], "gt": [coco_box(m) for m in gt]}
    crowd = p["iscrowd"]
    union = np.any(dt[:4], 0)
    common = np.all([dt[0], dt[1], gt[0]], 0)
    return {}, {
        "iou": [[mask_iou(d, g, c) for g, c in zip(gt, crowd)] for d in dt],
        "iou_nocrowd": [[mask_iou(d, g, 0) for g in gt] for d in dt],
        "bbox_iou": [[box_iou(d, g, c) for g, c in zip(boxes["gt"], crowd)] for d in boxes["dt"]],
        "bbox_dt": boxes["dt"], "bbox_gt": boxes["gt"],
        "union": {"size": list(union.shape), "counts": coco_string(union)},
        "intersection": {"size": list(common.shape), "counts": coco_string(common)}}


def regions_of(mask, neighbours):
    """Lists of pixels that hang together."""
    left, found = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask))}, []
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if neighbours == 8 else [])
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if (y, x) not in left:
                continue
            left.remove((y, x))
            part = [(y, x)]
            for at in part:
                for step in steps:
                    to = (at[0] + step[0], at[1] + step[1])
                    if to in left:
                        left.remove(to)
                        part.append(to)
            found.append(part)
    return found


def without_holes(mask, threshold):
    out = mask.copy()
    for part in regions_of(~mask, 8):
        if len(part) < threshold:
            out[tuple(np.transpose(part))] = True
    return out


def without_islands(mask, threshold):
    parts = regions_of(mask, 8)
    if all(len(part) >= threshold for part in parts):
        return mask
    kept = [part for part in parts if len(part) >= threshold] or [max(parts, key=len)]
    out = np.zeros_like(mask)
    for part in kept:
        out[tuple(np.transpose(part))] = True
    return out


def regions(inputs, p):
    mask = inputs["mask"] != 0
    threshold = p["area_thresh"]
    holes, islands = without_holes(mask, threshold), without_islands(mask, threshold)
    parts = regions_of(mask, 8)
    return {"holes": holes, "islands": islands, "holes_then_islands": without_islands(holes, threshold)}, {
        "holes_changed": bool((holes != mask).any()),
        "islands_changed": any(len(part) < threshold for part in parts),
        "n_components8": len(parts), "n_components4": len(regions_of(mask, 4)),
        "areas8_sorted": sorted(map(len, parts))}


def masknms(inputs, p):
    masks = inputs["masks"] != 0
    count = len(masks)
    iou = [[float((a & b).sum() / ((a | b).sum() + 1e-6)) for b in masks] for a in masks]

    def greedy(order):
        kept = []
        for i in order:
            if all(iou[i][j] <= p["iou_thresh"] for j in kept):
                kept.append(i)
        return kept
    kept = greedy(range(count))
    merged = [next((j for j in kept if j <= i and (i == j or iou[i][j] > p["iou_thresh"])), i) for i in range(count)]
    return {}, {"iou": iou, "keep": [i in kept for i in range(count)],
                "keep_idx_scored": greedy(np.argsort(p["scores"])[::-1].tolist()), "merge": merged}


def gcg(_, p):
    dt, gt = ([decode_mask(m) for m in p[k]] for k in ("dt", "gt"))
    with np.errstate(invalid="ignore"):
        iou = np.array([[np.float64((d & g).sum()) / np.float64((d | g).sum()) for g in gt] for d in dt])
    similarity = np.array(p["text_sim_gt_dt"])
    # mIoU: greedy one to one, stops at the first maximum that is not above zero; a NaN is the maximum.
    left, sum_of = iou.copy(), []
    while left.size and np.max(left) > 0:
        d, g = np.unravel_index(np.argmax(left), left.shape)
        sum_of.append(left[d, g])
        left[d, :] = left[:, g] = 0
    # Recall: the same order, stops at the first pair that fails; NaN fails no comparison.
    left, matches = iou.T.copy(), []
    while left.size:
        g, d = np.unravel_index(np.argmax(left), left.shape)
        if left[g, d] < p["iou_thresh"] or similarity[g, d] < p["sim_thresh"]:
            break
        matches.append([int(g), int(d)])
        left[g, :] = left[:, d] = 0
    return {}, {"iou_dt_gt": [[None if np.isnan(v) else float(v) for v in row] for row in iou],
                "miou": float(np.mean(sum_of)) if sum_of else 0.0, "recall_matches_gt_dt": matches,
                "tp": len(matches), "n_gt": len(gt)}


def pacc(_, p):
    correct = total = 0
    for image, points in p["dt"].items():
        for one in points:
            x, y = one["point"]
            total += 1
            correct += any(decode_mask(g["segmentation"])[y, x] for g in p["gt"][image]
                           if g["category_id"] == one["category_id"])
    return {}, {"correct": correct, "total": total}


ORACLES = {f.__name__: f for f in (aggregate, qk, groups, upsample, samcoords, maskprompt, rle, rleiou, regions,
                                   masknms, gcg, pacc)}
