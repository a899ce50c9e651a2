// gcg_ap: the AP and AP50 of GCG, as GLaMM's evaluation script takes them: COCO's average precision of masks
// with one category and a score of 1 for every prediction.
//
// With equal scores the order decides: images by their number, masks as they are given. Of an image only the
// first 100 masks count.
#pragma once

#include "ostend/metrics/coco.hpp"
#include "ostend/metrics/coco_overlap.hpp"
#include "ostend/metrics/mask_pair.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct gcg_ap_result {
    double ap = -1;   ///< over IoU 0.5, 0.55, ... 0.95; -1 without a truth
    double ap50 = -1; ///< at IoU 0.5
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Accumulates images by number; any split of them gives the same bits.
class gcg_ap_accumulator {
public:
    /// One image. `annotations` is empty (each truth has an area of its pixels and is no crowd) or says more
    /// of each truth; those of another category than 1 do not count, as in the script. Errors name the mask:
    /// an rle that lies, masks of different sizes, another number of annotations, an image given twice.
    [[nodiscard]] status update(std::int64_t image, std::span<const rle> truths,
                                std::span<const rle> predictions,
                                std::span<const coco_truth> annotations = {}) {
        const std::string name = "image " + std::to_string(image);
        for (const auto& [masks, kind] : {std::pair{truths, "truth"}, std::pair{predictions, "prediction"}}) {
            if (masks.empty()) {
                continue;
            }
            const rle& first = truths.empty() ? masks.front() : truths.front();
            if (const status good = check_like(masks, first, kind); !good) {
                return good.error().in(name);
            }
        }
        if (!annotations.empty() && annotations.size() != truths.size()) {
            return error{std::to_string(annotations.size()) + " annotations of " +
                             std::to_string(truths.size()) + " truths",
                         name};
        }
        std::vector<coco_truth> known;
        std::vector<rle> counted;
        for (std::size_t i = 0; i < truths.size(); ++i) {
            const coco_truth one = annotations.empty()
                                       ? coco_truth{.area = static_cast<double>(area(truths[i]))}
                                       : annotations[i];
            if (one.category == 1) {
                known.push_back(one);
                counted.push_back(truths[i]);
            }
        }
        std::vector<coco_detection> found;
        for (const rle& mask : predictions) {
            found.push_back({.score = 1, .area = static_cast<double>(area(mask))});
        }
        return coco_.update(image, known, found, coco_mask_overlap(predictions, counted));
    }

    /// Disjoint union with another part of the images.
    [[nodiscard]] status merge(const gcg_ap_accumulator& other) { return coco_.merge(other.coco_); }

    [[nodiscard]] gcg_ap_result compute() const {
        const coco_stats stats = coco_.compute().stats;
        return {stats[0], stats[1]};
    }

private:
    coco_accumulator coco_;
};

} // namespace ostend::inline OSTEND_KERNELS
