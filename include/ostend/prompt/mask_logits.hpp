// A mask prompt out of a map: logits on SAM's 256 x 256 grid, the image in its upper left, zeros beyond.
//
// The map is made logits first and resized then, as published; without antialiasing, so a map larger than the
// grid is sampled, not averaged.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/prompt/logits.hpp"
#include "ostend/tensor/matrix.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace ostend::inline v0 {

/// Logits over the segmenter's low-resolution grid; the image covers `content` of it, from the upper left.
struct mask_logits {
    matrix<float> values = {};
    image_size content = {};
    friend bool operator==(const mask_logits&, const mask_logits&) = default;
};

struct mask_logits_options {
    index edge = 256;
    float epsilon = 1e-3F;    ///< probabilities are clipped to [epsilon, 1 - epsilon]
    float temperature = 1.0F; ///< the map is divided by it first (published runs: 0.0002 for raw attention)
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The mask prompt of a map of probabilities, [height, width] in the original image's aspect ratio: clip,
/// log(p / (1 - p)), bicubic to a longer side of `edge` (the shorter: int(short / long * edge), at least 1),
/// zeros to the right or below. Error: an empty map, or a NaN, with its flat index. Infinities clip.
/// Preconditions: edge >= 1, 0 < epsilon < 0.5, temperature > 0. Complexity O(pixels + edge^2).
/// Source: groundLMM, convert_mask_SAM.
[[nodiscard]] inline result<mask_logits> mask_logits_from_map(tensor_view<const float, 2> map,
                                                              const mask_logits_options& options = {}) {
    OSTEND_EXPECTS(
        options.edge >= 1 && options.epsilon > 0 && options.epsilon < 0.5F && options.temperature > 0,
        "mask_logits_from_map: edge " + std::to_string(options.edge) + ", epsilon " +
            std::to_string(options.epsilon) + ", temperature " + std::to_string(options.temperature));
    const index height = map.extent(0);
    const index width = map.extent(1);
    if (map.empty()) {
        return error{"the map has no values", "map"};
    }
    matrix<float> logits(height, width);
    for (index y = 0; y < height; ++y) {
        const std::span<float> row = logits.row(y);
        for (index x = 0; x < width; ++x) {
            row[static_cast<std::size_t>(x)] = map.load(y, x);
        }
        if (!detail::to_logits(row, options.temperature, options.epsilon)) {
            index x = 0;
            while (!std::isnan(map.load(y, x) / options.temperature)) {
                ++x;
            }
            return error{"the map holds a NaN", "map", static_cast<std::size_t>(y * width + x)};
        }
    }
    const auto shorter = [&](index side, index longer) {
        const double share = static_cast<double>(side) / static_cast<double>(longer);
        return std::max<index>(1, static_cast<index>(share * static_cast<double>(options.edge)));
    };
    const image_size content{width >= height ? options.edge : shorter(width, height),
                             height >= width ? options.edge : shorter(height, width)};
    const matrix<float> resized = resample(logits, make_resampling(height, width, content));
    mask_logits out{matrix<float>(options.edge, options.edge), content};
    for (index y = 0; y < content.height; ++y) {
        const auto from = resized.row(y);
        std::copy(from.begin(), from.end(), out.values.row(y).begin());
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
