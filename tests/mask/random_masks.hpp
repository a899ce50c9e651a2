// Random masks and dense oracles for the tests of masks and metrics.
#pragma once

#include "ostend/mask/bitmap.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

namespace ostend_test {

/// A mask of one of several kinds: noise of any density, blobs, stripes, empty, full.
inline ostend::bitmap random_mask(std::mt19937& random, ostend::index height, ostend::index width) {
    using ostend::index;
    ostend::bitmap out(height, width);
    const auto below = [&](index n) {
        return static_cast<index>(random() % static_cast<std::uint32_t>(std::max<index>(n, 1)));
    };
    const std::uint32_t kind = random() % 6;
    const std::uint32_t density = random() % 101;
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            bool inside = false;
            switch (kind) {
            case 0:
                inside = random() % 100 < density;
                break;
            case 1:
                inside = x % 3 == 0;
                break;
            case 2:
                inside = y % 2 == 1;
                break;
            case 3:
                inside = false;
                break;
            case 4:
                inside = true;
                break;
            default:
                break;
            }
            out(y, x) = inside ? 1 : 0;
        }
    }
    if (kind == 5) {
        for (int blob = 0; blob < 4; ++blob) {
            const index y0 = below(height);
            const index x0 = below(width);
            const index y1 = std::min(height, y0 + 1 + below(height));
            const index x1 = std::min(width, x0 + 1 + below(width));
            for (index y = y0; y < y1; ++y) {
                for (index x = x0; x < x1; ++x) {
                    out(y, x) ^= 1;
                }
            }
        }
    }
    return out;
}

/// A side: mostly small, now and then across the block sizes of the code.
inline ostend::index random_side(std::mt19937& random) {
    return static_cast<ostend::index>(random() % 4 == 0 ? 1 + random() % 150 : 1 + random() % 20);
}

} // namespace ostend_test
