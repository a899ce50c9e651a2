// contours: the outlines of a mask as rings along the edges of its pixels, found on runs.
//
// Corners have whole coordinates (pixel i covers [i, i + 1)), so filling the rings even-odd gives the mask
// back, pixel for pixel. Outlines are walked from run to run: cost and memory go with the runs and the
// corners, not with the pixels. For text forms see mask/contour_text.hpp.
#pragma once

#include "ostend/mask/components.hpp"
#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// A closed ring of corners; edges go along rows and columns in turn.
struct contour_ring {
    std::size_t first = 0; ///< of its corners in contours_of_mask::corners; the last is joined to the first
    std::size_t count = 0;
    bool hole = false;
    std::size_t outer = 0; ///< the ring that a hole lies in; an outer ring's own index
};

/// With rows going down, outer rings run clockwise and holes against it: inside is on the right hand. (In
/// coordinates that go up, as GeoJSON's, the same numbers are counterclockwise.)
struct contours_of_mask {
    std::vector<pixel> corners = {};      ///< x to the right, y down; the corner (0, 0) is the image's
    std::vector<contour_ring> rings = {}; ///< in the order of their first pixels, column by column

    [[nodiscard]] std::span<const pixel> corners_of(const contour_ring& ring) const {
        return std::span<const pixel>(corners).subspan(ring.first, ring.count);
    }
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The upper (even) and lower (odd) edges of a mask's pieces, each joined at its two ends to the edge that
/// the outline goes on with.
class outline_edges {
public:
    outline_edges(const rle& mask, connectivity neighbours)
        : pieces_(cut_at_columns(mask)), left_(2 * pieces_.size()), right_(2 * pieces_.size()),
          ring_(2 * pieces_.size(), none), eight_(neighbours == connectivity::eight) {
        std::size_t before = 0; // the pieces of the columns to the left are [before, begin)
        for (std::size_t begin = 0; begin < pieces_.size();) {
            std::size_t end = begin;
            while (end < pieces_.size() && pieces_[end].x0 == pieces_[begin].x0) {
                ++end;
            }
            if (before < begin && pieces_[before].x1 == pieces_[begin].x0) {
                join(before, begin, begin, end);
            } else {
                join(before, begin, begin, begin);
                join(begin, begin, begin, end);
            }
            before = begin;
            begin = end;
        }
        join(before, pieces_.size(), 0, 0);
    }

    [[nodiscard]] contours_of_mask walk() {
        contours_of_mask out;
        for (std::size_t edge = 0; edge < ring_.size(); ++edge) {
            if (ring_[edge] != none) {
                continue;
            }
            // The ring's first pixel in its first column: below an upper edge it is the object's, below a
            // lower one the hole's. The edge above a hole's is of the ring around it, or of a hole beside it.
            const std::size_t ring = out.rings.size();
            const bool hole = edge % 2 == 1;
            const std::size_t first = out.corners.size();
            follow(edge, ring, out.corners);
            if (!hole) { // begin at the first pixel's upper left corner, as holes do
                std::rotate(out.corners.begin() + static_cast<std::ptrdiff_t>(first), out.corners.end() - 1,
                            out.corners.end());
            }
            out.rings.push_back(
                {first, out.corners.size() - first, hole, hole ? out.rings[ring_[edge - 1]].outer : ring});
        }
        return out;
    }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    [[nodiscard]] index row(std::size_t edge) const {
        return edge % 2 == 0 ? pieces_[edge / 2].y0 : pieces_[edge / 2].y1;
    }
    /// Joins the right ends of the pieces [a, a_end) and the left ends of [b, b_end), which meet at one line:
    /// from the top, every two ends have an edge of the outline between them (of no length where it goes
    /// straight on).
    void join(std::size_t a, std::size_t a_end, std::size_t b, std::size_t b_end) {
        a *= 2;
        b *= 2;
        std::size_t open = none; // the upper end that waits for its lower one
        bool open_left = false;  // is it of a piece on the left?
        const auto take = [&](std::size_t edge, bool on_left) {
            if (open == none) {
                open = edge;
                open_left = on_left;
                return;
            }
            (open_left ? right_ : left_)[open] = edge;
            (on_left ? right_ : left_)[edge] = open;
            open = none;
        };
        while (a < 2 * a_end || b < 2 * b_end) {
            const bool both = a < 2 * a_end && b < 2 * b_end;
            bool left_first = both ? row(a) < row(b) : a < 2 * a_end;
            if (both && row(a) == row(b)) {
                // Two pixels that touch at a corner, one ending here and one beginning: with four neighbours
                // each goes its own way, with eight the outline passes from one to the other.
                const bool left_ends = a % 2 == 1;
                left_first = left_ends != eight_;
            }
            left_first ? take(a++, true) : take(b++, false);
        }
    }
    /// Upper edges are walked to the right, lower ones to the left.
    void follow(std::size_t start, std::size_t ring, std::vector<pixel>& corners) {
        std::size_t edge = start;
        do {
            ring_[edge] = ring;
            const bool upper = edge % 2 == 0;
            const std::size_t next = upper ? right_[edge] : left_[edge];
            const index x = upper ? pieces_[edge / 2].x1 : pieces_[edge / 2].x0;
            if (row(next) != row(edge)) {
                corners.push_back({x, row(edge)});
                corners.push_back({x, row(next)});
            }
            edge = next;
        } while (edge != start);
    }

    std::vector<component_piece> pieces_;
    std::vector<std::size_t> left_;  ///< the edge that an edge is joined to at its left end
    std::vector<std::size_t> right_; ///< and at its right end
    std::vector<std::size_t> ring_;  ///< of each edge
    bool eight_;
};

} // namespace detail

/// The outlines of a mask. With four neighbours, pixels that touch at a corner are apart and holes that do
/// are one; with eight it is the other way. Rings may touch themselves at corners, never cross. O(counts +
/// corners). Precondition: the counts sum to height * width.
[[nodiscard]] inline contours_of_mask contours(const rle& mask,
                                               connectivity neighbours = connectivity::eight) {
    return detail::outline_edges(mask, neighbours).walk();
}

} // namespace ostend::inline OSTEND_KERNELS
