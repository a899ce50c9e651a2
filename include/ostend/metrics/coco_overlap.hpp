// coco_overlap: the overlaps that COCO's average precision is taken over, as callables for coco_accumulator.
//
// A mask is measured (area, box, runs) when it is first compared, so masks beyond the limits, or without a
// partner of their category, cost nothing. The spans must outlive the callable; one callable is for one
// thread.
#pragma once

#include "ostend/mask/boundary.hpp"
#include "ostend/mask/iou.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Boxes: box_iou of two positions.
class coco_box_overlap {
public:
    coco_box_overlap(std::span<const coco_box> detections, std::span<const coco_box> truths)
        : detections_(detections), truths_(truths) {}
    [[nodiscard]] double operator()(index detection, index truth, bool crowd) const {
        return box_iou(detections_[static_cast<std::size_t>(detection)],
                       truths_[static_cast<std::size_t>(truth)], crowd);
    }

private:
    std::span<const coco_box> detections_;
    std::span<const coco_box> truths_;
};

namespace detail {

/// Masks that are measured at their first use. `measure` turns a mask into the one that is compared.
class lazy_masks {
public:
    explicit lazy_masks(std::span<const rle> masks) : masks_(masks), measured_(masks.size()) {}
    template <class Change>
    [[nodiscard]] const measured_mask& get(index at, Change&& change) {
        const auto i = static_cast<std::size_t>(at);
        if (!measured_[i]) {
            measured_[i].emplace(change(masks_[i]));
        }
        return *measured_[i];
    }
    [[nodiscard]] const measured_mask& get(index at) {
        return get(at, [](const rle& mask) -> const rle& { return mask; });
    }

private:
    std::span<const rle> masks_;
    std::vector<std::optional<measured_mask>> measured_;
};

[[nodiscard]] inline double measured_iou(const measured_mask& detection, const measured_mask& truth,
                                         bool crowd) {
    const std::uint64_t common = common_pixels(detection, truth);
    if (common == 0) {
        return 0;
    }
    const std::uint64_t whole = crowd ? detection.area : detection.area + truth.area - common;
    return static_cast<double>(common) / static_cast<double>(whole);
}

} // namespace detail

/// Masks: equal to iou_matrix, and so to pycocotools. Precondition: masks of one size.
class coco_mask_overlap {
public:
    coco_mask_overlap(std::span<const rle> detections, std::span<const rle> truths)
        : detections_(detections), truths_(truths) {}
    [[nodiscard]] double operator()(index detection, index truth, bool crowd) {
        return detail::measured_iou(detections_.get(detection), truths_.get(truth), crowd);
    }

private:
    detail::lazy_masks detections_;
    detail::lazy_masks truths_;
};

/// The lesser of mask IoU and boundary IoU; of a crowd the masks' alone (boundary-iou-api's
/// computeBoundaryIoU). A band is made when it is first needed: never for a pair whose masks' IoU is below
/// `lowest`, which is then the answer (give the lowest IoU threshold; 0 for exact values everywhere).
/// Precondition: masks of one size whose counts cover it.
class coco_boundary_overlap {
public:
    coco_boundary_overlap(std::span<const rle> detections, std::span<const rle> truths,
                          const boundary_options& options = {}, double lowest = 0)
        : detections_(detections), truths_(truths), detection_bands_(detections), truth_bands_(truths),
          options_(options), lowest_(lowest) {}
    [[nodiscard]] double operator()(index detection, index truth, bool crowd) {
        const double masks = detail::measured_iou(detections_.get(detection), truths_.get(truth), crowd);
        if (crowd || masks == 0 || masks < lowest_) {
            return masks;
        }
        const auto band = [this](const rle& mask) { return boundary(mask, options_); };
        return std::min(masks, detail::measured_iou(detection_bands_.get(detection, band),
                                                    truth_bands_.get(truth, band), false));
    }

private:
    detail::lazy_masks detections_;
    detail::lazy_masks truths_;
    detail::lazy_masks detection_bands_;
    detail::lazy_masks truth_bands_;
    boundary_options options_;
    double lowest_;
};

} // namespace ostend::inline OSTEND_KERNELS
