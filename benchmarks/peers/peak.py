"""Peers of benchmarks/peak: a 24 x 24 map brought to the image, its highest pixel, its separated peaks."""
import numpy as np

from peer import case, serve

SIDES = 336, 1024, 2048


def maps(count, side=24):
    return np.random.default_rng(1).random((count, side, side), dtype=np.float32)


def enlarge(cv2, m, width, height):
    return cv2.resize(m, (width, height), interpolation=cv2.INTER_CUBIC)


def opencv_cases(side, count):
    @case(f"bicubic.24to{side}.B{count}", "opencv")
    def _():
        import cv2
        ms = maps(count)
        return lambda: [enlarge(cv2, m, side, side) for m in ms]

    for threads in (1, 2) if count > 1 else (1,):
        @case(f"bicubic+argmax.24to{side}.B{count}", "opencv", threads)
        def _():
            import cv2
            ms = maps(count)
            return lambda: [cv2.minMaxLoc(enlarge(cv2, m, side, side))[3] for m in ms]


def torch_cases(side, count):
    def enlarged(torch, ms):
        return torch.nn.functional.interpolate(ms, size=(side, side), mode="bicubic")

    @case(f"bicubic.24to{side}.B{count}", "torch")
    def _():
        import torch
        ms = torch.from_numpy(maps(count))[:, None]
        return lambda: enlarged(torch, ms)

    @case(f"bicubic+argmax.24to{side}.B{count}", "torch")
    def _():
        import torch
        ms = torch.from_numpy(maps(count))[:, None]
        return lambda: enlarged(torch, ms).flatten(1).argmax(1)


for side in SIDES:
    for count in (1, 32):
        opencv_cases(side, count)
        torch_cases(side, count)


@case("bicubic+crop+argmax.24to480x640.pad.B8", "torch")
def _():
    import torch
    ms = torch.from_numpy(maps(8))[:, None]

    def call():
        square = torch.nn.functional.interpolate(ms, size=(640, 640), mode="bicubic")
        return square[:, :, 80:560].flatten(1).argmax(1)

    return call


@case("bicubic+crop+argmax.24to480x640.pad.B8", "opencv")
def _():
    import cv2
    ms = maps(8)
    return lambda: [cv2.minMaxLoc(enlarge(cv2, m, 640, 640)[80:560])[3] for m in ms]


def separated(cv2, m, side, count=5, cells=3.0):
    """Local maxima by dilation, the highest first, none nearer to a higher one than so many cells."""
    image = enlarge(cv2, m, side, side)
    ys, xs = np.nonzero(image == cv2.dilate(image, np.ones((3, 3), np.uint8)))
    order = np.argsort(-image[ys, xs], kind="stable")
    taken = []
    for y, x in zip(ys[order], xs[order]):
        if all(np.hypot(y - v, x - u) * 24 / side >= cells for v, u in taken):
            taken.append((y, x))
            if len(taken) == count:
                break
    return taken


def peaks_cases(side):
    @case(f"peaks5.24to{side}.noise.B1", "opencv+numpy")
    def _():
        import cv2
        m = maps(1)[0]
        return lambda: separated(cv2, m, side)

    @case(f"peaks5.24to{side}.blob.B1", "opencv+numpy")
    def _():
        import cv2
        y, x = np.mgrid[:24, :24]
        blob = np.exp(-((x - 14.2) ** 2 + (y - 9.3) ** 2) / 20) + 0.05 * maps(1)[0]
        return lambda: separated(cv2, blob.astype(np.float32), side)


for side in SIDES:
    peaks_cases(side)


@case("peaks5.24to2048.noise.B32", "opencv+numpy")
def _():
    import cv2
    ms = maps(32)
    return lambda: [separated(cv2, m, 2048) for m in ms]

serve()
