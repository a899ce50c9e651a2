// iou: overlap of masks on their runs, with COCO's crowd rule, for pairs and N x M matrices.
//
// Boxes are compared first: most pairs never look at a run. Each mask is measured once
// (mask/measured_mask.hpp).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/core/rounded_product.hpp"
#include "ostend/mask/measured_mask.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"
#include "ostend/tensor/matrix.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline std::vector<measured_mask> measure(std::span<const rle> masks) {
    std::vector<measured_mask> out;
    out.reserve(masks.size());
    for (const rle& mask : masks) {
        out.emplace_back(mask);
    }
    return out;
}

} // namespace detail

/// Pixels in a, in b and in both.
struct overlap {
    std::uint64_t common = 0;
    std::uint64_t area_a = 0;
    std::uint64_t area_b = 0;
    [[nodiscard]] std::uint64_t united() const { return area_a + area_b - common; }
};

/// Counts pixels of a pair. Precondition: equal sizes. O(runs).
[[nodiscard]] inline overlap count_overlap(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "count_overlap");
    const detail::measured_mask ma(a);
    const detail::measured_mask mb(b);
    return {detail::common_pixels(ma, mb), ma.area, mb.area};
}

/// Intersection over union; over the area of a alone when b is a crowd (COCO: a the detection, b the ground
/// truth). No common pixel, two empty masks included, is 0, as in pycocotools, and equal to it to the last
/// bit. Precondition: equal sizes. O(runs).
[[nodiscard]] inline double iou(const rle& a, const rle& b, bool b_is_crowd = false) {
    const overlap o = count_overlap(a, b);
    if (o.common == 0) {
        return 0;
    }
    return static_cast<double>(o.common) / static_cast<double>(b_is_crowd ? o.area_a : o.united());
}

/// Every detection against every ground truth: [detections, truths]. `crowd` is empty or one flag a truth.
/// Precondition: equal sizes. O(detections x truths) box tests and the runs of those that overlap.
[[nodiscard]] inline matrix<double> iou_matrix(std::span<const rle> detections, std::span<const rle> truths,
                                               std::span<const std::uint8_t> crowd = {}) {
    OSTEND_EXPECTS(crowd.empty() || crowd.size() == truths.size(),
                   "iou_matrix: " + std::to_string(crowd.size()) + " crowd flags for " +
                       std::to_string(truths.size()) + " masks");
    if (!detections.empty() && !truths.empty()) {
        for (const rle& mask : detections) {
            detail::expect_same_size(mask, truths.front(), "iou_matrix");
        }
        for (const rle& mask : truths) {
            detail::expect_same_size(detections.front(), mask, "iou_matrix");
        }
    }
    const auto dt = detail::measure(detections);
    const auto gt = detail::measure(truths);
    matrix<double> out(static_cast<index>(dt.size()), static_cast<index>(gt.size()));
    for (std::size_t d = 0; d < dt.size(); ++d) {
        for (std::size_t g = 0; g < gt.size(); ++g) {
            const std::uint64_t common = detail::common_pixels(dt[d], gt[g]);
            if (common != 0) {
                const bool is_crowd = !crowd.empty() && crowd[g] != 0;
                const std::uint64_t whole = is_crowd ? dt[d].area : dt[d].area + gt[g].area - common;
                out(static_cast<index>(d), static_cast<index>(g)) =
                    static_cast<double>(common) / static_cast<double>(whole);
            }
        }
    }
    return out;
}

/// Intersection over union of two boxes as pycocotools computes it, to the last bit; over a's area when b is
/// a crowd. Boxes that do not overlap give 0.
[[nodiscard]] inline double box_iou(const coco_box& a, const coco_box& b, bool b_is_crowd = false) {
    const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (!(width > 0) || !(height > 0)) {
        return 0;
    }
    const double common = detail::rounded_product(width, height);
    const double area_a = detail::rounded_product(a.width, a.height);
    const double area_b = detail::rounded_product(b.width, b.height);
    return common / (b_is_crowd ? area_a : area_a + area_b - common);
}

} // namespace ostend::inline OSTEND_KERNELS
