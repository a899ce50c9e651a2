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
    index from = 0; ///< the cell from whose centre the pixels' offsets are measured; -1 before the first
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

/// A pixel's centre in cells from the first cell's centre, in PyTorch's f32 arithmetic. The product is
/// stored, as compilers would contract it with the subtraction, and the bits of pixels and bounds would part.
inline float source_of(float ratio, double origin, double x) noexcept {
    const auto middle = static_cast<float>(x + 0.5 + origin);
    const volatile float product = ratio * middle;
    return product - 0.5F;
}

/// How far a pixel lies past the centre of the cell `from`, in cells: in [0, 1], but for pixels before the
/// first centre of a bilinear axis, which copy it.
inline double offset_of(float ratio, double origin, double from, double x) noexcept {
    return source_of(ratio, origin, x) - from;
}
inline double offset_of(const axis_weights& axis, const axis_run& run, index x) noexcept {
    return std::max(
        0.0, offset_of(axis.ratio, axis.origin, static_cast<double>(run.from), static_cast<double>(x)));
}

/// Rounds weights to f32 and makes the larger of the middle two, no other being larger, one less the others.
inline void round_weights(double& a, double& b, double& c, double& d) noexcept {
    a = static_cast<float>(a);
    b = static_cast<float>(b);
    c = static_cast<float>(c);
    d = static_cast<float>(d);
    const bool right = c > b;
    const double lesser = right ? b : c;
    const double rest = static_cast<float>(1.0 - (a + lesser + d));
    b = right ? lesser : rest;
    c = right ? rest : lesser;
}

/// The weights of a run's pixels.
inline void weigh(axis_weights& axis, const axis_run& run) {
    const auto pixels = static_cast<int>(run.end - run.begin);
    const auto offset = [ratio = axis.ratio, origin = axis.origin, from = static_cast<double>(run.from),
                         begin = static_cast<double>(run.begin)](int i) {
        return offset_of(ratio, origin, from, begin + i);
    };
    std::array<double*, 4> out{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(axis.taps); ++k) {
        out[k] = axis.weights[k].data() + run.begin;
    }
    if (axis.taps == 1) {
        std::fill(out[0], out[0] + pixels, 1.0);
    } else if (axis.taps == 2) {
        for (int i = 0; i < pixels; ++i) {
            const double t = std::max(0.0, offset(i));
            double none = 0;
            double a = 1.0 - t;
            double b = t;
            round_weights(none, a, b, none);
            out[0][i] = a;
            out[1][i] = b;
        }
    } else {
        for (int i = 0; i < pixels; ++i) {
            auto w = cubic_weights(offset(i));
            round_weights(w[0], w[1], w[2], w[3]);
            out[0][i] = w[0];
            out[1][i] = w[1];
            out[2][i] = w[2];
            out[3][i] = w[3];
        }
    }
}

/// The first x of [low, high) that is past something, high when none is; quick when the guess is near.
template <class Past>
index first_past(double guess, index low, index high, Past is_past) {
    auto x = static_cast<index>(std::clamp(guess, static_cast<double>(low), static_cast<double>(high)));
    while (x > low && is_past(x - 1)) {
        --x;
    }
    while (x < high && !is_past(x)) {
        ++x;
    }
    return x;
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
    const auto guess = [&axis](double position) { return position / axis.ratio - 0.5 - axis.origin; };
    const auto reach = static_cast<double>(cells);
    axis.begin = detail::first_past(guess(0), 0, pixels, [&](index x) { return axis.position(x) >= 0; });
    axis.end = detail::first_past(guess(reach), axis.begin, pixels,
                                  [&](index x) { return axis.position(x) >= reach; });
    if (axis.begin == axis.end) {
        axis.begin = axis.end = pixels;
    }
    // The cell from which a pixel's offset is measured. Its source is at least -0.5, so that adding 1 before
    // the conversion rounds down.
    const auto from = [&](index x) {
        if (copied) {
            return x + static_cast<index>(origin);
        }
        const float source = detail::source_of(ratio, origin, static_cast<double>(x));
        return axis.taps == 2 ? std::min(static_cast<index>(std::max(source, 0.0F)), cells - 1)
                              : std::min(static_cast<index>(source + 1.0) - 1, cells - 1);
    };
    for (index x = axis.begin; x < axis.end;) {
        axis_run run{x, x, {}, from(x)};
        run.end = detail::first_past(guess(static_cast<double>(run.from) + 1.5), x + 1, axis.end,
                                     [&](index at) { return from(at) > run.from; });
        const index first = axis.taps == 4 ? run.from - 1 : run.from;
        for (int k = 0; k < axis.taps; ++k) {
            run.cells[static_cast<std::size_t>(k)] = std::clamp<index>(first + k, 0, cells - 1);
        }
        detail::weigh(axis, run);
        x = run.end;
        if (!axis.runs.empty() && axis.runs.back().cells == run.cells) {
            axis.runs.back().end = run.end; // a grid of one cell
        } else {
            axis.runs.push_back(run);
        }
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
