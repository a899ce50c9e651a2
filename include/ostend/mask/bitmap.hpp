// bitmap: a dense binary mask, for the few steps that need pixels. Masks travel as run lengths
// (mask/rle.hpp).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// height x width bytes in row-major order; 0 is outside, 1 inside.
struct bitmap {
    index height = 0;
    index width = 0;
    std::vector<std::uint8_t> pixels = {};

    bitmap() = default;
    /// Precondition: height >= 0, width >= 0. Allocates.
    bitmap(index height_, index width_, bool fill = false) : height(height_), width(width_) {
        OSTEND_EXPECTS_ALWAYS(height >= 0 && width >= 0, "bitmap: a negative side");
        pixels.assign(static_cast<std::size_t>(height * width), fill ? 1 : 0);
    }

    [[nodiscard]] std::uint8_t& operator()(index y, index x) {
        return pixels[static_cast<std::size_t>(y * width + x)];
    }
    [[nodiscard]] std::uint8_t operator()(index y, index x) const {
        return pixels[static_cast<std::size_t>(y * width + x)];
    }
    [[nodiscard]] tensor_view<std::uint8_t, 2> view() { return {pixels.data(), {height, width}}; }
    [[nodiscard]] tensor_view<const std::uint8_t, 2> view() const { return {pixels.data(), {height, width}}; }

    friend bool operator==(const bitmap&, const bitmap&) = default;
};

} // namespace ostend::inline v0
