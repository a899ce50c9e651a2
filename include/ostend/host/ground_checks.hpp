// ground_checks: what ground() asks of an image and of the two hosts' answers before it believes them.
//
// A host is foreign code over foreign data: an answer that does not fit the question is an error that says
// so, not a precondition that ends the program.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/geometry/grid.hpp"
#include "ostend/host/language_model.hpp"
#include "ostend/host/preset.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/check.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// The candidate that a rule takes: the first of the best score (a NaN is none), or the last. An error when
/// the segmenter proposed none, or a mask that is not one of the image's size.
[[nodiscard]] inline result<mask_candidate> choose_candidate(const std::vector<mask_candidate>& candidates,
                                                             candidate_rule rule, image_size image) {
    if (candidates.empty()) {
        return error{"the segmenter proposed no mask"};
    }
    const auto best = std::max_element(
        candidates.begin(), candidates.end(), [](const mask_candidate& a, const mask_candidate& b) {
            return a.score < b.score || (std::isnan(a.score) && !std::isnan(b.score));
        });
    const mask_candidate& chosen = rule == candidate_rule::last ? candidates.back() : *best;
    if (chosen.mask.height != image.height || chosen.mask.width != image.width) {
        return error{"the segmenter's mask has " + std::to_string(chosen.mask.width) + " x " +
                     std::to_string(chosen.mask.height) + " pixels, the image " +
                     std::to_string(image.width) + " x " + std::to_string(image.height)};
    }
    if (const status good = check(chosen.mask); !good) {
        return good.error();
    }
    return chosen;
}

namespace detail {

/// Whether an image can be grounded: RGB, and more than one pixel to choose from.
[[nodiscard]] inline status check_image(const image_view& image) {
    if (image.extent(2) != 3 || image.empty() || (image.extent(0) == 1 && image.extent(1) == 1)) {
        return error{"an image of " + std::to_string(image.extent(1)) + " x " +
                         std::to_string(image.extent(0)) + " pixels of " + std::to_string(image.extent(2)) +
                         " channels; wanted at least two pixels of 3",
                     "image"};
    }
    return success{};
}

/// Whether a model's answer belongs to the image, its attention to its layout, and the layout has the view
/// that peaks are read from. O(image tokens).
[[nodiscard]] inline status check_generation(const generation& said, image_size image, int view) {
    if (!(said.grid.original == image)) {
        return error{"the layout is of an image of " + std::to_string(said.grid.original.width) + " x " +
                         std::to_string(said.grid.original.height) + " pixels, not " +
                         std::to_string(image.width) + " x " + std::to_string(image.height),
                     "layout"};
    }
    if (const status good = validate(said.grid); !good) {
        return good.error().in("layout");
    }
    if (view < 0 || view >= static_cast<int>(said.grid.views.size())) {
        return error{"the layout has " + std::to_string(said.grid.views.size()) + " views; view " +
                         std::to_string(view) + " was asked for",
                     "layout"};
    }
    if (said.attention.image_tokens() != static_cast<index>(said.grid.tokens.size())) {
        return error{"attention over " + std::to_string(said.attention.image_tokens()) +
                         " image tokens, a layout of " + std::to_string(said.grid.tokens.size()),
                     "attention"};
    }
    return success{};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
