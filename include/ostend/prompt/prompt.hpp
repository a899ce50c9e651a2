// prompt: what a segmenter is asked with (points, a box, a mask, or several of them), in original pixels.
#pragma once

#include "ostend/prompt/box.hpp"
#include "ostend/prompt/mask_logits.hpp"
#include "ostend/prompt/point.hpp"

#include <optional>
#include <vector>

namespace ostend::inline v0 {

struct prompt {
    std::vector<labelled_point> points = {};
    std::optional<box_in<original_frame>> box = {};
    std::optional<mask_logits> mask = {};

    [[nodiscard]] bool empty() const noexcept { return points.empty() && !box && !mask; }
    friend bool operator==(const prompt&, const prompt&) = default;
};

/// How a map becomes a prompt of a box and a mask.
struct map_prompt_options {
    map_box_options box = {};
    mask_logits_options mask = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// One point on the object, at the peak's pixel's centre.
[[nodiscard]] inline prompt point_prompt(const peak& found) {
    prompt asked;
    asked.points.push_back(point_of(found));
    return asked;
}

/// A box only. No box (nothing above the threshold) gives an empty prompt.
[[nodiscard]] inline prompt box_prompt(const std::optional<box_in<original_frame>>& box) {
    prompt asked;
    asked.box = box;
    return asked;
}

/// Mask and box together out of one map, [height, width] of the original image. The box is left out where
/// nothing is above the threshold. Errors: as mask_logits_from_map. Complexity O(pixels).
[[nodiscard]] inline result<prompt> map_prompt(tensor_view<const float, 2> map,
                                               const map_prompt_options& options = {}) {
    auto logits = mask_logits_from_map(map, options.mask);
    if (!logits) {
        return logits.error();
    }
    prompt asked;
    asked.box = box_from_map(map, options.box);
    asked.mask = std::move(*logits);
    return asked;
}

} // namespace ostend::inline OSTEND_KERNELS
