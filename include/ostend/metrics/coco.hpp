// coco: average precision and recall of detections and masks as COCO defines them, mergeable over images.
//
// The twelve numbers, the curves and the values of each category equal pycocotools' to the last bit, whatever
// the split of the images: an image is matched when it arrives, leaves 24 bytes a detection (its score, and a
// bit a threshold and area range), and compute() goes through the images in the order of their ids. Tables of
// images x categories x areas, which pycocotools keeps, are never made. What overlaps is the caller's: see
// metrics/coco_overlap.hpp for boxes, masks and boundaries.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/metrics/coco_curve.hpp"
#include "ostend/metrics/coco_match.hpp"
#include "ostend/metrics/coco_summary.hpp"
#include "ostend/metrics/image_records.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>

namespace ostend::inline OSTEND_KERNELS {

/// Accumulates images; see image_records for what any split of the work keeps. Memory is 24 bytes a detection
/// within the limits and 40 an image and category that it has.
class coco_accumulator {
public:
    using records_type = image_records<coco_record, std::int64_t>;

    /// Preconditions: 1 to coco_max_thresholds thresholds, limits that ascend from at least 1.
    explicit coco_accumulator(coco_options options = {}) : options_(std::move(options)) {
        OSTEND_EXPECTS_ALWAYS(
            !options_.iou_thresholds.empty() && options_.iou_thresholds.size() <= coco_max_thresholds,
            "coco_accumulator: " + std::to_string(options_.iou_thresholds.size()) +
                " IoU thresholds; a record has room for 1 to " + std::to_string(coco_max_thresholds));
        const auto& limits = options_.max_detections;
        OSTEND_EXPECTS_ALWAYS(limits.front() >= 1 && std::is_sorted(limits.begin(), limits.end()),
                              "coco_accumulator: the limits of detections must ascend and be positive");
    }

    /// One image: truths and detections in the order of their files, and `overlap(detection, truth, crowd)`,
    /// a double for two positions in these spans (intersection over union; over the detection alone for a
    /// crowd). It is called once a pair of one category within the limits. Errors name the image and the
    /// detection: a score or an area that is not finite, an image given twice. Nothing is added then.
    /// O(detections x truths x (overlap + thresholds)), within a category.
    template <class Overlap>
    [[nodiscard]] status update(std::int64_t image, std::span<const coco_truth> truths,
                                std::span<const coco_detection> detections, Overlap&& overlap) {
        for (std::size_t i = 0; i < truths.size(); ++i) {
            if (!std::isfinite(truths[i].area)) {
                return error{"the area is not finite", image_name(image) + ": truths", i};
            }
        }
        for (std::size_t i = 0; i < detections.size(); ++i) {
            if (!std::isfinite(detections[i].score) || !std::isfinite(detections[i].area)) {
                return error{"the score or the area is not finite", image_name(image) + ": detections", i};
            }
        }
        if (records_.contains(image)) {
            return error{"this image was added before", image_name(image)};
        }
        const std::vector<index> gt = by_category(truths);
        const std::vector<index> dt = by_category(detections);
        const auto category_of = [&](const auto& objects, index at) {
            return options_.by_category ? objects[static_cast<std::size_t>(at)].category : std::int64_t{-1};
        };
        coco_record record;
        for (std::size_t g = 0, d = 0; g < gt.size() || d < dt.size();) {
            std::int64_t category =
                g < gt.size() ? category_of(truths, gt[g]) : category_of(detections, dt[d]);
            if (d < dt.size()) {
                category = std::min(category, category_of(detections, dt[d]));
            }
            const std::size_t first_g = g;
            const std::size_t first_d = d;
            while (g < gt.size() && category_of(truths, gt[g]) == category) {
                ++g;
            }
            while (d < dt.size() && category_of(detections, dt[d]) == category) {
                ++d;
            }
            std::vector<index> best(dt.begin() + static_cast<std::ptrdiff_t>(first_d),
                                    dt.begin() + static_cast<std::ptrdiff_t>(d));
            std::stable_sort(best.begin(), best.end(), [&](index a, index b) {
                return detections[static_cast<std::size_t>(a)].score >
                       detections[static_cast<std::size_t>(b)].score;
            });
            best.resize(std::min(best.size(), static_cast<std::size_t>(options_.max_detections.back())));
            coco_group group{.category = category,
                             .first = static_cast<std::uint32_t>(record.detections.size()),
                             .detections = static_cast<std::uint32_t>(best.size())};
            record.detections.resize(record.detections.size() + best.size());
            detail::coco_match(truths, std::span(gt).subspan(first_g, g - first_g), detections, best,
                               options_, overlap, work_, group,
                               std::span(record.detections).subspan(group.first));
            record.groups.push_back(group);
        }
        record.detections.shrink_to_fit();
        return records_.add(image, std::move(record));
    }

    /// Disjoint union with another part of the images. Errors: other options, an image in both; nothing has
    /// changed then.
    [[nodiscard]] status merge(const coco_accumulator& other) {
        if (!(other.options_ == options_)) {
            return error{"the parts were made with different options"};
        }
        return records_.merge(other.records_);
    }

    /// The twelve numbers of all images, and of each category with its curve. O(detections log detections +
    /// categories x thresholds x recalls); workspace is the last of these, and one category's detections.
    [[nodiscard]] coco_result compute(const coco_compute_options& keep = {}) const {
        coco_result out;
        out.images = records_.size();
        detail::coco_summary all(options_);
        for (const auto& [category, parts] : categories()) {
            detail::coco_summary mine(options_);
            coco_category_result& result = out.categories.emplace_back();
            result.category = category;
            const std::vector<coco_ranked> ranked = rank(parts);
            for (std::size_t a = 0; a < coco_areas; ++a) {
                coco_curve curve = curve_of(parts, ranked, a, coco_limits - 1);
                result.truths[a] = curve.truths;
                mine.add_area(a, curve);
                all.add_area(a, curve);
                if (a == 0) {
                    mine.add_limit(coco_limits - 1, curve);
                    all.add_limit(coco_limits - 1, curve);
                    result.curve = keep.curves ? std::move(curve) : coco_curve{};
                }
            }
            for (std::size_t m = 0; m + 1 < coco_limits; ++m) {
                const coco_curve curve = curve_of(parts, ranked, 0, m);
                mine.add_limit(m, curve);
                all.add_limit(m, curve);
            }
            result.stats = mine.stats();
        }
        out.stats = all.stats();
        return out;
    }

    /// One curve: of a category (-1 when not by category), an area range and a limit, both by position in the
    /// options. No truths when no image has the category.
    [[nodiscard]] coco_curve curve(std::int64_t category, std::size_t area, std::size_t limit) const {
        OSTEND_EXPECTS_ALWAYS(area < coco_areas && limit < coco_limits,
                              "coco_accumulator::curve: there is no such area range or limit");
        const auto all = categories();
        const auto found = all.find(category);
        return found == all.end() ? coco_curve{} : curve_of(found->second, rank(found->second), area, limit);
    }

    [[nodiscard]] const coco_options& options() const noexcept { return options_; }
    [[nodiscard]] const records_type& records() const noexcept { return records_; }

    /// A record that was made before, by the same options (metrics/coco_state.hpp). An image twice is an
    /// error.
    [[nodiscard]] status add(std::int64_t image, coco_record record) {
        return records_.add(image, std::move(record));
    }

private:
    struct part {
        const coco_record* record;
        const coco_group* group;
    };

    /// Positions by category, within one in the order of the file.
    template <class Object>
    [[nodiscard]] static std::vector<index> by_category(std::span<const Object> objects) {
        std::vector<index> order(objects.size());
        std::iota(order.begin(), order.end(), index{0});
        std::stable_sort(order.begin(), order.end(), [&](index a, index b) {
            return objects[static_cast<std::size_t>(a)].category <
                   objects[static_cast<std::size_t>(b)].category;
        });
        return order;
    }

    /// The groups of each category in the order of the images.
    [[nodiscard]] std::map<std::int64_t, std::vector<part>> categories() const {
        std::map<std::int64_t, std::vector<part>> out;
        for (const auto& [image, record] : records_) {
            for (const coco_group& group : record.groups) {
                out[group.category].push_back({&record, &group});
            }
        }
        return out;
    }

    [[nodiscard]] static std::vector<coco_ranked> rank(const std::vector<part>& parts) {
        std::vector<coco_ranked> all;
        for (const part& one : parts) {
            for (std::uint32_t r = 0; r < one.group->detections; ++r) {
                const coco_scored& d = one.record->detections[one.group->first + r];
                all.push_back({d.score, r, d.bits});
            }
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const coco_ranked& a, const coco_ranked& b) { return a.score > b.score; });
        return all;
    }

    [[nodiscard]] coco_curve curve_of(const std::vector<part>& parts, const std::vector<coco_ranked>& ranked,
                                      std::size_t area, std::size_t limit) const {
        std::int64_t truths = 0;
        for (const part& one : parts) {
            truths += one.group->truths[area];
        }
        return make_coco_curve(ranked, truths, area, options_.max_detections[limit],
                               options_.iou_thresholds.size());
    }

    coco_options options_;
    records_type records_;
    detail::coco_workspace work_;
};

} // namespace ostend::inline OSTEND_KERNELS
