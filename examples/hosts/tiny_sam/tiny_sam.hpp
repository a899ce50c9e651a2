// tiny_sam: the small promptable segmenter of models/tiny-sam on Eigen. Models ostend::segmenter.
//
//     image -> 256 x 256 -> encoder ─┐
//     prompt -> pictures ────────────┴-> decoder -> low-resolution logits -> ostend::from_sam_logits -> masks
//
// The same network as models/tiny-sam's ONNX files, and the same conventions around it as
// adapt/openvino_sam.hpp: what the two share lies in adapt/sam_*.hpp. training/train_segmenter.py is where
// the network is described and made.
#pragma once

#include "tiny_sam/decoder.hpp"
#include "tiny_sam/encoder.hpp"

#include "ostend/adapt/sam_segment.hpp"
#include "ostend/mask/from_logits.hpp"

#include <filesystem>
#include <span>
#include <vector>

namespace ostend_hosts {

struct tiny_sam_options {
    ostend::sam_rule rule = ostend::sam_rule::predicted_iou; ///< what a candidate's score is
    /// false: a prompt's mask is kept from the decoder; attention_mass reads it still.
    bool mask_prompt = true;
    ostend::logits_options logits = {};
};

/// The square that SAM sees of an image, averaged down to 256 x 256: longer side first, zeros to the right
/// and below; less SAM's mean and over its deviation. The large square itself is never made. Precondition:
/// the frame of the image, with a side of 1024.
[[nodiscard]] feature_map sam_picture(const ostend::image_view& image, const ostend::sam_frame& frame);

/// Const access is shared-safe: one segmenter can answer for several threads.
class tiny_sam {
public:
    /// Reads model.safetensors of a folder. Errors name the file, the tensor and what is wrong with it: it is
    /// missing, of another shape or type, not finite, or no part of this segmenter.
    [[nodiscard]] static ostend::result<tiny_sam> load(const std::filesystem::path& directory,
                                                       tiny_sam_options options = {});

    /// The three candidates of each prompt in the decoder's order, their score by options.rule. Errors name
    /// the prompt: an image that is empty, not RGB or too narrow; a prompt that says nothing or contradicts
    /// itself; mask logits that are not 256 x 256; attention_mass without a mask; logits that are not finite.
    [[nodiscard]] ostend::result<std::vector<std::vector<ostend::mask_candidate>>>
    segment(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const;
    /// What segment() scores (ostend::sam_candidates). Errors as segment's.
    [[nodiscard]] ostend::result<std::vector<std::vector<ostend::sam_proposal>>>
    propose(const ostend::image_view& image, std::span<const ostend::prompt> prompts) const;

    [[nodiscard]] const sam_encoder& encoder() const noexcept { return encoder_; }
    [[nodiscard]] const sam_decoder& decoder() const noexcept { return decoder_; }
    [[nodiscard]] const tiny_sam_options& options() const noexcept { return options_; }

private:
    tiny_sam(sam_weights& weights, tiny_sam_options options)
        : options_(options), encoder_(weights), decoder_(weights) {}

    tiny_sam_options options_;
    sam_encoder encoder_;
    sam_decoder decoder_;
};

static_assert(ostend::segmenter<const tiny_sam>);

} // namespace ostend_hosts
