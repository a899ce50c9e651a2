// pointing: point accuracy (PAcc): does the predicted point lie inside an object of the predicted category?
//
// The published scripts (groundLMM, aas/instance_seg.py and eval_instance_seg.py): hits / points over all
// images; a point hits when it lies in the union of the image's ground-truth masks of its category. Three
// traits of them, which change the denominator:
// - a point whose segmentation came out empty is not written, so it leaves the denominator
//   (category_point::masks = 0);
// - with --more-masks each of SAM's three masks that is not empty is written with the same point, which then
//   counts up to three times (point_weight::each_mask);
// - where an image has no mask of the category the script stops with a KeyError; here an option says what
//   becomes of the point, and by default it is a miss.
#pragma once

#include "ostend/mask/check.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/metrics/image_records.hpp"
#include "ostend/metrics/ratio.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

enum class absent_category : unsigned char {
    miss,      ///< the point counts and does not hit
    leave_out, ///< the point leaves the denominator; how many did is reported
    refuse     ///< update returns an error, as the published script stops
};

enum class point_weight : unsigned char {
    once,     ///< a point with any mask counts once
    each_mask ///< a point counts as often as it has masks
};

struct pointing_options {
    absent_category absent = absent_category::miss;
    point_weight weight = point_weight::once;
};

struct object_mask {
    std::int64_t category = 0;
    rle mask = {};
};

struct category_point {
    std::int64_t category = 0;
    pixel at = {};
    index masks = 1; ///< masks that the segmenter made of it and that are not empty; 0 leaves it out
};

struct point_counts {
    std::int64_t hits = 0;
    std::int64_t points = 0;       ///< the denominator
    std::int64_t left_out = 0;     ///< not in it: the category is absent (absent_category::leave_out)
    std::int64_t without_mask = 0; ///< not in it: every mask of the point is empty
};

struct pointing_record {
    std::map<std::int64_t, point_counts> by_category = {};
};

struct pointing_result {
    ratio accuracy = {};                            ///< hits / points of all images
    std::map<std::int64_t, ratio> by_category = {}; ///< the same for each predicted category
    ratio category_mean = {};      ///< sum of the categories' accuracies / categories with a point
    std::int64_t left_out = 0;     ///< points whose category is absent (absent_category::leave_out)
    std::int64_t without_mask = 0; ///< points whose every mask is empty
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Accumulates images; counts are integers, so any split of the work gives the same result.
class pointing_accumulator {
public:
    explicit pointing_accumulator(pointing_options options = {}) : options_(options) {}

    /// One image. A point outside the image is a miss. Errors name the mask or the point: an rle that lies,
    /// a negative number of masks, a category that is absent (absent_category::refuse), an image given twice.
    /// Nothing is added then.
    /// O(points x counts of the masks of their category).
    [[nodiscard]] status update(const std::string& image, std::span<const object_mask> truths,
                                std::span<const category_point> points) {
        for (std::size_t i = 0; i < truths.size(); ++i) {
            if (const status good = check(truths[i].mask); !good) {
                return good.error().in(image + ": truth " + std::to_string(i));
            }
        }
        pointing_record record;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const category_point& point = points[i];
            if (point.masks < 0) {
                return error{"a point with " + std::to_string(point.masks) + " masks", image + ": points", i};
            }
            if (point.masks == 0) {
                ++record.by_category[point.category].without_mask;
                continue;
            }
            bool present = false;
            bool hit = false;
            for (const object_mask& truth : truths) {
                if (truth.category == point.category) {
                    present = true;
                    hit = hit || contains(truth.mask, point.at);
                }
            }
            if (!present && options_.absent == absent_category::refuse) {
                return error{"the image has no object of category " + std::to_string(point.category),
                             image + ": points", i};
            }
            point_counts& counts = record.by_category[point.category];
            if (!present && options_.absent == absent_category::leave_out) {
                ++counts.left_out;
                continue;
            }
            const std::int64_t times = options_.weight == point_weight::each_mask ? point.masks : 1;
            counts.points += times;
            counts.hits += hit ? times : 0;
        }
        return records_.add(image, std::move(record));
    }

    /// Disjoint union with another part of the images, made with the same options.
    [[nodiscard]] status merge(const pointing_accumulator& other) { return records_.merge(other.records_); }

    /// O(images x categories).
    [[nodiscard]] pointing_result compute() const {
        pointing_result out;
        for (const auto& [image, record] : records_) {
            for (const auto& [category, counts] : record.by_category) {
                out.left_out += counts.left_out;
                out.without_mask += counts.without_mask;
                if (counts.points == 0) {
                    continue;
                }
                ratio& mine = out.by_category[category];
                mine.numerator += static_cast<double>(counts.hits);
                mine.denominator += static_cast<double>(counts.points);
            }
        }
        for (const auto& [category, mine] : out.by_category) {
            out.accuracy.numerator += mine.numerator;
            out.accuracy.denominator += mine.denominator;
            out.category_mean.numerator += mine.value();
            out.category_mean.denominator += 1;
        }
        return out;
    }

    [[nodiscard]] const image_records<pointing_record>& records() const noexcept { return records_; }

private:
    pointing_options options_;
    image_records<pointing_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
