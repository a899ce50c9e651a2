// SAM's frame: the image resized so that its longer side is 1024 pixels, padded to the right and below.
//
// Two conversions of points, named apart: of continuous coordinates, and the published one of a pixel's
// index, which leaves out the half pixel (up to half an original pixel off; kept to reproduce figures).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/geometry/frames.hpp"

#include <algorithm>
#include <string>

namespace ostend::inline v0 {

/// The original image and its size after the resize, before the padding.
struct sam_frame {
    image_size original = {};
    image_size resized = {};
    index side = 1024; ///< the padded square's
    friend bool operator==(const sam_frame&, const sam_frame&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The frame of an image: s = side / max(width, height), each side int(extent * s + 0.5).
/// The shorter side is 0 for images narrower than 1 : 2 * side, as published; no segmenter can take those.
/// Precondition: the image has pixels. Source: segment-anything, ResizeLongestSide.get_preprocess_shape.
[[nodiscard]] inline sam_frame make_sam_frame(image_size image, index side = 1024) {
    OSTEND_EXPECTS(image.width >= 1 && image.height >= 1 && side >= 1,
                   "make_sam_frame: an image of " + std::to_string(image.width) + " x " +
                       std::to_string(image.height) + " pixels, side " + std::to_string(side));
    const double scale = static_cast<double>(side) / static_cast<double>(std::max(image.width, image.height));
    const auto resized = [scale](index extent) {
        const double product = static_cast<double>(extent) * scale;
        return static_cast<index>(product + 0.5); // as SAM has it
    };
    return {image, {resized(image.width), resized(image.height)}, side};
}

/// A point of the original image in the segmenter's pixels; continuous coordinates, each axis by its own
/// scale.
[[nodiscard]] inline point_in<segmenter_frame> to_segmenter(const sam_frame& frame,
                                                            point_in<original_frame> p) {
    return {p.x * (static_cast<double>(frame.resized.width) / static_cast<double>(frame.original.width)),
            p.y * (static_cast<double>(frame.resized.height) / static_cast<double>(frame.original.height))};
}

/// A box of the original image in the segmenter's pixels. (Corners are edges, so the published conversion is
/// this one.)
[[nodiscard]] inline box_in<segmenter_frame> to_segmenter(const sam_frame& frame,
                                                          const box_in<original_frame>& box) {
    const auto low = to_segmenter(frame, point_in<original_frame>{box.x0, box.y0});
    const auto high = to_segmenter(frame, point_in<original_frame>{box.x1, box.y1});
    return {low.x, low.y, high.x, high.y};
}

/// A point of the segmenter's pixels in the original image. Precondition: the resized image has pixels.
[[nodiscard]] inline point_in<original_frame> to_original(const sam_frame& frame,
                                                          point_in<segmenter_frame> p) {
    OSTEND_EXPECTS(frame.resized.width >= 1 && frame.resized.height >= 1,
                   "to_original: the resized image has no pixels");
    return {p.x * (static_cast<double>(frame.original.width) / static_cast<double>(frame.resized.width)),
            p.y * (static_cast<double>(frame.original.height) / static_cast<double>(frame.resized.height))};
}

/// The published conversion of a pixel's index, without the half pixel: index * (resized / original).
/// Source: segment-anything, ResizeLongestSide.apply_coords.
[[nodiscard]] inline point_in<segmenter_frame> sam_index_point(const sam_frame& frame, pixel at) {
    return to_segmenter(frame,
                        point_in<original_frame>{static_cast<double>(at.x), static_cast<double>(at.y)});
}

} // namespace ostend::inline OSTEND_KERNELS
