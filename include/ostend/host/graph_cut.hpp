// graph_cut: a promptable segmenter without weights, for hosts that have no SAM.
//
// From a point: colour models of the object and of the rest, the minimum cut that they and the contrast give,
// the models again from its labels, and so on; once for each of several sizes that the object may have. A
// mask prompt (the attention map) says where to expect it. Each size gives a candidate with a score. The cut
// runs on a reduced image; the outline is then refined level by level. No randomness, no state between calls.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/host/graph_cut_parts.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/encode.hpp"

#include <string>

namespace ostend::inline OSTEND_KERNELS {

/// Models the segmenter concept. Const use is safe from several threads. About 5 ms a prompt on one core for
/// 144 x 144, under 100 ms for 1024 x 768 (the reduction of the image is shared by its prompts).
class graph_cut_segmenter {
public:
    graph_cut_segmenter() = default;
    /// Preconditions: work_side >= 8, at least one radius, all radii above 0, iterations >= 1, components in
    /// [1, 64].
    explicit graph_cut_segmenter(graph_cut_options options) : options_(std::move(options)) {
        OSTEND_EXPECTS(options_.work_side >= 8 && !options_.radii.empty() && options_.iterations >= 1 &&
                           std::min(options_.object_components, options_.background_components) >= 1 &&
                           std::max(options_.object_components, options_.background_components) <= 64 &&
                           *std::min_element(options_.radii.begin(), options_.radii.end()) > 0,
                       "graph_cut_segmenter: work_side below 8, no iteration, no component, or a radius that "
                       "is not above 0");
    }

    /// The candidates of each prompt, one for each radius in their order (from the smallest, as SAM orders
    /// part and whole); the best has the greatest score, an estimate in (0, 1) that its IoU is at least one
    /// half. A candidate is one connected piece without holes and never empty. A prompt's first inside point
    /// anchors the object; without one, the box's centre or the mask prompt's greatest value does. Outside
    /// points and what lies beyond the box are background. Errors: an image that is empty or not RGB; a
    /// prompt without anything; a point or box that leaves the image or is not finite; mask logits with a NaN
    /// or a content larger than they are.
    [[nodiscard]] result<std::vector<std::vector<mask_candidate>>>
    segment(const image_view& image, std::span<const prompt> prompts) const {
        if (image.empty() || image.extent(2) != 3) {
            return error{"the image has " + std::to_string(image.extent(0)) + " x " +
                             std::to_string(image.extent(1)) + " pixels of " +
                             std::to_string(image.extent(2)) + " channels; wanted at least one, of 3",
                         "image"};
        }
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const status good =
                detail::check_prompt(prompts[i], {.width = image.extent(1), .height = image.extent(0)});
            if (!good) {
                return good.error().in("prompts[" + std::to_string(i) + "]");
            }
        }
        std::vector<std::vector<mask_candidate>> all;
        if (prompts.empty()) {
            return all;
        }
        const std::vector<image_level> levels = image_pyramid(image, options_.work_side);
        grid_cut cut;
        for (const prompt& asked : prompts) {
            const detail::hints hints = detail::hints_of(asked, levels.front(), levels.back());
            std::vector<mask_candidate> candidates;
            for (const double radius : options_.radii) {
                detail::proposal p = detail::propose(levels.back(), hints, radius, options_, cut);
                for (std::size_t level = levels.size() - 1; level-- > 0;) {
                    p.mask = detail::refined(levels[level], p, options_, cut);
                }
                detail::keep_one_piece(p.mask, detail::scaled_pixel(hints, p.mask));
                candidates.push_back({encode(p.mask), detail::score(p.evidence)});
            }
            all.push_back(std::move(candidates));
        }
        return all;
    }

private:
    graph_cut_options options_ = {};
};

} // namespace ostend::inline OSTEND_KERNELS
