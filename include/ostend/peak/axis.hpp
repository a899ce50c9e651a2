// One axis of an interpolation: for every pixel its weights, and the runs of pixels that read the same cells.
//
// Weights are f32 values, as PyTorch's are, held in f64: a product of two f32 values is exact in f64, so a
// compiler that contracts a * b + c into one FMA cannot change a result. The largest weight of a pixel is one
// less the others, which keeps a constant map constant to the bit.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/layout.hpp"
#include "ostend/peak/peak.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace ostend::inline v0 {

/// Consecutive pixels [begin, end) that read the same cells.
struct axis_run {
    index begin = 0;
    index end = 0;
    std::array<index, 4> cells = {}; ///< in the order of the weights; repeated at the border
};

struct axis_weights {
    index pixels = 0;
    index cells = 0;
    index begin = 0; ///< pixels [begin, end) have their centre inside the view's cells
    index end = 0;
    int taps = 0;    ///< 4 bicubic, 2 bilinear, 1 copy
    float ratio = 1; ///< cells a pixel
    double origin =
        0; ///< pixels from the first cell's edge to pixel 0's: (x + 0.5 + origin) * ratio in cells
    std::array<std::vector<double>, 4> weights = {}; ///< [taps][pixels]; zero outside [begin, end)
    std::vector<axis_run> runs = {};                 ///< cover [begin, end) in order

    /// Continuous position of a pixel's centre, in cells.
    [[nodiscard]] double position(index x) const noexcept {
        return (static_cast<double>(x) + 0.5 + origin) * static_cast<double>(ratio);
    }
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The weights of four cells around a position t past the second, t in [0, 1]; Keys 1981 with a = -0.75.
inline std::array<double, 4> cubic_weights(double t) noexcept {
    constexpr double a = -0.75;
    const auto near = [](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto far = [](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
    return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

/// Rounds the weights to f32 and makes the largest one less the others.
template <std::size_t N>
void round_weights(std::array<double, N>& w) noexcept {
    std::size_t largest = 0;
    double others = 0;
    for (std::size_t k = 0; k < N; ++k) {
        w[k] = static_cast<float>(w[k]);
        largest = w[k] > w[largest] ? k : largest;
    }
    for (std::size_t k = 0; k < N; ++k) {
        others += k == largest ? 0.0 : w[k];
    }
    w[largest] = static_cast<float>(1.0 - others);
}

} // namespace detail

/// The weights of one axis: pixels of the image over cells of a grid, where pixel x's centre lies at cell
/// position (x + 0.5 + origin) * ratio. With ratio = cells / pixels and origin 0 this is PyTorch's
/// interpolate(size=pixels, align_corners=False). With one pixel a cell, bilinear copies (as PyTorch), so
/// that a NaN does not spread; bicubic does when `copy` is set. Complexity O(pixels); allocates taps * pixels
/// f64. Preconditions: pixels >= 0, cells >= 1, ratio > 0. Not inlined: one body, so that every caller gets
/// the same bits.
[[nodiscard, gnu::noinline]] inline axis_weights make_axis(interpolation kernel, index pixels, index cells,
                                                           float ratio, double origin, bool copy = false) {
    OSTEND_EXPECTS(pixels >= 0 && cells >= 1 && ratio > 0 && std::isfinite(ratio) && std::isfinite(origin),
                   "make_axis: " + std::to_string(pixels) + " pixels over " + std::to_string(cells) +
                       " cells, ratio " + std::to_string(ratio));
    axis_weights axis;
    axis.pixels = pixels;
    axis.cells = cells;
    axis.ratio = ratio;
    axis.origin = origin;
    const bool copied =
        ratio == 1.0F && origin == std::nearbyint(origin) && (copy || kernel == interpolation::bilinear);
    axis.taps = copied ? 1 : kernel == interpolation::bicubic ? 4 : 2;
    for (int k = 0; k < axis.taps; ++k) {
        axis.weights[static_cast<std::size_t>(k)].assign(static_cast<std::size_t>(pixels), 0.0);
    }
    const auto clamped = [cells](index c) { return std::clamp<index>(c, 0, cells - 1); };
    axis.begin = axis.end = pixels;
    for (index x = 0; x < pixels; ++x) {
        const double centre = axis.position(x);
        if (!(centre >= 0 && centre < static_cast<double>(cells))) {
            if (axis.begin < pixels) {
                axis.end = x;
                break;
            }
            continue;
        }
        axis.begin = std::min(axis.begin, x);
        const auto at = static_cast<std::size_t>(x);
        // PyTorch's f32 arithmetic. The product is formed in f64, where it is exact, and rounded once, so it
        // cannot be contracted with the subtraction.
        const auto middle = static_cast<float>(static_cast<double>(x) + 0.5 + origin);
        const float product = static_cast<float>(static_cast<double>(ratio) * static_cast<double>(middle));
        float source = product - 0.5F;
        std::array<index, 4> read{};
        if (copied) {
            read[0] = x + static_cast<index>(origin);
            axis.weights[0][at] = 1.0;
        } else if (axis.taps == 2) {
            source = std::max(source, 0.0F);
            const index first = std::min(static_cast<index>(source), cells - 1);
            const double t = std::min(1.0, static_cast<double>(source) - static_cast<double>(first));
            std::array<double, 2> w{1.0 - t, t};
            detail::round_weights(w);
            axis.weights[0][at] = w[0];
            axis.weights[1][at] = w[1];
            read = {first, clamped(first + 1)};
        } else {
            // source >= -0.5, so that adding 1 before the conversion rounds down.
            const index second = std::min(static_cast<index>(source + 1.0) - 1, cells - 1);
            const double t = static_cast<double>(source) - static_cast<double>(second);
            auto w = detail::cubic_weights(std::clamp(t, 0.0, 1.0));
            detail::round_weights(w);
            for (std::size_t k = 0; k < 4; ++k) {
                axis.weights[k][at] = w[k];
                read[k] = clamped(second - 1 + static_cast<index>(k));
            }
        }
        if (axis.runs.empty() || axis.runs.back().cells != read) {
            axis.runs.push_back({x, x, read});
        }
        axis.runs.back().end = x + 1;
    }
    return axis;
}

/// The weights of a view's axis over the original image. Where the affine puts whole pixels of padding before
/// the image (every centred pad does), the position is PyTorch's for a square that includes the padding.
[[nodiscard]] inline axis_weights make_axis(interpolation kernel, index pixels, index cells,
                                            const axis_affine& affine, double cell, bool copy = false) {
    double origin = affine.shift / affine.scale;
    const double whole = std::nearbyint(origin);
    if (std::abs(origin - whole) < 1e-9 * std::max(1.0, std::abs(whole))) {
        origin = whole; // only the rounding of shift and scale stood between
    }
    return make_axis(kernel, pixels, cells, static_cast<float>(affine.scale / cell), origin, copy);
}

} // namespace ostend::inline OSTEND_KERNELS
