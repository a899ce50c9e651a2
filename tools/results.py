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
# PyTorch's figures of the square scenes and their numbers of trials, from where the models were made.
TORCH = {
    ("tiny-llava", "noun_recall"): 0.993, ("tiny-llava", "noun_precision"): 0.998,
    ("tiny-llava", "raw"): 0.728, ("tiny-llava", "mean_token"): 0.771, ("tiny-llava", "other_phrases"): 0.771,
    ("tiny-llava", "token_itself"): 0.378, ("tiny-llava", "with_article"): 0.669,
    ("tiny-llava-clip", "noun_recall"): 0.955, ("tiny-llava-clip", "noun_precision"): 0.979,
    ("tiny-llava-clip", "raw"): 0.674, ("tiny-llava-clip", "mean_token"): 0.680,
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
        runs = {a: json.loads((folder / f"{model}.{a}.json").read_text(encoding="utf-8")) for a in ASPECTS}
        lines += [f"### {model}", "", "| Figure | 1:1 | PyTorch (difference) | 3:2 | 2:3 |", "|---|--:|--:|--:|--:|"]

        def row(title, name, get):
            square, *others = (get(runs[a]["counts"]) for a in ASPECTS)
            cells = [figure(square), against_torch(model, name, square), *map(figure, others)]
            lines.append(f"| {title} | {' | '.join(cells)} |")

        for name in "noun_recall", "noun_precision", "chance":
            row(f"`{name}`", name, lambda counts: counts[name])
        for name in POINTS:
            row(f"`point_accuracy` `{name}`", name, lambda counts: counts["point_accuracy"][name])
        for name in "oracle_mask_recall", "mask_recall", "mask_miou":
            row(f"`{name}`", name, lambda counts: counts[name])
        lines.append("")
        for a in ASPECTS:
            lines.append(f"    build/bin/ostend_evaluate --model models/{model} --seed 7 --count 300 "
                         f"--aspect {a.replace('x', ':')} --json build/results/{model}.{a}.json")
        lines.append("")
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
