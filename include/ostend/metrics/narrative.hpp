// narrative: panoptic narrative grounding (PNG): average recall of the phrases of a narrative.
//
// The curve is recall(t) = share of the phrases with IoU >= t; average recall is the area under it for t in
// [0, 1], which is the mean IoU: that is the exact form. The published script (utils/meters.py of PNG, and
// F-LMM's copy) sums rectangles at t = 0, 1e-5, 2e-5, ... below 1 without the last one, so a perfect answer
// gets 0.99999 and a wrong one 0.00001: that is the sampled form, here in closed form a phrase.
// A pair of empty masks has IoU NaN there, which reaches no threshold (both_empty::zero, the default).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/set_operations.hpp"
#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/mask_pair.hpp"
#include "ostend/metrics/ratio.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct narrative_options {
    both_empty empty_pair = both_empty::zero;
    double step = 1e-5; ///< between the thresholds of the sampled form
};

/// A phrase of a narrative. Masks of one side are united: a plural phrase has several.
struct narrative_phrase {
    std::vector<rle> truth = {};      ///< at least one
    std::vector<rle> prediction = {}; ///< none: nothing was found
    bool thing = true;                ///< else stuff
    bool plural = false;              ///< else singular
};

struct narrative_record {
    struct phrase {
        pair_counts pixels = {};
        bool thing = true;
        bool plural = false;
    };
    std::vector<phrase> phrases = {};
};

/// Some of the phrases.
struct narrative_split {
    ratio average_recall = {};     ///< exact: sum of IoUs / phrases
    ratio sampled_recall = {};     ///< the published sum, times the phrases / phrases
    std::vector<double> ious = {}; ///< ascending: the curve, see recall_at

    /// Phrases with IoU >= threshold / phrases; a pair of empty masks counted as zero reaches 0. O(log
    /// phrases).
    [[nodiscard]] ratio recall_at(double threshold) const {
        const auto first = std::lower_bound(ious.begin(), ious.end(), threshold);
        return {static_cast<double>(ious.end() - first), static_cast<double>(ious.size())};
    }
    /// The same with IoU > threshold: the published accuracy at 0.5.
    [[nodiscard]] ratio recall_above(double threshold) const {
        const auto first = std::upper_bound(ious.begin(), ious.end(), threshold);
        return {static_cast<double>(ious.end() - first), static_cast<double>(ious.size())};
    }
};

struct narrative_result {
    narrative_split all = {};
    narrative_split things = {};
    narrative_split stuff = {};
    narrative_split singulars = {};
    narrative_split plurals = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Thresholds are i * step below 1, and each but the last brings the step after it to an IoU that reaches it.
/// The steps join: their sum is the end of the last one. An IoU in [0, 1] reaches at least the first.
[[nodiscard]] inline double sampled_area(double iou, double step) {
    const auto threshold = [step](double i) { return i * step; };
    const double last = std::ceil(1 / step) - 1; // as NumPy's arange counts
    double reached = std::min(std::floor(iou / step), last - 1);
    reached += reached + 1 < last && threshold(reached + 1) <= iou ? 1 : 0;
    reached -= threshold(reached) > iou ? 1 : 0;
    return threshold(reached + 1);
}

} // namespace detail

/// Accumulates narratives; see image_records for what any split of the work keeps.
class narrative_accumulator {
public:
    /// Precondition: 0 < step < 1.
    explicit narrative_accumulator(narrative_options options = {}) : options_(options) {
        OSTEND_EXPECTS_ALWAYS(options_.step > 0 && options_.step < 1,
                              "narrative_accumulator: thresholds " + std::to_string(options_.step) +
                                  " apart: the step lies between 0 and 1");
    }

    /// One narrative, under a name of its own. Errors name the phrase and the mask: none of the truth, an rle
    /// that lies, masks of different sizes, a narrative given twice. Nothing is added then. O(counts).
    [[nodiscard]] status update(const std::string& narrative, std::span<const narrative_phrase> phrases) {
        narrative_record record;
        for (std::size_t i = 0; i < phrases.size(); ++i) {
            const auto pixels = count(phrases[i]);
            if (!pixels) {
                return pixels.error().in(narrative + ": phrase " + std::to_string(i));
            }
            record.phrases.push_back({*pixels, phrases[i].thing, phrases[i].plural});
        }
        return records_.add(narrative, std::move(record));
    }

    /// Disjoint union with another part of the narratives, made with the same options.
    [[nodiscard]] status merge(const narrative_accumulator& other) { return records_.merge(other.records_); }

    /// Reduces in the order of the narratives' names. O(phrases log phrases).
    [[nodiscard]] narrative_result compute() const {
        narrative_result out;
        for (const auto& [narrative, record] : records_) {
            for (const narrative_record::phrase& phrase : record.phrases) {
                const bool empty = phrase.pixels.united() == 0;
                if (empty && options_.empty_pair == both_empty::leave_out) {
                    continue;
                }
                double iou = empty && options_.empty_pair == both_empty::one ? 1 : 0;
                double sampled = 0;
                if (!empty) {
                    iou = static_cast<double>(phrase.pixels.common) /
                          static_cast<double>(phrase.pixels.united());
                }
                if (!empty || options_.empty_pair == both_empty::one) {
                    sampled = detail::sampled_area(iou, options_.step);
                }
                for (narrative_split* split : {&out.all, phrase.thing ? &out.things : &out.stuff,
                                               phrase.plural ? &out.plurals : &out.singulars}) {
                    split->ious.push_back(iou);
                    split->average_recall.numerator += iou;
                    split->average_recall.denominator += 1;
                    split->sampled_recall.numerator += sampled;
                    split->sampled_recall.denominator += 1;
                }
            }
        }
        for (narrative_split* split : {&out.all, &out.things, &out.stuff, &out.singulars, &out.plurals}) {
            std::sort(split->ious.begin(), split->ious.end());
        }
        return out;
    }

    [[nodiscard]] const image_records<narrative_record>& records() const noexcept { return records_; }
    [[nodiscard]] const narrative_options& options() const noexcept { return options_; }

private:
    [[nodiscard]] static result<pair_counts> count(const narrative_phrase& phrase) {
        if (phrase.truth.empty()) {
            return error{"there is no mask", "truth"};
        }
        for (const auto& [masks, name] :
             {std::pair{&phrase.truth, "truth"}, std::pair{&phrase.prediction, "prediction"}}) {
            if (const status good = check_like(*masks, phrase.truth.front(), name); !good) {
                return good.error();
            }
        }
        const rle truth = unite(phrase.truth);
        if (phrase.prediction.empty()) {
            return pair_counts{0, area(truth), 0};
        }
        return count_pair(truth, unite(phrase.prediction));
    }

    narrative_options options_;
    image_records<narrative_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
