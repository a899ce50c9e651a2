// coco_curve: precision, and the score that it takes, at 101 recalls for every IoU threshold.
//
// Equal to pycocotools' accumulate to the last bit. Precision only has its greatest values where a truth is
// found, so a curve needs the hits alone: memory is hits x thresholds, not detections x thresholds.
#pragma once

#include "ostend/metrics/coco_match.hpp"
#include "ostend/tensor/matrix.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace ostend::inline v0 {

/// One category (or all as one), area range and limit of detections.
struct coco_curve {
    std::int64_t truths = 0;       ///< that count; with none there is no curve, and the others are empty
    std::vector<double> recall{};  ///< [thresholds], of all detections
    matrix<double> precision = {}; ///< [thresholds, coco_recalls], made monotone from the right
    matrix<double> score = {};     ///< [thresholds, coco_recalls], 0 where that recall is never reached
};

/// A detection among those of all images.
struct coco_ranked {
    double score = 0;
    std::uint32_t rank = 0; ///< within its image and category, from 0
    std::array<coco_bits, coco_areas> bits = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The curve of one category's detections, which stand from the best score on, ties in the order of images
/// and then ranks. `truths` is the number that count in the area range. O(detections + hits x thresholds).
[[nodiscard]] inline coco_curve make_coco_curve(std::span<const coco_ranked> detections, std::int64_t truths,
                                                std::size_t area, index limit, std::size_t thresholds) {
    coco_curve out;
    out.truths = truths;
    if (truths == 0) {
        return out;
    }
    struct hit {
        double precision;
        double score;
    };
    std::array<std::vector<hit>, coco_max_thresholds> hits;
    std::array<std::int64_t, coco_max_thresholds> ignored{};
    std::int64_t seen = 0;
    double first_score = 0;
    for (const coco_ranked& d : detections) {
        if (static_cast<index>(d.rank) >= limit) {
            continue;
        }
        first_score = seen == 0 ? d.score : first_score;
        ++seen;
        for (unsigned left = d.bits[area].ignored; left != 0; left &= left - 1) {
            ++ignored[static_cast<std::size_t>(std::countr_zero(left))];
        }
        for (unsigned left = d.bits[area].hit; left != 0; left &= left - 1) {
            const auto t = static_cast<std::size_t>(std::countr_zero(left));
            // np.spacing(1) in the denominator is the published code's guard against 0 / 0.
            hits[t].push_back(
                {static_cast<double>(hits[t].size() + 1) /
                     (static_cast<double>(seen - ignored[t]) + std::numeric_limits<double>::epsilon()),
                 d.score});
        }
    }
    out.precision = matrix<double>(static_cast<index>(thresholds), coco_recalls);
    out.score = out.precision;
    const auto all = static_cast<double>(truths);
    for (std::size_t t = 0; t < thresholds; ++t) {
        std::vector<hit>& mine = hits[t];
        out.recall.push_back(static_cast<double>(mine.size()) / all);
        for (std::size_t i = mine.size(); i-- > 1;) {
            mine[i - 1].precision = std::max(mine[i - 1].precision, mine[i].precision);
        }
        const auto precision = out.precision.row(static_cast<index>(t));
        const auto score = out.score.row(static_cast<index>(t));
        std::size_t count = 0; // the fewest hits that reach the recall
        for (std::size_t r = 0; r < coco_recalls; ++r) {
            while (count <= mine.size() && static_cast<double>(count) / all < coco_recall(r)) {
                ++count;
            }
            if (count > mine.size() || seen == 0) {
                break;
            }
            if (count == 0) { // the first detection reaches recall 0, hit or not
                precision[r] = mine.empty() ? 0 : mine.front().precision;
                score[r] = first_score;
            } else {
                precision[r] = mine[count - 1].precision;
                score[r] = mine[count - 1].score;
            }
        }
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
