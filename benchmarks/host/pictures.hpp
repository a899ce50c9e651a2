// A picture to segment: an ellipse of one colour before another, both with noise.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/tensor/view.hpp"

#include <random>
#include <vector>

namespace ostend_bench {

/// [height, width, 3]; the ellipse lies in the middle and is half as wide and as high as the picture.
inline std::vector<std::uint8_t> picture(ostend::image_size size) {
    constexpr int object[3]{190, 80, 60};
    constexpr int ground[3]{80, 120, 140};
    std::mt19937 random(1);
    std::vector<std::uint8_t> pixels;
    for (ostend::index y = 0; y < size.height; ++y) {
        for (ostend::index x = 0; x < size.width; ++x) {
            const double dx = (static_cast<double>(x) + 0.5) / static_cast<double>(size.width) - 0.5;
            const double dy = (static_cast<double>(y) + 0.5) / static_cast<double>(size.height) - 0.5;
            const bool inside = dx * dx + dy * dy < 0.0625;
            for (int c = 0; c < 3; ++c) {
                const int noise = static_cast<int>(random() % 41U) - 20;
                pixels.push_back(static_cast<std::uint8_t>((inside ? object[c] : ground[c]) + noise));
            }
        }
    }
    return pixels;
}

inline ostend::image_view view(const std::vector<std::uint8_t>& pixels, ostend::image_size size) {
    return {pixels.data(), {size.height, size.width, 3}};
}

} // namespace ostend_bench
