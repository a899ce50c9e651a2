"""What the tests of the programs share: running them, PNG files, masks as COCO writes them."""
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "tiny-llava"
WORD_MODEL = ROOT / "models" / "tiny-llava-clip"
SEGMENTER = ROOT / "models" / "tiny-sam"
SCENES = ROOT / "tests" / "data" / "scenes"
GOLDEN = ROOT / "tests" / "data" / "golden"
PRESETS = ("ostend", "paper", "groundlmm_de8b74d", "groundlmm_b77f889")

if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
    sys.exit(f"usage: {sys.argv[0]} FOLDER_OF_PROGRAMS [unittest arguments]")
BIN = Path(sys.argv.pop(1)).resolve()


def run(program, *arguments, cwd=None):
    """The finished process; its output as text."""
    return subprocess.run([str(BIN / program), *map(str, arguments)], cwd=cwd, text=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="strict", check=False)


def files_in(folder):
    """Everything below a folder, folders included, as relative paths."""
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, folders, files in os.walk(folder) for name in folders + files)


def write_png(path, pixels):
    pixels = np.asarray(pixels, np.uint8)
    height, width, _ = pixels.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" +
                           chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read_png(path):
    """Pixels [height, width, channels] of an 8-bit PNG that is not interlaced."""
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body), path
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and not interlaced, path
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    raw, step = zlib.decompress(packed), channels
    line_bytes = width * channels
    out, above = bytearray(), bytes(line_bytes)
    for y in range(height):
        kind = raw[y * (line_bytes + 1)]
        row = bytearray(raw[y * (line_bytes + 1) + 1:(y + 1) * (line_bytes + 1)])
        for x in range(line_bytes if kind else 0):
            left = row[x - step] if x >= step else 0
            up, corner = above[x], above[x - step] if x >= step else 0
            if kind == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0), (abs(guess - up), 1), (abs(guess - corner), 2))[1]
                predicted = (left, up, corner)[near]
            else:
                predicted = (0, left, up, (left + up) // 2)[kind]
            row[x] = (row[x] + predicted) & 255
        out += row
        above = row
    return np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)


def counts_of(mask):
    """Uncompressed run lengths down the columns, outside first."""
    counts, value, run_length = [], 0, 0
    for pixel in np.asarray(mask).flatten(order="F"):
        if bool(pixel) != bool(value):
            counts.append(run_length)
            value, run_length = pixel, 0
        run_length += 1
    return counts + [run_length]


def coco_string(mask):
    """COCO's compressed run lengths: each count less the one two before it, in signed digits of five bits."""
    counts, text = counts_of(mask), ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        while True:
            digit, value = value & 31, value >> 5
            more = value != (-1 if digit & 16 else 0)
            text += chr(48 + digit + (32 if more else 0))
            if not more:
                break
    return text


def mask_json(mask):
    return {"size": list(np.asarray(mask).shape), "counts": coco_string(mask)}


def decode_mask(value):
    """The dense mask of {"size", "counts"}."""
    height, width = value["size"]
    counts, at, text = [], 0, value["counts"]
    while at < len(text):
        number, shift, more = 0, 0, True
        while more:
            digit = ord(text[at]) - 48
            number |= (digit & 31) << shift
            shift, more, at = shift + 5, bool(digit & 32), at + 1
            if not more and digit & 16:
                number -= 1 << shift
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    flat = np.concatenate([np.full(c, i % 2, np.uint8) for i, c in enumerate(counts)])
    assert len(flat) == height * width
    return flat.reshape((height, width), order="F")
