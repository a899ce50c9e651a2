// A box prompt out of a map: around every value above a threshold.
//
// One stray value moves a side; the published form does no more, so maps are best given with their background
// removed.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/tensor/view.hpp"

#include <optional>

namespace ostend::inline v0 {

struct map_box_options {
    float threshold = 0.75F;
    float temperature = 1.0F; ///< the map is divided by it first (published runs: 0.0002 for raw attention)
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The box [x_min, x_max + 1) x [y_min, y_max + 1) of the pixels of a map, [height, width] of the original
/// image, with map / temperature > threshold; none where no pixel is above it (published code gives 0 0 0 0
/// or None there, by version). A NaN is not above. Precondition: temperature above 0. Complexity O(pixels).
/// Source: groundLMM, convert_box_SAM.
[[nodiscard]] inline std::optional<box_in<original_frame>> box_from_map(tensor_view<const float, 2> map,
                                                                        const map_box_options& options = {}) {
    OSTEND_EXPECTS(options.temperature > 0,
                   "box_from_map: temperature " + std::to_string(options.temperature));
    index x0 = map.extent(1);
    index y0 = map.extent(0);
    index x1 = 0;
    index y1 = 0;
    for (index y = 0; y < map.extent(0); ++y) {
        for (index x = 0; x < map.extent(1); ++x) {
            if (map.load(y, x) / options.temperature > options.threshold) {
                x0 = std::min(x0, x);
                x1 = std::max(x1, x + 1);
                y0 = std::min(y0, y);
                y1 = y + 1;
            }
        }
    }
    if (x1 == 0) {
        return std::nullopt;
    }
    return box_in<original_frame>{static_cast<double>(x0), static_cast<double>(y0), static_cast<double>(x1),
                                  static_cast<double>(y1)};
}

} // namespace ostend::inline OSTEND_KERNELS
