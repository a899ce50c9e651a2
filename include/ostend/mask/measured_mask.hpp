// measured_mask: a mask made ready to be compared with many others: area, box, and its pixels in two forms.
//
// Most masks have a few runs in each column of their box. Kept as rows by column, first and end, two such
// masks are compared by a plain loop over the columns that they share, which compilers vectorise; ragged
// masks are compared by walking their runs. Both count pixels in integers, so the form cannot change a
// result.
#pragma once

#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

struct measured_mask {
    std::uint64_t area = 0;
    box_in<original_frame> box = {};
    std::vector<std::uint32_t> ends = {}; ///< first, last, first, last, ... ascending
    index first_column = 0;               ///< of the box
    index columns = 0;                    ///< of the box
    /// Layer k holds the k-th run of each column of the box: the first rows and then the end rows; both 0
    /// where there is none. Empty for ragged masks.
    std::vector<std::int16_t> rows = {};

    explicit measured_mask(const rle& mask) {
        ends.reserve(mask.counts.size() + 1);
        std::uint64_t behind = 0; // the last inside pixel
        for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
            area += last - first;
            behind = last;
            ends.push_back(static_cast<std::uint32_t>(first));
            ends.push_back(static_cast<std::uint32_t>(last));
        });
        if (ends.empty() || mask.height <= 0) {
            return;
        }
        if (behind > static_cast<std::uint64_t>(mask.height) * static_cast<std::uint64_t>(mask.width)) {
            box = bounding_box(mask); // the counts lie: no memory is addressed by what they say
            return;
        }
        first_column = static_cast<index>(ends.front()) / mask.height;
        columns = static_cast<index>(ends.back() - 1) / mask.height + 1 - first_column;
        set_rows(mask.height);
    }
    [[nodiscard]] index layers() const {
        return static_cast<index>(rows.size()) / std::max<index>(1, 2 * columns);
    }

private:
    static constexpr index most_layers = 4;

    /// The rows of each column, and those of the box.
    void set_rows(index height) {
        bool ragged = height > std::numeric_limits<std::int16_t>::max() ||
                      columns > 2 * static_cast<index>(ends.size()) + 64; // a few runs over very many columns
        index top = height;
        index bottom = 0;
        index column = first_column * height; // the number of its first pixel
        index x = 0;                          // and its place in the box
        index layer = 0;
        const auto add = [&](index y0, index y1) {
            if (layer == most_layers) {
                ragged = true;
            }
            if (!ragged) {
                if (layer == layers()) {
                    rows.resize(rows.size() + static_cast<std::size_t>(2 * columns));
                }
                std::int16_t* const at = rows.data() + 2 * layer * columns + x;
                at[0] = static_cast<std::int16_t>(y0);
                at[columns] = static_cast<std::int16_t>(y1);
            }
            ++layer;
        };
        for (std::size_t i = 0; i < ends.size(); i += 2) {
            const auto first = static_cast<index>(ends[i]);
            const auto last = static_cast<index>(ends[i + 1]);
            if (first - column >= height) {
                const index step = first - column < 2 * height ? 1 : (first - column) / height;
                x += step;
                column += step * height;
                layer = 0;
            }
            const bool inside_one = last - column <= height;
            top = inside_one ? std::min(top, first - column) : 0;
            bottom = inside_one ? std::max(bottom, last - column) : height;
            if (inside_one || ragged) {
                add(first - column, std::min(last - column, height));
                continue;
            }
            for (index y = first - column; y < last - column;) { // over the ends of columns
                add(y, std::min(last - column, height));
                if (last - column <= height) {
                    break;
                }
                column += height;
                ++x;
                layer = 0;
                y = 0;
            }
        }
        if (ragged) {
            rows = {};
        }
        box = {static_cast<double>(first_column), static_cast<double>(top),
               static_cast<double>(first_column + columns), static_cast<double>(bottom)};
    }
};

[[nodiscard]] inline bool boxes_overlap(const box_in<original_frame>& a, const box_in<original_frame>& b) {
    return std::min(a.x1, b.x1) > std::max(a.x0, b.x0) && std::min(a.y1, b.y1) > std::max(a.y0, b.y0);
}

/// Pixels that two lists of runs share. O(runs).
[[nodiscard]] inline std::uint64_t common_of_runs(const measured_mask& a, const measured_mask& b) {
    // The first run of each that ends behind the other's first pixel.
    const auto start = [](const measured_mask& mine, std::uint32_t pixel) {
        const auto found = std::upper_bound(mine.ends.begin(), mine.ends.end(), pixel);
        return static_cast<std::size_t>(found - mine.ends.begin()) / 2 * 2;
    };
    std::size_t i = start(a, b.ends.front());
    std::size_t j = start(b, a.ends.front());
    std::uint64_t sum = 0;
    while (i < a.ends.size() && j < b.ends.size()) {
        const std::uint32_t first = std::max(a.ends[i], b.ends[j]);
        const std::uint32_t last = std::min(a.ends[i + 1], b.ends[j + 1]);
        sum += last > first ? last - first : 0U;
        const bool a_ends = a.ends[i + 1] <= b.ends[j + 1];
        const bool b_ends = b.ends[j + 1] <= a.ends[i + 1];
        i += a_ends ? 2U : 0U;
        j += b_ends ? 2U : 0U;
    }
    return sum;
}

/// Pixels that two masks share, layer by layer. O(columns in both boxes * layers of a * layers of b).
[[nodiscard]] inline std::uint64_t common_of_columns(const measured_mask& a, const measured_mask& b) {
    const index first = std::max(a.first_column, b.first_column);
    const auto n = static_cast<int>(std::min(a.first_column + a.columns, b.first_column + b.columns) - first);
    std::uint64_t sum = 0;
    for (index k = 0; k < a.layers(); ++k) {
        const std::int16_t* const a_first = a.rows.data() + 2 * k * a.columns + (first - a.first_column);
        const std::int16_t* const a_end = a_first + a.columns;
        for (index l = 0; l < b.layers(); ++l) {
            const std::int16_t* const b_first = b.rows.data() + 2 * l * b.columns + (first - b.first_column);
            const std::int16_t* const b_end = b_first + b.columns;
            std::uint32_t pixels = 0; // a mask has no more
            for (int x = 0; x < n; ++x) {
                const auto from = std::max(a_first[x], b_first[x]);
                const auto to = std::min(a_end[x], b_end[x]);
                const auto rows = static_cast<std::int16_t>(to - from);
                pixels += static_cast<std::uint32_t>(std::max<std::int16_t>(rows, 0));
            }
            sum += pixels;
        }
    }
    return sum;
}

/// Pixels that two masks of one size share; boxes are compared first.
[[nodiscard]] inline std::uint64_t common_pixels(const measured_mask& a, const measured_mask& b) {
    if (!boxes_overlap(a.box, b.box)) {
        return 0;
    }
    return a.rows.empty() || b.rows.empty() ? common_of_runs(a, b) : common_of_columns(a, b);
}

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
