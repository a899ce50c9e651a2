// The files of GLaMM's and groundLMM's GCG evaluation, as their scripts read and write them:
// - truth: COCO annotations with masks (val_gcg_coco_mask_gt.json; run lengths, and polygons too, which the
//   scripts do not read), and captions whose annotations have `labels` (val_gcg_coco_caption_gt.json); an
//   image's id is a string or a whole number;
// - predictions: a folder with <image id>.json: `caption`, `phrases`, `pred_masks`, plain or as the value of
//   the object's first key;
// - text similarity (ours): {label: {phrase: cosine}}.
#pragma once

#include "io/json.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace ostend_tools {

/// Numbers stand before strings, each in their order, as NumPy sorts either.
using image_id = std::variant<std::int64_t, std::string>;
std::string to_string(const image_id& id);

struct gcg_annotation {
    std::int64_t id = 0;
    std::int64_t category = 1;
    double area = 0;
    bool crowd = false;
};

struct gcg_image {
    ostend::index height = 0; ///< of the mask file's images, for polygons; 0 where it is not said
    ostend::index width = 0;
    std::vector<ostend::rle> masks;          ///< ground truth, in the order of the file
    std::vector<gcg_annotation> annotations; ///< of the masks
    bool has_masks = false;                  ///< the mask file lists it: it counts for AP
    bool has_caption = false;                ///< the caption file lists it: it counts for mIoU and recall
    std::optional<std::vector<std::string>> labels; ///< of its first caption
};

using gcg_truth = std::map<image_id, gcg_image>;

/// Errors name the file, the record and the field.
ostend::result<gcg_truth> read_gcg_truth(const std::filesystem::path& masks,
                                         const std::filesystem::path& captions);

struct gcg_prediction {
    std::string caption;
    std::vector<std::string> phrases;
    std::vector<ostend::rle> masks;
};

ostend::result<gcg_prediction> read_gcg_prediction(const std::filesystem::path& file);

/// Cosines of label and phrase; without a file, 1 where the strings are equal and else 0.
class text_similarity {
public:
    text_similarity() = default;
    static ostend::result<text_similarity> read(const std::filesystem::path& file);
    /// A pair that the file lacks is an error that names both.
    ostend::result<double> operator()(const std::string& label, const std::string& phrase) const;

private:
    std::string file_;
    std::unordered_map<std::string, std::unordered_map<std::string, double>> cosines_;
};

} // namespace ostend_tools
