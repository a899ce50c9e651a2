// COCO's files as they are in memory: images, categories, annotations, results.
#pragma once

#include "ostend/mask/rle.hpp"
#include "ostend/mask/runs.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ostend_tools {

struct coco_image {
    std::int64_t id = 0;
    std::optional<ostend::index> height = {};
    std::optional<ostend::index> width = {};
    std::string file_name = {};
    friend bool operator==(const coco_image&, const coco_image&) = default;
};

struct coco_category {
    std::int64_t id = 0;
    std::string name = {};
    std::string supercategory = {};
    friend bool operator==(const coco_category&, const coco_category&) = default;
};

/// Rings of x0, y0, x1, y1, ... in pixels; their union is the object.
using coco_polygons = std::vector<std::vector<double>>;

/// Run lengths, and whether the file has them as a list of numbers.
struct coco_runs {
    ostend::rle mask = {};
    bool as_list = false;
    friend bool operator==(const coco_runs&, const coco_runs&) = default;
};

using coco_segmentation = std::variant<std::monostate, coco_polygons, coco_runs>;

/// An annotation of the truth, or a result.
struct coco_object {
    std::size_t record = 0; ///< its position in the file, for messages
    std::int64_t id = 0;    ///< of an annotation
    std::int64_t image = 0;
    std::int64_t category = 0;
    double score = 0;                ///< of a result
    std::optional<double> area = {}; ///< of an annotation
    std::optional<ostend::coco_box> box = {};
    coco_segmentation segmentation = {};
    bool crowd = false;
    bool ignore = false;
    friend bool operator==(const coco_object&, const coco_object&) = default;
};

struct coco_truth_file {
    std::vector<coco_image> images;        ///< as in the file
    std::vector<coco_category> categories; ///< as in the file
    std::vector<coco_object> annotations;  ///< as in the file
    std::uint64_t digest = 0;              ///< of its bytes
};

struct coco_result_file {
    std::vector<coco_object> results; ///< as in the file
    bool boxes = false; ///< the first result has a box: areas are those of boxes, as pycocotools takes them
    std::uint64_t digest = 0;
};

} // namespace ostend_tools
