// preprocess: from an image of any shape to the square of pixels that the vision tower sees.
//
// As LLaVA-1.5: the image is put in the middle of a square of grey, and the square is resized to the tower's
// input with the antialiased bicubic filter of the Python Imaging Library, in the same fixed-point steps, so
// that the model sees what it would see in Python. A square of the right size is not resampled at all.
#pragma once

#include "tiny_llava/model_config.hpp"

#include "ostend/core/result.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdint>
#include <vector>

namespace ostend_hosts {

/// The square image as bytes [side, side, 3]. The padding is int(255 * mean) of each channel: 127 for 0.5.
/// Errors: no pixels, a single pixel (there is nothing to point at), a side above 32768, not 3 channels.
/// Workspace: longer side x side x 3 bytes; the padded square itself is never made.
[[nodiscard]] ostend::result<std::vector<std::uint8_t>> fit_to_square(const ostend::image_view& image,
                                                                      Index side, const pixel_config& pixels);

/// Normalised values, one row a patch, its columns in the order channel, row, column: [patches, 3 * size^2].
[[nodiscard]] matrix cut_patches(const std::vector<std::uint8_t>& square, const vision_config& vision,
                                 const pixel_config& pixels);

} // namespace ostend_hosts
