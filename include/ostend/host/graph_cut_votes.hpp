// graph_cut_votes: what a pixel's colour, and a pair of neighbours, cost a cut.
//
// Energies are negative log likelihoods in f32; the cut takes them as integers in 64ths.
#pragma once

#include "ostend/host/colour_model.hpp"
#include "ostend/host/graph_cut_options.hpp"
#include "ostend/host/max_flow.hpp"

#include <algorithm>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A vote that no other outweighs.
inline constexpr float certain_vote = 1000.0F;

/// Not below 0, and not so large that a few of them overflow; a NaN is 0.
[[nodiscard]] inline grid_cut::capacity in_64ths(float energy) {
    return static_cast<grid_cut::capacity>(std::min(std::max(0.0F, energy), 1e5F) * 64.0F);
}

/// A vote above 0 is for the object, below 0 for the background.
inline void add_vote(grid_cut& cut, index y, index x, float vote) {
    cut.add_terminal(y, x, in_64ths(vote), in_64ths(-vote));
}

/// The cost of parting two neighbours; diagonal ones count less, so that an outline costs its length.
[[nodiscard]] inline grid_cut::capacity edge_cost(float alike, std::size_t direction,
                                                  const graph_cut_options& o) {
    return in_64ths(o.smoothness * alike * (direction < 2 ? 1.0F : 0.70710678F) + o.smoothness_floor);
}

/// The colours of the object and of what is not the object.
struct colour_models {
    colour_model object = {};
    colour_model background = {};

    /// The vote of a colour, within the limit. Precondition: both are fitted.
    [[nodiscard]] float vote(const colour& c, float limit) const {
        return std::clamp(background.cost(c) - object.cost(c), -limit, limit);
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
