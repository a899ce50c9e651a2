// raster: f32 images of the generator (RGB, or RGBA with premultiplied alpha) and their resampling.
//
// The filters are those of Pillow, with which the training scenes were made: reduction widens the kernel
// (antialiasing), enlargement does not.
#pragma once

#include <cstddef>
#include <vector>

namespace ostend::scenes {

/// height x width x channels values, interleaved, row-major.
struct raster {
    int width = 0;
    int height = 0;
    int channels = 0;
    std::vector<float> values = {};

    raster() = default;
    raster(int width_, int height_, int channels_)
        : width(width_), height(height_), channels(channels_),
          values(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) *
                 static_cast<std::size_t>(channels_)) {}

    [[nodiscard]] float* at(int y, int x) {
        return values.data() + (static_cast<std::ptrdiff_t>(y) * width + x) * channels;
    }
    [[nodiscard]] const float* at(int y, int x) const {
        return values.data() + (static_cast<std::ptrdiff_t>(y) * width + x) * channels;
    }
};

enum class kernel { bicubic /* a = -0.5 */, lanczos3 };

/// Resized with a separable kernel; edges use the pixels that there are, weights renormalised.
/// Precondition: width, height >= 1 and the image is not empty. O(pixels * support).
[[nodiscard]] raster resize(const raster& image, int width, int height, kernel filter);

/// Turned by an angle in degrees (counter-clockwise) about its centre, bicubic; the canvas grows to hold the
/// corners, and what was outside is 0.
[[nodiscard]] raster rotate(const raster& image, double degrees);

[[nodiscard]] raster crop(const raster& image, int x, int y, int width, int height);
[[nodiscard]] raster mirrored(const raster& image);

} // namespace ostend::scenes
