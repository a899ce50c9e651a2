// from_sam_logits: a mask of the original size straight from a segmenter's low-resolution logits: SAM's two
// resizes, threshold, run lengths, area, box and stability score in one pass; the upsampled logits never
// exist.
//
// Interpolated values lie between the cells that they are made of. So where all the cells of a block of
// pixels are on one side of each threshold, no pixel of it is computed; the rest, a band along the outline,
// is computed as sam_upsampled computes it, and the result is the same mask, bit for bit.
#pragma once

#include "ostend/mask/from_logits.hpp"
#include "ostend/mask/sam_upsampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The least and the greatest of some cells; of cells that are not all finite, minus and plus infinity.
struct cell_range {
    static constexpr float infinity = std::numeric_limits<float>::infinity();
    float least = infinity;
    float greatest = -infinity;

    void add(float v) {
        least = v < least ? v : least;
        greatest = v > greatest ? v : greatest;
    }
    void add(const cell_range& other) {
        add(other.least);
        add(other.greatest);
    }
    /// By how much rounding can move a pixel: two axes, each rounded to f32, with weights whose sum is off by
    /// 2^-25 at most, come to less than half of this.
    [[nodiscard]] float margin() const { return 0x1p-21F * std::max(-least, greatest); }
    /// 1: every pixel of these cells is above the threshold, 0: none is, -1: not known without computing.
    [[nodiscard]] int above(float threshold) const {
        return least - margin() > threshold ? 1 : greatest + margin() < threshold ? 0 : -1;
    }
};

/// Computes pixels where needed, thirty-two columns of a strip at a time.
class sam_pixels {
public:
    using counter = threshold_counter<float>;

    sam_pixels(const std::vector<float>& cells, index cell_columns, const sam_axis& columns,
               const sam_axis& rows)
        : cells_(cells), cell_columns_(cell_columns), columns_(columns), rows_(rows) {}

    void begin_strip(index x0) {
        x0_ = x0;
        for (auto& row : held_) {
            row.fill(-1);
        }
    }
    /// Pixels of row y from column x0 + x on; those beyond the image are NaN, which is above no threshold.
    void compute(index y, index x, counter::chunk& out) {
        interpolate_column(rows_, y, counter::width, out.data(),
                           [this, x](index row) { return wide_row(row, x); });
    }

private:
    static constexpr std::size_t ring = 8; ///< rows of cells that are held: one pixel's lie closer together

    const float* wide_row(index row, index x) {
        const auto slot = static_cast<std::size_t>(row) % ring;
        index& held = held_[slot][static_cast<std::size_t>(x / counter::width)];
        float* to = wide_[slot].data() + x;
        if (held != row) {
            const index n = std::min(counter::width, columns_.pixels() - x0_ - x);
            interpolate_row(columns_, cells_.data() + row * cell_columns_, x0_ + x, n, to);
            std::fill(to + n, to + counter::width, std::numeric_limits<float>::quiet_NaN());
            held = row;
        }
        return to;
    }

    const std::vector<float>& cells_;
    index cell_columns_;
    const sam_axis& columns_;
    const sam_axis& rows_;
    index x0_ = 0;
    std::array<std::array<index, bit_strip::most_columns / counter::width>, ring> held_ = {};
    std::array<std::array<float, bit_strip::most_columns>, ring> wide_ = {};
};

/// The last row after y that reads the same cells, and one: [y, end).
[[nodiscard]] inline std::vector<index> same_cells_until(const sam_axis& axis) {
    std::vector<index> end(static_cast<std::size_t>(axis.pixels()));
    for (std::size_t y = end.size(); y-- > 0;) {
        bool same = y + 1 < end.size();
        for (std::size_t k = 0; same && k < axis.taps; ++k) {
            same = axis.cells[k][y] == axis.cells[k][y + 1];
        }
        end[y] = same ? end[y + 1] : static_cast<index>(y) + 1;
    }
    return end;
}

/// One call of from_sam_logits.
class sam_masker {
public:
    sam_masker(std::vector<float> cells, index cell_rows, index cell_columns, const sam_frame& frame,
               const logits_options& options)
        : cells_(std::move(cells)), cell_columns_(cell_columns), height_(frame.original.height),
          width_(frame.original.width), counts_(options),
          columns_(make_sam_axis(cell_columns, frame.side, frame.resized.width, width_)),
          rows_(make_sam_axis(cell_rows, frame.side, frame.resized.height, height_)),
          same_until_(same_cells_until(rows_)), finite_(static_cast<std::size_t>(cell_rows)),
          ranges_(static_cast<std::size_t>(cell_rows)), pixels_(cells_, cell_columns, columns_, rows_) {
        for (index row = 0; row < cell_rows; ++row) {
            const float* values = cells_.data() + row * cell_columns;
            unsigned others = 0;
            for (index x = 0; x < cell_columns; ++x) {
                others |= std::abs(values[x]) <= std::numeric_limits<float>::max() ? 0U : 1U;
            }
            finite_[static_cast<std::size_t>(row)] = others == 0 ? 1 : 0;
        }
    }
    sam_masker(const sam_masker&) = delete; // pixels_ refers to its neighbours
    sam_masker& operator=(const sam_masker&) = delete;

    [[nodiscard]] logits_mask run(std::uint64_t pixels) {
        run_collector runs(pixels);
        bit_strip strip(height_, width_);
        strip_runs strips(runs);
        for (x0_ = 0; x0_ < width_; x0_ += strip.columns()) {
            strip_columns_ = std::min(strip.columns(), width_ - x0_);
            begin_strip();
            for (index y = 0; y < height_; y += 8) {
                bit_strip::line line{};
                const index end = std::min(y + 8, height_);
                for (index first = y; first < end;) {
                    const index last = std::min(same_until_[static_cast<std::size_t>(first)], end);
                    add_rows(first, last, y, line);
                    first = last;
                }
                counts_.collect();
                strip.set_pixels(y / 8, line);
            }
            strips.add(strip, strip_columns_);
        }
        return measured({height_, width_, runs.finish()}, counts_.stability());
    }

private:
    using counter = sam_pixels::counter;
    static constexpr std::size_t most_chunks = bit_strip::most_columns / counter::width;

    /// The ranges of the cells under each chunk of the strip.
    void begin_strip() {
        pixels_.begin_strip(x0_);
        for (index x = 0; x < strip_columns_; x += counter::width) {
            index first = cell_columns_;
            index last = 0;
            for (index i = x0_ + x; i < x0_ + std::min(x + counter::width, strip_columns_); ++i) {
                for (std::size_t k = 0; k < columns_.taps; ++k) {
                    const index cell = columns_.cells[k][static_cast<std::size_t>(i)];
                    first = std::min(first, cell);
                    last = std::max(last, cell);
                }
            }
            for (std::size_t row = 0; row < ranges_.size(); ++row) {
                cell_range range;
                if (finite_[row] == 0) {
                    range = {-cell_range::infinity, cell_range::infinity};
                }
                const float* cells = cells_.data() + static_cast<index>(row) * cell_columns_;
                for (index cell = first; cell <= last; ++cell) {
                    range.add(cells[cell]);
                }
                ranges_[row][static_cast<std::size_t>(x / counter::width)] = range;
            }
        }
    }
    /// Rows [first, last), which read the same cells, into the line that begins at row y0.
    void add_rows(index first, index last, index y0, bit_strip::line& line) {
        const auto [low, middle, high] = counts_.thresholds();
        const auto bits = static_cast<std::uint8_t>(((1U << static_cast<unsigned>(last - first)) - 1U)
                                                    << static_cast<unsigned>(first - y0));
        for (index x = 0; x < strip_columns_; x += counter::width) {
            cell_range range;
            for (std::size_t k = 0; k < rows_.taps; ++k) {
                const auto row = static_cast<std::size_t>(rows_.cells[k][static_cast<std::size_t>(first)]);
                range.add(ranges_[row][static_cast<std::size_t>(x / counter::width)]);
            }
            const int above_low = range.above(low);
            const int above_middle = range.above(middle);
            const int above_high = range.above(high);
            if (above_low < 0 || above_middle < 0 || above_high < 0) {
                for (index y = first; y < last; ++y) {
                    counter::chunk chunk;
                    pixels_.compute(y, x, chunk);
                    counts_.add(chunk, static_cast<std::uint8_t>(1U << static_cast<unsigned>(y - y0)),
                                line.data() + x);
                }
                continue;
            }
            const auto n =
                static_cast<std::uint64_t>(std::min(counter::width, strip_columns_ - x) * (last - first));
            counts_.count(above_low != 0 ? n : 0, above_high != 0 ? n : 0);
            if (above_middle != 0) {
                for (index i = x; i < x + counter::width; ++i) {
                    line[static_cast<std::size_t>(i)] |= bits;
                }
            }
        }
    }

    std::vector<float> cells_;
    index cell_columns_;
    index height_;
    index width_;
    counter counts_;
    sam_axis columns_;
    sam_axis rows_;
    std::vector<index> same_until_;
    std::vector<std::uint8_t> finite_;                        ///< is every cell of the row?
    std::vector<std::array<cell_range, most_chunks>> ranges_; ///< of each row of cells
    sam_pixels pixels_;
    index x0_ = 0; ///< the strip's first column
    index strip_columns_ = 0;
};

} // namespace detail

/// The mask of logits [height, width] over the padded square, in the original image: what from_logits gives
/// for sam_upsampled(logits, frame), without making that. A NaN spreads over the pixels that read it, which
/// are outside. Complexity O(cells + pixels / 32 + pixels along the outline); workspace O(cells + rows +
/// columns). Preconditions: those of sam_upsampled; at most max_mask_pixels. Source: segment-anything,
/// Sam.postprocess_masks and amg.calculate_stability_score.
template <class T>
requires float_element<std::remove_const_t<T>>
[[nodiscard]] logits_mask from_sam_logits(const tensor_view<T, 2>& logits, const sam_frame& frame,
                                          const logits_options& options = {}) {
    const index cell_rows = logits.extent(0);
    const index cell_columns = logits.extent(1);
    detail::expect_sam_logits(cell_rows, cell_columns, frame, "from_sam_logits");
    const auto pixels = mask_pixels(frame.original.height, frame.original.width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), "from_sam_logits: " + pixels.error().what);
    std::vector<float> cells(static_cast<std::size_t>(cell_rows * cell_columns));
    for (index y = 0; y < cell_rows; ++y) {
        for (index x = 0; x < cell_columns; ++x) {
            cells[static_cast<std::size_t>(y * cell_columns + x)] = to_float(logits.load(y, x));
        }
    }
    return detail::sam_masker(std::move(cells), cell_rows, cell_columns, frame, options).run(*pixels);
}

} // namespace ostend::inline OSTEND_KERNELS
