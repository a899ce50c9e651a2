// map_prior: an attention map over the image tokens as the mask logits that go with a point.
//
// The published conversion divides raw attention by a fixed temperature (mask_logits.hpp); normalised maps
// have no fixed unit, so here the map is stretched between its least and its greatest value first.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/geometry/resized.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/prompt/mask_logits.hpp"

#include <algorithm>
#include <span>

namespace ostend::inline OSTEND_KERNELS {

/// The map, [image_tokens], upsampled to a longer side of options.edge, scaled to [0, 1], as logits of
/// probabilities in [epsilon, 1 - epsilon]. A constant map gives probability 1/2 throughout (logit 0).
/// Errors: as upsample. Complexity O(edge^2).
[[nodiscard]] inline result<mask_logits> map_prior(std::span<const float> map, const layout& grid,
                                                   const peak_options& peak = {},
                                                   const mask_logits_options& options = {}) {
    const double longer = static_cast<double>(std::max(grid.original.width, grid.original.height));
    const auto shrunk = [&](index side) {
        const double share = static_cast<double>(side) / longer;
        return std::max<index>(1, static_cast<index>(share * static_cast<double>(options.edge)));
    };
    const image_size content{.width = shrunk(grid.original.width), .height = shrunk(grid.original.height)};
    auto image = upsample(map, resized(grid, content), peak);
    if (!image) {
        return image.error();
    }
    const auto [least, greatest] = std::minmax_element(image->values().begin(), image->values().end());
    const float low = *least;
    const float range = *greatest - low;
    for (float& v : image->values()) {
        v = range > 0 ? (v - low) / range : 0.5F;
    }
    mask_logits_options unit = options;
    unit.temperature = 1.0F;
    return mask_logits_from_map(image->view(), unit);
}

} // namespace ostend::inline OSTEND_KERNELS
