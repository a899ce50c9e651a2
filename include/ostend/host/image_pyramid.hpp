// image_pyramid: an image at full size and at halves of it, with the contrast between neighbouring pixels.
//
// Colours are means over blocks of 2 x 2, so nothing is skipped; 12 bytes a pixel at each level.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/frames.hpp"
#include "ostend/host/colour_model.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// The offsets of the four neighbours that come after a pixel: right, below, below right, below left.
inline constexpr std::array<index, 4> later_rows{0, 1, 1, 1};
inline constexpr std::array<index, 4> later_columns{1, 0, 1, -1};

struct image_level {
    index height = 0;
    index width = 0;
    std::vector<colour> colours = {}; ///< row-major
    float sharpness = 0;              ///< 1 / (2 x mean squared difference of neighbours); 0 for a flat image

    /// The likeness to the four later neighbours, 0 where there is none; of a pyramid's smallest level only.
    std::vector<std::array<float, 4>> alike = {};

    [[nodiscard]] image_size size() const noexcept { return {width, height}; }
    [[nodiscard]] std::size_t at(index y, index x) const { return static_cast<std::size_t>(y * width + x); }
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline float squared_difference(const colour& a, const colour& b) {
    const float r = a[0] - b[0];
    const float g = a[1] - b[1];
    const float c = a[2] - b[2];
    return r * r + g * g + c * c;
}

inline void measure_sharpness(image_level& level) {
    double sum = 0;
    double pairs = 0;
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            if (x + 1 < level.width) {
                sum += static_cast<double>(
                    squared_difference(level.colours[level.at(y, x)], level.colours[level.at(y, x + 1)]));
                pairs += 1;
            }
            if (y + 1 < level.height) {
                sum += static_cast<double>(
                    squared_difference(level.colours[level.at(y, x)], level.colours[level.at(y + 1, x)]));
                pairs += 1;
            }
        }
    }
    level.sharpness = sum > 0 ? static_cast<float>(pairs / (2.0 * sum)) : 0.0F;
}

[[nodiscard]] inline image_level halved(const image_level& from) {
    image_level to{(from.height + 1) / 2, (from.width + 1) / 2, {}, 0, {}};
    to.colours.reserve(static_cast<std::size_t>(to.height * to.width));
    for (index y = 0; y < to.height; ++y) {
        for (index x = 0; x < to.width; ++x) {
            colour sum{};
            float n = 0;
            for (index v = 2 * y; v < std::min(from.height, 2 * y + 2); ++v) {
                for (index u = 2 * x; u < std::min(from.width, 2 * x + 2); ++u) {
                    const colour& c = from.colours[from.at(v, u)];
                    sum = {sum[0] + c[0], sum[1] + c[1], sum[2] + c[2]};
                    n += 1;
                }
            }
            to.colours.push_back({sum[0] / n, sum[1] / n, sum[2] / n});
        }
    }
    measure_sharpness(to);
    return to;
}

} // namespace detail

/// How alike two neighbours are, in (0, 1]: exp(-sharpness |difference|^2). Precondition: both pixels exist.
[[nodiscard]] inline float likeness(const image_level& level, std::size_t a, std::size_t b) {
    return std::exp(-level.sharpness * detail::squared_difference(level.colours[a], level.colours[b]));
}

namespace detail {

inline void measure_likeness(image_level& level) {
    level.alike.assign(level.colours.size(), {});
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < level.height && u >= 0 && u < level.width) {
                    level.alike[level.at(y, x)][d] = likeness(level, level.at(y, x), level.at(v, u));
                }
            }
        }
    }
}

} // namespace detail

/// The image and halves of it until no side is longer than `longest`. Preconditions: image [rows, columns,
/// 3], not empty; longest >= 1. O(pixels).
[[nodiscard]] inline std::vector<image_level> image_pyramid(const image_view& image, index longest) {
    OSTEND_EXPECTS(!image.empty() && image.extent(2) == 3 && longest >= 1,
                   "image_pyramid: an image of " + std::to_string(image.extent(0)) + " x " +
                       std::to_string(image.extent(1)) + " x " + std::to_string(image.extent(2)) +
                       ", longest side " + std::to_string(longest));
    std::vector<image_level> levels{{image.extent(0), image.extent(1), {}, 0, {}}};
    levels[0].colours.reserve(static_cast<std::size_t>(image.extent(0) * image.extent(1)));
    for (index y = 0; y < image.extent(0); ++y) {
        for (index x = 0; x < image.extent(1); ++x) {
            levels[0].colours.push_back({static_cast<float>(image.load(y, x, 0)),
                                         static_cast<float>(image.load(y, x, 1)),
                                         static_cast<float>(image.load(y, x, 2))});
        }
    }
    detail::measure_sharpness(levels[0]);
    while (std::max(levels.back().height, levels.back().width) > longest) {
        levels.push_back(detail::halved(levels.back()));
    }
    detail::measure_likeness(levels.back());
    return levels;
}

} // namespace ostend::inline OSTEND_KERNELS
