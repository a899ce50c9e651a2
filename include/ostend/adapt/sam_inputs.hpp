// sam_inputs: an image and a prompt as the arrays that SAM and its relatives read, whatever engine runs them.
//
// The image is resized with a triangle filter that widens where the image shrinks, as PIL's bilinear one
// does; in f32, without PIL's rounding to whole bytes between. Points go by pixel index in the published
// files, which add half a pixel inside: half a pixel is taken off here.
#pragma once

#include "ostend/geometry/antialias_taps.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/prompt/prompt.hpp"
#include "ostend/prompt/sam_frame.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// (value - mean) / deviation, a channel; values in [0, 255].
struct pixel_scale {
    std::array<float, 3> mean = {123.675F, 116.28F, 103.53F};
    std::array<float, 3> deviation = {58.395F, 57.12F, 57.375F};
};

/// Points as a decoder wants them: x, y, x, y, ... and a label each.
struct sam_points {
    std::vector<float> coordinates = {};
    std::vector<float> labels = {}; ///< 1 on the object, 0 off it, 2 and 3 a box's corners, -1 padding
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The resize of one axis: a triangle that widens where the axis shrinks. O(to + from).
[[nodiscard]] inline std::vector<pixel_taps<float>> make_triangle_taps(index from, index to) {
    return antialias_taps(
        from, to, 1.0, [](double x) { return std::max(0.0, 1.0 - std::abs(x)); },
        [](double share) { return static_cast<float>(share); });
}

/// The image resized to `size`, scaled, planes first: [3, canvas.height, canvas.width] with zeros to the
/// right and below. Preconditions: the image has pixels of 3 channels; 1 <= size <= canvas. Complexity
/// O(pixels of the image and of the canvas). Source: segment-anything, Sam.preprocess.
[[nodiscard]] inline std::vector<float> sam_image(const image_view& image, image_size size, image_size canvas,
                                                  const pixel_scale& scale = {}) {
    OSTEND_EXPECTS(!image.empty() && image.extent(2) == 3 && size.width >= 1 && size.height >= 1 &&
                       size.width <= canvas.width && size.height <= canvas.height,
                   "sam_image: an image of " + std::to_string(image.extent(1)) + " x " +
                       std::to_string(image.extent(0)) + " pixels to " + std::to_string(size.width) + " x " +
                       std::to_string(size.height) + " in " + std::to_string(canvas.width) + " x " +
                       std::to_string(canvas.height));
    const auto columns = make_triangle_taps(image.extent(1), size.width);
    const auto rows = make_triangle_taps(image.extent(0), size.height);
    const auto width = static_cast<std::size_t>(size.width);
    std::vector<float> out(static_cast<std::size_t>(3 * canvas.area()), 0.0F);
    std::vector<float> wide(static_cast<std::size_t>(image.extent(0)) * width);
    for (index c = 0; c < 3; ++c) {
        const float mean = scale.mean[static_cast<std::size_t>(c)];
        const float factor = 1.0F / scale.deviation[static_cast<std::size_t>(c)];
        for (index y = 0; y < image.extent(0); ++y) {
            for (std::size_t x = 0; x < width; ++x) {
                float sum = 0;
                index at = columns[x].first;
                for (const float w : columns[x].weights) {
                    sum += w * static_cast<float>(image(y, at++, c));
                }
                wide[static_cast<std::size_t>(y) * width + x] = (sum - mean) * factor;
            }
        }
        for (index y = 0; y < size.height; ++y) {
            float* to = out.data() + (c * canvas.height + y) * canvas.width;
            const auto& [first, weights] = rows[static_cast<std::size_t>(y)];
            for (std::size_t k = 0; k < weights.size(); ++k) {
                const auto row = static_cast<std::size_t>(first) + k;
                const float* from = wide.data() + row * width;
                for (std::size_t x = 0; x < width; ++x) {
                    to[x] += weights[k] * from[x];
                }
            }
        }
    }
    return out;
}

/// A prompt's points and its box's corners in the frame's pixels, by their index. With `padded`, a padding
/// point where there is no box, as SAM's decoder wants it. O(points).
[[nodiscard]] inline sam_points make_sam_points(const prompt& asked, const sam_frame& frame, bool padded) {
    sam_points out;
    const auto add = [&out](double x, double y, float label) {
        out.coordinates.push_back(static_cast<float>(x));
        out.coordinates.push_back(static_cast<float>(y));
        out.labels.push_back(label);
    };
    for (const labelled_point& p : asked.points) {
        const auto at = to_segmenter(frame, p.at);
        add(at.x - 0.5, at.y - 0.5, p.inside ? 1.0F : 0.0F);
    }
    if (asked.box) {
        const auto box = to_segmenter(frame, *asked.box);
        add(box.x0 - 0.5, box.y0 - 0.5, 2.0F);
        add(box.x1 - 0.5, box.y1 - 0.5, 3.0F);
    } else if (padded) {
        add(0, 0, -1.0F);
    }
    return out;
}

/// A mask prompt over the segmenter's square, [side, side]: as it is where the padded square is of that side,
/// and its content stretched over the whole square where the segmenter stretches the image. O(side^2).
[[nodiscard]] inline matrix<float> sam_mask_input(const mask_logits& given, bool stretched) {
    if (!stretched || given.content == image_size{given.values.columns(), given.values.rows()}) {
        return given.values;
    }
    matrix<float> content(given.content.height, given.content.width);
    for (index y = 0; y < content.rows(); ++y) {
        const auto from = given.values.row(y).first(static_cast<std::size_t>(content.columns()));
        std::copy(from.begin(), from.end(), content.row(y).begin());
    }
    return resample(content, make_resampling(content.rows(), content.columns(),
                                             {given.values.columns(), given.values.rows()}));
}

} // namespace ostend::inline OSTEND_KERNELS
