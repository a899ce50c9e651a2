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
#include <vector>

namespace ostend::inline v0 {

struct mask_style {
    std::uint8_t fill = 110; ///< opacity inside the outline
    index outline = 1;       ///< pixels of the layer; 0: none
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The same proportions with the longer side at most max_side, and no side under 1.
/// Preconditions: an image with pixels, max_side > 0.
[[nodiscard]] inline image_size fit_into(image_size size, index max_side) {
    OSTEND_EXPECTS(size.width > 0 && size.height > 0 && max_side > 0, "fit_into: an image without pixels");
    const index longest = std::max(size.width, size.height);
    if (longest <= max_side) {
        return size;
    }
    const auto side = [&](index of) { return std::max<index>(1, (of * max_side + longest / 2) / longest); };
    return {.width = side(size.width), .height = side(size.height)};
}

namespace detail {
/// sums[3 x + k] += image(y, x, k).
inline void add_row(const image_view& image, index y, std::uint32_t* sums) {
    const index width = image.extent(1);
    if (image.stride(1) == 3 && image.stride(2) == 1) {
        const std::uint8_t* const row = image.data() + y * image.stride(0);
        for (index i = 0; i < 3 * width; ++i) {
            sums[i] += row[i];
        }
        return;
    }
    for (index x = 0; x < width; ++x) {
        for (index k = 0; k < 3; ++k) {
            sums[3 * x + k] += image.load(y, x, k);
        }
    }
}
} // namespace detail

/// The image [height, width, 3] as a picture whose longer side is at most max_side, averaged over the
/// covered pixels. Complexity O(image area).
[[nodiscard]] inline picture shrink(const image_view& image, index max_side) {
    const index height = image.extent(0);
    const index width = image.extent(1);
    OSTEND_EXPECTS(image.extent(2) == 3, "shrink: an image without three channels");
    const image_size to = fit_into({.width = width, .height = height}, max_side);
    picture out(to.height, to.width, 3);
    std::vector<std::uint32_t> sums(static_cast<std::size_t>(3 * width)); // of the rows that one row covers
    for (index r = 0; r < to.height; ++r) {
        const index y0 = r * height / to.height;
        const index y1 = std::max(y0 + 1, (r + 1) * height / to.height);
        std::fill(sums.begin(), sums.end(), 0U);
        for (index y = y0; y < y1; ++y) {
            detail::add_row(image, y, sums.data());
        }
        for (index c = 0; c < to.width; ++c) {
            const index x0 = c * width / to.width;
            const index x1 = std::max(x0 + 1, (c + 1) * width / to.width);
            const index count = (y1 - y0) * (x1 - x0);
            index sum[3] = {count / 2, count / 2, count / 2}; // rounds the mean
            for (index i = 3 * x0; i < 3 * x1; i += 3) {
                for (int k = 0; k < 3; ++k) {
                    sum[k] += sums[static_cast<std::size_t>(i + k)];
                }
            }
            // sum / count without a division each: half above sum no product rounds down past a whole number.
            const double share = 1.0 / static_cast<double>(count);
            std::uint8_t* const to_pixel = out.at(r, c);
            for (int k = 0; k < 3; ++k) {
                to_pixel[k] = static_cast<std::uint8_t>((static_cast<double>(sum[k]) + 0.5) * share);
            }
        }
    }
    return out;
}

/// A mask read at the centres of height x width pixels, for a picture of another size. O(mask and picture).
[[nodiscard]] inline bitmap resampled(const rle& mask, index height, index width) {
    bitmap dense = decode(mask);
    if (dense.height == height && dense.width == width) {
        return dense;
    }
    OSTEND_EXPECTS(!dense.pixels.empty() && height >= 0 && width >= 0, "resampled: a mask without pixels");
    bitmap out(height, width);
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            out(y, x) =
                dense((2 * y + 1) * dense.height / (2 * height), (2 * x + 1) * dense.width / (2 * width));
        }
    }
    return out;
}

/// A map of values [rows, columns] as heat, more opaque where it is higher: RGBA of the map's size. The ramp
/// spans the map's own range; a constant map is transparent. Precondition: finite values.
[[nodiscard]] inline picture heat_layer(const matrix<float>& map) {
    picture out(map.rows(), map.columns(), 4);
    if (map.empty()) {
        return out;
    }
    const auto [low, high] = std::minmax_element(map.values().begin(), map.values().end());
    const double range = static_cast<double>(*high) - static_cast<double>(*low);
    OSTEND_EXPECTS(std::isfinite(range) && std::all_of(map.values().begin(), map.values().end(),
                                                       [](float v) { return std::isfinite(v); }),
                   "heat_layer: a value that is not finite");
    if (!(range > 0)) {
        return out;
    }
    for (index y = 0; y < map.rows(); ++y) {
        for (index x = 0; x < map.columns(); ++x) {
            const auto t =
                static_cast<float>((static_cast<double>(map(y, x)) - static_cast<double>(*low)) / range);
            const rgb c = heat_colour(t);
            std::uint8_t* p = out.at(y, x);
            p[0] = c.r;
            p[1] = c.g;
            p[2] = c.b;
            p[3] = nearest_byte(40.0F + 185.0F * t * t);
        }
    }
    return out;
}

/// A mask filled with a colour and outlined inside its edge: RGBA of height x width, whatever the mask's
/// size.
[[nodiscard]] inline picture mask_layer(const rle& mask, rgb colour, index height, index width,
                                        const mask_style& style = {}) {
    picture out(height, width, 4);
    const bitmap dense = resampled(mask, height, width);
    const auto inside = [&](index y, index x) {
        return y >= 0 && x >= 0 && y < height && x < width && dense(y, x) != 0;
    };
    const auto on_edge = [&](index y, index x) {
        for (index k = 1; k <= style.outline; ++k) {
            if (!inside(y - k, x) || !inside(y + k, x) || !inside(y, x - k) || !inside(y, x + k)) {
                return true;
            }
        }
        return false;
    };
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            if (inside(y, x)) {
                std::uint8_t* p = out.at(y, x);
                p[0] = colour.r;
                p[1] = colour.g;
                p[2] = colour.b;
                p[3] = on_edge(y, x) ? 255 : style.fill;
            }
        }
    }
    return out;
}

/// Lays an RGBA layer of the same size over an RGB picture.
inline void compose(picture& below, const picture& layer) {
    OSTEND_EXPECTS(below.height == layer.height && below.width == layer.width && below.channels == 3 &&
                       layer.channels == 4,
                   "compose: an RGBA layer goes over an RGB picture of the same size");
    const std::uint8_t* from = layer.bytes.data();
    std::uint8_t* to = below.bytes.data();
    for (index i = 0; i < below.height * below.width; ++i, from += 4, to += 3) {
        for (int c = 0; c < 3; ++c) {
            to[c] = static_cast<std::uint8_t>((from[c] * from[3] + to[c] * (255 - from[3]) + 127) / 255);
        }
    }
}

/// A ring and a dot around a point (in the picture's pixels): white with a dark rim, seen on any ground. It
/// grows with the picture; what lies outside is cut off. Precondition: a finite point.
inline void draw_peak(picture& on, double x, double y) {
    OSTEND_EXPECTS(std::isfinite(x) && std::isfinite(y), "draw_peak: a point that is not finite");
    const auto longest = static_cast<double>(std::max(on.height, on.width));
    const double radius = std::max(4.0, longest / 36.0);
    const double line = std::max(0.8, longest / 360.0); // half its width
    const double reach = radius + 2 * line + 1;
    const auto first = [](double v) { return static_cast<index>(std::clamp(v, 0.0, 1e9)); };
    for (index py = first(y - reach); py < std::min(on.height, first(y + reach) + 1); ++py) {
        for (index px = first(x - reach); px < std::min(on.width, first(x + reach) + 1); ++px) {
            const double distance =
                std::hypot(static_cast<double>(px) + 0.5 - x, static_cast<double>(py) + 0.5 - y);
            const double from_ring = std::abs(distance - radius);
            const bool white = from_ring <= line || distance <= 1.5 * line;
            if (!white && from_ring > 2 * line && distance > 2.5 * line) {
                continue;
            }
            std::uint8_t* p = on.at(py, px);
            std::fill(p, p + 3, std::uint8_t{white ? std::uint8_t{255} : std::uint8_t{20}});
            if (on.channels == 4) {
                p[3] = 255;
            }
        }
    }
}

} // namespace ostend::inline OSTEND_KERNELS
