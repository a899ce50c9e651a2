"""Peers of benchmarks/phrase: token spans as groundLMM finds them (every prefix decoded anew) and by Python's decoder,
phrases' maps in NumPy, UTF-8 by Python's own decoder."""
import codecs

import numpy as np

from peer import case, serve

SENTENCE = "A man in a red shirt walks two brown dogs past a café – 🐕. ".encode()


def long_text(size):
    return SENTENCE * -(-size // len(SENTENCE))


def tokens(count):
    text, pieces, at = long_text(7 * count), [], 0
    for k in range(count):
        size = 1 + k * 7919 % 6
        pieces.append(text[at:at + size])
        at += size
    return pieces


def spans_by_prefixes(pieces):
    lengths = [0] + [len(b"".join(pieces[:i + 1]).decode("utf-8", "replace")) for i in range(len(pieces))]
    return list(zip(lengths[:-1], lengths[1:]))


def spans_by_decoder(pieces):
    """A character that lacks bytes counts as one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    whole, before, spans = 0, 0, []
    for piece in pieces:
        whole += len(decoder.decode(piece))
        after = whole + bool(decoder.getstate()[0])
        spans.append((before, after))
        before = after
    return spans


for count in (64, 512):
    for impl, spans in (("prefixes, Python", spans_by_prefixes), ("incremental decoder, Python", spans_by_decoder)):

        @case(f"token_spans.{count}", impl)
        def _(count=count, spans=spans):
            pieces = tokens(count)
            return lambda: spans(pieces)


def phrase_maps(maps, spans, phrases, reduce):
    out = np.empty((len(phrases), maps.shape[1]), np.float32)
    for row, (begin, end) in zip(out, phrases):
        row[:] = reduce(maps[(spans[:, 0] < end) & (spans[:, 1] > begin)])
    if not np.isfinite(out).all():
        raise ValueError("a map is not finite")
    return out


for name, reduce in (("mean", lambda rows: rows.mean(0, dtype=np.float64)), ("max", lambda rows: rows.max(0))):

    @case(f"phrase_maps.T256.24x24.P12.{name}", "numpy")
    def _(reduce=reduce):
        maps = np.random.default_rng(1).random((256, 576), dtype=np.float32)
        spans = np.array([(4 * t, 4 * t + 4) for t in range(256)])
        phrases = [(80 * p, 80 * p + 24) for p in range(12)]
        return lambda: phrase_maps(maps, spans, phrases, reduce)


@case("utf8.decode.64K", "Python")
def _():
    text = long_text(65536)
    return lambda: text.decode("utf-8", "replace")


@case("utf8.count.64K", "Python")
def _():
    text = long_text(65536)
    return lambda: len(text.decode("utf-8", "replace"))


@case("utf8.replace.64K", "Python")
def _():
    text = long_text(65536)
    return lambda: text.decode("utf-8", "replace").encode()


if __name__ == "__main__":
    serve()
