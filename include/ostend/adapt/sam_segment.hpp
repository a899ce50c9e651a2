// sam_segment: what a segmenter of SAM's kind does around its two networks, whatever runs them: images and
// prompts that it cannot take become sentences, the image is encoded once, each prompt is decoded, and a rule
// scores what comes out.
#pragma once

#include "ostend/adapt/sam_score.hpp"
#include "ostend/host/check_prompt.hpp"
#include "ostend/prompt/sam_frame.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// How a decoder is asked.
struct sam_asking {
    sam_rule rule = sam_rule::predicted_iou; ///< what the candidates will be scored by
    bool mask_input = true;                  ///< the decoder takes a mask prompt
    bool mask_prompt = true;                 ///< and a prompt's mask is given to it
    index mask_side = 256;                   ///< of a mask prompt
    std::string_view name = "SAM";           ///< for errors
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Is it an RGB image with pixels, of a size that masks can have? Errors name the image.
[[nodiscard]] inline status check_sam_image(const image_view& image) {
    if (image.empty() || image.extent(2) != 3) {
        return error{"the image has " + std::to_string(image.extent(0)) + " x " +
                         std::to_string(image.extent(1)) + " pixels of " + std::to_string(image.extent(2)) +
                         " channels; wanted at least one, of 3",
                     "image"};
    }
    const auto pixels = mask_pixels(image.extent(0), image.extent(1));
    return pixels ? status(success{}) : status(pixels.error().in("image"));
}

/// Does anything of the prompt remain, can the rule read what it needs, is the mask of the decoder's side?
/// Errors name the part; what detail::check_prompt says comes before.
[[nodiscard]] inline status check_sam_prompt(const prompt& asked, image_size image, const sam_asking& how) {
    if (const status good = detail::check_prompt(asked, image); !good) {
        return good;
    }
    if (!asked.mask) {
        if (how.rule == sam_rule::attention_mass) {
            return error{"the rule attention_mass reads the prompt's mask, and there is none"};
        }
        return success{};
    }
    const bool given = how.mask_prompt && how.mask_input;
    if (!given && asked.points.empty() && !asked.box) {
        return error{"there is nothing but a mask, which " +
                     (how.mask_input ? std::string("is not to be given to the decoder")
                                     : std::string(how.name) + " does not take")};
    }
    const matrix<float>& values = asked.mask->values;
    if (given && (values.rows() != how.mask_side || values.columns() != how.mask_side)) {
        return error{"logits of " + std::to_string(values.columns()) + " x " + std::to_string(values.rows()) +
                         "; the decoder wants " + std::to_string(how.mask_side) + " x " +
                         std::to_string(how.mask_side),
                     "mask"};
    }
    return success{};
}

/// The proposals of each prompt. frame_of(image_size) gives the frame; encode(frame) sees the image, once and
/// not before the first prompt is found good, and gives a status; decode(prompt, frame) gives a
/// result<std::vector<sam_proposal>>. Errors name the image, the encoder or the prompt.
template <class FrameOf, class Encode, class Decode>
[[nodiscard]] result<std::vector<std::vector<sam_proposal>>>
sam_proposals(const image_view& image, std::span<const prompt> prompts, const sam_asking& how,
              FrameOf&& frame_of, Encode&& encode, Decode&& decode) {
    if (const status good = check_sam_image(image); !good) {
        return good.error();
    }
    const image_size size{.width = image.extent(1), .height = image.extent(0)};
    const sam_frame frame = frame_of(size);
    if (frame.resized.width < 1 || frame.resized.height < 1) {
        return error{"too narrow: nothing is left of its shorter side when the longer has " +
                         std::to_string(frame.side) + " pixels",
                     "image"};
    }
    std::vector<std::vector<sam_proposal>> all;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const std::string name = "prompts[" + std::to_string(i) + "]";
        if (const status good = check_sam_prompt(prompts[i], size, how); !good) {
            return good.error().in(name);
        }
        if (i == 0) {
            if (const status seen = encode(frame); !seen) {
                return seen.error().in("encoder");
            }
        }
        auto found = decode(prompts[i], frame);
        if (!found) {
            return found.error().in(name);
        }
        all.push_back(*std::move(found));
    }
    return all;
}

/// Each prompt's candidates with their scores by a rule, in the decoder's order. Precondition: proposals of
/// these prompts; masks where the rule reads them.
[[nodiscard]] inline std::vector<std::vector<mask_candidate>>
sam_candidates(sam_rule rule, std::vector<std::vector<sam_proposal>> proposals,
               std::span<const prompt> prompts) {
    OSTEND_EXPECTS(proposals.size() == prompts.size(),
                   "sam_candidates: proposals of " + std::to_string(proposals.size()) + " prompts, not of " +
                       std::to_string(prompts.size()));
    std::vector<std::vector<mask_candidate>> all;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto& map = prompts[i].mask;
        all.push_back(sam_candidates(rule, std::move(proposals[i]), map ? &*map : nullptr));
    }
    return all;
}

} // namespace ostend::inline OSTEND_KERNELS
