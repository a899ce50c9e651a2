// GCG's figures from files: AP and AP50, mIoU, mask recall, as GLaMM's and groundLMM's scripts print them.
#pragma once

#include "gcg/gcg_files.hpp"
#include "ostend/metrics/gcg.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ostend_tools {

/// What becomes of an image on which the published scripts raise an exception.
enum class gcg_failure {
    stop, ///< an error, as groundLMM's script stops
    miss  ///< its labels are all missed, as GLaMM's script goes on
};

struct gcg_evaluation_options {
    std::filesystem::path predictions; ///< folder
    std::filesystem::path masks;
    std::filesystem::path captions;
    std::filesystem::path similarity; ///< empty: equality of the strings
    gcg_failure on_failure = gcg_failure::stop;
    gcg_failure on_missing = gcg_failure::stop; ///< no prediction file: both scripts stop
    ostend::gcg_options metric = {};
};

struct gcg_evaluation {
    json figures;                   ///< ap, ap50, miou, recall, counts, and what they were made of
    std::vector<std::string> notes; ///< for the reader: files that were not read, counts that differ
};

/// `begin(images)` is called when the truth is read, `step()` after each image.
struct gcg_progress {
    std::function<void(std::size_t)> begin = [](std::size_t) {};
    std::function<void()> step = [] {};
};

/// Errors name the file and the field, or the image.
ostend::result<gcg_evaluation> evaluate_gcg(const gcg_evaluation_options& options,
                                            const gcg_progress& progress = {});

} // namespace ostend_tools
