// graph_cut: a promptable segmenter without weights, for hosts that have no SAM.
//
// From a point: colour models of the object and of the rest, the minimum cut that they and the contrast give,
// the models again from its labels, and so on; once for each of several sizes that the object may have. A
// mask prompt (the attention map) says where to expect it. Each size gives a candidate with a score. The cut
// runs on a reduced image; the outline is then refined level by level. No randomness, no state between calls.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/host/check_prompt.hpp"
#include "ostend/host/graph_cut_evidence.hpp"
#include "ostend/host/graph_cut_hints.hpp"
#include "ostend/host/graph_cut_options.hpp"
#include "ostend/host/graph_cut_propose.hpp"
#include "ostend/host/graph_cut_refine.hpp"
#include "ostend/host/image_pyramid.hpp"
#include "ostend/host/one_piece.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/encode.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Models the segmenter concept. Const use is safe from several threads. About 5 ms a prompt on one core for
/// 144 x 144, under 100 ms for 1024 x 768 (the reduction of the image is shared by its prompts).
class graph_cut_segmenter {
public:
    graph_cut_segmenter() = default;
    /// Precondition: options.usable().
    explicit graph_cut_segmenter(graph_cut_options options) : options_(std::move(options)) {
        OSTEND_EXPECTS(options_.usable(),
                       "graph_cut_segmenter: work_side below 8, a radius or another length that is not above "
                       "0, no iteration, components outside [1, 64], or a weight that is not finite");
    }

    /// The candidates of each prompt, one for each radius in their order (from the smallest, as SAM orders
    /// part and whole); the best has the greatest score, an estimate in [0, 1] that its IoU is at least one
    /// half. A candidate is one connected piece and never empty; it has no holes but around outside points.
    /// A prompt's first inside point anchors the object; without one, the box's centre or the mask prompt's
    /// greatest value does. Outside points (the pixels that touch them) and pixels whose centre lies beyond
    /// the box are background. Errors name the prompt: an image that is empty, not RGB or too large for a
    /// mask; a prompt that says nothing of the object or contradicts itself; a point or box that leaves the
    /// image or is not finite; mask logits with a NaN or a content larger than they are.
    [[nodiscard]] result<std::vector<std::vector<mask_candidate>>>
    segment(const image_view& image, std::span<const prompt> prompts) const {
        if (image.empty() || image.extent(2) != 3) {
            return error{"the image has " + std::to_string(image.extent(0)) + " x " +
                             std::to_string(image.extent(1)) + " pixels of " +
                             std::to_string(image.extent(2)) + " channels; wanted at least one, of 3",
                         "image"};
        }
        if (const auto pixels = mask_pixels(image.extent(0), image.extent(1)); !pixels) {
            return pixels.error().in("image");
        }
        const image_size size{.width = image.extent(1), .height = image.extent(0)};
        std::vector<detail::hints> hints; // at full size
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const std::string name = "prompts[" + std::to_string(i) + "]";
            if (const status good = detail::check_prompt(prompts[i], size); !good) {
                return good.error().in(name);
            }
            hints.push_back(detail::point_hints(prompts[i], size, size));
            if (!detail::nearest_allowed(hints.back())) {
                return error{"the outside points leave no pixel for the object", name + ": points"};
            }
        }
        std::vector<std::vector<mask_candidate>> all;
        if (prompts.empty()) {
            return all;
        }
        const std::vector<image_level> levels = image_pyramid(image, options_.work_side);
        grid_cut cut;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            all.push_back(candidates(levels, prompts[i], cut));
        }
        return all;
    }

private:
    [[nodiscard]] std::vector<mask_candidate> candidates(const std::vector<image_level>& levels,
                                                         const prompt& asked, grid_cut& cut) const {
        std::vector<detail::hints> hints(levels.size()); // finest first, as the levels
        hints.back() = detail::hints_of(asked, levels.front().size(), levels.back().size());
        for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
            hints[level] =
                detail::finer_hints(asked, levels.front().size(), levels[level].size(), hints.back());
        }
        std::vector<mask_candidate> out;
        for (const double radius : options_.radii) {
            detail::proposal p = detail::propose(levels.back(), hints.back(), radius, options_, cut);
            for (std::size_t level = levels.size() - 1; level-- > 0;) {
                p.mask = detail::refined(levels[level], hints[level], p.mask, p.models, options_, cut);
            }
            detail::settle(p.mask, hints.front());
            out.push_back({encode(p.mask), detail::score(p.evidence)});
        }
        return out;
    }

    graph_cut_options options_ = {};
};

} // namespace ostend::inline OSTEND_KERNELS
