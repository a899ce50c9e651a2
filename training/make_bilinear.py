#!/usr/bin/env python3
"""Bilinear maps as PyTorch enlarges them (align_corners=False, no antialiasing), for the tests of upsampling.

    make_bilinear.py OUT    writes OUT/bilinear_N.map.npy and OUT/bilinear_N.up.npy (float32)
"""
import sys
from pathlib import Path

import numpy as np
import torch


def main():
    out = Path(sys.argv[1])
    torch.manual_seed(1)
    for n, (cells, pixels) in enumerate((((24, 24), (61, 37)), ((5, 7), (40, 33)), ((12, 12), (7, 9)), ((1, 3), (4, 20)))):
        cell_map = torch.randn(*cells)
        up = torch.nn.functional.interpolate(cell_map[None, None], size=pixels, mode="bilinear", align_corners=False)
        np.save(out / f"bilinear_{n}.map.npy", cell_map.numpy())
        np.save(out / f"bilinear_{n}.up.npy", up[0, 0].numpy())


if __name__ == "__main__":
    main()
