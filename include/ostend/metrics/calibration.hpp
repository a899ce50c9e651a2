// calibration: does a confidence rank hits before misses, and does it mean what it says?
//
// - AUROC: the share of (hit, miss) pairs in which the hit has the higher confidence; a tie is one half.
// - Expected calibration error (Guo et al. 2017): sum over bins of their share times
//   |accuracy - mean confidence|; bins of equal width (l, u], 0 in the first, or of equal mass.
// - Risk-coverage (Geifman and El-Yaniv 2017): the share of misses among the k most confident, for each k;
//   AURC is its mean over k. Tied confidences enter together: at each k among them the risk is the expected
//   one of a random order, so no curve depends on the order of ties. Excess AURC is what a perfect ranking
//   of the same hits and misses would save.
// Bins of equal mass part ties by the order of the images, as any published sort does.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"
#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/ratio.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct scored_hit {
    double confidence = 0;
    bool hit = false;
};

enum class confidence_scale : unsigned char {
    unit, ///< a confidence outside [0, 1] is an error
    any   ///< it only ranks: no calibration error is computed
};

struct calibration_options {
    index bins = 15;
    confidence_scale scale = confidence_scale::unit;
};

struct calibration_bin {
    std::int64_t count = 0;
    std::int64_t hits = 0;
    double confidence = 0; ///< sum
};

struct risk_point {
    double coverage = 0;  ///< share of the predictions that are kept
    double risk = 0;      ///< share of misses among them
    double threshold = 0; ///< the least confidence that is kept
};

struct calibration_result {
    ratio accuracy = {};                           ///< hits / predictions
    ratio auroc = {};                              ///< without hits or without misses the denominator is 0
    std::vector<calibration_bin> equal_width = {}; ///< empty with confidence_scale::any, as the next three
    std::vector<calibration_bin> equal_mass = {};
    ratio ece_equal_width = {}; ///< sum of |hits - confidence| over bins / predictions
    ratio ece_equal_mass = {};
    std::vector<risk_point> risk_coverage = {}; ///< a point a distinct confidence, ascending coverage
    ratio aurc = {};                            ///< sum of the risks / predictions
    ratio excess_aurc = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Calls f(first, last) for each group of equal confidences of a sorted sequence.
template <class F>
void for_each_tie(std::span<const scored_hit> sorted, F&& f) {
    for (std::size_t first = 0; first < sorted.size();) {
        std::size_t last = first + 1;
        while (last < sorted.size() && sorted[last].confidence == sorted[first].confidence) {
            ++last;
        }
        f(first, last);
        first = last;
    }
}

[[nodiscard]] inline std::int64_t hits_in(std::span<const scored_hit> some) {
    return std::count_if(some.begin(), some.end(), [](const scored_hit& one) { return one.hit; });
}

[[nodiscard]] inline ratio calibration_error(std::span<const calibration_bin> bins) {
    ratio out;
    for (const calibration_bin& bin : bins) {
        out.numerator += std::abs(static_cast<double>(bin.hits) - bin.confidence);
        out.denominator += static_cast<double>(bin.count);
    }
    return out;
}

} // namespace detail

/// Pairs of a hit and a miss in which the hit is the more confident, ties halved, / such pairs. Exact below
/// 2^53 pairs. Precondition: ascending confidences. O(predictions).
[[nodiscard]] inline ratio auroc(std::span<const scored_hit> ascending) {
    std::int64_t misses = 0; // of less confidence
    std::int64_t twice = 0;
    std::int64_t hits = 0;
    detail::for_each_tie(ascending, [&](std::size_t first, std::size_t last) {
        const std::int64_t tied_hits = detail::hits_in(ascending.subspan(first, last - first));
        const std::int64_t tied_misses = static_cast<std::int64_t>(last - first) - tied_hits;
        twice += tied_hits * (2 * misses + tied_misses);
        misses += tied_misses;
        hits += tied_hits;
    });
    return {static_cast<double>(twice) / 2, static_cast<double>(hits) * static_cast<double>(misses)};
}

/// Bins (i / n, (i + 1) / n] of confidences in [0, 1]; 0 is in the first. Precondition: n >= 1, confidences
/// in [0, 1]. O(predictions).
[[nodiscard]] inline std::vector<calibration_bin> equal_width_bins(std::span<const scored_hit> predictions,
                                                                   index n) {
    OSTEND_EXPECTS(n >= 1, "equal_width_bins: " + std::to_string(n) + " bins");
    std::vector<calibration_bin> bins(static_cast<std::size_t>(n));
    const auto wide = static_cast<double>(n);
    for (const scored_hit& one : predictions) {
        OSTEND_EXPECTS(one.confidence >= 0 && one.confidence <= 1,
                       "equal_width_bins: a confidence of " + std::to_string(one.confidence));
        double i = std::max(0.0, std::ceil(one.confidence * wide) - 1);
        i -= i > 0 && one.confidence <= i / wide ? 1 : 0; // the product was rounded up over the bound
        i += one.confidence > (i + 1) / wide ? 1 : 0;
        calibration_bin& bin = bins[static_cast<std::size_t>(i)];
        ++bin.count;
        bin.hits += one.hit ? 1 : 0;
        bin.confidence += one.confidence;
    }
    return bins;
}

/// n bins of nearly equal counts along the sorted confidences; the first ones hold the predictions that are
/// left over. Preconditions: n >= 1, ascending confidences. O(predictions).
[[nodiscard]] inline std::vector<calibration_bin> equal_mass_bins(std::span<const scored_hit> ascending,
                                                                  index n) {
    OSTEND_EXPECTS(n >= 1, "equal_mass_bins: " + std::to_string(n) + " bins");
    std::vector<calibration_bin> bins(static_cast<std::size_t>(n));
    const std::size_t least = ascending.size() / bins.size();
    const std::size_t left_over = ascending.size() % bins.size();
    auto next = ascending.begin();
    for (std::size_t b = 0; b < bins.size(); ++b) {
        for (std::size_t k = least + (b < left_over ? 1 : 0); k-- > 0; ++next) {
            ++bins[b].count;
            bins[b].hits += next->hit ? 1 : 0;
            bins[b].confidence += next->confidence;
        }
    }
    return bins;
}

/// Fills risk_coverage, aurc and excess_aurc. Precondition: ascending confidences. O(predictions).
inline void add_risk_coverage(std::span<const scored_hit> ascending, calibration_result& out) {
    const std::vector<scored_hit> descending(ascending.rbegin(), ascending.rend());
    const auto total = static_cast<double>(descending.size());
    double misses = 0;
    detail::for_each_tie(descending, [&](std::size_t first, std::size_t last) {
        const auto tied = static_cast<double>(last - first);
        const double tied_misses =
            tied - static_cast<double>(detail::hits_in(std::span(descending).subspan(first, last - first)));
        for (std::size_t k = first + 1; k <= last; ++k) {
            const double expected = misses + tied_misses * static_cast<double>(k - first) / tied;
            out.aurc.numerator += expected / static_cast<double>(k);
        }
        misses += tied_misses;
        out.risk_coverage.push_back({static_cast<double>(last) / total, misses / static_cast<double>(last),
                                     descending[first].confidence});
    });
    out.aurc.denominator = total;
    double best = 0; // all hits first
    const auto hits = static_cast<std::size_t>(total - misses);
    for (std::size_t k = hits + 1; k <= descending.size(); ++k) {
        best += static_cast<double>(k - hits) / static_cast<double>(k);
    }
    out.excess_aurc = {out.aurc.numerator - best, total};
}

/// Accumulates images; see image_records for what any split of the work keeps.
class calibration_accumulator {
public:
    /// Precondition: bins >= 1.
    explicit calibration_accumulator(calibration_options options = {}) : options_(options) {
        OSTEND_EXPECTS_ALWAYS(options_.bins >= 1,
                              "calibration_accumulator: " + std::to_string(options_.bins) + " bins");
    }

    /// One image. Errors name the prediction: a confidence that is not finite, or outside [0, 1] with
    /// confidence_scale::unit; an image given twice. Nothing is added then.
    [[nodiscard]] status update(const std::string& image, std::span<const scored_hit> predictions) {
        for (std::size_t i = 0; i < predictions.size(); ++i) {
            const double confidence = predictions[i].confidence;
            if (!std::isfinite(confidence) ||
                (options_.scale == confidence_scale::unit && (confidence < 0 || confidence > 1))) {
                return error{"a confidence of " + std::to_string(confidence), image + ": predictions", i};
            }
        }
        return records_.add(image, {predictions.begin(), predictions.end()});
    }

    /// Disjoint union with another part of the images, made with the same options.
    [[nodiscard]] status merge(const calibration_accumulator& other) {
        return records_.merge(other.records_);
    }

    /// O(predictions log predictions).
    [[nodiscard]] calibration_result compute() const {
        std::vector<scored_hit> sorted;
        for (const auto& [image, predictions] : records_) {
            sorted.insert(sorted.end(), predictions.begin(), predictions.end());
        }
        std::stable_sort(sorted.begin(), sorted.end(), [](const scored_hit& a, const scored_hit& b) {
            return a.confidence < b.confidence;
        });
        calibration_result out;
        out.accuracy = {static_cast<double>(detail::hits_in(sorted)), static_cast<double>(sorted.size())};
        out.auroc = auroc(sorted);
        if (options_.scale == confidence_scale::unit) {
            out.equal_width = equal_width_bins(sorted, options_.bins);
            out.equal_mass = equal_mass_bins(sorted, options_.bins);
            out.ece_equal_width = detail::calibration_error(out.equal_width);
            out.ece_equal_mass = detail::calibration_error(out.equal_mass);
        }
        add_risk_coverage(sorted, out);
        return out;
    }

    [[nodiscard]] const image_records<std::vector<scored_hit>>& records() const noexcept { return records_; }
    [[nodiscard]] const calibration_options& options() const noexcept { return options_; }

private:
    calibration_options options_;
    image_records<std::vector<scored_hit>> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
