#!/usr/bin/env python3
"""A host in Python by ctypes: an attention dump's worth of rows from NumPy, grounded through the C interface.

host.py LIBRARY
"""
import ctypes as c
import sys

import numpy as np


class Tensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("type", c.c_int), ("rank", c.c_int),
                ("extents", c.c_int64 * 4), ("strides", c.c_int64 * 4)]


class RecorderOptions(c.Structure):
    _fields_ = [("layers", c.c_int), ("heads", c.c_int), ("first", c.c_int64), ("count", c.c_int64),
                ("list", c.POINTER(c.c_int64))]


class GroundOptions(c.Structure):
    _fields_ = [("width", c.c_int64), ("height", c.c_int64), ("rows", c.c_int64), ("columns", c.c_int64),
                ("layout", c.c_int), ("preset", c.c_char_p), ("phrases", c.POINTER(c.c_char_p)),
                ("phrase_count", c.c_size_t)]


class Phrase(c.Structure):
    _fields_ = [("text", c.c_char_p), ("begin", c.c_int64), ("end", c.c_int64), ("x", c.c_int64), ("y", c.c_int64),
                ("value", c.c_float), ("confidence", c.c_double), ("map", c.POINTER(c.c_float))]


def load(path):
    lib = c.CDLL(path)
    for name in ("ostend_recorder_new", "ostend_ground"):
        getattr(lib, name).restype = c.c_void_p
    lib.ostend_last_error.restype = c.c_char_p
    lib.ostend_grounding_caption.restype = c.c_char_p
    lib.ostend_grounding_count.restype = c.c_size_t
    return lib


def view(array):
    """A ctypes tensor over a NumPy array of any strides; the array must live as long."""
    kinds = {np.dtype(np.float32): 0, np.dtype(np.float64): 1, np.dtype(np.float16): 2}
    t = Tensor(array.ctypes.data, kinds[array.dtype], array.ndim)
    for i in range(array.ndim):
        t.extents[i] = array.shape[i]
        t.strides[i] = array.strides[i] // array.itemsize
    return t


def main():
    lib = load(sys.argv[1])
    layers, heads, grid = 2, 4, 6
    tokens = ["a", " red", " b", "all", " next", " to", " a", " tree", ""]
    cells = [0, 13, 13, 13, 3, 3, 3, 21, 1]
    rec = c.c_void_p(lib.ostend_recorder_new(c.byref(RecorderOptions(layers, heads, 1, grid * grid, None))))
    assert rec, lib.ostend_last_error()
    random = np.random.default_rng(3)
    for t, cell in enumerate(cells):
        for layer in range(layers):
            scores = random.normal(size=(heads, grid * grid + 1))
            scores[:, 1 + cell] += 4
            rows = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            # Element types and memory orders as they come.
            rows = rows.astype([np.float32, np.float64, np.float16][t % 3])
            rows = np.asfortranarray(rows) if layer else np.ascontiguousarray(rows)[:, ::-1].copy()[:, ::-1]
            tensor = view(rows)
            status = lib.ostend_recorder_add_rows(rec, layer, c.c_int64(t), c.byref(tensor))
            assert status == 0, lib.ostend_last_error()
    options = GroundOptions(300, 100, grid, grid, 0, None, None, 0)
    texts = (c.c_char_p * len(tokens))(*[t.encode() for t in tokens])
    found = c.c_void_p(lib.ostend_ground(rec, texts, c.c_size_t(len(tokens)), c.byref(options)))
    assert found, lib.ostend_last_error()
    assert lib.ostend_grounding_caption(found) == b"a red ball next to a tree"
    assert lib.ostend_grounding_count(found) == 2
    said = []
    for i, cell in ((0, 13), (1, 21)):
        phrase = Phrase()
        assert lib.ostend_grounding_phrase(found, c.c_size_t(i), c.byref(phrase)) == 0
        # Padded to a square of 300, cells of 50 pixels, the image from y = 100 on.
        row, column = divmod(cell, grid)
        assert column * 50 <= phrase.x < column * 50 + 50, (phrase.x, column)
        top = row * 50 - 100
        assert top <= phrase.y < top + 50, (phrase.y, row)
        said.append(f"{phrase.text.decode()} at ({phrase.x}, {phrase.y})")
    lib.ostend_grounding_free(found)
    lib.ostend_recorder_free(rec)
    print("; ".join(said))


main()
