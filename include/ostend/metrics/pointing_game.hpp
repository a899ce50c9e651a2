// pointing_game: the pointing game as TorchRay plays it (benchmark/pointing_game.py): a point hits when a
// pixel of its class lies nearer than 15 pixels; accuracy a class, then the mean over the classes.
//
// Quirks, kept by default: the distance must be below the tolerance, so that a tolerance of 0 never hits
// (pointing_game_options::inclusive: at most the tolerance); the mean is over all classes of the data set, a
// class without points counting as 0 (pointing_game_options::classes; 0: over the classes with points).
// TorchRay asks for each class of an image once; what it skips (its "difficult" lists) the caller leaves out.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/metrics/mask_pair.hpp"
#include "ostend/metrics/pointing.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

namespace ostend::inline v0 {

struct pointing_game_options {
    index tolerance = 15; ///< pixels
    bool inclusive = false;
    index classes = 0; ///< of the data set: 20 in Pascal VOC, 80 in COCO
};

struct pointing_game_result {
    std::map<std::int64_t, ratio> by_category = {}; ///< hits / points
    ratio accuracy = {};                            ///< sum of the categories' accuracies / categories
    ratio pooled = {};                              ///< hits / points of all categories
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The least squared distance from a pixel, anywhere, to an inside pixel of the mask within `reach` columns;
/// negative when there is none. O(counts + columns).
[[nodiscard]] inline index squared_distance(const rle& mask, pixel from, index reach) {
    index best = -1;
    for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
        const auto h = static_cast<std::uint64_t>(mask.height);
        const index left = std::max(static_cast<index>(first / h), from.x - reach);
        const index right = std::min(static_cast<index>((last - 1) / h), from.x + reach);
        for (index x = left; x <= right; ++x) {
            const auto column = static_cast<std::uint64_t>(x) * h;
            const auto top = static_cast<index>(std::max(first, column) - column);
            const auto bottom = static_cast<index>(std::min(last, column + h) - 1 - column);
            const index dx = x - from.x;
            const index dy = std::clamp(from.y, top, bottom) - from.y;
            const index squared = dx * dx + dy * dy;
            best = best < 0 ? squared : std::min(best, squared);
        }
    });
    return best;
}

} // namespace detail

/// Accumulates images; counts are integers, so any split of the work gives the same result.
class pointing_game_accumulator {
public:
    /// Precondition: 0 <= tolerance <= 2^30, classes >= 0.
    explicit pointing_game_accumulator(pointing_game_options options = {}) : options_(options) {
        OSTEND_EXPECTS_ALWAYS(
            options_.tolerance >= 0 && options_.tolerance <= farthest && options_.classes >= 0,
            "pointing_game_accumulator: a tolerance of " + std::to_string(options_.tolerance) +
                " pixels and " + std::to_string(options_.classes) + " classes");
    }

    /// One image; a point may lie outside of it. A class that the image does not have is missed. Errors name
    /// the mask or the point: an rle that lies, masks of different sizes, a coordinate beyond 2^30, an image
    /// given twice. Nothing is added then. O(points x counts of the masks of their class).
    [[nodiscard]] status update(const std::string& image, std::span<const object_mask> truths,
                                std::span<const category_point> points) {
        for (std::size_t i = 0; i < truths.size(); ++i) {
            if (const status good =
                    check_like(truths[i].mask, truths.front().mask, "truth " + std::to_string(i));
                !good) {
                return good.error().in(image);
            }
        }
        pointing_record record;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const category_point& point = points[i];
            if (std::max(point.at.x, point.at.y) > farthest || std::min(point.at.x, point.at.y) < -farthest) {
                return error{"a coordinate lies beyond 2^30", image + ": points", i};
            }
            point_counts& counts = record.by_category[point.category];
            ++counts.points;
            counts.hits += hits(truths, point) ? 1 : 0;
        }
        return records_.add(image, std::move(record));
    }

    /// Disjoint union with another part of the images, made with the same options.
    [[nodiscard]] status merge(const pointing_game_accumulator& other) {
        return records_.merge(other.records_);
    }

    /// O(images x categories). The mean's denominator is the options' `classes`, or more where more have a
    /// point.
    [[nodiscard]] pointing_game_result compute() const {
        pointing_game_result out;
        for (const auto& [image, record] : records_) {
            for (const auto& [category, counts] : record.by_category) {
                for (ratio* sum : {&out.by_category[category], &out.pooled}) {
                    sum->numerator += static_cast<double>(counts.hits);
                    sum->denominator += static_cast<double>(counts.points);
                }
            }
        }
        for (const auto& [category, mine] : out.by_category) {
            out.accuracy.numerator += mine.value();
        }
        out.accuracy.denominator =
            static_cast<double>(std::max(options_.classes, static_cast<index>(out.by_category.size())));
        return out;
    }

    [[nodiscard]] const image_records<pointing_record>& records() const noexcept { return records_; }
    [[nodiscard]] const pointing_game_options& options() const noexcept { return options_; }

private:
    static constexpr index farthest = index{1} << 30U; // squares of distances stay far below 2^63

    [[nodiscard]] bool hits(std::span<const object_mask> truths, const category_point& point) const {
        const index limit = options_.tolerance * options_.tolerance;
        return std::any_of(truths.begin(), truths.end(), [&](const object_mask& truth) {
            if (truth.category != point.category) {
                return false;
            }
            const index squared = detail::squared_distance(truth.mask, point.at, options_.tolerance);
            return squared >= 0 && (squared < limit || (options_.inclusive && squared == limit));
        });
    }

    pointing_game_options options_;
    image_records<pointing_record> records_;
};

} // namespace ostend::inline OSTEND_KERNELS
