#!/usr/bin/env python3
"""Dumps of attention: read_dump.py and write_dump.py against files that C++ wrote, and ostend_ground --dump.
Usage: dump_test.py FOLDER_OF_PROGRAMS

tests/data/dump/python.safetensors, which tests/tools/dump_test.cpp reads, is what write_python() writes.
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

from programs import MODEL, ROOT, SCENES, files_in, run

sys.path.insert(0, str(ROOT / "tools/dump"))
sys.dont_write_bytecode = True
import read_dump  # noqa: E402
import write_dump  # noqa: E402

QUERIES = ROOT / "examples/data/broccoli_queries.safetensors"
ROWS = ROOT / "examples/data/broccoli_rows.safetensors"


def write_python(path):
    """An image of 4 x 3 pixels over 2 x 3 cells; three tokens, 2 layers, 1 head."""
    image = np.arange(36).reshape(3, 4, 3)
    rows = np.arange(36, dtype=np.float32).reshape(3, 2, 1, 6) / 256
    tensors = write_dump.stretched(image, [b"a", "ü".encode(), b" b"], rows, (2, 3))
    write_dump.write(path, tensors, "größer, in Python")


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ostend-dump-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "x.safetensors"


class NumPy(InFolder):
    def test_written_again_the_bytes_are_those_of_cpp(self):
        for file in (QUERIES, ROWS):
            dump = read_dump.read(file)
            write_dump.write(self.path, dump.tensors, dump.metadata["made_with"])
            self.assertEqual(self.path.read_bytes(), file.read_bytes())

    def test_the_file_that_cpp_reads_is_what_python_writes(self):
        write_python(self.path)
        self.assertEqual(self.path.read_bytes(), (ROOT / "tests/data/dump/python.safetensors").read_bytes())
        dump = read_dump.read(self.path)
        self.assertEqual(dump.text, "aü b")
        np.testing.assert_array_equal(dump.cells(dump.maps()[0]) * 256, [[3, 4, 5], [6, 7, 8]])
        np.testing.assert_array_equal(dump.image[2, 3], [33, 34, 35])

    def test_queries_and_rows_of_one_generation_agree(self):
        queries, rows = read_dump.read(QUERIES), read_dump.read(ROWS)
        self.assertEqual(queries.tokens, rows.tokens)
        self.assertEqual(queries.text, "this image shows a broccoli near a bunch of grapes.")
        self.assertEqual(queries.rows().shape, (16, 4, 6, 144))
        np.testing.assert_allclose(queries.rows(), rows.rows(), rtol=2e-5, atol=1e-7)

    def test_scale_and_soft_cap(self):
        dump = read_dump.read(QUERIES)
        tensors = dict(dump.tensors)
        tensors["q"] = tensors["q"] * 2
        tensors["score"] = np.array([0.5 * 32**-0.5, 0], "<f4")
        np.testing.assert_allclose(read_dump.Dump(tensors, dump.metadata).rows(), dump.rows(), rtol=1e-5)
        tensors["score"] = np.array([0.5 * 32**-0.5, 1e4], "<f4")  # a cap far above every score
        np.testing.assert_allclose(read_dump.Dump(tensors, dump.metadata).rows(), dump.rows(), rtol=1e-3, atol=1e-6)
        tensors["score"] = np.array([0.5 * 32**-0.5, 1e-4], "<f4")  # one that makes all scores equal
        visible = dump.visible[:, None, None, None]
        np.testing.assert_allclose(read_dump.Dump(tensors, dump.metadata).rows(),
                                   np.broadcast_to(1 / visible, (16, 4, 6, 144)), rtol=1e-3)

    def test_bf16_is_the_upper_half_of_f32(self):
        upper = (read_dump.read(QUERIES).q.view("<u4") >> 16).astype("<u2")
        header = {"q": {"dtype": "BF16", "shape": upper.shape, "data_offsets": [0, upper.nbytes]}}
        text = json.dumps(header).encode()
        self.path.write_bytes(len(text).to_bytes(8, "little") + text + upper.tobytes())
        np.testing.assert_allclose(read_dump.read_tensors(self.path)[0]["q"], read_dump.read(QUERIES).q, rtol=2**-7)

    def test_what_is_no_dump_is_a_value_error_that_names_the_file(self):
        whole = QUERIES.read_bytes()
        cases = {b"": "not a safetensors file", whole[:1000]: "", whole[:-1]: "", b"\0" * 100: "",
                 whole.replace(b'"ostend.dump"', b'"else.dump"  '): "not an ostend.dump",
                 whole.replace(b'"image":', b'"imaga":'): "image: missing",
                 whole.replace(b'"rows"', b'"rowz"').replace(b'"q":', b'"p":'): "either rows or q and k"}
        for data, sentence in cases.items():
            self.path.write_bytes(data)
            with self.assertRaisesRegex(ValueError, f"x.safetensors: .*{sentence}"):
                read_dump.read(self.path)

    def test_the_summary_tells_text_sizes_and_tokens(self):
        script = [sys.executable, str(ROOT / "tools/dump/read_dump.py")]
        done = subprocess.run([*script, QUERIES], capture_output=True, text=True, check=True)
        for line in ("image      216 x 144; 144 image tokens, cells of each view: 12 x 12",
                     "attention  q and k of 162 keys; 16 tokens, 4 layers, 6 heads", "' grapes'"):
            self.assertIn(line, done.stdout)
        missing = subprocess.run([*script, self.path], capture_output=True, text=True, check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("x.safetensors", missing.stderr)


class Program(InFolder):
    def ground(self, *arguments):
        return run("ostend_ground", "--model", MODEL, "--image", SCENES / "scene_0030.png", "--out",
                   self.folder / "out", *arguments)

    def test_the_checked_in_dumps_are_what_the_program_writes(self):
        for file, content in ((QUERIES, "queries"), (ROWS, "rows")):
            done = self.ground("--dump", self.path, "--dump-content", content)
            self.assertEqual(done.returncode, 0, done.stderr)
            now, then = read_dump.read(self.path), read_dump.read(file)
            self.assertEqual(now.tokens, then.tokens)
            self.assertEqual(now.tensors.keys(), then.tensors.keys())
            for name, tensor in then.tensors.items():
                np.testing.assert_allclose(now.tensors[name], tensor, rtol=1e-3, atol=1e-4, err_msg=name)

    def test_a_dump_holds_every_head_whatever_the_preset_uses(self):
        done = self.ground("--dump", self.path, "--dump-content", "rows", "--preset", "groundlmm_de8b74d")
        self.assertEqual(done.returncode, 0, done.stderr)
        np.testing.assert_allclose(read_dump.read(self.path).rows(), read_dump.read(ROWS).rows(), atol=1e-4)

    def test_a_dump_that_cannot_be_written_is_said_first_and_nothing_is_written(self):
        self.path.write_text("a file", encoding="utf-8")
        for place in (self.path / "inside", ""):
            done = self.ground("--dump", place)
            self.assertEqual(done.returncode, 1, done)
            self.assertEqual(files_in(self.folder), ["x.safetensors"])
        self.assertEqual(self.ground("--dump", self.path, "--dump-content", "all").returncode // 100, 1)


if __name__ == "__main__":
    unittest.main()
