// morphology: erosion and dilation of masks by rectangles.
//
// A rectangle is a column of pixels and then a row of them. The column is free: it moves the ends of runs.
// The row is a sliding window over columns of bits (mask/bit_window.hpp), so the cost does not depend on the
// size of the rectangle, and only the box around the mask is looked at.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bit_window.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/column_walk.hpp"
#include "ostend/mask/run_merge.hpp"
#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace ostend::inline v0 {

/// What lies beyond the image: outside the mask, so that erosion eats from the border; or nothing, so that it
/// does not (OpenCV's default).
enum class mask_border : std::uint8_t { outside, ignored };

/// `iterations` times a rectangle of rows x columns pixels, whose pixel (rows / 2, columns / 2) is the one
/// that is decided, as OpenCV's default anchor.
struct morphology_options {
    index rows = 3;
    index columns = 3;
    index iterations = 1;
    mask_border border = mask_border::ignored; ///< for erosion; dilation has nothing to take from there
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// How far the rectangle reaches from its pixel.
struct reach {
    index up = 0;
    index down = 0;
    index left = 0;
    index right = 0;
};

[[nodiscard]] inline reach reach_of(const rle& mask, const morphology_options& options,
                                    [[maybe_unused]] const char* function) {
    OSTEND_EXPECTS(options.rows >= 1 && options.columns >= 1 && options.iterations >= 0,
                   std::string(function) + ": a rectangle of " + std::to_string(options.rows) + " x " +
                       std::to_string(options.columns) + " pixels, " + std::to_string(options.iterations) +
                       " times");
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), std::string(function) + ": " + good.error().message());
    // More than the image has rows or columns is the same as that many.
    const auto times = [&options](index pixels, index side) {
        const index most = pixels == 0 ? 0 : side / pixels + 1;
        return std::min(side, pixels * std::min(options.iterations, most));
    };
    return {times(options.rows / 2, mask.height), times(options.rows - 1 - options.rows / 2, mask.height),
            times(options.columns / 2, mask.width),
            times(options.columns - 1 - options.columns / 2, mask.width)};
}

/// A box around the mask: its own where that is soon found; of a mask of many runs only its columns, which
/// the ends tell, for walking all rows costs less than looking at all runs.
[[nodiscard]] inline box_in<original_frame> working_box(const rle& mask) {
    const index n = static_cast<index>(mask.counts.size());
    if (4 * n < (mask.height + 63) / 64 * mask.width) {
        return bounding_box(mask);
    }
    index first = 0;
    index last = mask.height * mask.width;
    index i = 0;
    for (; i < n && (i % 2 == 0 || mask.counts[static_cast<std::size_t>(i)] == 0); ++i) {
        first += mask.counts[static_cast<std::size_t>(i)];
    }
    for (index k = n; k-- > i && (k % 2 == 0 || mask.counts[static_cast<std::size_t>(k)] == 0);) {
        last -= mask.counts[static_cast<std::size_t>(k)];
    }
    if (first >= last) {
        return {};
    }
    const index x0 = first / mask.height;
    const index x1 = (last - 1) / mask.height + 1;
    return {static_cast<double>(x0), 0, static_cast<double>(x1), static_cast<double>(mask.height)};
}

/// Columns [first, end) of the result, whose inside pixels lie in rows [top, bottom): f(y, y end) gives the
/// rows that a run becomes; columns beyond those of the mask's box are all `beyond`.
template <class Combine, class Rows>
[[nodiscard]] rle slide_columns(const rle& mask, const box_in<original_frame>& box, index first, index end,
                                index top, index bottom, const reach& r, bool beyond, Combine combine,
                                Rows rows) {
    if (first >= end || top >= bottom) {
        return {mask.height, mask.width, {static_cast<std::uint32_t>(mask.height * mask.width)}};
    }
    const index first_row = top / 64 * 64;
    const auto words = static_cast<std::size_t>((bottom - first_row + 63) / 64);
    const auto width = static_cast<std::size_t>(r.left + r.right + 1);
    column_walk walk(mask);
    for (index x = 0; x < static_cast<index>(box.x0); ++x) {
        walk.next([](index, index, bool) {});
    }
    column_runs out(mask.height, mask.width, first, first_row);
    index x = first - r.left;
    slide_window(
        static_cast<std::size_t>(end - first) + width - 1, width, words, combine,
        [&](std::span<std::uint64_t> column) {
            const bool known = static_cast<double>(x) >= box.x0 && static_cast<double>(x) < box.x1;
            std::fill(column.begin(), column.end(), !known && beyond ? ~std::uint64_t{0} : 0);
            if (known) {
                walk.next([&](index y, index last, bool inside) {
                    if (inside) {
                        const auto [from, to] = rows(y, last);
                        if (from < to) {
                            set_bits(column, static_cast<std::size_t>(from - first_row),
                                     static_cast<std::size_t>(to - first_row));
                        }
                    }
                });
            }
            ++x;
        },
        [&out](std::span<const std::uint64_t> column) { out.add(column); });
    return {mask.height, mask.width,
            out.finish(static_cast<std::uint64_t>(mask.height) * static_cast<std::uint64_t>(mask.width))};
}

} // namespace detail

/// Pixels whose whole rectangle is inside: cv2.erode. Complexity O(counts + width + pixels of the box / 16),
/// whatever the rectangle; workspace: its width of columns of bits. Preconditions: sides >= 1, iterations >=
/// 0; the counts sum to height * width.
[[nodiscard]] inline rle erode(const rle& mask, const morphology_options& options = {}) {
    const detail::reach r = detail::reach_of(mask, options, "erode");
    if (!detail::is_canonical(mask)) { // nothing is eaten where an empty run parts two
        return erode(detail::canonical(mask), options);
    }
    const box_in<original_frame> box = detail::working_box(mask);
    const bool ignored = options.border == mask_border::ignored;
    const index h = mask.height;
    const auto x0 = static_cast<index>(box.x0);
    const auto x1 = static_cast<index>(box.x1);
    const auto y0 = static_cast<index>(box.y0);
    const auto y1 = static_cast<index>(box.y1);
    const auto rows = [&](index y, index end) {
        return std::pair{ignored && y == 0 ? 0 : y + r.up, ignored && end == h ? h : end - r.down};
    };
    const auto [top, bottom] = rows(y0, y1);
    return detail::slide_columns(
        mask, box, ignored && x0 == 0 ? 0 : x0 + r.left,
        ignored && x1 == mask.width ? mask.width : x1 - r.right, top, bottom, r, true,
        [](std::uint64_t a, std::uint64_t b) { return a & b; }, rows);
}

/// Pixels in whose rectangle some pixel is inside: cv2.dilate. Complexity, workspace and preconditions as
/// erode's, the box being larger by the rectangle.
[[nodiscard]] inline rle dilate(const rle& mask, const morphology_options& options = {}) {
    const detail::reach r = detail::reach_of(mask, options, "dilate");
    const box_in<original_frame> box = detail::working_box(mask);
    const auto rows = [&](index y, index end) {
        return std::pair{std::max<index>(0, y - r.down), std::min(mask.height, end + r.up)};
    };
    const auto [top, bottom] = rows(static_cast<index>(box.y0), static_cast<index>(box.y1));
    const bool any = box.x0 < box.x1;
    return detail::slide_columns(
        mask, box, std::max<index>(0, static_cast<index>(box.x0) - r.right),
        any ? std::min(mask.width, static_cast<index>(box.x1) + r.left) : 0, top, bottom, r, false,
        [](std::uint64_t a, std::uint64_t b) { return a | b; }, rows);
}

} // namespace ostend::inline OSTEND_KERNELS
