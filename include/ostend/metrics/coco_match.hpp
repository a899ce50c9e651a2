// coco_match: which detections of one image and category find a truth, at every IoU threshold and area range.
//
// Greedy, as pycocotools' evaluateImg: detections from the best score on (ties in their order), each takes
// the truth of greatest IoU that is free (of equal ones the last); a truth that counts goes before an ignored
// one; a crowd is never used up. What remains of an image are four bytes a detection and area range. IoUs
// below the lowest threshold are dropped at once, so a detection is compared with the few truths that it may
// match.
#pragma once

#include "ostend/metrics/coco_options.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace ostend::inline v0 {

struct coco_truth {
    std::int64_t id = 1; ///< see coco_options::zero_id_never_matches
    std::int64_t category = 1;
    double area = 0; ///< the annotation's, for the area ranges
    bool crowd = false;
    bool ignore = false;
};

struct coco_detection {
    std::int64_t category = 1;
    double score = 0;
    double area = 0;
};

/// A bit an IoU threshold. A detection that is neither a hit nor ignored is a false positive.
struct coco_bits {
    std::uint16_t hit = 0;
    std::uint16_t ignored = 0;
    friend bool operator==(const coco_bits&, const coco_bits&) = default;
};

struct coco_scored {
    double score = 0;
    std::array<coco_bits, coco_areas> bits = {};
    friend bool operator==(const coco_scored&, const coco_scored&) = default;
};

/// One category of one image.
struct coco_group {
    std::int64_t category = 0;
    std::uint32_t first = 0;                        ///< its detections in coco_record::detections
    std::uint32_t detections = 0;                   ///< and their number, at most the greatest limit
    std::array<std::uint32_t, coco_areas> truths{}; ///< that count in each area range
    friend bool operator==(const coco_group&, const coco_group&) = default;
};

/// One image.
struct coco_record {
    std::vector<coco_group> groups = {};      ///< by category, ascending
    std::vector<coco_scored> detections = {}; ///< a group after the other, each from its best score on
    friend bool operator==(const coco_record&, const coco_record&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Workspace of coco_match, reused from group to group.
struct coco_workspace {
    struct candidate {
        std::uint32_t truth;
        double iou;
    };
    std::vector<candidate> candidates;
    std::vector<std::size_t> starts; ///< of each detection's candidates, and the end
    std::vector<std::uint16_t> taken;
    std::vector<std::uint8_t> ignored;
};

/// Matches one group: `truth_at` and `detection_at` are positions in `truths` and `detections`, the latter
/// from the best score on. `overlap(detection, truth, crowd)` takes these positions. Fills one coco_scored
/// each.
template <class Overlap>
void coco_match(std::span<const coco_truth> truths, std::span<const index> truth_at,
                std::span<const coco_detection> detections, std::span<const index> detection_at,
                const coco_options& options, Overlap&& overlap, coco_workspace& work, coco_group& group,
                std::span<coco_scored> out) {
    constexpr double almost_one = 1 - 1e-10;
    std::array<double, coco_max_thresholds> least{};
    double lowest = almost_one;
    for (std::size_t t = 0; t < options.iou_thresholds.size(); ++t) {
        least[t] = std::min(options.iou_thresholds[t], almost_one);
        lowest = std::min(lowest, least[t]);
    }
    const auto all = static_cast<std::uint16_t>((1U << options.iou_thresholds.size()) - 1U);
    const auto truth = [&](std::size_t g) -> const coco_truth& {
        return truths[static_cast<std::size_t>(truth_at[g])];
    };

    work.candidates.clear();
    work.starts.assign(1, 0);
    for (const index d : detection_at) {
        for (std::size_t g = 0; g < truth_at.size(); ++g) {
            const double iou = overlap(d, truth_at[g], truth(g).crowd);
            if (!(iou < lowest)) { // a NaN passes, as it does in the published code
                work.candidates.push_back({static_cast<std::uint32_t>(g), iou});
            }
        }
        work.starts.push_back(work.candidates.size());
    }

    for (std::size_t a = 0; a < coco_areas; ++a) {
        const coco_area_range& range = options.areas[a];
        const auto outside = [&](double area) { return area < range.low || area > range.high; };
        work.taken.assign(truth_at.size(), 0);
        work.ignored.resize(truth_at.size());
        group.truths[a] = 0;
        for (std::size_t g = 0; g < truth_at.size(); ++g) {
            const coco_truth& one = truth(g);
            const bool out_of_it = one.crowd || (options.honour_ignore && one.ignore) || outside(one.area);
            work.ignored[g] = out_of_it ? 1 : 0;
            group.truths[a] += out_of_it ? 0U : 1U;
        }
        for (std::size_t d = 0; d < detection_at.size(); ++d) {
            const coco_detection& detection = detections[static_cast<std::size_t>(detection_at[d])];
            const auto mine =
                std::span(work.candidates).subspan(work.starts[d], work.starts[d + 1] - work.starts[d]);
            coco_bits& bits = out[d].bits[a];
            out[d].score = detection.score;
            std::uint16_t matched = 0;
            for (std::size_t t = 0; !mine.empty() && t < options.iou_thresholds.size(); ++t) {
                const auto bit = static_cast<std::uint16_t>(1U << t);
                double best = least[t];
                std::ptrdiff_t found = -1;
                for (const std::uint8_t kind : {std::uint8_t{0}, std::uint8_t{1}}) { // ignored ones last
                    for (const auto& c : mine) {
                        if (work.ignored[c.truth] == kind && !(c.iou < best) &&
                            ((work.taken[c.truth] & bit) == 0 || truth(c.truth).crowd)) {
                            best = c.iou;
                            found = static_cast<std::ptrdiff_t>(c.truth);
                        }
                    }
                    if (found >= 0) {
                        break;
                    }
                }
                if (found < 0) {
                    continue;
                }
                const auto g = static_cast<std::size_t>(found);
                work.taken[g] |= bit;
                bits.ignored |= work.ignored[g] != 0 ? bit : std::uint16_t{0};
                if (truth(g).id != 0 || !options.zero_id_never_matches) {
                    matched |= bit;
                }
            }
            if (outside(detection.area)) {
                bits.ignored |= static_cast<std::uint16_t>(all & ~matched);
            }
            bits.hit = static_cast<std::uint16_t>(matched & ~bits.ignored);
        }
    }
}

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
