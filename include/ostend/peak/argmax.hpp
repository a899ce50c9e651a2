// The maximum of the upsampled map without filling it.
//
// The pixels that read the same cells form a patch; on a patch the map is a polynomial, and no value of a
// polynomial exceeds the largest of its Bernstein coefficients. Only patches whose bound, raised by more than
// the rounding can be, reaches the best value so far are evaluated, by the function that fills the image
// (resample.hpp): the pixel and the value are those of the filled image, to the bit.
#pragma once

#include "ostend/peak/confidence.hpp"
#include "ostend/peak/resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Bernstein coefficients, over t in [0, 1], of an axis' interpolation of the values that it reads; the count
/// is the number of taps. Keys' cubic (a = -0.75) has the values v1, v2 and the slopes -a (v2 - v0),
/// -a (v3 - v1) at its ends.
inline std::array<float, 4> bernstein(int taps, const std::array<float, 4>& v) noexcept {
    if (taps == 4) {
        return {v[1], v[1] + 0.25F * (v[2] - v[0]), v[2] - 0.25F * (v[3] - v[1]), v[2]};
    }
    return v;
}

/// What rounding can add to a pixel over its patch's exact bound, for values up to `largest` in magnitude.
/// Weights, stretched rows and sums are rounded to f32 (together below 8e-7 of the largest value) and so are
/// the coefficients (below 1e-6); the absolute part covers subnormal values, also where they flush to zero.
inline float rounding_margin(float largest) noexcept {
    return 4e-6F * largest + 32.0F * std::numeric_limits<float>::min();
}

/// An upper bound for every patch, [runs of y, runs of x]. Complexity O(cells). Precondition: finite values.
inline matrix<float> patch_bounds(const resampling& on, const matrix<float>& cells, float margin) {
    const auto x_taps = static_cast<std::size_t>(on.x.taps);
    const auto y_taps = static_cast<std::size_t>(on.y.taps);
    const auto width = static_cast<index>(on.x.runs.size() * x_taps);
    matrix<float> across(cells.rows(), width); // coefficients along x, for every row of cells
    for (index r = 0; r < cells.rows(); ++r) {
        const auto row = cells.row(r);
        float* out = across.row(r).data();
        for (const axis_run& run : on.x.runs) {
            std::array<float, 4> v{};
            for (std::size_t k = 0; k < x_taps; ++k) {
                v[k] = row[static_cast<std::size_t>(run.cells[k])];
            }
            const auto b = bernstein(on.x.taps, v);
            out = std::copy(b.begin(), b.begin() + on.x.taps, out);
        }
    }
    matrix<float> bounds(static_cast<index>(on.y.runs.size()), static_cast<index>(on.x.runs.size()));
    std::vector<float> highest(static_cast<std::size_t>(width));
    for (std::size_t p = 0; p < on.y.runs.size(); ++p) {
        std::array<const float*, 4> rows{};
        for (std::size_t k = 0; k < y_taps; ++k) {
            rows[k] = across.row(on.y.runs[p].cells[k]).data();
        }
        for (std::size_t c = 0; c < highest.size(); ++c) {
            std::array<float, 4> v{};
            for (std::size_t k = 0; k < y_taps; ++k) {
                v[k] = rows[k][c];
            }
            const auto b = bernstein(on.y.taps, v);
            float most = b[0];
            for (std::size_t k = 1; k < y_taps; ++k) {
                most = std::max(most, b[k]);
            }
            highest[c] = most;
        }
        const auto out = bounds.row(static_cast<index>(p));
        for (std::size_t q = 0; q < out.size(); ++q) {
            const auto first = highest.begin() + static_cast<std::ptrdiff_t>(q * x_taps);
            out[q] = *std::max_element(first, first + on.x.taps) + margin;
        }
    }
    return bounds;
}

/// The first pixel, in row-major order, of the largest value so far.
struct best_pixel {
    pixel at = {-1, -1};
    float value = -std::numeric_limits<float>::infinity();

    void offer(index y, index x, float v) noexcept {
        const bool earlier = at.x < 0 || y < at.y || (y == at.y && x < at.x);
        if (v > value || (v == value && earlier)) {
            at = {x, y};
            value = v;
        }
    }
    /// A row of values that starts at pixel (y, x).
    void offer_row(index y, index x, std::span<const float> row) noexcept {
        std::array<float, 8> maxima; // eight maxima side by side, so that the loop becomes vector code
        maxima.fill(-std::numeric_limits<float>::infinity());
        const std::size_t whole = row.size() / 8 * 8;
        for (std::size_t i = 0; i < whole; i += 8) {
            for (std::size_t k = 0; k < 8; ++k) {
                maxima[k] = row[i + k] > maxima[k] ? row[i + k] : maxima[k];
            }
        }
        float most = *std::max_element(maxima.begin(), maxima.end());
        for (std::size_t i = whole; i < row.size(); ++i) {
            most = std::max(most, row[i]);
        }
        if (most >= value) {
            offer(y, x + (std::find(row.begin(), row.end(), most) - row.begin()), most);
        }
    }
};

/// Evaluates the patches that can hold the maximum, best bound first.
class patch_search {
public:
    patch_search(const resampling& on, const matrix<float>& cells) : on_(on), cells_(cells) {}

    best_pixel run(float largest) {
        const matrix<float> bounds = patch_bounds(on_, cells_, rounding_margin(largest));
        const auto values = bounds.values();
        const auto first =
            static_cast<index>(std::max_element(values.begin(), values.end()) - values.begin());
        evaluate(first / bounds.columns(), first % bounds.columns());
        std::vector<index> open;
        for (index i = 0; i < static_cast<index>(values.size()); ++i) {
            if (i != first && values[static_cast<std::size_t>(i)] >= best_.value) {
                open.push_back(i);
            }
        }
        std::sort(open.begin(), open.end(), [&](index a, index b) {
            const float va = values[static_cast<std::size_t>(a)];
            const float vb = values[static_cast<std::size_t>(b)];
            return va > vb || (va == vb && a < b);
        });
        for (const index i : open) {
            if (values[static_cast<std::size_t>(i)] < best_.value) {
                break;
            }
            evaluate(i / bounds.columns(), i % bounds.columns());
        }
        return best_;
    }

private:
    void evaluate(index row_run, index column_run) {
        const axis_run& rows = on_.y.runs[static_cast<std::size_t>(row_run)];
        const axis_run& columns = on_.x.runs[static_cast<std::size_t>(column_run)];
        const index width = columns.end - columns.begin;
        stretched_.resize(static_cast<std::size_t>(4 * width));
        line_.resize(static_cast<std::size_t>(width));
        std::array<const double*, 4> lines{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(on_.y.taps); ++k) {
            double* out = stretched_.data() + static_cast<index>(k) * width;
            stretch_run(on_.x, cells_.row(rows.cells[k]), columns, out);
            lines[k] = out;
        }
        for (index y = rows.begin; y < rows.end; ++y) {
            mix_rows(on_.y, y, lines, width, line_.data());
            best_.offer_row(y, columns.begin, line_);
        }
    }

    const resampling& on_;
    const matrix<float>& cells_;
    best_pixel best_;
    std::vector<double> stretched_;
    std::vector<float> line_;
};

/// Looks at every pixel, for maps with values that are not finite or so large that a sum can overflow.
inline result<best_pixel> search_every_pixel(const resampling& on, const matrix<float>& cells) {
    row_stream rows(on, cells);
    std::vector<float> line(static_cast<std::size_t>(on.x.pixels));
    best_pixel best;
    std::optional<std::size_t> infinite;
    for (index y = 0; y < on.y.pixels; ++y) {
        rows.row(y, line.data());
        for (index x = 0; x < on.x.pixels; ++x) {
            const float v = line[static_cast<std::size_t>(x)];
            const auto flat = static_cast<std::size_t>(y * on.x.pixels + x);
            if (std::isnan(v)) {
                return error{"the upsampled map holds a NaN", "map", flat};
            }
            if (std::isinf(v) && !infinite) {
                infinite = flat;
            }
            if (y >= on.y.begin && y < on.y.end && x >= on.x.begin && x < on.x.end) {
                best.offer(y, x, v);
            }
        }
    }
    if (infinite) {
        return error{"the upsampled map holds an infinity", "map", *infinite};
    }
    return best;
}

/// The largest magnitude; NaN or infinity when a value is one. Complexity O(values).
inline float largest_magnitude(std::span<const float> values) noexcept {
    float largest = 0;
    for (const float v : values) {
        if (!(std::abs(v) <= std::numeric_limits<float>::max())) {
            return v;
        }
        largest = std::max(largest, std::abs(v));
    }
    return largest;
}

} // namespace detail

/// The peak of a view's cells: the first pixel, in row-major order, of the largest value of the upsampled
/// map. Only pixels that the view shows are candidates. Preconditions: cells of the shape that the resampling
/// was made for. Errors: as upsample. Workspace: O(cells + longest run).
[[nodiscard]] inline result<peak> find_peak(const matrix<float>& cells, const resampling& on) {
    OSTEND_EXPECTS(cells.rows() == on.y.cells && cells.columns() == on.x.cells,
                   "find_peak: a map of " + std::to_string(cells.rows()) + " x " +
                       std::to_string(cells.columns()) + " cells where " + std::to_string(on.y.cells) +
                       " x " + std::to_string(on.x.cells) + " were announced");
    if (on.x.runs.empty() || on.y.runs.empty()) {
        return error{"the view shows no pixel of the image", "layout"};
    }
    const float largest = detail::largest_magnitude(cells.values());
    detail::best_pixel best;
    if (std::abs(largest) < std::numeric_limits<float>::max() / 64) {
        best = detail::patch_search(on, cells).run(largest);
    } else {
        auto found = detail::search_every_pixel(on, cells);
        if (!found) {
            return found.error();
        }
        best = *found;
    }
    return peak{best.at, best.value, peak_confidence(cells, on, best.at, best.value)};
}

/// The peak of a map over the image tokens, [image_tokens], in original pixels. For many maps of one image
/// make the resampling once and use the overload above. Source: groundLMM's point (interpolate, crop,
/// argmax). Errors: as upsample; `at` of a NaN is the index that torch.argmax returns for the upsampled map.
/// Complexity O(width + height + cells + pixels of the patches that can hold the maximum).
[[nodiscard]] inline result<peak> find_peak(std::span<const float> map, const layout& grid,
                                            const peak_options& options = {}) {
    return find_peak(detail::cells_of(map, grid, options), make_resampling(grid, options));
}

} // namespace ostend::inline OSTEND_KERNELS
