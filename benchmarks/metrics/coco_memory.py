#!/usr/bin/env python3
"""Peak memory of COCO's evaluation, ours and its peers': coco_memory.py PROGRAMS
[IMAGESxCATEGORIES...]

PROGRAMS is a folder with coco_bench, which writes the files, and ostend_coco_eval. Each evaluation is a process of its
own; what the interpreter and the packages take before the files are read is given apart. (Linux counts this script's own
14 MiB for its children, so no figure is below that.)"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = {"pycocotools": "from pycocotools.coco import COCO\nfrom pycocotools.cocoeval import COCOeval",
         "faster-coco-eval": "from faster_coco_eval import COCO\n"
                             "from faster_coco_eval.core.faster_eval_api import COCOeval_faster as COCOeval"}
RUN = """
truth = COCO({gt!r})
one = COCOeval(truth, truth.loadRes({dt!r}), "segm")
one.evaluate()
one.accumulate()
one.summarize()
"""


def peak(command):
    """MiB that the process held at most."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]} failed with exit status {child.returncode}")
    return used.ru_maxrss / 1024


def main():
    programs = Path(sys.argv[1]).resolve()
    python = Path(__file__).resolve().parents[2] / "build/venv/bin/python"
    print(f"{'images':>7} {'categories':>10}  {'':<26} {'peak MiB':>9} {'of it before reading':>21}")
    for size in sys.argv[2:] or ("200x80", "1000x80", "5000x80", "1000x8", "1000x1200"):
        images, categories = map(int, size.split("x"))

        def line(name, whole, before):
            print(f"{images:>7} {categories:>10}  {name:<26} {whole:>9.1f} {before:>21.1f}", flush=True)

        with tempfile.TemporaryDirectory() as folder:
            gt, dt = (str(Path(folder) / name) for name in ("gt.json", "dt.json"))
            subprocess.run([programs / "coco_bench", "--files", folder, str(images), str(categories)], check=True)
            ours = [programs / "ostend_coco_eval", gt, dt]
            before = peak([programs / "ostend_coco_eval", "--help"])
            line("ostend_coco_eval", peak(ours), before)
            line("ostend_coco_eval --json", peak([*ours, "--json", str(Path(folder) / "figures.json")]), before)
            for name, imports in PEERS.items():
                line(name, peak([python, "-c", imports + RUN.format(gt=gt, dt=dt)]), peak([python, "-c", imports]))


if __name__ == "__main__":
    main()
