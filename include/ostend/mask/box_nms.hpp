// box_nms: greedy non-maximum suppression by boxes instead of masks, for COCO's boxes and for corners.
#pragma once

#include "ostend/mask/nms.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace ostend::inline v0 {

struct box_nms_options {
    double iou_threshold = 0.7; ///< a pair above it (not at it) is a duplicate; segment-anything's default
    bool last_of_ties_first = false; ///< of equal scores the later box goes first
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Intersection over union of two boxes by their corners; 0 where they do not overlap.
[[nodiscard]] inline double box_iou(const box_in<original_frame>& a, const box_in<original_frame>& b) {
    const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
    const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    if (!(width > 0) || !(height > 0)) {
        return 0;
    }
    const double common = detail::rounded_product(width, height);
    const double area_a = detail::rounded_product(a.width(), a.height());
    const double area_b = detail::rounded_product(b.width(), b.height());
    return common / (area_a + area_b - common);
}

namespace detail {

/// The IoU of two of these boxes, by their indices.
template <class Box>
class box_overlaps {
public:
    explicit box_overlaps(std::span<const Box> boxes) : boxes_(boxes) {}
    [[nodiscard]] double operator()(index a, index b) const {
        return box_iou(boxes_[static_cast<std::size_t>(a)], boxes_[static_cast<std::size_t>(b)]);
    }

private:
    std::span<const Box> boxes_;
};

[[nodiscard]] inline bool is_finite(const coco_box& b) {
    return std::isfinite(b.x) && std::isfinite(b.y) && std::isfinite(b.width) && std::isfinite(b.height);
}
[[nodiscard]] inline bool is_finite(const box_in<original_frame>& b) {
    return std::isfinite(b.x0) && std::isfinite(b.y0) && std::isfinite(b.x1) && std::isfinite(b.y1);
}

/// The order of boxes by their scores; an error at the first box that is not finite.
template <class Box>
[[nodiscard]] result<std::vector<index>> box_order(std::span<const Box> boxes, std::span<const double> scores,
                                                   bool last_of_ties_first, const char* function) {
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (!is_finite(boxes[i])) {
            return error{"a box is not finite", "boxes", i};
        }
    }
    return score_order(boxes.size(), scores, last_of_ties_first, function);
}

template <class Box>
[[nodiscard]] result<std::vector<index>>
scored_box_nms(std::span<const Box> boxes, std::span<const double> scores, const box_nms_options& options) {
    const auto order = box_order(boxes, scores, options.last_of_ties_first, "nms");
    if (!order) {
        return order.error();
    }
    return kept_of(representatives(box_overlaps<Box>(boxes), *order, options.iou_threshold), *order);
}

} // namespace detail

/// Indices of the boxes that stay, by descending score. A score that is NaN or a box that is not finite is an
/// error at its index. Precondition: one score a box. O(n log n + n * kept pairs).
[[nodiscard]] inline result<std::vector<index>>
nms(std::span<const coco_box> boxes, std::span<const double> scores, const box_nms_options& options = {}) {
    return detail::scored_box_nms(boxes, scores, options);
}
[[nodiscard]] inline result<std::vector<index>> nms(std::span<const box_in<original_frame>> boxes,
                                                    std::span<const double> scores,
                                                    const box_nms_options& options = {}) {
    return detail::scored_box_nms(boxes, scores, options);
}

} // namespace ostend::inline OSTEND_KERNELS
