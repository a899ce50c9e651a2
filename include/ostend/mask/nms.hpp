// nms: of masks that overlap more than a threshold, one stays: in the order given, or by score.
//
// Greedy, as in the method's published code: a mask that was dropped drops no other. Pairs are measured as
// they are met, box test first, so the N x N matrix is never made.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/iou.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct nms_options {
    double iou_threshold = 0.75; ///< a pair above it (not at it) is a duplicate
    /// Added to the union. 1e-6 is groundLMM's (two empty masks get 0, identical masks a little under 1);
    /// 0 gives the plain quotient, and 0 for two empty masks.
    double denominator_epsilon = 1e-6;
    /// Of equal scores the earlier mask goes first. True: the later one, as a reversed ascending sort does.
    bool last_of_ties_first = false;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline double duplicate_iou(const measured_mask& a, const measured_mask& b, double epsilon) {
    const std::uint64_t common = common_pixels(a, b);
    return common == 0
               ? 0.0
               : static_cast<double>(common) / (static_cast<double>(a.area + b.area - common) + epsilon);
}

/// The IoU of two of these masks, by their indices.
class mask_overlaps {
public:
    mask_overlaps(std::span<const rle> masks, double epsilon, const char* function) : epsilon_(epsilon) {
        for (const rle& mask : masks) {
            expect_same_size(mask, masks.front(), function);
        }
        measured_ = measure(masks);
    }
    [[nodiscard]] double operator()(index a, index b) const {
        return duplicate_iou(measured_[static_cast<std::size_t>(a)], measured_[static_cast<std::size_t>(b)],
                             epsilon_);
    }

private:
    double epsilon_;
    std::vector<measured_mask> measured_ = {};
};

/// For each of them the one that stands for it: itself, or the earlier one in `order` that dropped it.
template <class Overlaps>
[[nodiscard]] std::vector<index> representatives(const Overlaps& overlaps, std::span<const index> order,
                                                 double iou_threshold) {
    std::vector<index> stands_for(order.size(), -1);
    const auto of = [&stands_for](index i) -> index& { return stands_for[static_cast<std::size_t>(i)]; };
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (of(order[i]) >= 0) {
            continue;
        }
        of(order[i]) = order[i];
        for (const index later : order.subspan(i + 1)) {
            if (of(later) < 0 && overlaps(order[i], later) > iou_threshold) {
                of(later) = order[i];
            }
        }
    }
    return stands_for;
}

[[nodiscard]] inline std::vector<index> input_order(std::size_t n) {
    std::vector<index> order(n);
    std::iota(order.begin(), order.end(), index{0});
    return order;
}

/// Indices by descending score; of equal ones the earlier first, or the later. A NaN is an error at its
/// index.
template <class Score>
[[nodiscard]] result<std::vector<index>> score_order(std::size_t n, std::span<const Score> scores,
                                                     bool last_of_ties_first, const char* function) {
    OSTEND_EXPECTS_ALWAYS(scores.size() == n, std::string(function) + ": " + std::to_string(scores.size()) +
                                                  " scores for " + std::to_string(n) + " masks");
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (std::isnan(scores[i])) {
            return error{"a score is not a number", "scores", i};
        }
    }
    std::vector<index> order = input_order(n);
    if (last_of_ties_first) {
        std::reverse(order.begin(), order.end());
    }
    std::stable_sort(order.begin(), order.end(), [&](index a, index b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    return order;
}

/// Those that stand for themselves, in this order.
[[nodiscard]] inline std::vector<index> kept_of(std::span<const index> stands_for,
                                                std::span<const index> order) {
    std::vector<index> kept;
    for (const index i : order) {
        if (stands_for[static_cast<std::size_t>(i)] == i) {
            kept.push_back(i);
        }
    }
    return kept;
}

template <class Score>
[[nodiscard]] result<std::vector<index>> scored_nms(std::span<const rle> masks, std::span<const Score> scores,
                                                    const nms_options& options) {
    const auto order = score_order(masks.size(), scores, options.last_of_ties_first, "nms");
    if (!order) {
        return order.error();
    }
    const mask_overlaps overlaps(masks, options.denominator_epsilon, "nms");
    return kept_of(representatives(overlaps, *order, options.iou_threshold), *order);
}

} // namespace detail

/// The masks against each other, [n, n], with `epsilon` added to the union. O(n^2) box tests.
[[nodiscard]] inline matrix<double> duplicate_iou_matrix(std::span<const rle> masks, double epsilon = 1e-6) {
    const detail::mask_overlaps overlaps(masks, epsilon, "duplicate_iou_matrix");
    const auto n = static_cast<index>(masks.size());
    matrix<double> out(n, n);
    for (index a = 0; a < n; ++a) {
        for (index b = 0; b < n; ++b) {
            out(a, b) = overlaps(a, b);
        }
    }
    return out;
}

/// For each mask the index of the one that it is a duplicate of, or its own: the first in the order given
/// that is not a duplicate itself. Precondition: equal sizes.
[[nodiscard]] inline std::vector<index> merge_duplicates(std::span<const rle> masks,
                                                         const nms_options& options = {}) {
    const detail::mask_overlaps overlaps(masks, options.denominator_epsilon, "nms");
    return detail::representatives(overlaps, detail::input_order(masks.size()), options.iou_threshold);
}

/// Indices of the masks that stay, ascending; earlier masks win. Precondition: equal sizes. O(n * kept)
/// pairs.
[[nodiscard]] inline std::vector<index> nms(std::span<const rle> masks, const nms_options& options = {}) {
    const auto order = detail::input_order(masks.size());
    return detail::kept_of(merge_duplicates(masks, options), order);
}

/// Indices of the masks that stay, by descending score. A score that is NaN is an error at its index.
/// Preconditions: one score a mask, equal sizes. O(n log n + n * kept pairs).
[[nodiscard]] inline result<std::vector<index>>
nms(std::span<const rle> masks, std::span<const double> scores, const nms_options& options = {}) {
    return detail::scored_nms(masks, scores, options);
}
[[nodiscard]] inline result<std::vector<index>> nms(std::span<const rle> masks, std::span<const float> scores,
                                                    const nms_options& options = {}) {
    return detail::scored_nms(masks, scores, options);
}

} // namespace ostend::inline OSTEND_KERNELS
