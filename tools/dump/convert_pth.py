#!/usr/bin/env python3
"""Converts the attention that groundLMM saves (aas/infer_attn.py: one IMAGE.pth an image, torch.save of `answer`,
`sequences` and `attentions` [tokens, rows, columns], averaged over layers and heads) into dumps (docs/dump.md).

  convert_pth.py attn/*.pth --images val2017 --tokenizer vicuna-7b-v1.5 --out dumps

The tokenizer is a folder, or the file itself: tokenizer.model (SentencePiece) or tokenizer.json. Row t is of the query
that predicts token t, as infer_attn.py saves it step by step. Needs the Python packages torch and numpy, and Pillow or
OpenCV to read images; a pickle that holds anything but tensors and plain values is refused."""

import argparse
import json
import pathlib
import re
import sys

import numpy as np

import write_dump

IMAGE_TYPES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".JPG", ".JPEG", ".PNG")


class Refused(Exception):
    """A sentence that names the file and what is wrong with it."""


# ---- tokens --------------------------------------------------------------------------------------------------------


def byte_of(piece):
    """The byte that a piece such as <0xE2> stands for."""
    found = re.fullmatch(r"<0x([0-9A-F]{2})>", piece)
    return bytes([int(found[1], 16)]) if found else None


def sentencepiece_pieces(data):
    """(piece, type) of each entry of a SentencePiece model: field 1 of the message, repeated; in it the text is
    field 1 and the type field 3."""

    def fields(message):
        at = 0

        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = message[at]
                at += 1
                value |= (byte & 0x7F) << shift
                if byte < 0x80:
                    return value
                shift += 7

        while at < len(message):
            key = varint()
            if key & 7 == 0:
                yield key >> 3, varint()
                continue
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            if key & 7 not in (1, 2, 5) or at + size > len(message):
                raise IndexError("a field that goes beyond the file")
            yield key >> 3, message[at:at + size]
            at += size

    for number, entry in fields(data):
        if number == 1:
            piece = dict(fields(entry))
            yield piece[1].decode(), piece.get(3, 1)


class Vocabulary:
    """The bytes that each token writes."""

    def __init__(self, path):
        path = pathlib.Path(path)
        if path.is_dir():
            found = [path / name for name in ("tokenizer.json", "tokenizer.model") if (path / name).is_file()]
            if not found:
                raise Refused(f"{path}: there is neither tokenizer.json nor tokenizer.model")
            path = found[0]
        self.path, self.pieces, self.strips = path, {}, True
        try:
            (self.read_model if path.suffix == ".model" else self.read_json)(path.read_bytes())
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as wrong:
            raise Refused(f"{path}: this is not a tokenizer: {wrong!r}") from wrong

    def read_model(self, data):
        for token, (piece, kind) in enumerate(sentencepiece_pieces(data)):
            hidden = kind in (2, 3)  # unknown, control
            self.pieces[token] = b"" if hidden else byte_of(piece) or piece.replace("\u2581", " ").encode(), hidden

    def read_json(self, data):
        tokenizer = json.loads(data)
        decoder = json.dumps(tokenizer.get("decoder") or {})
        self.strips = '"Strip"' in decoder or '"Metaspace"' in decoder
        letters = None
        if '"ByteLevel"' in decoder:  # each byte is written as a printable letter
            shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
            others = [b for b in range(256) if b not in shown]
            letters = {chr(b): b for b in shown} | {chr(256 + i): b for i, b in enumerate(others)}
        for piece, token in tokenizer["model"]["vocab"].items():
            if letters:
                text = bytes(letters[c] for c in piece) if all(c in letters for c in piece) else piece.encode()
            else:
                text = byte_of(piece) or piece.replace("\u2581", " ").encode()
            self.pieces[token] = text, False
        for token in tokenizer.get("added_tokens", []):
            self.pieces[token["id"]] = b"" if token["special"] else token["content"].encode(), token["special"]

    def texts(self, tokens):
        """[bytes], [whether it is special] of a sequence. The space before the first word is not written."""
        unknown = [t for t in tokens if t not in self.pieces]
        if unknown:
            raise Refused(f"{self.path}: there is no token {unknown[0]}")
        texts, special = map(list, zip(*(self.pieces[t] for t in tokens)))
        first = special.index(False) if False in special else None
        if self.strips and first is not None and texts[first].startswith(b" "):
            texts[first] = texts[first][1:]
        return texts, special


# ---- images --------------------------------------------------------------------------------------------------------


def read_image(path):
    """[height, width, 3] bytes."""
    try:
        from PIL import Image

        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except ImportError:
        pass
    except OSError as wrong:
        raise Refused(f"{path}: {wrong}") from wrong
    try:
        import cv2
    except ImportError:
        raise Refused("Pillow or OpenCV is needed to read images") from None
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise Refused(f"{path}: this is not an image that OpenCV reads")
    return np.ascontiguousarray(image[:, :, ::-1])


def image_of(pth, images):
    if images.is_file():
        return images
    found = [images / (pth.stem + suffix) for suffix in IMAGE_TYPES if (images / (pth.stem + suffix)).is_file()]
    if not found:
        raise Refused(f"{images}: there is no image {pth.stem} ({', '.join(IMAGE_TYPES[:5])})")
    return found[0]


# ---- the dump ------------------------------------------------------------------------------------------------------


def load(path):
    try:
        import torch
    except ImportError:
        raise Refused("the Python package torch is needed to read .pth files") from None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as wrong:  # torch and pickle raise of many kinds
        raise Refused(f"{path}: {str(wrong).splitlines()[0]}") from wrong
    if not isinstance(saved, dict):
        raise Refused(f"{path}: a {type(saved).__name__} where a dictionary is wanted")
    for name, kind in (("answer", str), ("sequences", torch.Tensor), ("attentions", torch.Tensor)):
        if not isinstance(saved.get(name), kind):
            raise Refused(f"{path}: {name}: missing, or not a {kind.__name__}")
    return saved["answer"], saved["sequences"].flatten().tolist(), saved["attentions"].float().numpy()


def tensors_of(path, image, vocabulary, offset=1, aspect_ratio="pad"):
    """The tensors of the dump of one .pth."""
    answer, tokens, attention = load(path)
    tokens = tokens[offset:]
    if attention.ndim != 3 or 0 in attention.shape:
        raise Refused(f"{path}: attentions: shape {list(attention.shape)} where [tokens, rows, columns] is wanted")
    if len(tokens) != len(attention):
        raise Refused(f"{path}: attentions: {len(attention)} rows for {len(tokens)} tokens after the first {offset} of "
                      "sequences (--offset)")
    bad = np.flatnonzero(~np.isfinite(attention).all((1, 2)))
    if bad.size:
        raise Refused(f"{path}: attentions: a value of row {bad[0]} is not finite")
    texts, special = vocabulary.texts(tokens)
    written = b"".join(texts).decode(errors="replace")
    if "".join(written.split()) != "".join(answer.split()):
        raise Refused(f"{path}: answer: the tokens write {written[:60]!r} and the answer is {answer[:60]!r}: "
                      "another tokenizer?")
    grid = attention.shape[1:]
    tensors = write_dump.stretched(image, texts, attention.reshape(len(tokens), 1, 1, -1), grid)
    tensors["token_ids"] = np.array(tokens, "<i4")
    tensors["token_special"] = np.array(special, "u1")
    if aspect_ratio == "pad":  # in the middle of a square of the longer side, which the grid covers
        height, width = image.shape[:2]
        side = max(height, width)
        down, across = grid[0] / side, grid[1] / side
        tensors["views"][0, :4] = [across, (side - width) // 2 * across, down, (side - height) // 2 * down]
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pth", nargs="+", type=pathlib.Path, help="files of infer_attn.py")
    parser.add_argument("--images", required=True, type=pathlib.Path, help="folder with the images, or the one image")
    parser.add_argument("--tokenizer", required=True, type=pathlib.Path, help="folder or file of the model's tokenizer")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for IMAGE.safetensors")
    parser.add_argument("--offset", type=int, default=1, help="tokens before the first generated one (default: 1, BOS)")
    parser.add_argument("--aspect-ratio", choices=("pad", "original"), default="pad",
                        help="how the model saw the image: padded to a square, or stretched (default: pad)")
    parser.add_argument("--made-with", default="groundLMM infer_attn.py", help="said in the dump")
    options = parser.parse_args()
    try:
        if options.offset < 0:
            raise Refused("--offset is negative")
        vocabulary = Vocabulary(options.tokenizer)
        options.out.mkdir(parents=True, exist_ok=True)
        for done, path in enumerate(options.pth, 1):
            image = read_image(image_of(path, options.images))
            tensors = tensors_of(path, image, vocabulary, options.offset, options.aspect_ratio)
            out = options.out / (path.stem + ".safetensors")
            beside = out.with_name(out.name + ".part")
            write_dump.write(beside, tensors, options.made_with)
            beside.replace(out)
            print(f"{done} of {len(options.pth)}: {out}", file=sys.stderr)
    except (Refused, OSError) as wrong:
        sys.exit(f"convert_pth: {wrong}")


if __name__ == "__main__":
    main()
