// Layers over an image: a map as heat, a mask with its outline, a peak as a ring; and all of them composed.
//
// Layers are RGBA so that a page can switch them; compose() flattens them for files.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/report/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ostend::inline OSTEND_KERNELS {

/// The image as a picture whose longer side is at most max_side, averaged over the covered pixels.
/// Complexity O(image area).
[[nodiscard]] inline picture shrink(const image_view& image, index max_side) {
    const index height = image.extent(0);
    const index width = image.extent(1);
    OSTEND_EXPECTS(height > 0 && width > 0 && max_side > 0, "shrink: an empty image");
    const index longest = std::max(height, width);
    const index rows = longest <= max_side ? height : std::max<index>(1, height * max_side / longest);
    const index columns = longest <= max_side ? width : std::max<index>(1, width * max_side / longest);
    picture out(rows, columns, 3);
    for (index r = 0; r < rows; ++r) {
        const index y0 = r * height / rows;
        const index y1 = std::max(y0 + 1, (r + 1) * height / rows);
        for (index c = 0; c < columns; ++c) {
            const index x0 = c * width / columns;
            const index x1 = std::max(x0 + 1, (c + 1) * width / columns);
            for (int k = 0; k < 3; ++k) {
                index sum = 0;
                for (index y = y0; y < y1; ++y) {
                    for (index x = x0; x < x1; ++x) {
                        sum += image.load(y, x, k);
                    }
                }
                out.at(r, c)[k] = static_cast<std::uint8_t>(sum / ((y1 - y0) * (x1 - x0)));
            }
        }
    }
    return out;
}

/// A map of values [rows, columns] as heat, opaque where it is high: RGBA of the map's size.
/// A constant map is transparent. Values must be finite.
[[nodiscard]] inline picture heat_layer(const matrix<float>& map) {
    picture out(map.rows(), map.columns(), 4);
    if (map.empty()) {
        return out;
    }
    const auto [low, high] = std::minmax_element(map.values().begin(), map.values().end());
    const float range = *high - *low;
    if (!(range > 0)) {
        return out;
    }
    for (index y = 0; y < map.rows(); ++y) {
        for (index x = 0; x < map.columns(); ++x) {
            const float t = (map(y, x) - *low) / range;
            const rgb c = heat_colour(t);
            std::uint8_t* p = out.at(y, x);
            p[0] = c.r;
            p[1] = c.g;
            p[2] = c.b;
            p[3] = static_cast<std::uint8_t>(std::lround(40.0F + 190.0F * t));
        }
    }
    return out;
}

/// A mask filled with a colour and outlined two pixels wide: RGBA of rows x columns (the mask's size or
/// less).
[[nodiscard]] inline picture mask_layer(const rle& mask, rgb colour, index rows, index columns) {
    picture out(rows, columns, 4);
    const bitmap dense = decode(mask);
    const auto inside = [&](index r, index c) {
        if (r < 0 || c < 0 || r >= rows || c >= columns) {
            return false;
        }
        const index y = (2 * r + 1) * dense.height / (2 * rows);
        const index x = (2 * c + 1) * dense.width / (2 * columns);
        return dense(y, x) != 0;
    };
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            if (!inside(r, c)) {
                continue;
            }
            const bool edge =
                !inside(r - 1, c) || !inside(r + 1, c) || !inside(r, c - 1) || !inside(r, c + 1);
            std::uint8_t* p = out.at(r, c);
            p[0] = colour.r;
            p[1] = colour.g;
            p[2] = colour.b;
            p[3] = edge ? 255 : 120;
        }
    }
    return out;
}

/// Lays an RGBA layer of the same size over an RGB picture.
inline void compose(picture& below, const picture& layer) {
    OSTEND_EXPECTS(below.height == layer.height && below.width == layer.width && below.channels == 3 &&
                       layer.channels == 4,
                   "compose: an RGBA layer goes over an RGB picture of the same size");
    for (index y = 0; y < below.height; ++y) {
        for (index x = 0; x < below.width; ++x) {
            const std::uint8_t* from = layer.at(y, x);
            std::uint8_t* to = below.at(y, x);
            for (int c = 0; c < 3; ++c) {
                to[c] = static_cast<std::uint8_t>((from[c] * from[3] + to[c] * (255 - from[3]) + 127) / 255);
            }
        }
    }
}

/// A ring around a point (in the picture's pixels): white with a dark rim, seen on any ground.
inline void draw_peak(picture& on, double x, double y) {
    const double radius = std::max(3.0, static_cast<double>(std::max(on.height, on.width)) / 36.0);
    const auto reach = static_cast<index>(radius + 3);
    const auto cx = static_cast<index>(x);
    const auto cy = static_cast<index>(y);
    for (index py = std::max<index>(0, cy - reach); py < std::min(on.height, cy + reach + 1); ++py) {
        for (index px = std::max<index>(0, cx - reach); px < std::min(on.width, cx + reach + 1); ++px) {
            const double distance =
                std::hypot(static_cast<double>(px) + 0.5 - x, static_cast<double>(py) + 0.5 - y);
            const double from_ring = std::abs(distance - radius);
            if (from_ring > 2.0 && distance > 1.2) {
                continue;
            }
            const std::uint8_t shade = from_ring <= 1.0 || distance <= 1.2 ? 255 : 20;
            for (int c = 0; c < on.channels; ++c) {
                on.at(py, px)[c] = shade;
            }
        }
    }
}

} // namespace ostend::inline OSTEND_KERNELS
