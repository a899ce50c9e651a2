// transform: crop, pad, flip and resize masks on their runs, without a dense mask.
//
// Everything is linear in the runs that are read and written. Columns that are full from top to bottom stay
// one run where the new mask has no other rows, so a large full mask costs nothing.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// Which source pixel a pixel of the resized mask is: the one under its centre, floor((i + 0.5) * from / to)
/// (PIL, PyTorch's nearest-exact), or under its first corner, floor(i * from / to) (OpenCV's INTER_NEAREST,
/// PyTorch's nearest). Computed in integers, so that no rounding moves a pixel.
enum class nearest_rule : std::uint8_t { centre, corner };

/// A rectangle of pixels, which may stick out of the mask.
struct mask_window {
    index x = 0; ///< of its first column
    index y = 0; ///< of its first row
    index height = 0;
    index width = 0;
};

/// Rows and columns to add on each side.
struct mask_margins {
    index top = 0;
    index bottom = 0;
    index left = 0;
    index right = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

inline void expect_covered([[maybe_unused]] const rle& mask, [[maybe_unused]] const char* function) {
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), std::string(function) + ": " + good.error().message());
}
inline void expect_size(index height, index width, [[maybe_unused]] const char* function) {
    const auto pixels = mask_pixels(height, width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), std::string(function) + ": " + pixels.error().what);
}

/// Adds rows [y0, y1) of columns [x0, x1) of a mask; calls come in the order of pixels.
inline void add_rectangle(run_writer& out, index height, index x0, index x1, index y0, index y1) {
    if (x0 >= x1 || y0 >= y1) {
        return;
    }
    if (y0 == 0 && y1 == height) {
        out.add_inside(static_cast<std::uint64_t>(x0 * height), static_cast<std::uint64_t>(x1 * height));
        return;
    }
    for (index x = x0; x < x1; ++x) {
        out.add_inside(static_cast<std::uint64_t>(x * height + y0),
                       static_cast<std::uint64_t>(x * height + y1));
    }
}

/// The first of `to` pixels whose source among `from` pixels is `source` or one after it.
[[nodiscard]] inline index first_reading(index source, index from, index to, nearest_rule rule) {
    // corner: i from >= source to; centre: (2 i + 1) from >= 2 source to. Sides are below 2^32.
    const std::uint64_t product = static_cast<std::uint64_t>(source) * static_cast<std::uint64_t>(to);
    const auto cells = static_cast<std::uint64_t>(from);
    const std::uint64_t rest = product % cells;
    return static_cast<index>(product / cells) +
           (rest > (rule == nearest_rule::corner ? 0 : cells / 2) ? 1 : 0);
}

/// The runs last to first: the mask turned by half a turn.
[[nodiscard]] inline rle reversed(const rle& mask) {
    run_writer out(mask.height, mask.width);
    for (std::size_t i = mask.counts.size(); i-- > 0;) {
        out.add(i % 2 == 1, mask.counts[i]);
    }
    return out.finish();
}

} // namespace detail

/// The window's pixels. Those beyond the mask are outside, so a window that sticks out pads. O(counts + runs
/// written). Preconditions: the window has at most max_mask_pixels, its corner lies within 2^32 of the
/// mask's; the counts sum to height * width.
[[nodiscard]] inline rle crop(const rle& mask, const mask_window& window) {
    detail::expect_covered(mask, "crop");
    detail::expect_size(window.height, window.width, "crop");
    constexpr index most = index{1} << 32U;
    OSTEND_EXPECTS(window.x >= -most && window.x <= most && window.y >= -most && window.y <= most,
                   "crop: a window at " + std::to_string(window.x) + ", " + std::to_string(window.y));
    detail::run_writer out(window.height, window.width);
    for_each_piece(mask, [&](index x0, index x1, index y0, index y1) {
        detail::add_rectangle(out, window.height, std::max<index>(0, x0 - window.x),
                              std::min(window.width, x1 - window.x), std::max<index>(0, y0 - window.y),
                              std::min(window.height, y1 - window.y));
    });
    return out.finish();
}

/// The mask with pixels outside around it. Preconditions: margins >= 0, at most max_mask_pixels in all; the
/// counts sum to height * width. O(counts + runs written).
[[nodiscard]] inline rle pad(const rle& mask, const mask_margins& margins) {
    OSTEND_EXPECTS(margins.top >= 0 && margins.bottom >= 0 && margins.left >= 0 && margins.right >= 0,
                   "pad: a negative margin");
    return crop(mask, {.x = -margins.left,
                       .y = -margins.top,
                       .height = mask.height + margins.top + margins.bottom,
                       .width = mask.width + margins.left + margins.right});
}

/// Upside down: the last row first. O(counts). Precondition: the counts sum to height * width.
[[nodiscard]] inline rle flip_vertically(const rle& mask) {
    detail::expect_covered(mask, "flip_vertically");
    detail::run_writer out(mask.height, mask.width);
    std::vector<std::array<index, 4>> column; // the pieces of one column, from the top
    const auto write = [&] {
        for (std::size_t i = column.size(); i-- > 0;) {
            const auto [x0, x1, y0, y1] = column[i];
            detail::add_rectangle(out, mask.height, x0, x1, mask.height - y1, mask.height - y0);
        }
        column.clear();
    };
    for_each_piece(mask, [&](index x0, index x1, index y0, index y1) {
        if (!column.empty() && column.back()[0] != x0) {
            write();
        }
        column.push_back({x0, x1, y0, y1});
    });
    write();
    return out.finish();
}

/// Left to right: the last column first. O(counts). Precondition: the counts sum to height * width.
[[nodiscard]] inline rle flip_horizontally(const rle& mask) {
    return detail::reversed(flip_vertically(mask));
}

/// The mask at another size, by the nearest pixel. O(counts + runs written). Preconditions: at most
/// max_mask_pixels; a mask without pixels only to one without; the counts sum to height * width.
[[nodiscard]] inline rle resize(const rle& mask, index height, index width,
                                nearest_rule rule = nearest_rule::centre) {
    detail::expect_covered(mask, "resize");
    detail::expect_size(height, width, "resize");
    OSTEND_EXPECTS((mask.height >= 1 && mask.width >= 1) || height * width == 0,
                   "resize: a mask without pixels to " + std::to_string(height) + " x " +
                       std::to_string(width));
    detail::run_writer out(height, width);
    const auto row = [&](index y) { return detail::first_reading(y, mask.height, height, rule); };
    const auto column = [&](index x) { return detail::first_reading(x, mask.width, width, rule); };
    std::vector<std::array<index, 2>> rows; // of one source column, which may be written several times
    index from = 0;
    const auto write = [&] {
        for (index x = column(from); !rows.empty() && x < column(from + 1); ++x) {
            for (const auto [y0, y1] : rows) {
                detail::add_rectangle(out, height, x, x + 1, y0, y1);
            }
        }
        rows.clear();
    };
    for_each_piece(mask, [&](index x0, index x1, index y0, index y1) {
        if (x0 != from) {
            write();
            from = x0;
        }
        if (y0 == 0 && y1 == mask.height) {
            detail::add_rectangle(out, height, column(x0), column(x1), 0, height);
        } else {
            rows.push_back({row(y0), row(y1)});
        }
    });
    write();
    return out.finish();
}

} // namespace ostend::inline OSTEND_KERNELS
