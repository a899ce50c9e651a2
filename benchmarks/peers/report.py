"""Peers of benchmarks/report: layers and smaller images by OpenCV, Python's own base64 and str.replace. The heat goes
through a table of 256 colours here, ours computes each pixel's: the results differ by a few of 255 levels."""
import base64

import numpy as np

from peer import case, serve

COLOUR, FILL = (0, 114, 178), 110


def scattered(count):
    return (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) >> np.uint64(13)).astype(np.uint8)


def image(height, width):
    return scattered(3 * height * width).reshape(height, width, 3)


def distance(height, width):
    y, x = np.mgrid[:height, :width]
    return np.hypot((2 * y + 1) / height - 1, (2 * x + 1) / width - 1)


def rings(height, width):
    d = distance(height, width)
    return ((d < 0.2) | ((d > 0.4) & (d < 0.7))).astype(np.uint8)


def heat_tables():
    """Colours and opacities of ours, for 256 values."""
    stops = np.array([(16, 8, 40), (84, 15, 109), (170, 35, 94), (229, 92, 48), (251, 164, 32), (252, 248, 170)])
    t = np.linspace(0, 1, 256)
    colours = np.stack([np.interp(5 * t, np.arange(6), stops[:, c]) for c in range(3)], 1)
    opacity = np.rint(40 + 185 * t ** 2) / 255
    return np.rint(colours).astype(np.uint8)[:, None], opacity.astype(np.float32)


def with_mask(cv2, below, mask):
    out = below.copy()
    paint = np.empty_like(below)
    paint[:] = COLOUR
    cv2.copyTo(cv2.addWeighted(below, 1 - FILL / 255, paint, FILL / 255, 0), mask, out)
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(out, outlines, -1, COLOUR, 1)


def with_heat(cv2, below, values, colours, opacity):
    level = cv2.normalize(values, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    share = cv2.LUT(level, opacity)
    return cv2.blendLinear(cv2.applyColorMap(level, colours), below, share, 1 - share)


@case("overlay.mask.480x640", "opencv, pycocotools decode")
def _():
    import cv2
    import pycocotools.mask as coco
    below, mask = image(480, 640), coco.encode(np.asfortranarray(rings(480, 640)))
    return lambda: with_mask(cv2, below, np.ascontiguousarray(coco.decode(mask)))


@case("overlay.heat.480x640", "opencv, 256 colours")
def _():
    import cv2
    below, values = image(480, 640), np.exp(-4 * distance(480, 640) ** 2).astype(np.float32)
    tables = heat_tables()
    return lambda: with_heat(cv2, below, values, *tables)


@case("shrink.1080x1440to540x720", "opencv")
def _():
    import cv2
    large = image(1080, 1440)
    return lambda: cv2.resize(large, (720, 540), interpolation=cv2.INTER_AREA)


@case("base64.1M", "Python")
def _():
    data = scattered(1048576).tobytes()
    return lambda: base64.b64encode(data).decode()


@case("html_escape.64K", "Python")
def _():
    sentence = "A \"fire engine\" & two dogs (1 < 2) walk past the café, it's late. "
    text = (sentence * -(-65536 // len(sentence.encode()))).encode()

    def run():
        out = text.decode("utf-8", "replace").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return out.replace('"', "&quot;").replace("'", "&#39;").encode()
    return run


if __name__ == "__main__":
    serve()
