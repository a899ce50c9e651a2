// What reports are drawn of, the same in benchmarks/peers/report.py: an image, a mask, a map.
#pragma once

#include "ostend/mask/bitmap.hpp"
#include "ostend/report/picture.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>

namespace ostend_bench {

using ostend::index;

/// Height, width, 3 channels; no two neighbours are alike.
inline ostend::picture image(index height, index width) {
    ostend::picture out(height, width, 3);
    for (std::size_t i = 0; i < out.bytes.size(); ++i) {
        out.bytes[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13U);
    }
    return out;
}
inline ostend::image_view view(const ostend::picture& p) { return {p.bytes.data(), {p.height, p.width, 3}}; }

/// How far a pixel lies from the middle, in half sides.
inline double distance(index y, index x, index height, index width) {
    const double dy = (2.0 * static_cast<double>(y) + 1) / static_cast<double>(height) - 1;
    const double dx = (2.0 * static_cast<double>(x) + 1) / static_cast<double>(width) - 1;
    return std::sqrt(dx * dx + dy * dy);
}
/// Rings: outlines outside and around holes.
inline ostend::bitmap rings(index height, index width) {
    ostend::bitmap out(height, width);
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            const double d = distance(y, x, height, width);
            out(y, x) = d < 0.2 || (d > 0.4 && d < 0.7) ? 1 : 0;
        }
    }
    return out;
}
/// A hill.
inline ostend::matrix<float> hill(index height, index width) {
    ostend::matrix<float> out(height, width);
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            const double d = distance(y, x, height, width);
            out(y, x) = static_cast<float>(std::exp(-4 * d * d));
        }
    }
    return out;
}

} // namespace ostend_bench
