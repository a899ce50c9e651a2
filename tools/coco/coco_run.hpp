// coco_run: the whole of ostend_coco_eval but its command line. Images may be split over ranks, over runs
// (parts) and over interrupted runs (state files); the figures have the same bits whatever the split.
#pragma once

#include "coco/coco_evaluation.hpp"
#include "parallel/ranks.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ostend_tools {

struct coco_run_options {
    std::filesystem::path truth;
    std::filesystem::path results;
    coco_iou iou = coco_iou::segm;
    ostend::coco_options metric = {};
    bool skip_unknown_categories = false; ///< results of categories that the truth does not list
    bool curves = true;                   ///< keep them in the figures, for coco_to_json

    std::filesystem::path state = {};              ///< accumulators are kept here: read if there, and written
    std::vector<std::filesystem::path> merge = {}; ///< states of other parts
    int part = 0;                                  ///< of the images, 0 to parts - 1
    int parts = 1;
    double save_seconds = 30; ///< the state is written at least this often

    std::function<void(std::size_t done, std::size_t of)> progress = {}; ///< called by the first rank
    std::function<bool()> interrupted = {};                              ///< asked after each image
};

struct coco_run_result {
    ostend::coco_result figures; ///< of the first rank, when all images are there
    coco_truth_file truth;       ///< images and categories
    std::size_t images = 0;      ///< that are in the figures, or in the state
    std::size_t left_out = 0;    ///< results of unknown categories
    bool zero_ids = false;       ///< an annotation has the id 0 (see coco_options)
    bool interrupted = false;    ///< and the state is saved
    [[nodiscard]] bool complete() const { return images == truth.images.size(); }
};

/// All ranks must call this, and all get the same success or failure. Errors: of reading and evaluating (see
/// coco_files.hpp), a state of other files, another overlap or other options, images in two states.
ostend::result<coco_run_result> run_coco(const coco_run_options& options, ranks& all);

} // namespace ostend_tools
