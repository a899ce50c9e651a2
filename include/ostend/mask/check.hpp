// check: are the counts of an rle what they say? For masks that came from outside; one pass over the counts.
//
// Functions on runs never index memory by a position that counts give, so a lying rle gives a wrong number
// and never a bad read; what writes pixels (mask/encode.hpp) checks first.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/rle.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace ostend::inline v0 {

/// The largest number of pixels of a mask: one count must hold them all.
inline constexpr std::uint64_t max_mask_pixels = std::numeric_limits<std::uint32_t>::max();

/// height * width, or an error when a side is negative or the product exceeds max_mask_pixels. O(1).
[[nodiscard]] inline result<std::uint64_t> mask_pixels(index height, index width) {
    if (height < 0 || width < 0) {
        return error{"a side is negative: " + std::to_string(height) + " x " + std::to_string(width), "size"};
    }
    const auto h = static_cast<std::uint64_t>(height);
    const auto w = static_cast<std::uint64_t>(width);
    if (h > max_mask_pixels || w > max_mask_pixels || h * w > max_mask_pixels) {
        return error{"a mask of " + std::to_string(h) + " x " + std::to_string(w) +
                         " has more pixels than a run can count",
                     "size"};
    }
    return h * w;
}

/// The sum of the counts must be height * width. `at` is the first count that goes beyond, or the number of
/// counts when they fall short. Complexity O(counts).
[[nodiscard]] inline status check(const rle& mask) {
    const auto pixels = mask_pixels(mask.height, mask.width);
    if (!pixels) {
        return pixels.error();
    }
    std::uint64_t sum = 0;
    for (const std::uint32_t count : mask.counts) {
        sum += count;
    }
    if (sum == *pixels) {
        return success{};
    }
    sum = 0;
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        sum += mask.counts[i];
        if (sum > *pixels) {
            return error{"the runs go beyond the " + std::to_string(*pixels) + " pixels of the mask",
                         "counts", i};
        }
    }
    return error{"the runs cover " + std::to_string(sum) + " of " + std::to_string(*pixels) + " pixels",
                 "counts", mask.counts.size()};
}

} // namespace ostend::inline v0
