// COCO's annotation and result files, in and out. Reading trusts nothing: an error names the file and the
// record, as in "gt.json: annotations[17].segmentation.counts: the runs go beyond the 100 pixels of the mask
// (at 3)".
#pragma once

#include "coco/coco_data.hpp"
#include "coco/coco_listener.hpp"
#include "coco/json_stream.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace ostend_tools {

/// Reads annotations; the lists images, annotations and categories must be there. Errors also: an id given
/// twice, an annotation of an image or category that is not listed. O(bytes), memory of the records.
ostend::result<coco_truth_file> read_coco_truth(json_source source, const coco_read_options& options = {});
ostend::result<coco_truth_file> read_coco_truth(const std::filesystem::path& path,
                                                const coco_read_options& options = {});

/// Reads a list of results. What they refer to is checked by check_results.
ostend::result<coco_result_file> read_coco_results(json_source source, const coco_read_options& options = {});
ostend::result<coco_result_file> read_coco_results(const std::filesystem::path& path,
                                                   const coco_read_options& options = {});

/// Every result must be of an image of the truth, and of one of its categories.
ostend::status check_results(const coco_result_file& results, const coco_truth_file& truth);
/// Removes results of categories that the truth does not list, as pycocotools does, and says how many.
std::size_t drop_unknown_categories(coco_result_file& results, const coco_truth_file& truth);

/// Where a file's text goes, piece by piece.
using text_sink = std::function<void(std::string_view)>;

/// The files' texts, a record a line; what reading keeps is read back equal. No piece is longer than a
/// record: memory does not grow with the file.
void write_coco_truth(const coco_truth_file& truth, const text_sink& sink);
void write_coco_results(const coco_result_file& results, const text_sink& sink);
/// The same as one string.
std::string coco_truth_text(const coco_truth_file& truth);
std::string coco_results_text(const coco_result_file& results);

} // namespace ostend_tools
