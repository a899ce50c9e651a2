// For hosts with a detector instead of a promptable segmenter: the first of scored proposals, by descending
// score, that contains the point.
//
// Masks come later in the flow than this folder, so whether a mask contains a pixel is a callable; it is
// asked best score first and no further than the first yes.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/frames.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct scored_box {
    box_in<original_frame> box = {};
    float score = 0;
    friend bool operator==(const scored_box&, const scored_box&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The proposal of the highest score for which contains(i, at) holds; none when no proposal contains it.
/// Equal scores keep their order; a score that is NaN comes last. Complexity O(n log n) and the calls.
template <class Contains>
[[nodiscard]] std::optional<index> first_proposal_containing(std::span<const float> scores, pixel at,
                                                             Contains&& contains) {
    std::vector<index> order(scores.size());
    std::iota(order.begin(), order.end(), index{0});
    std::stable_sort(order.begin(), order.end(), [&](index a, index b) {
        const float sa = scores[static_cast<std::size_t>(a)];
        const float sb = scores[static_cast<std::size_t>(b)];
        return sa > sb || (std::isnan(sb) && !std::isnan(sa));
    });
    const auto found = std::find_if(order.begin(), order.end(), [&](index i) { return contains(i, at); });
    if (found == order.end()) {
        return std::nullopt;
    }
    return *found;
}

/// The same for boxes: a box contains a pixel when it contains the pixel's centre.
[[nodiscard]] inline std::optional<index> first_proposal_containing(std::span<const scored_box> proposals,
                                                                    pixel at) {
    std::vector<float> scores;
    scores.reserve(proposals.size());
    for (const scored_box& proposal : proposals) {
        scores.push_back(proposal.score);
    }
    return first_proposal_containing(scores, at, [&](index i, pixel p) {
        return proposals[static_cast<std::size_t>(i)].box.contains(p.centre());
    });
}

} // namespace ostend::inline OSTEND_KERNELS
