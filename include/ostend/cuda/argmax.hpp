// The peaks of many maps on a stream, without filling an image: the first highest pixel of each upsampled
// map.
//
// The pixel and its value are the host's to the bit; the search is in cuda/peak_body.hpp.
#pragma once

#include "ostend/cuda/peak_body.hpp"
#include "ostend/cuda/workspace.hpp"

namespace ostend::inline v0 {

/// A pixel of the original image and the upsampled map's value there.
struct highest_pixel {
    pixel at = {};
    float value = 0;
    friend bool operator==(const highest_pixel&, const highest_pixel&) = default;
};

struct peaks_shape {
    index maps = 0;
    resampling_shape resampling = {};
};

/// What was found, on the host. An error: a cell held a NaN or an infinity, or values so large (a 64th of the
/// largest f32) that a sum could overflow. The host's find_peak looks at such maps pixel by pixel, and so
/// forgives a NaN that no pixel reads.
[[nodiscard]] inline result<highest_pixel> to_result(const device_peak& found) {
    switch (found.state) {
    case peak_state::not_finite:
        return error{"the map holds a NaN or an infinity", "map"};
    case peak_state::too_large:
        return error{"the map's values are too large to be bounded", "map"};
    case peak_state::found:
        break;
    }
    return highest_pixel{{found.x, found.y}, found.value};
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

[[nodiscard]] constexpr index workspace_bytes(const peaks_shape& shape) noexcept {
    return detail::workspace_room<float>(shape.maps * shape.resampling.cells()) +
           detail::workspace_room<float>(shape.maps * shape.resampling.patches()) +
           detail::workspace_room<std::int32_t>(shape.maps * shape.resampling.patches());
}

/// For each row of maps [maps, image_tokens] (f32, any strides) the first pixel, in row-major order, of the
/// largest value of the map brought onto the original image; found [maps] is in device memory, and to_result
/// reads one on the host. Pixel and value are those of find_peak with the same layout and options, to the
/// bit; find_peak's confidence is not computed. One kernel, one block a map. Preconditions: the shapes agree.
/// Errors: a launch's; the view shows no pixel of the image.
template <device_stream On, class Maps, class Found>
[[nodiscard]] status find_peak_of_each(const On& on, Maps&& maps, const device_resampling& resampling,
                                       Found&& found, const device_workspace& workspace) {
    const device_view<const float, 2> from(as_device_view<2>(maps));
    const device_view<device_peak, 1> to(as_device_view<1>(found));
    const resampling_shape& shape = resampling.shape;
    OSTEND_EXPECTS(from.extent(1) == shape.tokens,
                   "find_peak_of_each: maps of " + std::to_string(from.extent(1)) +
                       " image tokens, the layout has " + std::to_string(shape.tokens));
    OSTEND_EXPECTS(to.extent(0) == from.extent(0), "find_peak_of_each: room for " +
                                                       std::to_string(to.extent(0)) + " peaks of " +
                                                       std::to_string(from.extent(0)) + " maps");
    const peaks_shape work{from.extent(0), shape};
    detail::workspace_cutter cutter("find_peak_of_each", workspace, workspace_bytes(work));
    detail::peak_body body;
    body.maps = detail::for_kernel(from);
    body.on = detail::for_kernel("find_peak_of_each", resampling);
    body.rows = shape.rows;
    body.columns = shape.columns;
    body.x_runs = shape.x_runs;
    body.patches = shape.patches();
    body.remove_corners = shape.remove_corners;
    body.corner_is_given = shape.corner_value.has_value();
    body.corner_value = shape.corner_value.value_or(0.0F);
    body.cells = cutter.take<float>(work.maps * shape.cells());
    body.bounds = cutter.take<float>(work.maps * shape.patches());
    body.candidates = cutter.take<std::int32_t>(work.maps * shape.patches());
    body.out = detail::for_kernel(to);
    if (shape.patches() == 0) {
        return error{"the view shows no pixel of the image", "layout"};
    }
    return detail::launches(on).then(body, {work.maps}).outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
