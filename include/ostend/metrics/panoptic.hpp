// panoptic: panoptic quality PQ = SQ x RQ, as panopticapi computes it.
//
// A pair of one category matches when its IoU, void pixels taken out of the union, exceeds 0.5; no segment
// can then match twice. Unmatched truths that are no crowd are misses. Unmatched predictions are false,
// unless more than half of their pixels lie in void or in a crowd of their category. Quirk, kept by default:
// of several crowds of a category in one image only the last counts there (panoptic_crowds::all: each). Areas
// are counted in the masks; panopticapi takes those of truths from its JSON file.
#pragma once

#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/mask_pair.hpp"
#include "ostend/metrics/panoptic_segments.hpp"
#include "ostend/metrics/ratio.hpp"
#include "ostend/tensor/matrix.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

enum class panoptic_crowds : unsigned char { last, all };

struct panoptic_options {
    std::map<std::int64_t, bool> is_thing = {}; ///< each category of the data set: a thing, or stuff
    panoptic_crowds crowds = panoptic_crowds::last;
};

/// One category, in one image or in all.
struct panoptic_counts {
    double iou = 0; ///< sum over the matched pairs
    std::int64_t matched = 0;
    std::int64_t false_predictions = 0;
    std::int64_t missed = 0;

    [[nodiscard]] constexpr bool seen() const noexcept { return matched + false_predictions + missed != 0; }
    [[nodiscard]] constexpr ratio pq() const noexcept { return {iou, weight()}; }
    [[nodiscard]] constexpr ratio sq() const noexcept { return {iou, static_cast<double>(matched)}; }
    [[nodiscard]] constexpr ratio rq() const noexcept { return {static_cast<double>(matched), weight()}; }

private:
    [[nodiscard]] constexpr double weight() const noexcept {
        return static_cast<double>(matched) +
               0.5 * (static_cast<double>(false_predictions) + static_cast<double>(missed));
    }
};

struct panoptic_record {
    std::map<std::int64_t, panoptic_counts> by_category = {};
};

/// Sums over categories / categories in which anything was counted.
struct panoptic_average {
    ratio pq = {};
    ratio sq = {};
    ratio rq = {};
};

struct panoptic_result {
    std::map<std::int64_t, panoptic_counts> by_category = {}; ///< each category of the options
    panoptic_average all = {};
    panoptic_average things = {};
    panoptic_average stuff = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

struct segment_run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    index segment = 0;
};

/// The runs of all segments in ascending order, or an error that names a pair that shares a pixel.
[[nodiscard]] inline result<std::vector<segment_run>>
disjoint_runs(std::span<const panoptic_segment> segments, const std::string& name) {
    std::vector<segment_run> runs;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        for_each_run(segments[i].mask, [&](std::uint64_t first, std::uint64_t last) {
            runs.push_back({first, last, static_cast<index>(i)});
        });
    }
    std::sort(runs.begin(), runs.end(),
              [](const segment_run& a, const segment_run& b) { return a.first < b.first; });
    for (std::size_t i = 1; i < runs.size(); ++i) {
        if (runs[i].first < runs[i - 1].last) {
            return error{"shares a pixel with " + name + " " + std::to_string(runs[i - 1].segment),
                         name + " " + std::to_string(runs[i].segment)};
        }
    }
    return runs;
}

/// Pixels that a truth and a prediction share: [truths, predictions].
[[nodiscard]] inline matrix<std::uint64_t> shared_pixels(std::span<const segment_run> truths,
                                                         std::span<const segment_run> predictions,
                                                         index truth_count, index prediction_count) {
    matrix<std::uint64_t> out(truth_count, prediction_count);
    for (std::size_t t = 0, p = 0; t < truths.size() && p < predictions.size();) {
        const std::uint64_t first = std::max(truths[t].first, predictions[p].first);
        const std::uint64_t last = std::min(truths[t].last, predictions[p].last);
        if (last > first) {
            out(truths[t].segment, predictions[p].segment) += last - first;
        }
        (truths[t].last < predictions[p].last ? t : p) += 1;
    }
    return out;
}

} // namespace detail

/// Accumulates images; see image_records for what any split of the work keeps.
class panoptic_accumulator {
public:
    explicit panoptic_accumulator(panoptic_options options) : options_(std::move(options)) {}

    /// One image. Errors name the segment: a category that the options do not know, an rle that lies, masks
    /// of different sizes, segments of one side that share a pixel, a prediction without pixels, an image
    /// given twice. Nothing is added then. O(runs log runs + truths x predictions).
    [[nodiscard]] status update(const std::string& image, std::span<const panoptic_segment> truths,
                                std::span<const panoptic_segment> predictions) {
        const rle* size = !truths.empty() ? &truths.front().mask : nullptr;
        size = size == nullptr && !predictions.empty() ? &predictions.front().mask : size;
        for (const auto& [segments, name] :
             {std::pair{truths, "truth "}, std::pair{predictions, "prediction "}}) {
            for (std::size_t i = 0; i < segments.size(); ++i) {
                const std::string field = name + std::to_string(i);
                if (const status good = check_like(segments[i].mask, *size, field); !good) {
                    return good.error().in(image);
                }
                if (options_.is_thing.count(segments[i].category) == 0) {
                    return error{"category " + std::to_string(segments[i].category) + " is not known", field}
                        .in(image);
                }
            }
        }
        const auto truth_runs = detail::disjoint_runs(truths, "truth");
        if (!truth_runs) {
            return truth_runs.error().in(image);
        }
        const auto prediction_runs = detail::disjoint_runs(predictions, "prediction");
        if (!prediction_runs) {
            return prediction_runs.error().in(image);
        }
        for (std::size_t p = 0; p < predictions.size(); ++p) {
            if (area(predictions[p].mask) == 0) {
                return error{"has no pixels", image + ": prediction " + std::to_string(p)};
            }
        }
        return records_.add(image, count(truths, predictions,
                                         detail::shared_pixels(*truth_runs, *prediction_runs,
                                                               static_cast<index>(truths.size()),
                                                               static_cast<index>(predictions.size()))));
    }

    /// Disjoint union with another part of the images, made with the same options.
    [[nodiscard]] status merge(const panoptic_accumulator& other) { return records_.merge(other.records_); }

    /// Reduces in the order of the images' names. O(images x categories).
    [[nodiscard]] panoptic_result compute() const {
        panoptic_result out;
        for (const auto& [category, is_thing] : options_.is_thing) {
            out.by_category[category] = {};
        }
        for (const auto& [image, record] : records_) {
            for (const auto& [category, counts] : record.by_category) {
                panoptic_counts& sum = out.by_category[category];
                sum.iou += counts.iou;
                sum.matched += counts.matched;
                sum.false_predictions += counts.false_predictions;
                sum.missed += counts.missed;
            }
        }
        for (const auto& [category, counts] : out.by_category) {
            if (!counts.seen()) {
                continue;
            }
            const bool is_thing = options_.is_thing.find(category)->second;
            for (panoptic_average* average : {&out.all, is_thing ? &out.things : &out.stuff}) {
                average->pq.numerator += counts.pq().value();
                average->sq.numerator += counts.sq().value();
                average->rq.numerator += counts.rq().value();
                for (ratio* one : {&average->pq, &average->sq, &average->rq}) {
                    one->denominator += 1;
                }
            }
        }
        return out;
    }

    [[nodiscard]] const image_records<panoptic_record>& records() const noexcept { return records_; }
    [[nodiscard]] const panoptic_options& options() const noexcept { return options_; }

private:
    [[nodiscard]] panoptic_record count(std::span<const panoptic_segment> truths,
                                        std::span<const panoptic_segment> predictions,
                                        const matrix<std::uint64_t>& shared) const {
        panoptic_record record;
        std::vector<std::uint64_t> areas;
        std::vector<std::uint64_t> in_void; // of each prediction; later, with its crowds
        std::vector<bool> matched(predictions.size(), false);
        for (std::size_t p = 0; p < predictions.size(); ++p) {
            areas.push_back(area(predictions[p].mask));
            in_void.push_back(areas[p]);
            for (index t = 0; t < shared.rows(); ++t) {
                in_void[p] -= shared(t, static_cast<index>(p));
            }
        }
        std::map<std::int64_t, std::vector<index>> crowds;
        for (std::size_t t = 0; t < truths.size(); ++t) {
            const panoptic_segment& truth = truths[t];
            if (truth.crowd) {
                std::vector<index>& mine = crowds[truth.category];
                if (options_.crowds == panoptic_crowds::last) {
                    mine.clear();
                }
                mine.push_back(static_cast<index>(t));
                continue;
            }
            panoptic_counts& counts = record.by_category[truth.category];
            bool found = false;
            for (std::size_t p = 0; p < predictions.size(); ++p) {
                const std::uint64_t common = shared(static_cast<index>(t), static_cast<index>(p));
                if (common == 0 || predictions[p].category != truth.category) {
                    continue;
                }
                const double iou = static_cast<double>(common) /
                                   static_cast<double>(areas[p] + area(truth.mask) - common - in_void[p]);
                if (iou > 0.5) {
                    counts.iou += iou;
                    ++counts.matched;
                    matched[p] = true;
                    found = true;
                }
            }
            counts.missed += found ? 0 : 1;
        }
        for (std::size_t p = 0; p < predictions.size(); ++p) {
            if (matched[p]) {
                continue;
            }
            std::uint64_t ignored = in_void[p];
            if (const auto found = crowds.find(predictions[p].category); found != crowds.end()) {
                for (const index crowd : found->second) {
                    ignored += shared(crowd, static_cast<index>(p));
                }
            }
            if (static_cast<double>(ignored) / static_cast<double>(areas[p]) > 0.5) {
                continue;
            }
            ++record.by_category[predictions[p].category].false_predictions;
        }
        return record;
    }

    panoptic_options options_;
    image_records<panoptic_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
