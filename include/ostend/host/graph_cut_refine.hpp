// graph_cut_refine: a mask's outline on an image twice as large.
//
// Only labels near the outline are cut anew, so that a level costs its outline, not its pixels.
#pragma once

#include "ostend/host/graph_cut_hints.hpp"
#include "ostend/host/graph_cut_options.hpp"
#include "ostend/host/graph_cut_votes.hpp"
#include "ostend/host/image_pyramid.hpp"

#include <algorithm>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Half-open ranges of rows and columns.
struct pixel_window {
    index x0 = 0;
    index y0 = 0;
    index x1 = 0;
    index y1 = 0;
};

/// Pixels of a window within two of the mask's outline.
[[nodiscard]] inline bitmap outline_band(const bitmap& mask, const pixel_window& w) {
    constexpr index band = 2;
    bitmap open(w.y1 - w.y0, w.x1 - w.x0);
    for (index y = w.y0; y < w.y1; ++y) {
        for (index x = w.x0; x < w.x1; ++x) {
            const bool outline = (x + 1 < w.x1 && mask(y, x) != mask(y, x + 1)) ||
                                 (y + 1 < w.y1 && mask(y, x) != mask(y + 1, x));
            if (!outline) {
                continue;
            }
            for (index v = std::max(w.y0, y - band + 1); v < std::min(w.y1, y + band + 1); ++v) {
                for (index u = std::max(w.x0, x - band + 1); u < std::min(w.x1, x + band + 1); ++u) {
                    open(v - w.y0, u - w.x0) = 1;
                }
            }
        }
    }
    return open;
}

/// A mask of half the level's size (rounded up) at the level's, and the window around it that has room for
/// its outline.
[[nodiscard]] inline pixel_window doubled(const bitmap& half, bitmap& mask) {
    constexpr index margin = 3;
    pixel_window w{mask.width, mask.height, 0, 0};
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            mask(y, x) = half(y / 2, x / 2);
            if (mask(y, x) != 0) {
                w = {std::min(w.x0, x), std::min(w.y0, y), std::max(w.x1, x + 1), std::max(w.y1, y + 1)};
            }
        }
    }
    return {std::max<index>(0, w.x0 - margin), std::max<index>(0, w.y0 - margin),
            std::min(mask.width, w.x1 + margin), std::min(mask.height, w.y1 + margin)};
}

/// The mask on a level twice as large: what is near its outline is cut anew by colour and contrast, the rest
/// keeps its label, but for what the hints forbid. Precondition: the mask is not empty.
[[nodiscard]] inline bitmap refined(const image_level& level, const hints& h, const bitmap& half,
                                    const colour_models& models, const graph_cut_options& o, grid_cut& cut) {
    bitmap mask(level.height, level.width);
    const pixel_window w = doubled(half, mask);
    const bitmap open = outline_band(mask, w);
    const auto is_open = [&](index y, index x) { return open(y - w.y0, x - w.x0) != 0; };
    const auto vote = [&](index y, index x, float value) { add_vote(cut, y - w.y0, x - w.x0, value); };
    const auto label_vote = [&](index y, index x) {
        return mask(y, x) != 0 && !h.forbids(y, x) ? certain_vote : -certain_vote;
    };
    cut.reset(w.y1 - w.y0, w.x1 - w.x0);
    for (index y = w.y0; y < w.y1; ++y) {
        for (index x = w.x0; x < w.x1; ++x) {
            const std::size_t i = level.at(y, x);
            const bool here = is_open(y, x);
            bool touches = here;
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < w.y1 && u >= w.x0 && u < w.x1 && (here || is_open(v, u))) {
                    cut.add_edge(y - w.y0, x - w.x0, static_cast<int>(d),
                                 edge_cost(likeness(level, i, level.at(v, u)), d, o));
                    if (!is_open(v, u)) { // its label stays
                        vote(v, u, label_vote(v, u));
                    }
                    touches = true;
                }
            }
            if (here) {
                vote(y, x, h.forbids(y, x) ? -certain_vote : models.vote(level.colours[i], o.colour_limit));
            } else if (touches) {
                vote(y, x, label_vote(y, x));
            }
        }
    }
    cut.solve();
    bool any = false;
    bitmap out = mask;
    for (index y = w.y0; y < w.y1; ++y) {
        for (index x = w.x0; x < w.x1; ++x) {
            if (is_open(y, x)) {
                out(y, x) = cut.is_source_side(y - w.y0, x - w.x0) ? 1 : 0;
            }
            out(y, x) = h.forbids(y, x) ? 0 : out(y, x);
            any = any || out(y, x) != 0;
        }
    }
    return any ? out : mask;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
