#!/usr/bin/env python3
"""The tables of docs/results.md out of the JSON files that tools/results.sh makes: printed, or with --write put
between the page's markers."""
import json
import math
import os
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs/results.md"
BEGIN, END = "<!-- figures: made by tools/results.sh -->", "<!-- end of the figures -->"
ASPECTS = "1x1", "3x2", "2x3"
MODELS = "tiny-llava", "tiny-llava-clip"
POINTS = "raw", "mean_token", "other_phrases", "token_itself", "with_article"
ORACLES = *POINTS, "with_article_other_phrases"
RUNS = "built-in", "built-in.points", "tiny-sam", "tiny-sam.points"  # segmenters; points: without the map
# PyTorch's figures of the square scenes and their numbers of trials, from where the models were made.
TORCH = {
    ("tiny-llava", "noun_recall"): 0.993, ("tiny-llava", "noun_precision"): 0.998,
    ("tiny-llava", "raw"): 0.728, ("tiny-llava", "mean_token"): 0.771, ("tiny-llava", "other_phrases"): 0.771,
    ("tiny-llava", "token_itself"): 0.378, ("tiny-llava", "with_article"): 0.669,
    ("tiny-llava-clip", "noun_recall"): 0.955, ("tiny-llava-clip", "noun_precision"): 0.979,
    ("tiny-llava-clip", "raw"): 0.674, ("tiny-llava-clip", "mean_token"): 0.680,
    ("tiny-llava", "oracle with_article"): 0.667, ("tiny-llava", "oracle with_article_other_phrases"): 0.700,
}
TRIALS = {"tiny-llava": 908, "tiny-llava-clip": 869}


def figure(counts):
    top, below = counts["numerator"], counts["denominator"]
    shown = f"{top:.0f}" if float(top).is_integer() else f"{top:.1f}"
    return f"{top / below:.3f} ({shown}/{below:.0f})"


def against_torch(model, name, counts):
    """The difference to PyTorch's figure in standard errors of a difference of two samples."""
    if (model, name) not in TORCH:
        return ""
    theirs = TORCH[model, name]
    ours, n = counts["numerator"] / counts["denominator"], counts["denominator"]
    error = math.sqrt(max(ours * (1 - ours), 1 / n) / n + max(theirs * (1 - theirs), 1 / n) / TRIALS[model])
    return f"{theirs:.3f} ({(ours - theirs) / error:+.1f})"


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8") if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def tables(folder):
    lines = [f"Processor: {processor()}, {os.cpu_count()} cores. Seed 7, 300 scenes each.", ""]
    for model in MODELS:
        runs = {(a, r): json.loads((folder / f"{model}.{a}.{r}.json").read_text(encoding="utf-8"))["counts"]
                for a in ASPECTS for r in RUNS}

        def row(title, name, get, run=RUNS[0]):
            square, *others = (get(runs[a, run]) for a in ASPECTS)
            cells = [figure(square), against_torch(model, name, square), *map(figure, others)]
            lines.append(f"| {title} | {' | '.join(cells)} |")

        lines += [f"### {model}", "", "| Figure | 1:1 | PyTorch (difference) | 3:2 | 2:3 |", "|---|--:|--:|--:|--:|"]
        for name in "noun_recall", "noun_precision", "chance":
            row(f"`{name}`", name, lambda counts: counts[name])
        for name in POINTS:
            row(f"`point_accuracy` `{name}`", name, lambda counts: counts["point_accuracy"][name])
        for name in ORACLES:
            row(f"`oracle_by_point` `{name}`", f"oracle {name}", lambda counts: counts["oracle_by_point"][name])
        lines += ["", "| Segmenter, asked with | Figure | 1:1 | 3:2 | 2:3 |", "|---|---|--:|--:|--:|"]
        for run in RUNS:
            segmenter, _, points = run.partition(".")
            asked = "points alone" if points else "points and maps"
            for name in "mask_recall", "mask_miou":
                cells = " | ".join(figure(runs[a, run][name]) for a in ASPECTS)
                lines.append(f"| {segmenter}, {asked} | `{name}` | {cells} |")
        cells = " | ".join(figure(runs[a, RUNS[0]]["oracle_mask_recall"]) for a in ASPECTS)
        lines += [f"| a perfect one, points | `oracle_mask_recall` | {cells} |", ""]
    return "\n".join(lines)


def main():
    text = tables(pathlib.Path(sys.argv[1]))
    if "--write" not in sys.argv[2:]:
        print(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
