// sam_export: whose files are these? SAM and its relatives are published as two ONNX files, an encoder and a
// decoder, and the names of their inputs and outputs tell them apart.
//
// MobileSAM's decoder has SAM's names and conventions; it needs no entry of its own.
#pragma once

#include "ostend/core/result.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace ostend::inline v0 {

/// What a family of exports wants and gives.
struct sam_export {
    std::string_view name = "SAM";
    std::string_view points = "point_coords";
    std::string_view labels = "point_labels";
    std::string_view masks = "low_res_masks";          ///< the output that is read
    std::span<const std::string_view> embeddings = {}; ///< the encoder's outputs that the decoder takes
    bool mask_input = true;                            ///< takes a mask prompt and has_mask_input
    bool stretched = false;    ///< the image fills the square, whatever its shape; else it is padded
    bool padding_point = true; ///< wants a padding point where there is no box
    bool scaled = true;        ///< pixels less SAM's mean over its deviation; else in [0, 1]
    bool any_size = false;     ///< takes the image and its points as they are, and answers in its size
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

inline constexpr std::array<std::string_view, 1> sam_embeddings{"image_embeddings"};
inline constexpr std::array<std::string_view, 3> sam2_embeddings{"image_embed", "high_res_feats_0",
                                                                 "high_res_feats_1"};
inline constexpr std::array<std::string_view, 5> sam_other_inputs{
    "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"};
inline constexpr std::array<std::string_view, 3> efficient_sam_other_inputs{
    "batched_point_coords", "batched_point_labels", "orig_im_size"};

struct known_sam_export {
    sam_export kind = {};
    std::span<const std::string_view> others = {}; ///< inputs of the decoder beside the embeddings
    std::string_view may_lack = {};                ///< one of them that is missing in some exports
};
[[nodiscard]] inline std::array<known_sam_export, 3> known_sam_exports() {
    const sam_export sam{.name = "SAM", .embeddings = sam_embeddings};
    const sam_export efficient{.name = "EfficientSAM",
                               .points = "batched_point_coords",
                               .labels = "batched_point_labels",
                               .masks = "output_masks",
                               .embeddings = sam_embeddings,
                               .mask_input = false,
                               .padding_point = false,
                               .scaled = false,
                               .any_size = true};
    const sam_export sam2{.name = "SAM2",
                          .masks = "masks",
                          .embeddings = sam2_embeddings,
                          .stretched = true,
                          .padding_point = false};
    return {known_sam_export{sam, sam_other_inputs, {}},
            known_sam_export{efficient, efficient_sam_other_inputs, {}},
            known_sam_export{sam2, sam_other_inputs, "orig_im_size"}};
}

[[nodiscard]] inline bool has_name(std::span<const std::string> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}
[[nodiscard]] inline std::string listed(std::span<const std::string> names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text.empty() ? "none" : text;
}

} // namespace detail

/// The family of a decoder by the names of its inputs and outputs, or an error that lists what it has.
[[nodiscard]] inline result<sam_export> recognise_sam(std::span<const std::string> inputs,
                                                      std::span<const std::string> outputs) {
    for (const auto& known : detail::known_sam_exports()) {
        const auto belongs = [&known](std::string_view name) {
            const auto in = [name](const auto& list) {
                return std::find(list.begin(), list.end(), name) != list.end();
            };
            return in(known.kind.embeddings) || in(known.others);
        };
        const auto there = [&](std::string_view name) {
            return detail::has_name(inputs, name) || name == known.may_lack;
        };
        const auto& embeddings = known.kind.embeddings;
        if (!std::all_of(inputs.begin(), inputs.end(), belongs) ||
            !std::all_of(embeddings.begin(), embeddings.end(), there) ||
            !std::all_of(known.others.begin(), known.others.end(), there)) {
            continue;
        }
        for (const std::string_view output : {known.kind.masks, std::string_view("iou_predictions")}) {
            if (!detail::has_name(outputs, output)) {
                return error{"has the inputs of " + std::string(known.kind.name) + ", but no output '" +
                                 std::string(output) + "'; its outputs: " + detail::listed(outputs),
                             "decoder"};
            }
        }
        return known.kind;
    }
    return error{"not a decoder of SAM, MobileSAM, EfficientSAM or SAM2; its inputs: " +
                     detail::listed(inputs),
                 "decoder"};
}

} // namespace ostend::inline OSTEND_KERNELS
