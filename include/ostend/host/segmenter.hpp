// segmenter: what ground() asks of a promptable segmenter (SAM and its relatives, or graph_cut.hpp).
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/prompt/prompt.hpp"
#include "ostend/tensor/view.hpp"

#include <concepts>
#include <span>
#include <vector>

namespace ostend::inline v0 {

/// One proposed mask in original pixels and the segmenter's own score of it.
struct mask_candidate {
    rle mask = {};
    float score = 0;
};

/// segment() gives each prompt's candidates, in the segmenter's own order; all prompts of an image come at
/// once, so an image is encoded once.
template <class S>
concept segmenter = requires(S& s, const image_view& image, std::span<const prompt> prompts) {
    { s.segment(image, prompts) } -> std::same_as<result<std::vector<std::vector<mask_candidate>>>>;
};

} // namespace ostend::inline v0
