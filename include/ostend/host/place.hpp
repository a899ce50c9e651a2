// place: a continuous point on one level of an image's pyramid; pixel i covers [i, i + 1).
#pragma once

#include "ostend/geometry/frames.hpp"

#include <algorithm>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

struct place {
    double x = 0;
    double y = 0;
};
[[nodiscard]] inline double squared_distance(index y, index x, const place& p) {
    const double dx = static_cast<double>(x) + 0.5 - p.x;
    const double dy = static_cast<double>(y) + 0.5 - p.y;
    return dx * dx + dy * dy;
}
/// The pixel of an image that a place lies in; the right and lower border belong to the last pixel.
[[nodiscard]] inline pixel pixel_of(const place& p, image_size image) {
    return {std::clamp<index>(static_cast<index>(p.x), 0, image.width - 1),
            std::clamp<index>(static_cast<index>(p.y), 0, image.height - 1)};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
