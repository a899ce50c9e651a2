// Local maxima of the upsampled map without filling it: of one patch at a time, as the search asks for them.
//
// A local maximum is a pixel that no neighbour of the eight exceeds and no earlier one, in row-major order,
// equals: a plateau counts once or a few times. Only pixels that the view shows take part. Where the
// polynomial of a piece rises or falls in one direction by more than rounding can undo, only its edge can
// hold one; what is left is evaluated with a border of one pixel.
#pragma once

#include "ostend/peak/patch.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A pixel and the map's value there.
struct valued_pixel {
    pixel at = {};
    float value = 0;
};

/// Whether the pixel at `here` is a local maximum; the rows above and below are those of its column.
inline bool is_local_maximum(const float* above, const float* here, const float* below) noexcept {
    const float v = *here;
    return v > here[-1] && v >= here[1] && v > above[0] && v > above[-1] && v > above[1] && v >= below[0] &&
           v >= below[-1] && v >= below[1];
}

/// All local maxima in row-major order, by looking at every pixel.
inline std::vector<valued_pixel> local_maxima(const matrix<float>& cells, const resampling& on) {
    row_stream rows(on, cells);
    const index width = on.x.end - on.x.begin;
    // Three rows in turn, each with a border of -infinity; a missing row is all border.
    const float low = -std::numeric_limits<float>::infinity();
    std::array<std::vector<float>, 3> window;
    window.fill(std::vector<float>(static_cast<std::size_t>(width + 2), low));
    std::vector<float> line(static_cast<std::size_t>(on.x.pixels));
    const auto read = [&](index y, std::vector<float>& into) {
        if (y >= on.y.end) {
            std::fill(into.begin(), into.end(), low);
            return;
        }
        rows.row(y, line.data());
        std::copy(line.begin() + on.x.begin, line.begin() + on.x.end, into.begin() + 1);
    };
    std::vector<valued_pixel> found;
    read(on.y.begin, window[1]);
    for (index y = on.y.begin; y < on.y.end; ++y) {
        read(y + 1, window[2]);
        for (index i = 1; i <= width; ++i) {
            const float* here = window[1].data() + i;
            if (is_local_maximum(window[0].data() + i, here, window[2].data() + i)) {
                found.push_back({{on.x.begin + i - 1, y}, *here});
            }
        }
        std::rotate(window.begin(), window.begin() + 1, window.end());
    }
    return found;
}

/// The local maxima of single patches. Precondition: finite values of at most `largest` in magnitude.
class patch_maxima {
public:
    patch_maxima(const resampling& on, const matrix<float>& cells, float largest)
        : on_(on), cells_(cells), least_x_(least_step(on.x, largest)), least_y_(least_step(on.y, largest)) {}

    /// Appends those of a patch that are not `covered`, which is asked about rectangles of pixels.
    template <class Covered>
    void find(index row_run, index column_run, const Covered& covered, std::vector<valued_pixel>& found) {
        row_run_ = static_cast<std::size_t>(row_run);
        column_run_ = static_cast<std::size_t>(column_run);
        look_at(whole_patch(on_, cells_, on_.y.runs[row_run_], on_.x.runs[column_run_]), covered, found);
    }

private:
    /// What the differences of coefficients have to exceed, for an interval of length 1, so that a pixel
    /// differs from its neighbour by more than rounding: 3 differences * (distance of two pixels) > 2
    /// margins. The offsets are rounded to f32, of positions up to the number of cells. No difference exceeds
    /// an infinity.
    static double least_step(const axis_weights& axis, float largest) noexcept {
        const double apart = static_cast<double>(axis.ratio) - 5e-7 * static_cast<double>(axis.cells);
        return apart > 0 ? 2.0 / 3.0 * static_cast<double>(rounding_margin(largest)) / apart
                         : std::numeric_limits<double>::infinity();
    }
    /// Keeps the pixels that can be larger than their neighbours in one direction.
    static void narrow(const axis_weights& axis, const axis_run& run, const patch_piece& piece,
                       std::size_t step, double least, index_span& pixels) {
        if (offset_of(axis, run, pixels.begin) == 0 && axis.taps == 2) {
            return; // pixels before the first centre may copy it: a plateau
        }
        double rise = std::numeric_limits<double>::infinity();
        double fall = rise;
        for (std::size_t line = 0; line < 4; ++line) {
            const double* v = piece.net.data() + line * (step == 1 ? 4 : 1);
            for (std::size_t k = 0; k < 3; ++k) {
                const double d = v[(k + 1) * step] - v[k * step];
                rise = d < rise ? d : rise;
                fall = -d < fall ? -d : fall;
            }
        }
        if (rise > least) { // the last pixel too is less than the next one, but for the last of the patch
            pixels.begin = pixels.end < run.end ? pixels.end : pixels.end - 1;
        } else if (fall > least) {
            pixels.end = pixels.begin + 1;
        }
    }
    template <class Covered>
    void look_at(patch_piece piece, const Covered& covered, std::vector<valued_pixel>& found) {
        const axis_run& rows = on_.y.runs[row_run_];
        const axis_run& columns = on_.x.runs[column_run_];
        narrow(on_.x, columns, piece, 1, least_x_ * (piece.right - piece.left), piece.x);
        narrow(on_.y, rows, piece, 4, least_y_ * (piece.bottom - piece.top), piece.y);
        if (piece.pixels() == 0 || covered(piece.y, piece.x)) {
            return;
        }
        if (piece.pixels() <= small_piece) {
            evaluate(piece, found);
            return;
        }
        for (const patch_piece& half : halves(on_, rows, columns, piece)) {
            look_at(half, covered, found);
        }
    }
    void evaluate(const patch_piece& piece, std::vector<valued_pixel>& found) {
        const index_span y{std::max(piece.y.begin - 1, on_.y.begin), std::min(piece.y.end + 1, on_.y.end)};
        const index_span x{std::max(piece.x.begin - 1, on_.x.begin), std::min(piece.x.end + 1, on_.x.end)};
        const index stride = piece.x.end - piece.x.begin + 2;
        const index height = piece.y.end - piece.y.begin + 2;
        std::array<float, 3 * (small_piece + 2)> values; // the largest that height * stride can be
        std::fill(values.begin(), values.begin() + height * stride, -std::numeric_limits<float>::infinity());
        const auto at = [&](index row, index column) {
            return values.data() + (row - piece.y.begin + 1) * stride + (column - piece.x.begin + 1);
        };
        for (std::size_t p = first_run(on_.y, row_run_, y.begin); p < on_.y.runs.size(); ++p) {
            const axis_run& rows = on_.y.runs[p];
            if (rows.begin >= y.end) {
                break;
            }
            const index_span some_y{std::max(y.begin, rows.begin), std::min(y.end, rows.end)};
            for (std::size_t q = first_run(on_.x, column_run_, x.begin); q < on_.x.runs.size(); ++q) {
                const axis_run& columns = on_.x.runs[q];
                if (columns.begin >= x.end) {
                    break;
                }
                const index_span some_x{std::max(x.begin, columns.begin), std::min(x.end, columns.end)};
                fill_pixels(on_, cells_, rows, columns, some_y, some_x, at(some_y.begin, some_x.begin),
                            stride);
            }
        }
        for (index row = piece.y.begin; row < piece.y.end; ++row) {
            for (index column = piece.x.begin; column < piece.x.end; ++column) {
                const float* here = at(row, column);
                if (is_local_maximum(here - stride, here, here + stride)) {
                    found.push_back({{column, row}, *here});
                }
            }
        }
    }
    /// The run that holds a pixel, which is at or shortly before the given one.
    static std::size_t first_run(const axis_weights& axis, std::size_t run, index at) noexcept {
        while (axis.runs[run].begin > at) {
            --run;
        }
        return run;
    }

    const resampling& on_;
    const matrix<float>& cells_;
    double least_x_;
    double least_y_;
    std::size_t row_run_ = 0;
    std::size_t column_run_ = 0;
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
