"""What the peers of benchmarks/metrics draw: ellipses of 480 x 640 out of a generator that ours have too
(benchmarks/metrics/cases.hpp), so that both sides evaluate the same masks."""
import math

import numpy as np

HEIGHT, WIDTH = 480, 640


class Generator:
    """Knuth's linear congruential generator, as ours has it."""

    state = 1

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % n

    def anywhere(self):
        return self.below(WIDTH), self.below(HEIGHT), 8 + self.below(100), 8 + self.below(80)

    def moved(self, ellipse):
        x, y, rx, ry = ellipse
        x += self.below(13) - 6
        return x, y + self.below(13) - 6, rx, ry


def draw(ellipse=None):
    """pycocotools' run lengths; without an ellipse those of the empty mask."""
    import pycocotools.mask as coco

    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    if ellipse:
        x, y, rx, ry = ellipse
        for column in range(max(0, x - rx), min(WIDTH - 1, x + rx) + 1):
            half = math.isqrt(ry * ry * (rx * rx - (column - x) ** 2) // (rx * rx))
            mask[max(0, y - half):max(0, y + half + 1), column] = 1
    return coco.encode(mask)
