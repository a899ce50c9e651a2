// graph_cut_propose: the mask of an object of an assumed size, on the reduced image.
//
// Colour models of a disc and of what surrounds it, the minimum cut that they, the place, the prior and the
// contrast give, the models again from its labels, and so on.
#pragma once

#include "ostend/host/graph_cut_evidence.hpp"
#include "ostend/host/graph_cut_hints.hpp"
#include "ostend/host/graph_cut_options.hpp"
#include "ostend/host/graph_cut_votes.hpp"
#include "ostend/host/image_pyramid.hpp"
#include "ostend/host/one_piece.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

struct proposal {
    bitmap mask = {}; ///< never empty
    colour_models models = {};
    detail::evidence evidence = {};
};

/// A disc in which the object is assumed.
struct disc {
    place centre = {};
    double radius = 0;

    /// In squared radii from the centre.
    [[nodiscard]] double distance(index y, index x) const {
        return squared_distance(y, x, centre) / (radius * radius);
    }
};

/// The first centre: between the anchor and the middle of the prior around it.
[[nodiscard]] inline place first_centre(const hints& h, const graph_cut_options& o) {
    if (h.prior.empty()) {
        return h.anchor;
    }
    const double reach = o.prior_reach * static_cast<double>(std::max(h.size.width, h.size.height));
    double sum = 0;
    place middle;
    for (index y = 0, i = 0; y < h.size.height; ++y) {
        for (index x = 0; x < h.size.width; ++x, ++i) {
            const double above =
                static_cast<double>(h.prior[static_cast<std::size_t>(i)]) - static_cast<double>(h.prior_mean);
            const double near = squared_distance(y, x, h.anchor) / (reach * reach);
            if (above <= 0 || near > 9) {
                continue;
            }
            const double weight = above * above * std::exp(-2 * near);
            sum += weight;
            middle.x += weight * (static_cast<double>(x) + 0.5);
            middle.y += weight * (static_cast<double>(y) + 0.5);
        }
    }
    if (!(sum > 0)) {
        return h.anchor;
    }
    const auto pull = static_cast<double>(o.prior_pull);
    return {h.anchor.x + pull * (middle.x / sum - h.anchor.x),
            h.anchor.y + pull * (middle.y / sum - h.anchor.y)};
}

/// Fits both models: in the first round to the disc and what surrounds it, later to the labels. Of the
/// background a quarter of the pixels is taken, spread evenly, and all around outside points. False when no
/// pixel is object, or none is background.
inline bool fit_models(const image_level& level, const hints& h, const disc& around, bool first,
                       const graph_cut_options& o, proposal& p) {
    const double close = 0.09 * around.radius * around.radius;
    std::vector<colour_sample> object;
    std::vector<colour_sample> background;
    for (index y = 0; y < level.height; ++y) {
        for (index x = 0; x < level.width; ++x) {
            const std::size_t i = level.at(y, x);
            const double d2 = around.distance(y, x);
            const bool refused = std::any_of(h.outside.begin(), h.outside.end(), [&](const place& at) {
                return squared_distance(y, x, at) < close;
            });
            bool off = p.mask(y, x) == 0;
            if (first) {
                const bool anchored = squared_distance(y, x, h.anchor) < close;
                if ((d2 < o.inner * o.inner || anchored) && !refused && !h.forbids(y, x)) {
                    const float weight = h.prior.empty() ? 1.0F : std::max(0.05F, h.prior[i]);
                    object.push_back({level.colours[i], weight + (anchored ? 1.0F : 0.0F)});
                }
                off = d2 > o.outer * o.outer || refused || h.forbids(y, x);
            } else if (!off) {
                object.push_back({level.colours[i], 1.0F});
            }
            const bool taken = refused || (static_cast<std::uint32_t>(i) * 2654435761U) < 0x40000000U;
            if (off && taken) {
                const double beyond = std::max(0.0, std::sqrt(d2) - 1) / o.background_decay;
                background.push_back(
                    {level.colours[i], static_cast<float>(std::exp(-beyond * beyond)) + 0.02F});
            }
        }
    }
    return p.models.object.fit(object, o.object_components) &&
           p.models.background.fit(background, o.background_components);
}

/// Marks p.mask by the minimum cut around a disc. The work is in what the disc can reach.
inline void cut_around(const image_level& level, const hints& h, const disc& around,
                       const graph_cut_options& o, grid_cut& cut, proposal& p) {
    const double reach = o.reach * around.radius;
    const auto within = [](double at, index last) {
        return static_cast<index>(std::clamp(at, 0.0, static_cast<double>(last)));
    };
    const index x0 = within(around.centre.x - reach, level.width - 1);
    const index y0 = within(around.centre.y - reach, level.height - 1);
    const index x1 = within(around.centre.x + reach, level.width - 1) + 1;
    const index y1 = within(around.centre.y + reach, level.height - 1) + 1;
    cut.reset(y1 - y0, x1 - x0);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            const std::size_t i = level.at(y, x);
            const double d2 = around.distance(y, x);
            float vote = -certain_vote;
            if (d2 < o.reach * o.reach) {
                vote = p.models.vote(level.colours[i], o.colour_limit) +
                       o.place * static_cast<float>(std::max(1 - d2, -3.0));
                if (!h.prior.empty()) {
                    vote += o.prior * (h.prior[i] - o.prior_middle);
                }
            }
            for (const place& at : h.inside) {
                vote += squared_distance(y, x, at) < squared_point_size ? o.seed : 0.0F;
            }
            add_vote(cut, y - y0, x - x0, h.forbids(y, x) ? -certain_vote : vote);
            for (std::size_t d = 0; d < 4; ++d) {
                const index v = y + later_rows[d];
                const index u = x + later_columns[d];
                if (v < y1 && u >= x0 && u < x1) {
                    cut.add_edge(y - y0, x - x0, static_cast<int>(d), edge_cost(level.alike[i][d], d, o));
                }
            }
        }
    }
    cut.solve();
    p.mask = bitmap(level.height, level.width);
    for (index y = y0; y < y1; ++y) {
        for (index x = x0; x < x1; ++x) {
            p.mask(y, x) = cut.is_source_side(y - y0, x - x0) ? 1 : 0;
        }
    }
}

/// The mask for one assumed radius (in parts of the longer side). The level is the reduced one, whose
/// likeness is known. O(iterations * (cut + pixels * components)).
[[nodiscard]] inline proposal propose(const image_level& level, const hints& h, double radius_share,
                                      const graph_cut_options& o, grid_cut& cut) {
    disc around{first_centre(h, o), radius_share * static_cast<double>(std::max(level.width, level.height))};
    proposal p;
    p.mask = bitmap(level.height, level.width);
    for (int round = 0; round < o.iterations; ++round) {
        if (!fit_models(level, h, around, round == 0, o, p)) {
            break;
        }
        cut_around(level, h, around, o, cut, p);
        keep_one_piece(p.mask, h.anchor, h.outside);
        around.centre = centre_of(p.mask, around.centre);
    }
    if (std::find(p.mask.pixels.begin(), p.mask.pixels.end(), 1) == p.mask.pixels.end()) {
        const pixel at = nearest_allowed(h).value_or(pixel_of(h.anchor, h.size));
        p.mask(at.y, at.x) = 1;
    }
    if (!p.models.object.fitted() || !p.models.background.fitted()) { // too few pixels to tell them apart
        std::vector<colour_sample> all;
        for (const colour& c : level.colours) {
            all.push_back({c, 1.0F});
        }
        p.models.object.fit(all, 1);
        p.models.background.fit(all, 1);
    }
    p.evidence = measure(level, h, around.radius, p.mask, p.models);
    return p;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
