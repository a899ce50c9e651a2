#!/usr/bin/env python3
"""Reads a dump of attention (docs/dump.md) with NumPy alone, and prints what is in it.

  read_dump.py FILE...          a summary of each
  import read_dump              dump = read_dump.read("a.safetensors"); dump.maps().shape

A file that is not such a dump is a ValueError that names the tensor.
"""

import json
import pathlib
import struct
import sys

import numpy as np

RANKS = {"image": 3, "token_ids": 1, "token_ends": 1, "token_special": 1, "token_bytes": 1, "views": 2,
         "image_tokens": 2}

# [begin tensors]
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def read_tensors(path):
    """All tensors of a safetensors file by name, and its metadata."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, t in header.items():
        begin, end = (8 + length + offset for offset in t["data_offsets"])
        array = np.frombuffer(data[begin:end], TYPES[t["dtype"]]).reshape(t["shape"])
        if t["dtype"] == "BF16":  # the upper half of an F32
            array = (array.astype("<u4") << 16).view("<f4")
        tensors[name] = array
    return tensors, metadata
# [end tensors]


class Dump:
    """One generation. Tensors are attributes, as docs/dump.md names them: dump.image, dump.q, ..."""

    def __init__(self, tensors, metadata):
        if (metadata.get("format"), metadata.get("version")) != ("ostend.dump", "1"):
            raise ValueError("__metadata__: this is not an ostend.dump of version 1")
        self.tensors, self.metadata = tensors, metadata
        for name, rank in RANKS.items():
            if name not in tensors or tensors[name].ndim != rank:
                raise ValueError(f"{name}: missing, or not of rank {rank}")
        if ("rows" in tensors) == ("q" in tensors):
            raise ValueError("rows: a dump holds either rows or q and k")
        ends = [0, *self.token_ends]
        self.tokens = [self.token_bytes[a:b].tobytes() for a, b in zip(ends, ends[1:])]

    def __getattr__(self, name):
        if name in ("tensors", "metadata") or name not in self.tensors:
            raise AttributeError(name)
        return self.tensors[name]

    @property
    def text(self):
        """What the tokens write together."""
        return b"".join(t for t, hidden in zip(self.tokens, self.token_special) if not hidden).decode(errors="replace")

    def rows(self):
        """Attention of each image token, [tokens, layers, heads, image_tokens]."""
        if "rows" in self.tensors:
            return self.tensors["rows"].astype(np.float32)
        heads, size = self.q.shape[2:]
        scale, cap = self.tensors.get("score", np.zeros(2, np.float32))
        k = np.repeat(self.k.astype(np.float64), heads // self.k.shape[2], axis=2)  # a key head serves several
        score = np.einsum("tlhd,lkhd->tlhk", self.q.astype(np.float64), k) * (scale or size**-0.5)
        score = cap * np.tanh(score / cap) if cap else score
        hidden = np.arange(k.shape[1]) >= self.visible[:, None, None, None]
        score = np.where(hidden, -np.inf, score)
        row = np.exp(score - score.max(-1, keepdims=True))
        row /= row.sum(-1, keepdims=True)
        return row[..., self.image_keys].astype(np.float32)

    def maps(self):
        """The mean over layers and heads, [tokens, image_tokens]; row t is of the query that predicts token t."""
        return self.rows().mean((1, 2))

    def cells(self, one_map, view=0):
        """A map [image_tokens] laid out as the view's grid, [rows, columns]."""
        rows, columns = self.views[view, 4:6].astype(int)
        grid = np.full((rows, columns), np.nan, np.float32)
        shown = (self.image_tokens[:, 0] == 0) & (self.image_tokens[:, 1] == view)
        grid[self.image_tokens[shown, 2], self.image_tokens[shown, 3]] = one_map[shown]
        return grid


def read(path):
    """The dump in a file."""
    try:
        return Dump(*read_tensors(path))
    except (struct.error, KeyError, TypeError, AttributeError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{path}: this is not a safetensors file: {wrong!r}") from wrong
    except ValueError as wrong:
        raise ValueError(f"{path}: {wrong}") from wrong


def summary(dump):
    """A few lines about a dump, and one for each token."""
    height, width = dump.image.shape[:2]
    grids = ", ".join(f"{int(v[4])} x {int(v[5])}" for v in dump.views)
    rows, maps = dump.rows(), dump.maps()
    tokens, layers, heads, image_tokens = rows.shape
    kind = "rows" if "rows" in dump.tensors else f"q and k of {dump.k.shape[1]} keys"
    yield f"made with  {dump.metadata.get('made_with', '')}"
    yield f"image      {width} x {height}; {image_tokens} image tokens, cells of each view: {grids}"
    yield f"attention  {kind}; {tokens} tokens, {layers} layers, {heads} heads"
    yield f"text       {dump.text}"
    yield "token      on the image   brightest cell (row, column)"
    for token, one_map in zip(dump.tokens, maps):
        grid = dump.cells(one_map)
        row, column = np.unravel_index(np.nanargmax(grid), grid.shape)
        yield f"  {token.decode(errors='replace')!r:<12} {one_map.sum():6.3f}      ({row}, {column})"


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    for path in sys.argv[1:]:
        try:
            print(path, *summary(read(path)), sep="\n")
        except (ValueError, OSError) as wrong:
            print(f"read_dump: {wrong}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
