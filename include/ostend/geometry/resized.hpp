// resized: the same layout over the same image at another size, for thumbnails and low-resolution prompts.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/layout.hpp"

namespace ostend::inline OSTEND_KERNELS {

/// A layout whose original image has `to` pixels instead; views and tokens stay.
/// Precondition: both sizes have pixels. Complexity O(tokens).
[[nodiscard]] inline layout resized(const layout& of, image_size to) {
    OSTEND_EXPECTS(of.original.area() > 0 && to.area() > 0, "resized: an image without pixels");
    layout out = of;
    out.original = to;
    for (grid_view& view : out.views) {
        view.x.scale *= static_cast<double>(of.original.width) / static_cast<double>(to.width);
        view.y.scale *= static_cast<double>(of.original.height) / static_cast<double>(to.height);
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
