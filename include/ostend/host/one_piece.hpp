// one_piece: of a mask in pieces the one that a point means, and where a mask's centre is.
//
// Objects that a phrase names are mostly one piece without holes; a cut of colours finds speckles of the same
// colour elsewhere and loses highlights inside.
#pragma once

#include "ostend/host/graph_cut_hints.hpp"
#include "ostend/mask/bitmap.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The mean of a mask's pixels' centres. O(pixels).
[[nodiscard]] inline place centre_of(const bitmap& mask, const place& otherwise) {
    place sum;
    double n = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            if (mask(y, x) != 0) {
                sum.x += static_cast<double>(x) + 0.5;
                sum.y += static_cast<double>(y) + 0.5;
                n += 1;
            }
        }
    }
    return n > 0 ? place{sum.x / n, sum.y / n} : otherwise;
}

/// Keeps the piece (8-connected) that is nearest to the anchor, where a large one may lie farther off, and
/// fills its holes, but for those in which a place of `open` lies. O(pixels); the work is in the mask's box.
inline void keep_one_piece(bitmap& mask, const place& anchor, std::span<const place> open = {}) {
    index x0 = mask.width;
    index y0 = mask.height;
    index x1 = 0;
    index y1 = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            if (mask(y, x) != 0) {
                x0 = std::min(x0, x);
                x1 = std::max(x1, x + 1);
                y0 = std::min(y0, y);
                y1 = y + 1;
            }
        }
    }
    if (x0 >= x1) {
        return;
    }
    // The box with a margin of one pixel, where background runs around every piece.
    const index pitch = x1 - x0 + 2;
    const index rows = y1 - y0 + 2;
    enum : std::uint8_t { off = 0, on = 1, taken = 2, kept = 3, around = 4 };
    std::vector<std::uint8_t> label(static_cast<std::size_t>(pitch * rows), off);
    const auto at = [&](index i) -> std::uint8_t& { return label[static_cast<std::size_t>(i)]; };
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            at((y - y0 + 1) * pitch + x - x0 + 1) = mask(y, x) != 0 ? on : off;
        }
    }
    std::vector<index> best;
    double least = std::numeric_limits<double>::max();
    for (index start = 0; start < pitch * rows; ++start) {
        if (at(start) != on) {
            continue;
        }
        std::vector<index> piece{start};
        at(start) = taken;
        double nearest = std::numeric_limits<double>::max();
        for (std::size_t k = 0; k < piece.size(); ++k) {
            const index p = piece[k];
            nearest = std::min(nearest, squared_distance(p / pitch + y0 - 1, p % pitch + x0 - 1, anchor));
            for (const index step :
                 {index{1}, index{-1}, pitch - 1, pitch, pitch + 1, 1 - pitch, -pitch, -pitch - 1}) {
                if (at(p + step) == on) {
                    at(p + step) = taken;
                    piece.push_back(p + step);
                }
            }
        }
        const double cost = std::sqrt(nearest) - std::sqrt(static_cast<double>(piece.size()));
        if (cost < least) {
            least = cost;
            best = std::move(piece);
        }
    }
    for (const index p : best) {
        at(p) = kept;
    }
    std::vector<index> pending{0};
    at(0) = around;
    for (const place& hole : open) {
        const pixel p = pixel_of(hole, {mask.width, mask.height});
        const bool in_box = p.x >= x0 && p.x < x1 && p.y >= y0 && p.y < y1;
        const index i = (p.y - y0 + 1) * pitch + p.x - x0 + 1;
        if (in_box && at(i) != kept && at(i) != around) {
            at(i) = around;
            pending.push_back(i);
        }
    }
    while (!pending.empty()) {
        const index p = pending.back();
        pending.pop_back();
        for (const index step : {index{1}, index{-1}, pitch, -pitch}) {
            const index q = p + step; // from a row's end on to the next row's start: both are margin
            if (q >= 0 && q < pitch * rows && at(q) != kept && at(q) != around) {
                at(q) = around;
                pending.push_back(q);
            }
        }
    }
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            mask(y, x) = at((y - y0 + 1) * pitch + x - x0 + 1) != around ? 1 : 0;
        }
    }
}

/// The last step, at full size: what the hints forbid is taken away, one piece is kept, and where nothing is
/// left the pixel nearest to the anchor is marked. Precondition: the hints leave a pixel. O(pixels).
inline void settle(bitmap& mask, const hints& h) {
    for (std::size_t i = 0; i < h.forbidden.pixels.size(); ++i) {
        mask.pixels[i] = h.forbidden.pixels[i] != 0 ? 0 : mask.pixels[i];
    }
    keep_one_piece(mask, h.anchor, h.outside);
    if (std::find(mask.pixels.begin(), mask.pixels.end(), 1) == mask.pixels.end()) {
        const auto at = nearest_allowed(h);
        OSTEND_EXPECTS(at.has_value(), "settle: every pixel is forbidden");
        mask(at->y, at->x) = 1;
    }
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
