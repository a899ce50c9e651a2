// gcg: mask recall and mIoU of grounded conversation generation, as GLaMM's evaluation script (the method's
// authors use the same arithmetic) computes them.
//
// Quirks of the published protocol, kept by default and named, each with a clean option:
// - recall takes pairs by greatest IoU and STOPS at the first whose text (or IoU) fails; a pair of lower IoU
//   with good text is never tried (gcg_text_failure::stop; skip tries the next);
// - two empty masks have IoU 0 / 0 = NaN, which NumPy's argmax prefers to every number and which is not
//   below a threshold: recall counts the pair, while mIoU ends at it (gcg_empty_pair::nan; zero or one).
#pragma once

#include "ostend/mask/iou.hpp"
#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/mask_pair.hpp"
#include "ostend/metrics/ratio.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

enum class gcg_text_failure : unsigned char { stop, skip };
enum class gcg_empty_pair : unsigned char { nan, zero, one };

struct gcg_options {
    double iou_threshold = 0.5;  ///< a match has at least this IoU
    double text_threshold = 0.5; ///< and at least this similarity
    gcg_text_failure on_text_failure = gcg_text_failure::stop;
    gcg_empty_pair empty_pair = gcg_empty_pair::nan;

    /// Without the quirks: a failing text is passed over, two empty masks have IoU 0.
    [[nodiscard]] static gcg_options clean() {
        gcg_options options;
        options.on_text_failure = gcg_text_failure::skip;
        options.empty_pair = gcg_empty_pair::zero;
        return options;
    }
};

struct gcg_match {
    index truth = 0;
    index prediction = 0;
    double iou = 0; ///< NaN for a pair of empty masks with the published rule
};

/// One image.
struct gcg_record {
    std::vector<gcg_match> matches = {}; ///< in the order in which they were taken
    index truths = 0;
    index predictions = 0;
    ratio paired_iou = {}; ///< sum of the IoUs taken one to one, and their number
};

struct gcg_result {
    ratio recall = {}; ///< matches / ground-truth masks of all images
    ratio miou = {};   ///< sum over images of the mean of their paired IoUs / images
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The first greatest value in row-major order; the first NaN where there is one, as NumPy's argmax.
/// Precondition: not empty.
[[nodiscard]] inline index numpy_argmax(std::span<const double> values) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) {
            return static_cast<index>(i);
        }
        best = values[i] > values[best] ? i : best;
    }
    return static_cast<index>(best);
}

} // namespace detail

/// Matches of mask recall. `iou` and `text` are [truths, predictions]; NaN in `iou` follows the published
/// rule. Precondition: equal shapes. O(truths x predictions x matches), as published.
[[nodiscard]] inline std::vector<gcg_match> gcg_matches(matrix<double> iou, const matrix<double>& text,
                                                        const gcg_options& options = {}) {
    OSTEND_EXPECTS_ALWAYS(iou.rows() == text.rows() && iou.columns() == text.columns(),
                          "gcg_matches: IoU is " + std::to_string(iou.rows()) + " x " +
                              std::to_string(iou.columns()) + ", text similarity " +
                              std::to_string(text.rows()) + " x " + std::to_string(text.columns()));
    constexpr double used = -std::numeric_limits<double>::infinity();
    std::vector<gcg_match> matches;
    while (!iou.empty()) {
        const index at = detail::numpy_argmax(iou.values());
        const index t = at / iou.columns();
        const index p = at % iou.columns();
        const double best = iou(t, p);
        // Written as the script has it: a NaN is not below the threshold.
        if (best == used || best < options.iou_threshold) {
            break;
        }
        if (text(t, p) < options.text_threshold) {
            if (options.on_text_failure == gcg_text_failure::stop) {
                break;
            }
            iou(t, p) = used;
            continue;
        }
        matches.push_back({t, p, best});
        for (index j = 0; j < iou.columns(); ++j) {
            iou(t, j) = used;
        }
        for (index i = 0; i < iou.rows(); ++i) {
            iou(i, p) = used;
        }
    }
    return matches;
}

/// The IoUs of an image paired one to one, greatest first, until a side is used up or none is above 0: their
/// sum and number. `iou` is [predictions, truths], which settles ties as published. A NaN ends the pairing.
[[nodiscard]] inline ratio gcg_paired_iou(matrix<double> iou) {
    constexpr double used = -std::numeric_limits<double>::infinity();
    ratio out;
    while (!iou.empty()) {
        const index at = detail::numpy_argmax(iou.values());
        const index p = at / iou.columns();
        const index t = at % iou.columns();
        if (!(iou(p, t) > 0)) {
            break;
        }
        out.numerator += iou(p, t);
        out.denominator += 1;
        for (index j = 0; j < iou.columns(); ++j) {
            iou(p, j) = used;
        }
        for (index i = 0; i < iou.rows(); ++i) {
            iou(i, t) = used;
        }
    }
    return out;
}

/// IoU of every prediction with every truth, [predictions, truths]; two empty masks as the option says.
[[nodiscard]] inline matrix<double> gcg_iou(std::span<const rle> predictions, std::span<const rle> truths,
                                            gcg_empty_pair empty_pair = gcg_empty_pair::nan) {
    matrix<double> out = iou_matrix(predictions, truths);
    if (empty_pair == gcg_empty_pair::zero) {
        return out;
    }
    const double value = empty_pair == gcg_empty_pair::one ? 1.0 : std::numeric_limits<double>::quiet_NaN();
    for (index p = 0; p < out.rows(); ++p) {
        if (area(predictions[static_cast<std::size_t>(p)]) != 0) {
            continue;
        }
        for (index t = 0; t < out.columns(); ++t) {
            if (area(truths[static_cast<std::size_t>(t)]) == 0) {
                out(p, t) = value;
            }
        }
    }
    return out;
}

/// 1 where a truth and a prediction have the same label, else 0: [truths, predictions]. A text similarity
/// for closed vocabularies.
template <class Truths, class Predictions>
[[nodiscard]] matrix<double> label_equality(const Truths& truths, const Predictions& predictions) {
    matrix<double> out(static_cast<index>(std::size(truths)), static_cast<index>(std::size(predictions)));
    index t = 0;
    for (const auto& truth : truths) {
        index p = 0;
        for (const auto& prediction : predictions) {
            out(t, p++) = truth == prediction ? 1.0 : 0.0;
        }
        ++t;
    }
    return out;
}

/// Accumulates images; see image_records for what any split of the work keeps.
class gcg_accumulator {
public:
    explicit gcg_accumulator(gcg_options options = {}) : options_(options) {}

    /// One image: its masks and the similarity [truths, predictions] of their texts. Errors name the mask or
    /// the similarity: an rle that lies, masks of different sizes, a matrix of another shape, a similarity
    /// that is not finite, an image given twice. Nothing is added then.
    [[nodiscard]] status update(const std::string& image, std::span<const rle> truths,
                                std::span<const rle> predictions, const matrix<double>& text) {
        const index gt = static_cast<index>(truths.size());
        const index dt = static_cast<index>(predictions.size());
        if (const status good = check_masks(truths, predictions); !good) {
            return good.error().in(image);
        }
        if (text.rows() * text.columns() != gt * dt || (gt * dt != 0 && text.rows() != gt)) {
            return error{"is " + std::to_string(text.rows()) + " x " + std::to_string(text.columns()) +
                             " for " + std::to_string(gt) + " truths and " + std::to_string(dt) +
                             " predictions",
                         image + ": text similarity"};
        }
        for (std::size_t i = 0; i < text.values().size(); ++i) {
            if (!std::isfinite(text.values()[i])) {
                return error{"a value is not finite", image + ": text similarity", i};
            }
        }
        gcg_record record;
        record.truths = gt;
        record.predictions = dt;
        const matrix<double> iou = gcg_iou(predictions, truths, options_.empty_pair);
        record.paired_iou = gcg_paired_iou(iou);
        matrix<double> turned(gt, dt);
        for (index t = 0; t < gt; ++t) {
            for (index p = 0; p < dt; ++p) {
                turned(t, p) = iou(p, t);
            }
        }
        if (!turned.empty()) {
            record.matches = gcg_matches(std::move(turned), text, options_);
        }
        return records_.add(image, std::move(record));
    }

    /// The same with a callable double(index truth, index prediction).
    template <class Similarity>
    requires(std::invocable<Similarity&, index, index> &&
             !std::same_as<std::remove_cvref_t<Similarity>, matrix<double>>) [[nodiscard]] status
        update(const std::string& image, std::span<const rle> truths, std::span<const rle> predictions,
               Similarity&& similarity) {
        matrix<double> text(static_cast<index>(truths.size()), static_cast<index>(predictions.size()));
        for (index t = 0; t < text.rows(); ++t) {
            for (index p = 0; p < text.columns(); ++p) {
                text(t, p) = static_cast<double>(similarity(t, p));
            }
        }
        return update(image, truths, predictions, text);
    }

    /// An image for which no prediction could be made or read: all its truths are misses, its IoU is 0.
    [[nodiscard]] status add_failed(const std::string& image, index truths) {
        OSTEND_EXPECTS_ALWAYS(truths >= 0, "gcg_accumulator::add_failed: a negative number of truths");
        return add(image, {.truths = truths});
    }

    /// A record that was made elsewhere: by the functions above, or by another run.
    [[nodiscard]] status add(const std::string& image, gcg_record record) {
        return records_.add(image, std::move(record));
    }

    /// Disjoint union with another part of the images, made with the same options.
    [[nodiscard]] status merge(const gcg_accumulator& other) { return records_.merge(other.records_); }

    /// Reduces in the order of the images' names. O(images).
    [[nodiscard]] gcg_result compute() const {
        gcg_result out;
        for (const auto& [image, record] : records_) {
            out.recall.numerator += static_cast<double>(record.matches.size());
            out.recall.denominator += static_cast<double>(record.truths);
            out.miou.numerator += record.paired_iou.value();
            out.miou.denominator += 1;
        }
        return out;
    }

    [[nodiscard]] const image_records<gcg_record>& records() const noexcept { return records_; }
    [[nodiscard]] const gcg_options& options() const noexcept { return options_; }

private:
    [[nodiscard]] static status check_masks(std::span<const rle> truths, std::span<const rle> predictions) {
        if (truths.empty() && predictions.empty()) {
            return success{};
        }
        const rle& first = truths.empty() ? predictions.front() : truths.front();
        const status good = check_like(truths, first, "truth");
        return good ? check_like(predictions, first, "prediction") : good;
    }

    gcg_options options_;
    image_records<gcg_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
