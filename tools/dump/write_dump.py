"""Writes a dump of attention (docs/dump.md) with NumPy alone, for models that run in Python.

  import write_dump
  tensors = write_dump.stretched(image, texts, rows, (24, 24))
  write_dump.write("a.safetensors", tensors, "my model")
"""

import json
import pathlib
import struct

import numpy as np


# [begin write]
TYPES = {"<f8": "F64", "<f4": "F32", "<f2": "F16", "<i8": "I64", "<i4": "I32", "|u1": "U8"}


def write(path, tensors, made_with):
    """Writes arrays by name, those of large elements first, so that all are aligned."""
    header = {"__metadata__": {"format": "ostend.dump", "version": "1", "made_with": made_with}}
    data = b""
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        array = tensors[name]
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": TYPES[array.dtype.str], "shape": array.shape, "data_offsets": offsets}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)
# [end write]


# [begin stretched]
def stretched(image, texts, rows, grid):
    """A dump's tensors for an image [height, width, 3] that lies stretched over a grid (rows, columns) of cells,
    the text of each token as bytes, and attention rows [tokens, layers, heads, image_tokens]."""
    (height, width, _), (cell_rows, cell_columns) = image.shape, grid
    row, column = np.indices(grid).reshape(2, -1)
    return {
        "image": image.astype("u1"),
        "token_ids": np.full(len(texts), -1, "<i4"),
        "token_bytes": np.frombuffer(b"".join(texts), "u1"),
        "token_ends": np.cumsum([len(t) for t in texts]).astype("<i8"),
        "token_special": np.zeros(len(texts), "u1"),
        "views": np.array([[cell_columns / width, 0, cell_rows / height, 0, *grid, 1, 1, 0]], "<f8"),
        "image_tokens": np.stack([0 * row, 0 * row, row, column], 1).astype("<i4"),
        "rows": rows.astype("<f4"),
    }
# [end stretched]
