// sam_upsampling: a segmenter's low-resolution logits at the size of the original image, as SAM brings them
// there: bilinear to the padded square, cut to the image, bilinear to the original size.
//
// Both steps are linear and go along one axis at a time, so they are one: each pixel reads at most four cells
// an axis. Weights and rows between the axes are f32, products are formed in f64 where they are exact: every
// compiler and instruction set gives the same bits, within rounding of PyTorch's.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/prompt/sam_frame.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Up to four cells of one axis and their weights, for each pixel; weights that are not used are 0.
struct sam_axis {
    static constexpr std::size_t most_taps = 4;
    std::size_t taps = 1; ///< the most that a pixel needs
    std::array<std::vector<std::int32_t>, most_taps> cells = {};
    std::array<std::vector<float>, most_taps> weights = {};

    [[nodiscard]] index pixels() const { return static_cast<index>(cells[0].size()); }
};

struct two_cells {
    index first = 0;
    index second = 0;
    float share = 0; ///< of the second
};

/// PyTorch's bilinear interpolation with align_corners=False, in its f32 arithmetic. The product is formed in
/// f64, where it is exact, so it cannot be contracted with the difference.
[[nodiscard]] inline two_cells bilinear_cells(index pixel, index pixels, index cells) {
    const float ratio = static_cast<float>(cells) / static_cast<float>(pixels);
    const double middle = static_cast<double>(pixel) + 0.5;
    const float scaled =
        static_cast<float>(static_cast<double>(ratio) * static_cast<double>(static_cast<float>(middle)));
    const float source = std::max(scaled - 0.5F, 0.0F);
    const index first = std::min(static_cast<index>(source), cells - 1);
    return {first, std::min(first + 1, cells - 1), std::min(source - static_cast<float>(first), 1.0F)};
}

/// Pixels of the original over cells: `cells` cover the padded square of `side`, of which `resized` show the
/// image of `original` pixels.
[[nodiscard]] inline sam_axis make_sam_axis(index cells, index side, index resized, index original) {
    sam_axis axis;
    for (std::size_t k = 0; k < sam_axis::most_taps; ++k) {
        axis.cells[k].resize(static_cast<std::size_t>(original));
        axis.weights[k].resize(static_cast<std::size_t>(original));
    }
    for (std::size_t x = 0; x < static_cast<std::size_t>(original); ++x) {
        std::array<index, sam_axis::most_taps> found{};
        std::array<double, sam_axis::most_taps> weights{};
        std::size_t n = 0;
        const auto add = [&](index cell, double weight) {
            std::size_t at = 0;
            while (at < n && found[at] != cell) {
                ++at;
            }
            if (at == n && weight != 0) {
                found[n++] = cell;
            }
            if (at < n) {
                weights[at] += weight;
            }
        };
        const two_cells outer = bilinear_cells(static_cast<index>(x), original, resized);
        for (const bool second : {false, true}) {
            const two_cells inner = bilinear_cells(second ? outer.second : outer.first, side, cells);
            const double share = second ? outer.share : 1.0F - outer.share;
            add(inner.first, share * (1.0F - inner.share));
            add(inner.second, share * inner.share);
        }
        std::size_t largest = 0;
        double others = 1;
        for (std::size_t k = 0; k < n; ++k) {
            largest = weights[k] > weights[largest] ? k : largest;
        }
        for (std::size_t k = 0; k < n; ++k) {
            others -= k == largest ? 0.0 : static_cast<float>(weights[k]);
        }
        for (std::size_t k = 0; k < sam_axis::most_taps; ++k) {
            axis.cells[k][x] = static_cast<std::int32_t>(found[k < n ? k : 0]);
            axis.weights[k][x] = static_cast<float>(k < n ? (k == largest ? others : weights[k]) : 0.0);
        }
        axis.taps = std::max(axis.taps, n);
    }
    return axis;
}

inline void expect_sam_logits([[maybe_unused]] index height, [[maybe_unused]] index width,
                              [[maybe_unused]] const sam_frame& frame,
                              [[maybe_unused]] const char* function) {
    OSTEND_EXPECTS(frame.original.width >= 1 && frame.original.height >= 1 && frame.resized.width >= 1 &&
                       frame.resized.height >= 1 && frame.resized.width <= frame.side &&
                       frame.resized.height <= frame.side,
                   std::string(function) + ": an image of " + std::to_string(frame.original.width) + " x " +
                       std::to_string(frame.original.height) + ", resized to " +
                       std::to_string(frame.resized.width) + " x " + std::to_string(frame.resized.height) +
                       " in a square of " + std::to_string(frame.side));
    OSTEND_EXPECTS(height >= 1 && width >= 1 && height <= 2 * frame.side && width <= 2 * frame.side,
                   std::string(function) + ": logits of " + std::to_string(height) + " x " +
                       std::to_string(width) + " over a square of " + std::to_string(frame.side));
}

/// to[i] = the sum over k < taps of weight(k, i) * cell(k, i), for i < n. Taps are written out, and pixels
/// come thirty-two at a time, so that compilers vectorise a plain loop.
template <class Weight, class Cell>
void add_taps(std::size_t taps, index n, float* to, const Weight& weight, const Cell& cell) {
    constexpr std::size_t lanes = 32;
    const auto run = [&]<std::size_t... K>(std::index_sequence<K...>) {
        const auto pixel = [&](std::size_t i) {
            double sum = 0;
            ((sum += static_cast<double>(weight(K, i)) * static_cast<double>(cell(K, i))), ...);
            return static_cast<float>(sum);
        };
        const auto end = static_cast<std::size_t>(n);
        std::size_t i = 0;
        for (; i + lanes <= end; i += lanes) {
            std::array<float, lanes> sums;
            for (std::size_t k = 0; k < lanes; ++k) {
                sums[k] = pixel(i + k);
            }
            std::memcpy(to + i, sums.data(), sizeof sums);
        }
        for (; i < end; ++i) {
            to[i] = pixel(i);
        }
    };
    switch (taps) {
    case 1:
        return run(std::make_index_sequence<1>());
    case 2:
        return run(std::make_index_sequence<2>());
    case 3:
        return run(std::make_index_sequence<3>());
    default:
        return run(std::make_index_sequence<sam_axis::most_taps>());
    }
}

/// A row of cells at the pixels [x, x + n).
inline void interpolate_row(const sam_axis& axis, const float* cells, index x, index n, float* to) {
    std::array<const std::int32_t*, sam_axis::most_taps> from{};
    std::array<const float*, sam_axis::most_taps> weights{};
    for (std::size_t k = 0; k < sam_axis::most_taps; ++k) {
        from[k] = axis.cells[k].data() + x;
        weights[k] = axis.weights[k].data() + x;
    }
    add_taps(
        axis.taps, n, to, [&](std::size_t k, std::size_t i) { return weights[k][i]; },
        [&](std::size_t k, std::size_t i) { return cells[from[k][i]]; });
}

/// Row y of the pixels, n of them, out of interpolated rows of cells: row(cell) is where one begins.
template <class Row>
void interpolate_column(const sam_axis& axis, index y, index n, float* to, Row row) {
    std::array<const float*, sam_axis::most_taps> from{};
    std::array<double, sam_axis::most_taps> weights{};
    for (std::size_t k = 0; k < axis.taps; ++k) {
        from[k] = row(axis.cells[k][static_cast<std::size_t>(y)]);
        weights[k] = axis.weights[k][static_cast<std::size_t>(y)];
    }
    add_taps(
        axis.taps, n, to, [&](std::size_t k, std::size_t) { return weights[k]; },
        [&](std::size_t k, std::size_t i) { return from[k][i]; });
}

} // namespace detail

/// The logits [height, width] over the padded square at every pixel of the original image, into a view of its
/// size, of any strides. Complexity O(pixels of the original), memory O(height * width of the original): what
/// from_sam_logits does without, and the oracle that it is tested with. Preconditions: a frame of at least
/// one pixel, resized within its square; logits of 1 to 2 * side a side. Source: segment-anything,
/// Sam.postprocess_masks.
template <class T>
requires float_element<std::remove_const_t<T>>
void sam_upsampled(const tensor_view<T, 2>& logits, const sam_frame& frame,
                   const tensor_view<float, 2>& out) {
    const index height = logits.extent(0);
    const index width = logits.extent(1);
    detail::expect_sam_logits(height, width, frame, "sam_upsampled");
    OSTEND_EXPECTS_ALWAYS(out.extent(0) == frame.original.height && out.extent(1) == frame.original.width,
                          "sam_upsampled: an image of " + std::to_string(frame.original.width) + " x " +
                              std::to_string(frame.original.height) + " into a view of " +
                              std::to_string(out.extent(0)) + " rows and " + std::to_string(out.extent(1)) +
                              " columns");
    const auto columns = detail::make_sam_axis(width, frame.side, frame.resized.width, frame.original.width);
    const auto rows = detail::make_sam_axis(height, frame.side, frame.resized.height, frame.original.height);
    matrix<float> wide(height, frame.original.width);
    std::vector<float> cells(static_cast<std::size_t>(width));
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            cells[static_cast<std::size_t>(x)] = static_cast<float>(to_float(logits.load(y, x)));
        }
        detail::interpolate_row(columns, cells.data(), 0, wide.columns(), wide.row(y).data());
    }
    const bool dense = out.stride(1) == 1;
    std::vector<float> line(dense ? 0 : static_cast<std::size_t>(wide.columns()));
    for (index y = 0; y < out.extent(0); ++y) {
        float* const to = out.data() + y * out.stride(0);
        detail::interpolate_column(rows, y, wide.columns(), dense ? to : line.data(),
                                   [&wide](index cell) { return std::as_const(wide).row(cell).data(); });
        for (std::size_t x = 0; x < line.size(); ++x) {
            to[static_cast<index>(x) * out.stride(1)] = line[x];
        }
    }
}
/// The same in a matrix of its own.
template <class T>
requires float_element<std::remove_const_t<T>>
[[nodiscard]] matrix<float> sam_upsampled(const tensor_view<T, 2>& logits, const sam_frame& frame) {
    detail::expect_sam_logits(logits.extent(0), logits.extent(1), frame, "sam_upsampled");
    matrix<float> out(frame.original.height, frame.original.width);
    sam_upsampled(logits, frame, out.view());
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
