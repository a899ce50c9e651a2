// soft_nms: instead of dropping duplicates, lower their scores: soft-NMS (Bodla et al. 2017) and matrix NMS
// (Wang et al. 2020, SOLOv2), by masks or by boxes.
//
// Soft-NMS takes the best that is left, again and again; matrix NMS lowers all scores at once, each by how
// much its own suppressors are suppressed. Both measure each pair at most once.
#pragma once

#include "ostend/mask/box_nms.hpp"
#include "ostend/mask/nms.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace ostend::inline v0 {

/// How a score falls with the IoU: 1 - iou, or exp(-iou^2 / sigma) (soft) and exp(-sigma iou^2) (matrix).
enum class score_decay : std::uint8_t { linear, gaussian };

struct soft_nms_options {
    score_decay decay = score_decay::linear;
    double iou_threshold = 0.3;     ///< linear: pairs above it decay; gaussian: all do
    double sigma = 0.5;             ///< gaussian
    double score_threshold = 0.001; ///< what falls below it is dropped
};

struct matrix_nms_options {
    score_decay decay = score_decay::gaussian;
    double sigma = 2;           ///< gaussian
    double score_threshold = 0; ///< what falls below it is dropped
};

/// One that stays, and its score now.
struct scored_index {
    index which = 0;
    double score = 0;
    friend bool operator==(const scored_index&, const scored_index&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

template <class Overlaps>
[[nodiscard]] result<std::vector<scored_index>>
soften(const Overlaps& overlaps, const result<std::vector<index>>& order, std::span<const double> scores,
       const soft_nms_options& options) {
    OSTEND_EXPECTS(options.sigma > 0, "soft_nms: sigma " + std::to_string(options.sigma));
    if (!order) {
        return order.error();
    }
    std::vector<scored_index> left; // in the order of their first scores, so that ties keep it
    for (const index i : *order) {
        left.push_back({i, scores[static_cast<std::size_t>(i)]});
    }
    std::vector<scored_index> kept;
    while (!left.empty()) {
        const auto best = std::max_element(left.begin(), left.end(),
                                           [](const auto& a, const auto& b) { return a.score < b.score; });
        if (best->score < options.score_threshold) {
            break;
        }
        kept.push_back(*best);
        left.erase(best);
        for (scored_index& other : left) {
            const double iou = overlaps(kept.back().which, other.which);
            if (options.decay == score_decay::gaussian) {
                other.score *= std::exp(-iou * iou / options.sigma);
            } else if (iou > options.iou_threshold) {
                other.score *= 1 - iou;
            }
        }
    }
    return kept;
}

template <class Overlaps>
[[nodiscard]] result<std::vector<scored_index>>
decay_at_once(const Overlaps& overlaps, const result<std::vector<index>>& order,
              std::span<const double> scores, const matrix_nms_options& options) {
    OSTEND_EXPECTS(options.sigma > 0, "matrix_nms: sigma " + std::to_string(options.sigma));
    if (!order) {
        return order.error();
    }
    const std::size_t n = order->size();
    const auto falls = [&options](double iou) {
        return options.decay == score_decay::gaussian ? std::exp(-options.sigma * iou * iou) : 1 - iou;
    };
    std::vector<scored_index> out;
    std::vector<double> largest(n); // of the IoUs with better ones, in order
    for (std::size_t j = 0; j < n; ++j) {
        double factor = 1;
        for (std::size_t i = 0; i < j; ++i) {
            const double iou = overlaps((*order)[i], (*order)[j]);
            largest[j] = std::max(largest[j], iou);
            const double own = falls(largest[i]); // 0: it is suppressed altogether and suppresses nothing
            factor = own > 0 ? std::min(factor, falls(iou) / own) : factor;
        }
        const double score = factor * scores[static_cast<std::size_t>((*order)[j])];
        if (score >= options.score_threshold) {
            out.push_back({(*order)[j], score});
        }
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    return out;
}

} // namespace detail

/// Soft-NMS of masks: those whose score stays at or above the threshold, in the order in which they were
/// taken (of equal scores the one that scored more at first, then the earlier). A score that is NaN is an
/// error at its index. Preconditions: one score a mask, equal sizes, sigma > 0. O(n^2) pairs.
[[nodiscard]] inline result<std::vector<scored_index>>
soft_nms(std::span<const rle> masks, std::span<const double> scores, const soft_nms_options& options = {}) {
    return detail::soften(detail::mask_overlaps(masks, 0, "soft_nms"),
                          detail::score_order(masks.size(), scores, false, "soft_nms"), scores, options);
}
/// The same of boxes.
[[nodiscard]] inline result<std::vector<scored_index>> soft_nms(std::span<const coco_box> boxes,
                                                                std::span<const double> scores,
                                                                const soft_nms_options& options = {}) {
    return detail::soften(detail::box_overlaps<coco_box>(boxes),
                          detail::box_order(boxes, scores, false, "soft_nms"), scores, options);
}
[[nodiscard]] inline result<std::vector<scored_index>> soft_nms(std::span<const box_in<original_frame>> boxes,
                                                                std::span<const double> scores,
                                                                const soft_nms_options& options = {}) {
    return detail::soften(detail::box_overlaps<box_in<original_frame>>(boxes),
                          detail::box_order(boxes, scores, false, "soft_nms"), scores, options);
}

/// Matrix NMS of masks: the score of each times the least f(its IoU with a better one) / f(that one's largest
/// IoU with a better one still); those at or above the threshold, by descending score. A score that is NaN is
/// an error at its index. Preconditions: one score a mask, equal sizes, sigma > 0. O(n^2) pairs.
[[nodiscard]] inline result<std::vector<scored_index>> matrix_nms(std::span<const rle> masks,
                                                                  std::span<const double> scores,
                                                                  const matrix_nms_options& options = {}) {
    return detail::decay_at_once(detail::mask_overlaps(masks, 0, "matrix_nms"),
                                 detail::score_order(masks.size(), scores, false, "matrix_nms"), scores,
                                 options);
}
/// The same of boxes.
[[nodiscard]] inline result<std::vector<scored_index>> matrix_nms(std::span<const coco_box> boxes,
                                                                  std::span<const double> scores,
                                                                  const matrix_nms_options& options = {}) {
    return detail::decay_at_once(detail::box_overlaps<coco_box>(boxes),
                                 detail::box_order(boxes, scores, false, "matrix_nms"), scores, options);
}
[[nodiscard]] inline result<std::vector<scored_index>>
matrix_nms(std::span<const box_in<original_frame>> boxes, std::span<const double> scores,
           const matrix_nms_options& options = {}) {
    return detail::decay_at_once(detail::box_overlaps<box_in<original_frame>>(boxes),
                                 detail::box_order(boxes, scores, false, "matrix_nms"), scores, options);
}

} // namespace ostend::inline OSTEND_KERNELS
