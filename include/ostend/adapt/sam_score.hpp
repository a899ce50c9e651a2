// sam_score: which of a segmenter's candidates? Four rules by name; each gives a score whose greatest is
// taken.
//
// SAM proposes part, whole and more for one point. Its own estimate of the IoU knows nothing of the phrase;
// the attention map does, where the host has one.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/from_logits.hpp"
#include "ostend/prompt/mask_logits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

enum class sam_rule {
    predicted_iou,  ///< the segmenter's own estimate
    stability,      ///< pixels above threshold + 1 over those above threshold - 1 (NaN counts as 0)
    last,           ///< 1 for the last candidate, 0 for the others: the published grounding code's choice
    attention_mass, ///< attention inside less attention outside, of the map that came as mask prompt
};

inline constexpr std::array<std::string_view, 4> sam_rule_names{"predicted_iou", "stability", "last",
                                                                "attention_mass"};

/// A candidate before a rule scores it: all that the rules read.
struct sam_proposal {
    logits_mask found = {};
    float predicted_iou = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The rule of that name, or an error that lists the names.
[[nodiscard]] inline result<sam_rule> find_sam_rule(std::string_view name) {
    std::string known;
    for (std::size_t i = 0; i < sam_rule_names.size(); ++i) {
        if (name == sam_rule_names[i]) {
            return static_cast<sam_rule>(i);
        }
        known += (i == 0 ? "" : ", ") + std::string(sam_rule_names[i]);
    }
    return error{"there is no rule '" + std::string(name) + "'; known are " + known, "rule"};
}

/// The map's probabilities less their mean over the image, summed inside the mask less outside it, over the
/// sum of their sizes: in [-1, 1], 0 for a constant map. A pixel reads the cell that its centre lies in.
/// Precondition: the map's content is of at least one cell and within its values. Complexity O(cells + area).
[[nodiscard]] inline float attention_mass(const rle& mask, const mask_logits& map) {
    const image_size cells = map.content;
    OSTEND_EXPECTS(cells.width >= 1 && cells.height >= 1 && cells.width <= map.values.columns() &&
                       cells.height <= map.values.rows(),
                   "attention_mass: a map whose content is empty or beyond its values");
    const auto cells_of = [](index pixels, index count) {
        std::vector<index> of(static_cast<std::size_t>(pixels));
        for (std::size_t i = 0; i < of.size(); ++i) {
            of[i] = std::min(count - 1, (2 * static_cast<index>(i) + 1) * count / (2 * pixels));
        }
        return of;
    };
    const std::vector<index> row_of = cells_of(mask.height, cells.height);
    const std::vector<index> column_of = cells_of(mask.width, cells.width);
    std::vector<double> rows(static_cast<std::size_t>(cells.height)); // pixels that read a row of cells
    std::vector<double> columns(static_cast<std::size_t>(cells.width));
    std::for_each(row_of.begin(), row_of.end(), [&](index y) { ++rows[static_cast<std::size_t>(y)]; });
    std::for_each(column_of.begin(), column_of.end(),
                  [&](index x) { ++columns[static_cast<std::size_t>(x)]; });
    matrix<double> value(cells.height, cells.width);
    double mean = 0;
    for (index y = 0; y < cells.height; ++y) {
        for (index x = 0; x < cells.width; ++x) {
            value(y, x) = 1.0 / (1.0 + std::exp(-static_cast<double>(map.values(y, x))));
            mean += value(y, x) * rows[static_cast<std::size_t>(y)] * columns[static_cast<std::size_t>(x)];
        }
    }
    mean /= std::max(1.0, static_cast<double>(mask.height) * static_cast<double>(mask.width));
    double sizes = 0;
    double all = 0;
    for (index y = 0; y < cells.height; ++y) {
        for (index x = 0; x < cells.width; ++x) {
            value(y, x) -= mean;
            const double pixels = rows[static_cast<std::size_t>(y)] * columns[static_cast<std::size_t>(x)];
            all += value(y, x) * pixels;
            sizes += std::abs(value(y, x)) * pixels;
        }
    }
    double inside = 0;
    for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t pixel = first; pixel < last; ++pixel) {
            const auto height = static_cast<std::uint64_t>(mask.height);
            inside += value(row_of[static_cast<std::size_t>(pixel % height)],
                            column_of[static_cast<std::size_t>(pixel / height)]);
        }
    });
    return sizes > 0 ? static_cast<float>((2 * inside - all) / sizes) : 0.0F;
}

/// The score of candidate `i` of `count` by a rule. Precondition: map is given where the rule reads it.
[[nodiscard]] inline float sam_score(sam_rule rule, const logits_mask& found, float predicted_iou, index i,
                                     index count, const mask_logits* map) {
    switch (rule) {
    case sam_rule::stability:
        return std::isnan(found.stability) ? 0.0F : static_cast<float>(found.stability);
    case sam_rule::last:
        return i + 1 == count ? 1.0F : 0.0F;
    case sam_rule::attention_mass:
        OSTEND_EXPECTS(map != nullptr, "sam_score: attention_mass without a map");
        return attention_mass(found.mask, *map);
    default:
        return predicted_iou;
    }
}

/// A prompt's candidates with their scores by a rule. Precondition: map is given where the rule reads it.
[[nodiscard]] inline std::vector<mask_candidate>
sam_candidates(sam_rule rule, std::vector<sam_proposal> proposals, const mask_logits* map) {
    std::vector<mask_candidate> out;
    const auto count = static_cast<index>(proposals.size());
    for (index i = 0; i < count; ++i) {
        sam_proposal& p = proposals[static_cast<std::size_t>(i)];
        const float score = sam_score(rule, p.found, p.predicted_iou, i, count, map);
        out.push_back({std::move(p.found.mask), score});
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
