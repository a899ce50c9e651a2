// A map brought onto the original image: bicubic or bilinear as PyTorch does it, through the layout's affine.
//
// Everything goes through one function, combine, for the filled image and for the argmax that does not fill
// it. Its values are f32 and its sums f64, where products of f32 are exact: the result has the same bits in
// vector code, in its remainder loop and with FMA contraction on. The price is half the SIMD width.
#pragma once

#include "ostend/geometry/grid.hpp"
#include "ostend/peak/axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ostend::inline v0 {

/// Both axes of an interpolation from a grid of cells onto an image. Made once, it serves any number of maps;
/// const access is safe from several threads.
struct resampling {
    axis_weights x = {};
    axis_weights y = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// out[i] = f32(sum over k of lines[k][i] * factors[k]), left to right. Lines and factors hold f32 values.
/// The sum's first term is exact and each further one is rounded once, with or without FMA.
template <class Out>
void combine(int taps, const std::array<const double*, 4>& lines, const std::array<double, 4>& factors,
             index count, Out* out) {
    const double* a = lines[0];
    if (taps == 4) {
        const double* b = lines[1];
        const double* c = lines[2];
        const double* d = lines[3];
        for (index i = 0; i < count; ++i) {
            const double sum = a[i] * factors[0] + b[i] * factors[1] + c[i] * factors[2] + d[i] * factors[3];
            out[i] = static_cast<float>(sum);
        }
    } else if (taps == 2) {
        const double* b = lines[1];
        for (index i = 0; i < count; ++i) {
            out[i] = static_cast<float>(a[i] * factors[0] + b[i] * factors[1]);
        }
    } else {
        for (index i = 0; i < count; ++i) {
            out[i] = static_cast<float>(a[i] * factors[0]);
        }
    }
}

/// One row of cells brought to the pixels [begin, end) of a run: out[0 .. end - begin).
inline void stretch_run(const axis_weights& x, std::span<const float> row, const axis_run& run, double* out) {
    std::array<const double*, 4> lines{};
    std::array<double, 4> factors{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(x.taps); ++k) {
        lines[k] = x.weights[k].data() + run.begin;
        factors[k] = row[static_cast<std::size_t>(run.cells[k])];
    }
    combine(x.taps, lines, factors, run.end - run.begin, out);
}

/// One row of pixels out of the stretched rows of cells: lines[k] is the row that run.cells[k] names.
inline void mix_rows(const axis_weights& y, index at, const std::array<const double*, 4>& lines, index count,
                     float* out) {
    std::array<double, 4> factors{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(y.taps); ++k) {
        factors[k] = y.weights[k][static_cast<std::size_t>(at)];
    }
    combine(y.taps, lines, factors, count, out);
}

/// The smallest value that is not NaN; 0 when there is none.
inline float smallest(std::span<const float> values) {
    float least = std::numeric_limits<float>::infinity();
    bool any = false;
    for (const float v : values) {
        if (v <= least) {
            least = v;
            any = true;
        }
    }
    return any ? least : 0.0F;
}

/// Rows of the upsampled map one after the other. Workspace: cell rows * pixels of the width, f64.
class row_stream {
public:
    row_stream(const resampling& on, const matrix<float>& cells)
        : on_(on), width_(on.x.end - on.x.begin), least_(smallest(cells.values())),
          stretched_(cells.rows(), width_) {
        OSTEND_EXPECTS(cells.rows() == on.y.cells && cells.columns() == on.x.cells,
                       "resample: a map of " + std::to_string(cells.rows()) + " x " +
                           std::to_string(cells.columns()) + " cells where " + std::to_string(on.y.cells) +
                           " x " + std::to_string(on.x.cells) + " were announced");
        for (index r = 0; r < cells.rows(); ++r) {
            for (const axis_run& run : on.x.runs) {
                stretch_run(on.x, cells.row(r), run, stretched_.row(r).data() + (run.begin - on.x.begin));
            }
        }
    }
    /// Row y of the upsampled map into out[0 .. pixels of the width). Rows may be asked for in any order;
    /// ascending order is fastest.
    void row(index y, float* out) {
        if (y < on_.y.begin || y >= on_.y.end) {
            std::fill(out, out + on_.x.pixels, least_);
            return;
        }
        if (y < on_.y.runs[run_].begin) {
            run_ = 0;
        }
        while (y >= on_.y.runs[run_].end) {
            ++run_;
        }
        std::array<const double*, 4> lines{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(on_.y.taps); ++k) {
            lines[k] = stretched_.row(on_.y.runs[run_].cells[k]).data();
        }
        std::fill(out, out + on_.x.begin, least_);
        mix_rows(on_.y, y, lines, width_, out + on_.x.begin);
        std::fill(out + on_.x.end, out + on_.x.pixels, least_);
    }

private:
    const resampling& on_;
    index width_;
    float least_;
    matrix<double> stretched_;
    std::size_t run_ = 0;
};

inline const grid_view& view_of(const layout& grid, int view, const char* who) {
    OSTEND_EXPECTS(view >= 0 && view < static_cast<int>(grid.views.size()),
                   std::string(who) + ": view " + std::to_string(view) + " of " +
                       std::to_string(grid.views.size()));
    return grid.views[static_cast<std::size_t>(view)];
}

/// The cells of the options' view, with the corners removed where that is asked.
inline matrix<float> cells_of(std::span<const float> map, const layout& grid, const peak_options& options) {
    matrix<float> cells = view_map(map, grid, options.view);
    if (options.remove_corners) {
        const float least = options.corner_value ? *options.corner_value : smallest(cells.values());
        for (const index r : {index{0}, cells.rows() - 1}) {
            for (const index c : {index{0}, cells.columns() - 1}) {
                cells(r, c) = least;
            }
        }
    }
    return cells;
}

} // namespace detail

/// The interpolation from a view's cells onto the original image. A grid that has the image's own size is
/// copied, not interpolated (which differs only where a value is not finite). Complexity O(width + height).
/// Preconditions: a valid layout (see validate), a view that it has.
[[nodiscard]] inline resampling make_resampling(const layout& grid, const peak_options& options = {}) {
    const grid_view& view = detail::view_of(grid, options.view, "make_resampling");
    const image_size size = grid.original;
    const bool copy = size.width == view.columns && size.height == view.rows &&
                      view.x == axis_affine{view.cell_width, 0} && view.y == axis_affine{view.cell_height, 0};
    return {make_axis(options.kernel, size.width, view.columns, view.x, view.cell_width, copy),
            make_axis(options.kernel, size.height, view.rows, view.y, view.cell_height, copy)};
}

/// The interpolation from rows x columns cells to height x width pixels: PyTorch's interpolate(size=(height,
/// width), align_corners=False), also for making a map smaller (no antialiasing).
[[nodiscard]] inline resampling make_resampling(index rows, index columns, image_size to,
                                                interpolation kernel = interpolation::bicubic) {
    const auto axis = [kernel](index pixels, index cells) {
        return make_axis(kernel, pixels, cells, static_cast<float>(cells) / static_cast<float>(pixels), 0.0);
    };
    return {axis(to.width, columns), axis(to.height, rows)};
}

/// The whole upsampled map, [height, width], whatever its values: a NaN spreads to the pixels that read it.
/// Pixels that the view does not show (another tile, cropped away) hold the map's smallest value.
/// Complexity O(rows * width + height * width).
[[nodiscard]] inline matrix<float> resample(const matrix<float>& cells, const resampling& on) {
    matrix<float> image(on.y.pixels, on.x.pixels);
    detail::row_stream rows(on, cells);
    for (index y = 0; y < on.y.pixels; ++y) {
        rows.row(y, image.row(y).data());
    }
    return image;
}

/// A map over the image tokens, [image_tokens], brought to the original image, [height, width].
/// The view is options.view. Error: a value that is not finite; `at` is the flat index of the first NaN of
/// the upsampled map or, when it has none, of its first infinity.
/// Source: groundLMM (interpolate, then crop); PyTorch's upsample_bicubic2d and upsample_bilinear2d.
[[nodiscard]] inline result<matrix<float>> upsample(std::span<const float> map, const layout& grid,
                                                    const peak_options& options = {}) {
    matrix<float> image = resample(detail::cells_of(map, grid, options), make_resampling(grid, options));
    const auto values = image.values();
    const auto nan = std::find_if(values.begin(), values.end(), [](float v) { return std::isnan(v); });
    if (nan != values.end()) {
        return error{"the upsampled map holds a NaN", "map", static_cast<std::size_t>(nan - values.begin())};
    }
    const auto infinite = std::find_if(values.begin(), values.end(), [](float v) { return std::isinf(v); });
    if (infinite != values.end()) {
        return error{"the upsampled map holds an infinity", "map",
                     static_cast<std::size_t>(infinite - values.begin())};
    }
    return image;
}

} // namespace ostend::inline OSTEND_KERNELS
