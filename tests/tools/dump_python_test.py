#!/usr/bin/env python3
"""read_dump.py and write_dump.py against the dumps that C++ wrote, and one that C++ reads (dump_test.cpp).

  dump_python_test.py            run the tests
  dump_python_test.py --write    write tests/data/dump/python.safetensors anew
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/dump"))
import read_dump  # noqa: E402
import write_dump  # noqa: E402

QUERIES = ROOT / "examples/data/broccoli_queries.safetensors"
ROWS = ROOT / "examples/data/broccoli_rows.safetensors"
PYTHON = ROOT / "tests/data/dump/python.safetensors"


def write_python(path):
    """An image of 4 x 3 pixels over 2 x 3 cells; three tokens, 2 layers, 1 head."""
    image = np.arange(36).reshape(3, 4, 3)
    rows = np.arange(36, dtype=np.float32).reshape(3, 2, 1, 6) / 256
    tensors = write_dump.stretched(image, [b"a", "ü".encode(), b" b"], rows, (2, 3))
    write_dump.write(path, tensors, "größer, in Python")


class DumpTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name, "x.safetensors")

    def test_written_again_the_bytes_are_those_of_cpp(self):
        for file in (QUERIES, ROWS):
            dump = read_dump.read(file)
            write_dump.write(self.path, dump.tensors, dump.metadata["made_with"])
            self.assertEqual(self.path.read_bytes(), file.read_bytes())

    def test_the_file_that_cpp_reads_is_what_python_writes(self):
        write_python(self.path)
        self.assertEqual(self.path.read_bytes(), PYTHON.read_bytes())
        dump = read_dump.read(PYTHON)
        self.assertEqual(dump.text, "aü b")
        np.testing.assert_array_equal(dump.cells(dump.maps()[0]) * 256, [[3, 4, 5], [6, 7, 8]])
        np.testing.assert_array_equal(dump.image[2, 3], [33, 34, 35])

    def test_queries_and_rows_of_one_generation_agree(self):
        queries, rows = read_dump.read(QUERIES), read_dump.read(ROWS)
        self.assertEqual(queries.tokens, rows.tokens)
        self.assertEqual(queries.text, "this image shows a broccoli near a bunch of grapes.")
        self.assertEqual(queries.rows().shape, (16, 4, 6, 144))
        np.testing.assert_allclose(queries.rows(), rows.rows(), rtol=2e-5, atol=1e-7)

    def test_scale_soft_cap_and_bf16(self):
        dump = read_dump.read(QUERIES)
        tensors = dict(dump.tensors)
        tensors["q"] = tensors["q"] * 2
        tensors["score"] = np.array([0.5 * 32**-0.5, 0], "<f4")
        np.testing.assert_allclose(read_dump.Dump(tensors, dump.metadata).rows(), dump.rows(), rtol=1e-5)
        tensors["score"] = np.array([0.5 * 32**-0.5, 1e4], "<f4")
        np.testing.assert_allclose(read_dump.Dump(tensors, dump.metadata).rows(), dump.rows(), rtol=1e-3, atol=1e-6)
        upper = (dump.q.view("<u4") >> 16).astype("<u2")
        self.path.write_bytes(bf16_file(upper))
        tensors, _ = read_dump.read_tensors(self.path)
        np.testing.assert_allclose(tensors["q"], dump.q, rtol=2**-7)

    def test_what_is_no_dump_is_a_value_error_that_says_so(self):
        whole = QUERIES.read_bytes()
        cases = {b"": "not a safetensors file", whole[:1000]: "", whole[:-1]: "", b"\0" * 100: "",
                 whole.replace(b'"ostend.dump"', b'"else.dump"  '): "not an ostend.dump",
                 whole.replace(b'"image":', b'"gone":'): ""}
        for data, sentence in cases.items():
            self.path.write_bytes(data)
            with self.assertRaisesRegex(ValueError, f"x.safetensors: .*{sentence}"):
                read_dump.read(self.path)

    def test_the_summary_tells_text_sizes_and_tokens(self):
        script = ROOT / "tools/dump/read_dump.py"
        run = subprocess.run([sys.executable, script, QUERIES], capture_output=True, text=True, check=True)
        for line in ("image      216 x 144; 144 image tokens, cells of each view: 12 x 12",
                     "attention  q and k of 162 keys; 16 tokens, 4 layers, 6 heads", "' grapes'"):
            self.assertIn(line, run.stdout)
        missing = subprocess.run([sys.executable, script, self.path], capture_output=True, text=True, check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("x.safetensors", missing.stderr)


def bf16_file(values):
    """A safetensors file of one tensor q of BF16."""
    header = ('{"q":{"dtype":"BF16","shape":%s,"data_offsets":[0,%d]}}' % (list(values.shape), values.nbytes)).encode()
    return len(header).to_bytes(8, "little") + header + values.tobytes()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_python(PYTHON)
    else:
        unittest.main()
