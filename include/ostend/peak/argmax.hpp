// The maximum of the upsampled map without filling it.
//
// Only pieces of the image whose bound (patch.hpp), raised by more than the rounding can be, reaches the best
// value so far are evaluated, by the function that fills the image (resample.hpp): the pixel and the value
// are those of the filled image, to the bit.
#pragma once

#include "ostend/peak/confidence.hpp"
#include "ostend/peak/patch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

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
};

/// Evaluates the pieces of patches that can hold the maximum, best bound first.
class patch_search {
public:
    patch_search(const resampling& on, const matrix<float>& cells) : on_(on), cells_(cells) {}

    best_pixel run(float largest) {
        const float margin = rounding_margin(largest);
        const matrix<float> bounds = patch_bounds(on_, cells_, margin);
        margin_ = margin;
        const auto values = bounds.values();
        const auto first =
            static_cast<index>(std::max_element(values.begin(), values.end()) - values.begin());
        look_at(first / bounds.columns(), first % bounds.columns());
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
            look_at(i / bounds.columns(), i % bounds.columns());
        }
        return best_;
    }

private:
    void look_at(index row_run, index column_run) {
        rows_ = &on_.y.runs[static_cast<std::size_t>(row_run)];
        columns_ = &on_.x.runs[static_cast<std::size_t>(column_run)];
        look_at(whole_patch(on_, cells_, *rows_, *columns_));
    }
    void look_at(const patch_piece& piece) {
        if (piece.pixels() <= small_piece) {
            evaluate(piece);
            return;
        }
        const auto half = halves(on_, *rows_, *columns_, piece);
        const std::array<double, 2> bound{half[0].bound() + margin_, half[1].bound() + margin_};
        const std::size_t better = bound[1] > bound[0] ? 1 : 0;
        for (const std::size_t i : {better, 1 - better}) {
            if (bound[i] >= best_.value) {
                look_at(half[i]);
            }
        }
    }
    void evaluate(const patch_piece& piece) {
        const index width = piece.x.end - piece.x.begin;
        std::array<float, small_piece> values;
        fill_pixels(on_, cells_, *rows_, *columns_, piece.y, piece.x, values.data(), width);
        for (index i = 0; i < piece.pixels(); ++i) {
            const float v = values[static_cast<std::size_t>(i)];
            if (v >= best_.value) {
                best_.offer(piece.y.begin + i / width, piece.x.begin + i % width, v);
            }
        }
    }

    const resampling& on_;
    const matrix<float>& cells_;
    const axis_run* rows_ = nullptr;
    const axis_run* columns_ = nullptr;
    double margin_ = 0;
    best_pixel best_;
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

/// Whether bounds hold for values of this magnitude: no sum can overflow, none is NaN.
inline bool can_be_bounded(float largest) noexcept {
    return std::abs(largest) < std::numeric_limits<float>::max() / 64;
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
    if (detail::can_be_bounded(largest)) {
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
