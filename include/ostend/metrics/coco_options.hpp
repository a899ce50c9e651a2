// coco_options: what COCO's average precision is measured with, and the quirks of the published code by name.
//
// The defaults are those of pycocotools' COCOeval for boxes and masks. Two of its quirks are kept by default:
// - the field `ignore` of an annotation has no effect, only crowds are ignored (the code overwrites it);
// - an annotation with id 0 never counts as found, because the code takes the id of the match as its truth
// value.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/metrics/pairwise_sum.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace ostend::inline v0 {

/// Areas from low to high, both included. A truth outside is ignored, a detection outside may be.
struct coco_area_range {
    double low = 0;
    double high = 1e5 * 1e5;
    friend bool operator==(const coco_area_range&, const coco_area_range&) = default;
};

inline constexpr std::size_t coco_areas = 4;
inline constexpr std::size_t coco_limits = 3;
inline constexpr std::size_t coco_recalls = 101;
inline constexpr std::size_t coco_max_thresholds = 16; ///< a bit each in a record
inline constexpr std::array<std::string_view, coco_areas> coco_area_names{"all", "small", "medium", "large"};

/// The twelve numbers in pycocotools' order.
inline constexpr std::array<std::string_view, 12> coco_stat_names{
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};

struct coco_options {
    /// np.linspace(0.5, 0.95, 10), whose ninth value is a bit below 0.9. At most coco_max_thresholds.
    std::vector<double> iou_thresholds = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999,
                                          0.95};
    std::array<coco_area_range, coco_areas> areas = {
        {{0, 1e5 * 1e5}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e5 * 1e5}}};
    std::array<index, coco_limits> max_detections = {1, 10, 100}; ///< a category and image; ascending
    bool by_category = true;                                      ///< false: all objects are of one category
    bool honour_ignore = false;                                   ///< a truth with `ignore` is ignored
    bool zero_id_never_matches = true;
    numpy_sums sums = numpy_sums::buffered; ///< whose last bits the means have

    /// Without the quirks.
    [[nodiscard]] static coco_options clean() {
        coco_options options;
        options.honour_ignore = true;
        options.zero_id_never_matches = false;
        return options;
    }
    friend bool operator==(const coco_options&, const coco_options&) = default;
};

/// The i-th of the 101 recalls at which precision is read: np.linspace(0, 1, 101).
[[nodiscard]] constexpr double coco_recall(std::size_t i) { return static_cast<double>(i) * 0.01; }

} // namespace ostend::inline v0
