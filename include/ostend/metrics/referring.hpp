// referring: referring segmentation, RES and GRES: gIoU, cIoU, P@X, N-acc and T-acc.
//
// A sample is an expression with one ground truth (the union of its objects; empty: the expression has no
// target) and one prediction. The default follows gRefCOCO's evaluation (ReLA, refer_evaluation.py):
// - no target, nothing predicted: IoU 1, nothing added to cIoU's sums;
// - no target, something predicted: IoU 0, and the prediction enters cIoU's union;
// - a target, nothing predicted: IoU 0, and the target enters cIoU's union;
// - P@X has the samples with a target as its denominator; IoU X itself is enough.
// ReLA predicts "no target" with a head of its own; without one it is an empty mask (referring_flags).
// LISA's validation loop differs by small numbers in its denominators (referring_options::lisa; its sums are
// float32 there and float64 here). Pixels that it ignores are taken out of both masks by the caller.
#pragma once

#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/mask_pair.hpp"
#include "ostend/metrics/ratio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct referring_options {
    std::vector<double> precision_at = {0.7, 0.8, 0.9}; ///< the X of P@X
    bool above = false;                                 ///< P@X wants IoU > X instead of IoU >= X
    both_empty empty_pair = both_empty::one;            ///< no target and nothing predicted, in gIoU
    double union_epsilon = 0;                           ///< added to the union of each sample in gIoU
    double sum_epsilon = 0;                             ///< added to the sum of unions in cIoU
    double count_epsilon = 0;                           ///< added to the number of samples in gIoU

    [[nodiscard]] static referring_options lisa() {
        referring_options options;
        options.union_epsilon = 1e-5;
        options.sum_epsilon = 1e-10;
        options.count_epsilon = 1e-5;
        return options;
    }
};

/// What the masks alone do not say; where absent, an empty mask says it.
struct referring_flags {
    std::optional<bool> no_target = {};        ///< the annotation's word
    std::optional<bool> predicts_nothing = {}; ///< the word of a head that predicts "no target"
};

/// One sample.
struct referring_record {
    pair_counts pixels = {};
    bool no_target = false;
    bool predicts_nothing = false;
};

struct referring_result {
    ratio giou = {};                   ///< sum of the samples' IoUs / samples
    ratio ciou = {};                   ///< common pixels / united pixels, of all samples
    std::vector<ratio> precision = {}; ///< of each X: samples with a target that reach it / with a target
    ratio n_acc = {};                  ///< rightly predicted "no target" / samples without a target
    ratio t_acc = {};                  ///< rightly predicted a target / samples with one
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Accumulates samples, each under a name of its own (image and expression); see image_records for what any
/// split of the work keeps.
class referring_accumulator {
public:
    explicit referring_accumulator(referring_options options = {}) : options_(std::move(options)) {}

    /// One sample. Errors name the mask: an rle that lies, masks of different sizes, a flag that says "no
    /// target" of a truth with pixels, a sample given twice. Nothing is added then. O(counts).
    [[nodiscard]] status update(const std::string& sample, const rle& truth, const rle& prediction,
                                const referring_flags& flags = {}) {
        const auto pixels = count_pair(truth, prediction);
        if (!pixels) {
            return pixels.error().in(sample);
        }
        const bool no_target = flags.no_target.value_or(pixels->truth == 0);
        if (no_target && pixels->truth != 0) {
            return error{"said to have no target, but its mask has " + std::to_string(pixels->truth) +
                             " pixels",
                         sample + ": truth"};
        }
        return records_.add(sample,
                            {*pixels, no_target, flags.predicts_nothing.value_or(pixels->prediction == 0)});
    }

    /// Disjoint union with another part of the samples, made with the same options.
    [[nodiscard]] status merge(const referring_accumulator& other) { return records_.merge(other.records_); }

    /// Reduces in the order of the samples' names. O(samples x thresholds).
    [[nodiscard]] referring_result compute() const {
        referring_result out;
        out.precision.resize(options_.precision_at.size());
        std::uint64_t common = 0;
        std::uint64_t united = 0;
        for (const auto& [sample, record] : records_) {
            ratio& right = record.no_target ? out.n_acc : out.t_acc;
            right.denominator += 1;
            right.numerator += record.no_target == record.predicts_nothing ? 1 : 0;
            if (record.no_target && record.predicts_nothing) {
                out.giou.numerator += options_.empty_pair == both_empty::one ? 1 : 0;
                out.giou.denominator += options_.empty_pair == both_empty::leave_out ? 0 : 1;
                continue;
            }
            const std::uint64_t mine = record.predicts_nothing ? 0 : record.pixels.common;
            const double whole = static_cast<double>(record.pixels.united());
            const double iou = whole == 0 ? 0 : static_cast<double>(mine) / (whole + options_.union_epsilon);
            common += mine;
            united += record.pixels.united();
            out.giou.numerator += iou;
            out.giou.denominator += 1;
            if (!record.no_target) {
                for (std::size_t i = 0; i < out.precision.size(); ++i) {
                    const double least = options_.precision_at[i];
                    out.precision[i].numerator += iou > least || (iou == least && !options_.above) ? 1 : 0;
                    out.precision[i].denominator += 1;
                }
            }
        }
        out.giou.denominator += out.giou.denominator == 0 ? 0 : options_.count_epsilon;
        out.ciou = {static_cast<double>(common), static_cast<double>(united)};
        out.ciou.denominator += united == 0 ? 0 : options_.sum_epsilon;
        return out;
    }

    [[nodiscard]] const image_records<referring_record>& records() const noexcept { return records_; }
    [[nodiscard]] const referring_options& options() const noexcept { return options_; }

private:
    referring_options options_;
    image_records<referring_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
