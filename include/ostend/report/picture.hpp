// picture: the small images that a report is made of, and the few colours it uses.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct rgb {
    std::uint8_t r = 0;
    std::uint8_t g = 0;
    std::uint8_t b = 0;
};

/// height x width pixels of `channels` interleaved bytes (3: RGB, 4: RGBA), rows from top to bottom.
struct picture {
    index height = 0;
    index width = 0;
    int channels = 3;
    std::vector<std::uint8_t> bytes = {};

    picture() = default;
    /// Black, and transparent where there is alpha. Precondition: sides >= 0, 3 or 4 channels.
    picture(index height_, index width_, int channels_)
        : height(height_), width(width_), channels(channels_) {
        OSTEND_EXPECTS_ALWAYS(height >= 0 && width >= 0 && (channels == 3 || channels == 4),
                              "picture: sides must not be negative and channels must be 3 or 4");
        bytes.assign(static_cast<std::size_t>(height * width * channels), 0);
    }
    [[nodiscard]] std::uint8_t* at(index y, index x) {
        return &bytes[static_cast<std::size_t>((y * width + x) * channels)];
    }
    [[nodiscard]] const std::uint8_t* at(index y, index x) const {
        return &bytes[static_cast<std::size_t>((y * width + x) * channels)];
    }
};

/// Eight colours that stay apart for colour-blind readers (Okabe and Ito, 2008), black replaced by teal.
inline constexpr std::array<rgb, 8> phrase_colours{{{0, 114, 178},
                                                    {213, 94, 0},
                                                    {0, 158, 115},
                                                    {204, 121, 167},
                                                    {230, 159, 0},
                                                    {86, 180, 233},
                                                    {124, 87, 191},
                                                    {0, 128, 128}}};

[[nodiscard]] inline rgb phrase_colour(std::size_t phrase) {
    return phrase_colours[phrase % phrase_colours.size()];
}

/// "#rrggbb"
[[nodiscard]] inline std::string css(rgb c) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "#";
    for (const std::uint8_t v : {c.r, c.g, c.b}) {
        text += digits[v >> 4U];
        text += digits[v & 15U];
    }
    return text;
}

/// The nearest byte, halves up, without std::lround's call. Precondition: 0 <= v < 255.5.
[[nodiscard]] inline std::uint8_t nearest_byte(float v) {
    return static_cast<std::uint8_t>(static_cast<double>(v) + 0.5); // the sum is exact in double
}

/// The ramp of heat maps, from dark violet over red to pale yellow; 0 <= t <= 1. Lightness rises all the way.
[[nodiscard]] inline rgb heat_colour(float t) {
    constexpr std::array<std::array<float, 3>, 6> stops{
        {{16, 8, 40}, {84, 15, 109}, {170, 35, 94}, {229, 92, 48}, {251, 164, 32}, {252, 248, 170}}};
    const float scaled = std::clamp(t, 0.0F, 1.0F) * static_cast<float>(stops.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(scaled), stops.size() - 2);
    const float part = scaled - static_cast<float>(low);
    const auto mix = [&](std::size_t c) {
        return nearest_byte(stops[low][c] + part * (stops[low + 1][c] - stops[low][c]));
    };
    return {mix(0), mix(1), mix(2)};
}

} // namespace ostend::inline v0
