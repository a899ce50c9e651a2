// components: connected components of a mask, by union-find on its runs instead of its pixels.
//
// A run that goes over the end of a column is cut there, but its full columns stay one piece, so that memory
// is in proportion to the runs and not to the width (a full mask of 2^31 pixels is three pieces at most).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace ostend::inline v0 {

/// Which neighbours belong together: those that share a side, or a corner too.
enum class connectivity : std::uint8_t { four = 4, eight = 8 };

struct component {
    std::uint64_t area = 0;
    box_in<original_frame> box = {};
    pixel first = {}; ///< its first pixel, column by column

    friend bool operator==(const component&, const component&) = default;
};

/// A rectangle of pixels [x0, x1) x [y0, y1) that belongs to one component: a part of one column, or all of
/// several.
struct component_piece {
    index x0 = 0;
    index x1 = 0;
    index y0 = 0;
    index y1 = 0;
    std::size_t component = 0; ///< index into components::found
};

struct components_of_mask {
    std::vector<component> found = {};        ///< in the order of their first pixels, column by column
    std::vector<component_piece> pieces = {}; ///< in the order of pixels, column by column
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline std::vector<component_piece> cut_at_columns(const rle& mask) {
    std::vector<component_piece> pieces;
    for_each_piece(mask, [&pieces](index x0, index x1, index y0, index y1) {
        pieces.push_back({x0, x1, y0, y1, 0});
    });
    return pieces;
}

/// Roots are always the earliest piece of their set.
class union_find {
public:
    explicit union_find(std::size_t n) : parent_(n) {
        for (std::size_t i = 0; i < n; ++i) {
            parent_[i] = i;
        }
    }
    [[nodiscard]] std::size_t root(std::size_t i) {
        while (parent_[i] != i) {
            parent_[i] = parent_[parent_[i]];
            i = parent_[i];
        }
        return i;
    }
    void join(std::size_t a, std::size_t b) {
        a = root(a);
        b = root(b);
        parent_[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<std::size_t> parent_;
};

} // namespace detail

/// The components with their areas, boxes and pieces. Complexity O(counts) but for the nearly constant cost
/// of union-find; memory in proportion to the counts. Precondition: the counts sum to height * width.
[[nodiscard]] inline components_of_mask components(const rle& mask, connectivity neighbours) {
    components_of_mask out;
    if (mask.height <= 0) {
        return out;
    }
    out.pieces = detail::cut_at_columns(mask);
    auto& pieces = out.pieces;
    detail::union_find sets(pieces.size());
    const index reach = neighbours == connectivity::eight ? 1 : 0;
    // Pieces of one column never touch (runs are maximal); each is compared with the column to its left.
    std::size_t left = 0;     // first piece of the column before
    std::size_t left_end = 0; // and the end of them
    for (std::size_t i = 0; i < pieces.size();) {
        std::size_t end = i;
        while (end < pieces.size() && pieces[end].x0 == pieces[i].x0) {
            ++end;
        }
        if (left != left_end && pieces[left].x1 == pieces[i].x0) {
            for (std::size_t a = left, b = i; a < left_end && b < end;) {
                if (pieces[a].y0 < pieces[b].y1 + reach && pieces[b].y0 < pieces[a].y1 + reach) {
                    sets.join(a, b);
                }
                (pieces[a].y1 < pieces[b].y1 ? a : b) += 1;
            }
        }
        left = i;
        left_end = end;
        i = end;
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        component_piece& piece = pieces[i];
        const std::size_t root = sets.root(i);
        const box_in<original_frame> box{static_cast<double>(piece.x0), static_cast<double>(piece.y0),
                                         static_cast<double>(piece.x1), static_cast<double>(piece.y1)};
        if (root == i) {
            piece.component = out.found.size();
            out.found.push_back({0, box, {piece.x0, piece.y0}});
        } else {
            piece.component = pieces[root].component; // the root came earlier
        }
        component& c = out.found[piece.component];
        c.area += static_cast<std::uint64_t>((piece.x1 - piece.x0) * (piece.y1 - piece.y0));
        c.box = {std::min(c.box.x0, box.x0), std::min(c.box.y0, box.y0), std::max(c.box.x1, box.x1),
                 std::max(c.box.y1, box.y1)};
    }
    return out;
}

/// The mask of the components that keep(index of the component) accepts. O(pieces).
template <class Keep>
[[nodiscard]] rle select_components(const rle& mask, const components_of_mask& parts, Keep keep) {
    detail::run_writer out(mask.height, mask.width);
    for (const component_piece& piece : parts.pieces) {
        if (keep(piece.component)) {
            out.add_inside(static_cast<std::uint64_t>(piece.x0 * mask.height + piece.y0),
                           static_cast<std::uint64_t>((piece.x1 - 1) * mask.height + piece.y1));
        }
    }
    return out.finish();
}

} // namespace ostend::inline OSTEND_KERNELS
