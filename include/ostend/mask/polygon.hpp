// polygon: polygons and boxes to run lengths, pixel for pixel as COCO rasterises them.
//
// cocoapi (common/maskApi.c, rleFrPoly) draws the outline five times enlarged and looks where it steps from
// one column of pixels to the next. Here each edge is asked for those steps alone, with the same arithmetic:
// about a fifth of the points, and none outside the image.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/core/rounded_product.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Coordinates of polygons and boxes lie within plus and minus this many pixels.
inline constexpr double largest_coordinate = 1e8;

/// The most steps from column to column that the outline of one polygon may take (memory: 4 bytes each).
inline constexpr std::uint64_t most_polygon_steps = std::uint64_t{1} << 28U;

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

struct grid_point {
    std::int64_t x = 0;
    std::int64_t y = 0;
};

/// A coordinate in fifths of a pixel. COCO's conversion truncates.
[[nodiscard]] inline std::int64_t in_fifths(double coordinate) {
    return static_cast<std::int64_t>(rounded_product(5, coordinate) + 0.5);
}

/// An edge in fifths of a pixel, and where it steps over the middle of a column of pixels: between 5 k + 2
/// and 5 k + 3 for column k.
class polygon_edge {
public:
    polygon_edge(grid_point from, grid_point to) : from_(from), to_(to) {
        flat_ = std::abs(to.x - from.x) >= std::abs(to.y - from.y);
        if (flat_ ? from.x > to.x : from.y > to.y) {
            std::swap(from_, to_);
        }
        const auto dx = static_cast<double>(to_.x - from_.x);
        const auto dy = static_cast<double>(to_.y - from_.y);
        slope_ = flat_ ? dy / dx : dx / dy;
    }
    /// The columns [first, second) of 0 to width - 1 that it steps over.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> columns(index width) const {
        const std::int64_t low = std::min(from_.x, to_.x);
        const std::int64_t high = std::max(from_.x, to_.x);
        const std::int64_t first = low <= 2 ? 0 : (low + 2) / 5;
        const std::int64_t last = high < 3 ? -1 : std::min<std::int64_t>((high - 3) / 5, width - 1);
        return {first, std::max(first, last + 1)};
    }
    /// The upper end of the step over the middle of column k, in fifths.
    [[nodiscard]] std::int64_t step(std::int64_t k) const {
        if (flat_) {
            const std::int64_t t = 5 * k + 2 - from_.x;
            return std::min(on_line(from_.y, t), on_line(from_.y, t + 1));
        }
        const std::int64_t middle = 5 * k + 3;
        const bool rises = to_.x > from_.x;
        const auto passed = [&](std::int64_t t) { return (on_line(from_.x, t) >= middle) == rises; };
        const double guess = (static_cast<double>(middle - from_.x) - 0.5) / slope_;
        std::int64_t t = std::clamp<std::int64_t>(static_cast<std::int64_t>(guess) + 1, 1, to_.y - from_.y);
        while (t > 1 && passed(t - 1)) {
            --t;
        }
        while (t < to_.y - from_.y && !passed(t)) {
            ++t;
        }
        return from_.y + t - 1;
    }

private:
    [[nodiscard]] std::int64_t on_line(std::int64_t start, std::int64_t t) const {
        const double rise = rounded_product(slope_, static_cast<double>(t));
        return static_cast<std::int64_t>(static_cast<double>(start) + rise + 0.5);
    }

    grid_point from_;
    grid_point to_;
    bool flat_ = false; ///< wider than high: x steps by one
    double slope_ = 0;
};

/// Fills what the edges enclose, even-odd: a column changes at each of its steps, and two at one place are
/// none.
[[nodiscard]] inline rle fill_polygon(std::span<const polygon_edge> edges, std::int64_t first_column,
                                      std::int64_t end_column, index height, index width) {
    // Steps are sorted by column first, by counting: offsets[k] is where those of column k end.
    std::vector<std::uint32_t> offsets(static_cast<std::size_t>(end_column - first_column) + 1);
    for (const polygon_edge& edge : edges) {
        const auto [first, end] = edge.columns(width);
        if (first < end) {
            offsets[static_cast<std::size_t>(first - first_column)] += 1;
            offsets[static_cast<std::size_t>(end - first_column)] -= 1; // may wrap; the sums do not
        }
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin()); // steps of each column
    std::exclusive_scan(offsets.begin(), offsets.end(), offsets.begin(), 0U);
    std::vector<std::uint32_t> rows(offsets.back());
    for (const polygon_edge& edge : edges) {
        const auto [first, end] = edge.columns(width);
        for (std::int64_t k = first; k < end; ++k) {
            const std::int64_t row = (std::max<std::int64_t>(edge.step(k), 0) + 2) / 5; // the nearest pixel
            rows[offsets[static_cast<std::size_t>(k - first_column)]++] =
                static_cast<std::uint32_t>(std::min<std::int64_t>(row, height));
        }
    }
    run_writer out(height, width);
    std::size_t begin = 0;
    for (std::int64_t k = first_column; k < end_column; ++k) {
        const std::size_t end = offsets[static_cast<std::size_t>(k - first_column)];
        std::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                  rows.begin() + static_cast<std::ptrdiff_t>(end));
        for (; begin + 1 < end; begin += 2) { // the outline is closed: steps come in pairs
            const auto column = static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(height);
            out.add_inside(column + rows[begin], column + rows[begin + 1]);
        }
        begin = end;
    }
    return out.finish();
}

} // namespace detail

/// The pixels inside a polygon x0, y0, x1, y1, ... in pixels of the image (0 is its left and upper edge),
/// equal to pycocotools' frPyObjects to the bit. Errors name the number: an odd count, fewer than three
/// points, not finite, beyond largest_coordinate; too many steps. O(points + columns crossed by the outline *
/// log).
[[nodiscard]] inline result<rle> from_polygon(std::span<const double> xy, index height, index width) {
    if (const auto pixels = mask_pixels(height, width); !pixels) {
        return pixels.error();
    }
    if (xy.size() % 2 != 0) {
        return error{"an odd count of numbers: " + std::to_string(xy.size()), "polygon", xy.size()};
    }
    if (xy.size() < 6) {
        return error{"a polygon of " + std::to_string(xy.size() / 2) + " points", "polygon", xy.size()};
    }
    for (std::size_t i = 0; i < xy.size(); ++i) {
        if (!(std::abs(xy[i]) <= largest_coordinate)) {
            return error{std::isfinite(xy[i]) ? "a coordinate beyond 1e8 pixels"
                                              : "a coordinate is not finite",
                         "polygon", i};
        }
    }
    std::vector<detail::polygon_edge> edges;
    edges.reserve(xy.size() / 2);
    std::uint64_t steps = 0;
    std::int64_t first_column = width;
    std::int64_t end_column = 0;
    detail::grid_point before{detail::in_fifths(xy[xy.size() - 2]), detail::in_fifths(xy[xy.size() - 1])};
    for (std::size_t i = 0; i < xy.size(); i += 2) {
        const detail::grid_point here{detail::in_fifths(xy[i]), detail::in_fifths(xy[i + 1])};
        if (here.x != before.x) { // a vertical edge steps over no column
            const detail::polygon_edge edge(before, here);
            if (const auto [first, end] = edge.columns(width); first < end) {
                edges.push_back(edge);
                steps += static_cast<std::uint64_t>(end - first);
                first_column = std::min(first_column, first);
                end_column = std::max(end_column, end);
            }
        }
        before = here;
    }
    if (steps > most_polygon_steps) {
        return error{"the outline steps over columns " + std::to_string(steps) + " times", "polygon"};
    }
    return detail::fill_polygon(edges, std::min(first_column, end_column), end_column, height, width);
}

/// The union of the rings of one object, as COCO's annToRLE. Errors: as of a polygon, with the ring; no ring.
[[nodiscard]] inline result<rle> from_polygons(std::span<const std::vector<double>> rings, index height,
                                               index width) {
    if (rings.empty()) {
        return error{"an object without polygons", "polygons"};
    }
    std::vector<rle> masks;
    masks.reserve(rings.size());
    for (std::size_t i = 0; i < rings.size(); ++i) {
        auto mask = from_polygon(rings[i], height, width);
        if (!mask) {
            return mask.error().in("polygons[" + std::to_string(i) + "]");
        }
        masks.push_back(*std::move(mask));
    }
    return masks.size() == 1 ? std::move(masks.front()) : unite(std::span<const rle>(masks));
}

/// The pixels of a box, equal to pycocotools' frPyObjects of a box to the bit. Errors name the number: not
/// finite, beyond largest_coordinate, a negative side.
[[nodiscard]] inline result<rle> from_coco_box(const coco_box& box, index height, index width) {
    const std::array<double, 4> numbers{box.x, box.y, box.width, box.height};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (!(std::abs(numbers[i]) <= largest_coordinate)) {
            return error{std::isfinite(numbers[i]) ? "a coordinate beyond 1e8 pixels"
                                                   : "a coordinate is not finite",
                         "bbox", i};
        }
        if (i >= 2 && numbers[i] < 0) {
            return error{"a negative side", "bbox", i};
        }
    }
    const double right = box.x + box.width;
    const double lower = box.y + box.height;
    const std::array<double, 8> corners{box.x, box.y, box.x, lower, right, lower, right, box.y};
    auto mask = from_polygon(corners, height, width);
    return mask ? std::move(mask) : result<rle>(mask.error().in("bbox"));
}

} // namespace ostend::inline OSTEND_KERNELS
