// boundary: the band along a mask's outline, and the IoU of two such bands (boundary IoU, Cheng et al. 2021).
//
// The band is what `distance` erosions by 3 x 3 pixels take away, the image's border included; on runs and
// bits instead of pixels (mask/morphology.hpp).
#pragma once

#include "ostend/mask/iou.hpp"
#include "ostend/mask/morphology.hpp"
#include "ostend/mask/set_operations.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace ostend::inline v0 {

struct boundary_options {
    double dilation_ratio = 0.02; ///< the band's width over the image's diagonal
    index distance = 0;           ///< the width in pixels; 0: from the ratio
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The band's width in pixels: ratio * diagonal, rounded half to even as Python does, at least 1.
/// Precondition: the ratio is finite.
[[nodiscard]] inline index boundary_distance(index height, index width, double dilation_ratio = 0.02) {
    OSTEND_EXPECTS(std::isfinite(dilation_ratio), "boundary_distance: the ratio is not finite");
    const auto h = static_cast<double>(height);
    const auto w = static_cast<double>(width);
    const double rounded = std::nearbyint(dilation_ratio * std::sqrt(h * h + w * w));
    return static_cast<index>(std::clamp(rounded, 1.0, h + w + 1));
}

/// The pixels of a mask within `distance` (by the larger of rows and columns) of a pixel that is outside or
/// beyond the image. Equal to boundary-iou-api's mask_to_boundary. Complexity as erode's. Preconditions:
/// distance >= 0; the counts sum to height * width.
[[nodiscard]] inline rle boundary(const rle& mask, const boundary_options& options = {}) {
    OSTEND_EXPECTS(options.distance >= 0, "boundary: distance " + std::to_string(options.distance));
    const index distance = options.distance > 0
                               ? options.distance
                               : boundary_distance(mask.height, mask.width, options.dilation_ratio);
    return subtract(mask, erode(mask, {.iterations = distance, .border = mask_border::outside}));
}

/// IoU of the two bands; 0 where they share no pixel. Precondition: equal sizes. (COCO's boundary AP takes
/// the lesser of this and the masks' IoU.)
[[nodiscard]] inline double boundary_iou(const rle& a, const rle& b, bool b_is_crowd = false,
                                         const boundary_options& options = {}) {
    detail::expect_same_size(a, b, "boundary_iou");
    return iou(boundary(a, options), boundary(b, options), b_is_crowd);
}

/// Every detection's band against every truth's, [detections, truths]; each band is made once. `crowd` is
/// empty or one flag a truth. Precondition: equal sizes.
[[nodiscard]] inline matrix<double> boundary_iou_matrix(std::span<const rle> detections,
                                                        std::span<const rle> truths,
                                                        std::span<const std::uint8_t> crowd = {},
                                                        const boundary_options& options = {}) {
    const auto bands = [&options](std::span<const rle> masks) {
        std::vector<rle> out;
        out.reserve(masks.size());
        for (const rle& mask : masks) {
            out.push_back(boundary(mask, options));
        }
        return out;
    };
    return iou_matrix(bands(detections), bands(truths), crowd);
}

} // namespace ostend::inline OSTEND_KERNELS
