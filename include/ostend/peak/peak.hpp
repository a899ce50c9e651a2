// What a peak is, and how a map is read: plain data, shared by the headers of this folder.
#pragma once

#include "ostend/geometry/frames.hpp"

#include <cstdint>
#include <optional>

namespace ostend::inline v0 {

/// How a map is brought to the image's size: PyTorch's interpolate with align_corners=False and without
/// antialiasing; bicubic is Keys' convolution with a = -0.75.
enum class interpolation : std::uint8_t { bicubic, bilinear };

/// A maximum of a map, as a pixel of the original image.
struct peak {
    pixel at = {};
    float value = 0;       ///< the upsampled map's value there, in the map's unit
    double confidence = 0; ///< in [0, 1]; see peak_confidence
    friend bool operator==(const peak&, const peak&) = default;
};

struct peak_options {
    interpolation kernel = interpolation::bicubic;
    bool remove_corners = false; ///< first set the view's four corner cells to a low value (the reference's)
    /// That value; none: the view's minimum. The reference takes the minimum over all maps of the image.
    std::optional<float> corner_value = {};
    int view = 0; ///< which of the layout's views the map is read from
};

enum class separation_unit : std::uint8_t { cells, pixels };

struct peaks_options {
    peak_options map = {};
    int count = 5;           ///< at most so many
    double separation = 3.0; ///< least Euclidean distance between two peaks
    separation_unit unit = separation_unit::cells;
    double least_confidence = 0; ///< peaks below it are left out
};

} // namespace ostend::inline v0
