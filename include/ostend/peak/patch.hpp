// patch: the pixels that read the same cells, and what the map can be on them without looking at each.
//
// On a patch the map is a polynomial of degree 3 or 1 in each direction. Its Bernstein coefficients enclose
// it, and so do, more tightly, those of a piece of the patch; where their differences along a direction have
// one sign it rises or falls there. Rounding is allowed for by margins, so that what is said of the
// polynomial holds for the pixels as they are computed.
#pragma once

#include "ostend/core/execution.hpp"
#include "ostend/peak/resample.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// What rounding can add to a pixel over its exact bound, for values up to `largest` in magnitude. Weights,
/// stretched rows and sums are rounded to f32 (together below 8e-7 of the largest value) and so are the
/// bounds of whole patches (below 1e-6); the absolute part covers subnormal values, also where they flush to
/// zero.
inline float rounding_margin(float largest) noexcept {
    return 4e-6F * largest + 32.0F * std::numeric_limits<float>::min();
}

inline float larger(float a, float b) noexcept { return a > b ? a : b; }

/// The largest Bernstein coefficient of an axis' interpolation of up to four values that it reads. Keys'
/// cubic (a = -0.75) has the values v1, v2 and the slopes -a (v2 - v0), -a (v3 - v1) at its ends; its
/// coefficients are v1, v1 + slope / 3, v2 - slope / 3, v2. Those of the other kernels are the values.
inline float cubic_bound(float v0, float v1, float v2, float v3) noexcept {
    return larger(larger(v1, v2), larger(v1 + 0.25F * (v2 - v0), v2 - 0.25F * (v3 - v1)));
}

/// An upper bound for every patch, [runs of y, runs of x]. Complexity O(cells). Precondition: finite values.
inline matrix<float> patch_bounds(const resampling& on, const matrix<float>& cells, float margin) {
    const auto taps = static_cast<std::size_t>(on.x.taps);
    const std::size_t runs = on.x.runs.size();
    // The coefficients along x of every row of cells, all the first ones, then all the second ones, ...
    matrix<float> across(cells.rows(), static_cast<index>(taps * runs));
    for (index r = 0; r < cells.rows(); ++r) {
        const float* row = cells.row(r).data();
        float* out = across.row(r).data();
        for (std::size_t q = 0; q < runs; ++q) {
            const std::array<index, 4>& at = on.x.runs[q].cells;
            if (taps == 4) {
                const float v1 = row[at[1]];
                const float v2 = row[at[2]];
                out[q] = v1;
                out[runs + q] = v1 + 0.25F * (v2 - row[at[0]]);
                out[2 * runs + q] = v2 - 0.25F * (row[at[3]] - v1);
                out[3 * runs + q] = v2;
            } else {
                for (std::size_t k = 0; k < taps; ++k) {
                    out[k * runs + q] = row[at[k]];
                }
            }
        }
    }
    matrix<float> bounds(static_cast<index>(on.y.runs.size()), static_cast<index>(runs),
                         -std::numeric_limits<float>::infinity());
    for (index p = 0; p < bounds.rows(); ++p) {
        const std::array<index, 4>& at = on.y.runs[static_cast<std::size_t>(p)].cells;
        float* out = bounds.row(p).data();
        const auto row = [&](std::size_t k) { return across.row(at[k]).data(); };
        for (std::size_t k = 0; k < taps; ++k) {
            const std::size_t first = k * runs;
            if (on.y.taps == 4) {
                const float* v0 = row(0) + first;
                const float* v1 = row(1) + first;
                const float* v2 = row(2) + first;
                const float* v3 = row(3) + first;
                for (std::size_t q = 0; q < runs; ++q) {
                    out[q] = larger(out[q], cubic_bound(v0[q], v1[q], v2[q], v3[q]) + margin);
                }
            } else {
                const float* v0 = row(0) + first;
                const float* v1 = row(on.y.taps == 2 ? 1 : 0) + first;
                for (std::size_t q = 0; q < runs; ++q) {
                    out[q] = larger(out[q], larger(v0[q], v1[q]) + margin);
                }
            }
        }
    }
    return bounds;
}

/// A part of a patch: its pixels, the offsets between which they lie, and the 4 x 4 Bernstein coefficients of
/// the map between these offsets, [y][x]. (An axis of degree 1 is written as one of degree 3.)
struct patch_piece {
    index_span y = {};
    index_span x = {};
    double top = 0;
    double bottom = 1;
    double left = 0;
    double right = 1;
    std::array<double, 16> net = {};

    [[nodiscard]] index pixels() const noexcept { return (y.end - y.begin) * (x.end - x.begin); }
    [[nodiscard]] double bound() const noexcept {
        double most = net[0];
        for (const double v : net) {
            most = v > most ? v : most;
        }
        return most;
    }
};

/// The Bernstein coefficients of degree 3 of what an axis with so many taps makes of four values; their
/// distance in v is `step`.
inline void to_bernstein(int taps, double* v, std::size_t step) noexcept {
    const double v0 = v[0];
    const double v1 = v[step];
    const double v2 = v[2 * step];
    const double v3 = v[3 * step];
    const bool cubic = taps == 4;
    v[0] = cubic ? v1 : v0;
    v[step] = cubic ? v1 + 0.25 * (v2 - v0) : taps == 2 ? (2 * v0 + v1) / 3 : v0;
    v[2 * step] = cubic ? v2 - 0.25 * (v3 - v1) : taps == 2 ? (v0 + 2 * v1) / 3 : v0;
    v[3 * step] = cubic ? v2 : taps == 2 ? v1 : v0;
}

/// The patch of a run of rows and a run of columns. Where its rows of cells are equal, so are its rows of
/// pixels, to the bit (weights sum to 1 closely enough that a constant stays what it is), and only the first
/// is in the piece; columns likewise. A later pixel is neither the first of the largest nor a local maximum.
inline patch_piece whole_patch(const resampling& on, const matrix<float>& cells, const axis_run& rows,
                               const axis_run& columns) {
    patch_piece piece{{rows.begin, rows.end}, {columns.begin, columns.end}};
    const auto y_taps = static_cast<std::size_t>(on.y.taps);
    const auto x_taps = static_cast<std::size_t>(on.x.taps);
    bool same_rows = true;
    bool same_columns = true;
    for (std::size_t i = 0; i < y_taps; ++i) {
        const float* row = cells.row(rows.cells[i]).data();
        for (std::size_t k = 0; k < x_taps; ++k) {
            const double v = row[columns.cells[k]];
            piece.net[4 * i + k] = v;
            same_rows = same_rows && v == piece.net[k];
            same_columns = same_columns && v == piece.net[4 * i];
        }
    }
    for (std::size_t i = 0; i < y_taps; ++i) {
        to_bernstein(on.x.taps, piece.net.data() + 4 * i, 1);
    }
    for (std::size_t k = 0; k < 4; ++k) {
        to_bernstein(on.y.taps, piece.net.data() + k, 4);
    }
    if (same_rows) {
        piece.y.end = piece.y.begin + 1;
    }
    if (same_columns) {
        piece.x.end = piece.x.begin + 1;
    }
    return piece;
}

/// De Casteljau: cuts four coefficients at the share s of their interval.
inline void cut(const double* v, double* low, double* high, std::size_t step, double s) noexcept {
    const double a = v[0] + s * (v[step] - v[0]);
    const double b = v[step] + s * (v[2 * step] - v[step]);
    const double c = v[2 * step] + s * (v[3 * step] - v[2 * step]);
    const double ab = a + s * (b - a);
    const double bc = b + s * (c - b);
    const double middle = ab + s * (bc - ab);
    low[0] = v[0];
    low[step] = a;
    low[2 * step] = ab;
    low[3 * step] = middle;
    high[0] = middle;
    high[step] = bc;
    high[2 * step] = c;
    high[3 * step] = v[3 * step];
}

/// The two halves of a piece of more than one pixel, cut across its longer side.
inline std::array<patch_piece, 2> halves(const resampling& on, const axis_run& rows, const axis_run& columns,
                                         const patch_piece& whole) {
    std::array<patch_piece, 2> half{whole, whole};
    const bool across_y = whole.y.end - whole.y.begin >= whole.x.end - whole.x.begin;
    const index_span& pixels = across_y ? whole.y : whole.x;
    const index at = pixels.begin + (pixels.end - pixels.begin) / 2;
    const double low = across_y ? whole.top : whole.left;
    const double high = across_y ? whole.bottom : whole.right;
    const double offset = across_y ? offset_of(on.y, rows, at) : offset_of(on.x, columns, at);
    const double share = high > low ? (offset - low) / (high - low) : 0.0;
    for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t first = across_y ? k : 4 * k;
        cut(whole.net.data() + first, half[0].net.data() + first, half[1].net.data() + first,
            across_y ? 4 : 1, share);
    }
    (across_y ? half[0].y.end : half[0].x.end) = at;
    (across_y ? half[1].y.begin : half[1].x.begin) = at;
    (across_y ? half[0].bottom : half[0].right) = offset;
    (across_y ? half[1].top : half[1].left) = offset;
    return half;
}

/// Pieces of at most so many pixels are evaluated rather than cut.
constexpr index small_piece = 64;

/// The pixels y x x of a patch, as the filled image has them: out[row * stride + column]. Preconditions: they
/// lie in the patch; at most small_piece + 2 columns.
inline void fill_pixels(const resampling& on, const matrix<float>& cells, const axis_run& rows,
                        const axis_run& columns, index_span y, index_span x, float* out, index stride) {
    const index width = x.end - x.begin;
    const axis_run part{x.begin, x.end, columns.cells};
    std::array<double, 4 * (small_piece + 2)> stretched;
    std::array<const double*, 4> lines{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(on.y.taps); ++k) {
        double* line = stretched.data() + static_cast<index>(k) * width;
        stretch_run(on.x, cells.row(rows.cells[k]), part, line);
        lines[k] = line;
    }
    for (index at = y.begin; at < y.end; ++at) {
        mix_rows(on.y, at, lines, width, out + (at - y.begin) * stride);
    }
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
