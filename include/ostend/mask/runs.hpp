// runs: what can be said of a mask from its run lengths alone: area, boxes, whether a pixel is inside.
//
// Every function is linear in the number of runs and allocates nothing. Three boxes, because three are in
// use: half-open (ours), COCO's x, y, width, height, and segment-anything's inclusive corners.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/mask/rle.hpp"

#include <algorithm>
#include <cstdint>

namespace ostend::inline v0 {

/// COCO's box: left, top, width, height in pixels. All zero for an empty mask.
struct coco_box {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
    friend bool operator==(const coco_box&, const coco_box&) = default;
};

/// segment-anything's box: both corners inside. All zero for an empty mask, as for a mask of pixel (0, 0).
struct inclusive_box {
    index x0 = 0;
    index y0 = 0;
    index x1 = 0;
    index y1 = 0;
    friend bool operator==(const inclusive_box&, const inclusive_box&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Calls f(first, last) for each maximal run of inside pixels [first, last), numbered column by column
/// (pixel = x * height + y). Empty runs are skipped and runs that they part are joined. O(counts).
template <class F>
void for_each_run(const rle& mask, F&& f) {
    std::uint64_t position = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0; // [first, last) waits until a gap follows
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        const std::uint64_t length = mask.counts[i];
        if (i % 2 == 1 && length != 0) {
            if (position != last && last != first) {
                f(first, last);
            }
            if (position != last || last == first) {
                first = position;
            }
            last = position + length;
        }
        position += length;
    }
    if (last != first) {
        f(first, last);
    }
}

/// Calls f(x0, x1, y0, y1) for rectangles [x0, x1) x [y0, y1) that make up the mask, in the order of pixels:
/// a part of one column, or all of several. O(counts): a run is three of them at most.
template <class F>
void for_each_piece(const rle& mask, F&& f) {
    const index h = mask.height;
    if (h <= 0) {
        return;
    }
    index x = 0;      // the column of the last pixel so far
    index column = 0; // and the number of its first pixel
    for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
        auto at = static_cast<index>(first);
        const auto end = static_cast<index>(last);
        while (at < end) {
            if (at - column >= h) { // a division a column, not a run
                const index columns = (at - column) / h;
                x += columns;
                column += columns * h;
            }
            const index y = at - column;
            if (y == 0 && end - at >= h) {
                const index columns = (end - at) / h;
                f(x, x + columns, index{0}, h);
                at += columns * h;
            } else {
                const index y1 = std::min(h, y + (end - at));
                f(x, x + 1, y, y1);
                at += y1 - y;
            }
        }
    });
}

/// Number of inside pixels. O(counts).
[[nodiscard]] inline std::uint64_t area(const rle& mask) {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < mask.counts.size(); i += 2) {
        sum += mask.counts[i];
    }
    return sum;
}

/// The smallest half-open box that holds the inside pixels; all zero for an empty mask. O(counts).
[[nodiscard]] inline box_in<original_frame> bounding_box(const rle& mask) {
    if (mask.height <= 0) {
        return {};
    }
    const auto h = static_cast<std::uint64_t>(mask.height);
    bool any = false;
    std::uint64_t x0 = 0;
    std::uint64_t x = 0;      // the column of the last inside pixel so far
    std::uint64_t column = 0; // and the number of its first pixel
    std::uint64_t y0 = h;
    std::uint64_t y1 = 0;
    const auto move_to = [&](std::uint64_t pixel) {
        if (pixel - column >= h) { // a division a column, not a run
            const std::uint64_t columns = (pixel - column) / h;
            x += columns;
            column += columns * h;
        }
    };
    for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
        move_to(first);
        x0 = any ? x0 : x;
        any = true;
        if (last - column <= h) {
            y0 = std::min(y0, first - column);
            y1 = std::max(y1, last - column);
        } else { // over the end of a column: it has its last pixel and the next one's first
            y0 = 0;
            y1 = h;
            move_to(last - 1);
        }
    });
    if (!any) {
        return {};
    }
    return {static_cast<double>(x0), static_cast<double>(y0), static_cast<double>(x + 1),
            static_cast<double>(y1)};
}

/// COCO's box of the mask: equal to pycocotools' toBbox for every mask without empty inner runs (which its
/// encoder never writes; there toBbox counts pixels that are outside). O(counts).
[[nodiscard]] inline coco_box to_coco_box(const rle& mask) {
    const box_in<original_frame> box = bounding_box(mask);
    return {box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0};
}

/// segment-anything's box of the mask (its batched_mask_to_box). O(counts).
[[nodiscard]] inline inclusive_box to_inclusive_box(const rle& mask) {
    const box_in<original_frame> box = bounding_box(mask);
    if (box.x1 <= box.x0) {
        return {};
    }
    return {static_cast<index>(box.x0), static_cast<index>(box.y0), static_cast<index>(box.x1) - 1,
            static_cast<index>(box.y1) - 1};
}

/// Is this pixel inside the mask? A pixel outside the image is not. O(counts).
[[nodiscard]] inline bool contains(const rle& mask, pixel p) {
    if (p.x < 0 || p.y < 0 || p.x >= mask.width || p.y >= mask.height) {
        return false;
    }
    const auto wanted = static_cast<std::uint64_t>(p.x) * static_cast<std::uint64_t>(mask.height) +
                        static_cast<std::uint64_t>(p.y);
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        end += mask.counts[i];
        if (wanted < end) {
            return i % 2 == 1;
        }
    }
    return false;
}

} // namespace ostend::inline OSTEND_KERNELS
