// COCO's files through the accumulator: which objects meet, what their areas are, what is asked of a record.
#pragma once

#include "coco/coco_data.hpp"
#include "coco/coco_listener.hpp"
#include "io/json.hpp"
#include "ostend/metrics/coco.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ostend_tools {

enum class coco_iou { segm, bbox, boundary };

[[nodiscard]] std::string_view to_name(coco_iou iou);
[[nodiscard]] std::optional<coco_iou> find_coco_iou(std::string_view name);

/// What has to be read for this overlap.
[[nodiscard]] masks_wanted truth_masks(coco_iou iou);
[[nodiscard]] masks_wanted result_masks(coco_iou iou);

struct coco_evaluation_options {
    coco_iou iou = coco_iou::segm;
    std::function<bool(std::int64_t)> skip = {}; ///< images that are not evaluated here; none by default
    std::function<ostend::status(std::int64_t)> done = {}; ///< after each image; an error ends the evaluation
};

/// Evaluates the images of the truth in the order of their ids, those in `skip` excepted. Masks are given up
/// as they are used. Areas and boxes of results are pycocotools': those of the boxes when the first result
/// has one (a result without a mask is then its box), else those of the masks. Errors name the record: a
/// missing area, box or mask, a mask of another size than its image, polygons that cannot be drawn, an image
/// that was there.
ostend::status evaluate_coco(coco_truth_file& truth, coco_result_file& results,
                             const coco_evaluation_options& options, ostend::coco_accumulator& metric);

/// The twelve lines that pycocotools prints.
[[nodiscard]] std::string coco_lines(const ostend::coco_stats& stats, const ostend::coco_options& options);

/// A line a category of the truth: id, name, truths, and its twelve numbers ("-" where there is no truth).
[[nodiscard]] std::string coco_table(const ostend::coco_result& result, const coco_truth_file& truth);

/// `stats`, `per_class`, `curves` and the options, in full precision (see docs/coco_eval.md).
[[nodiscard]] json coco_to_json(const ostend::coco_result& result, const ostend::coco_options& options,
                                coco_iou iou, const coco_truth_file& truth);

} // namespace ostend_tools
