"""Peers of benchmarks/host: image pyramids by OpenCV, minimum cuts by SciPy, and OpenCV's GrabCut, which is another
method than graph_cut's: it is given the object's box and cuts the whole image, once."""
import numpy as np

from peer import case, serve

SIZES = (640, 480), (1024, 768)


def picture(width, height):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:height, :width]
    inside = ((x + 0.5) / width - 0.5) ** 2 + ((y + 0.5) / height - 0.5) ** 2 < 0.0625
    colours = np.where(inside[..., None], (190, 80, 60), (80, 120, 140))
    return (colours + rng.integers(-20, 21, colours.shape)).astype(np.uint8)


def sharpness(np_level):
    """Of squared differences of neighbours; one number a level."""
    right, down = (np_level[:, 1:] - np_level[:, :-1]), (np_level[1:] - np_level[:-1])
    total = np.vdot(right, right) + np.vdot(down, down)
    return (right.size + down.size) / 3 / (2 * total) if total > 0 else 0.0


def likeness(level, sharp):
    alike = np.zeros((4, *level.shape[:2]), np.float32)
    for k, (here, later) in enumerate(((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]),
                                       (np.s_[:-1, :-1], np.s_[1:, 1:]), (np.s_[:-1, 1:], np.s_[1:, :-1]))):
        difference = level[here] - level[later]
        alike[k][here] = np.exp(-sharp * np.einsum("...c,...c", difference, difference))
    return alike


def pyramid(cv2, image):
    levels = [image.astype(np.float32)]
    while max(levels[-1].shape) > 96:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    contrasts = [sharpness(level) for level in levels]
    return levels, contrasts, likeness(levels[-1], contrasts[-1])


for width, height in SIZES:

    @case(f"pyramid.{width}x{height}to96", "opencv, numpy")
    def _(width=width, height=height):
        import cv2
        image = picture(width, height)
        return lambda: pyramid(cv2, image)

    @case(f"segment.point.{width}x{height}", "opencv grabCut (another method)")
    def _(width=width, height=height):
        import cv2
        image = picture(width, height)
        box = width // 5, height // 5, 3 * width // 5, 3 * height // 5

        def run():
            mask = np.zeros((height, width), np.uint8)
            cv2.grabCut(image, mask, box, np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_RECT)
            return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).mean()
        return run


def below(n, i, k):
    """A number below n for the k-th draw about pixel i, as benchmarks/host/max_flow_bench.cpp has it."""
    h = (8 * i.astype(np.uint64) + np.uint64(k + 1)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((h ^ (h >> np.uint64(31))) % np.uint64(n)).astype(np.int32)


def grid_graph(width, height):
    """Capacities as a matrix, the source and the sink behind the pixels."""
    from scipy.sparse import coo_matrix

    y, x = np.mgrid[:height, :width]
    i = y * width + x
    inside = 4 * ((2 * x - width) ** 2 + (2 * y - height) ** 2) < height ** 2
    n = width * height
    from_, to, capacity = [np.full(n, n), i.ravel()], [i.ravel(), np.full(n, n + 1)], [
        (below(1000, i, 0) + 300 * inside).ravel(), (below(1000, i, 1) + 300 * ~inside).ravel()]
    steps = (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]), (np.s_[:-1, :-1], np.s_[1:, 1:]), (
        np.s_[:-1, 1:], np.s_[1:, :-1])
    for d, (here, there) in enumerate(steps):
        both = (20 + below(200, i, 2 + d))[here].ravel()
        from_ += [i[here].ravel(), i[there].ravel()]
        to += [i[there].ravel(), i[here].ravel()]
        capacity += [both, both]
    ends = np.concatenate(from_), np.concatenate(to)
    return coo_matrix((np.concatenate(capacity).astype(np.int32), ends), (n + 2, n + 2)).tocsr()


for width, height in ((96, 72), (320, 240)):

    @case(f"mincut.grid8.{width}x{height}", "scipy maximum_flow (Dinic)")
    def _(width=width, height=height):
        from scipy.sparse.csgraph import maximum_flow
        graph = grid_graph(width, height)
        n = width * height
        return lambda: maximum_flow(graph, n, n + 1, method="dinic").flow_value


if __name__ == "__main__":
    serve()
