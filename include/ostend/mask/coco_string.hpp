// coco_string: COCO's compressed run lengths, both ways, and its uncompressed counts.
//
// The string (cocoapi, common/maskApi.c): from the fourth count on, each is written as the difference to the
// count two before; a number goes out five bits at a time, lowest first, as the character 48 + bits, with 32
// added while more follow; the highest bit of the last group is the sign.
// Reading trusts nothing: memory is in proportion to the string, never to the size that it claims.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/rle.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace ostend::inline OSTEND_KERNELS {

/// The compressed string, equal to pycocotools' for equal counts. O(counts); allocates the string.
[[nodiscard]] inline std::string to_coco_string(const rle& mask) {
    std::string text;
    text.reserve(mask.counts.size() * 2);
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        std::int64_t x = mask.counts[i];
        if (i > 2) {
            x -= mask.counts[i - 2];
        }
        for (bool more = true; more;) {
            auto group = static_cast<unsigned>(x & 0x1F);
            x >>= 5; // keeps the sign
            more = (group & 0x10U) != 0 ? x != -1 : x != 0;
            group |= more ? 0x20U : 0U;
            text.push_back(static_cast<char>(group + 48U));
        }
    }
    return text;
}

/// The mask of a compressed string. Errors name the byte: a character that the form does not use, a string
/// that ends inside a number, a number too long, a negative count, runs beyond the mask, runs that fall
/// short of it. Counts are kept as they are written, empty inner runs too. O(string).
[[nodiscard]] inline result<rle> from_coco_string(std::string_view text, index height, index width) {
    const auto pixels = mask_pixels(height, width);
    if (!pixels) {
        return pixels.error();
    }
    constexpr int longest = 7; // 35 bits hold every difference of two counts
    rle mask{height, width, {}};
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t start = i;
        std::uint64_t bits = 0;
        int shift = 0;
        for (bool more = true; more;) {
            if (i == text.size()) {
                return error{"the string ends inside a number", "counts", i};
            }
            if (i - start == longest) {
                return error{"a number of more than seven characters", "counts", start};
            }
            const auto code = static_cast<unsigned char>(text[i]);
            if (code < 48 || code > 111) {
                return error{"the character with code " + std::to_string(code) +
                                 " does not occur in run lengths",
                             "counts", i};
            }
            const unsigned group = code - 48U;
            bits |= std::uint64_t{group & 0x1FU} << shift;
            shift += 5;
            more = (group & 0x20U) != 0;
            if (!more && (group & 0x10U) != 0) {
                bits |= ~std::uint64_t{0} << shift;
            }
            ++i;
        }
        auto count = static_cast<std::int64_t>(bits);
        if (const std::size_t n = mask.counts.size(); n > 2) {
            count += mask.counts[n - 2];
        }
        if (count < 0) {
            return error{"a run of " + std::to_string(count) + " pixels", "counts", start};
        }
        if (static_cast<std::uint64_t>(count) > *pixels - sum) {
            return error{"the runs go beyond the " + std::to_string(*pixels) + " pixels of the mask",
                         "counts", start};
        }
        sum += static_cast<std::uint64_t>(count);
        mask.counts.push_back(static_cast<std::uint32_t>(count));
    }
    if (sum != *pixels) {
        return error{"the runs cover " + std::to_string(sum) + " of " + std::to_string(*pixels) + " pixels",
                     "counts", text.size()};
    }
    return mask;
}

/// The mask of uncompressed counts of any integer type. Errors name the count: negative, beyond the mask, or
/// short of it. O(counts).
template <class Integer>
requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
    [[nodiscard]] result<rle> from_counts(std::span<const Integer> counts, index height, index width) {
    const auto pixels = mask_pixels(height, width);
    if (!pixels) {
        return pixels.error();
    }
    rle mask{height, width, {}};
    mask.counts.reserve(counts.size());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if constexpr (std::is_signed_v<Integer>) {
            if (counts[i] < 0) {
                return error{"a run of " + std::to_string(counts[i]) + " pixels", "counts", i};
            }
        }
        const auto count = static_cast<std::uint64_t>(counts[i]);
        if (count > *pixels - sum) {
            return error{"the runs go beyond the " + std::to_string(*pixels) + " pixels of the mask",
                         "counts", i};
        }
        sum += count;
        mask.counts.push_back(static_cast<std::uint32_t>(count));
    }
    if (sum != *pixels) {
        return error{"the runs cover " + std::to_string(sum) + " of " + std::to_string(*pixels) + " pixels",
                     "counts", counts.size()};
    }
    return mask;
}
[[nodiscard]] inline result<rle> from_counts(std::span<const std::uint32_t> counts, index height,
                                             index width) {
    return from_counts<std::uint32_t>(counts, height, width);
}

} // namespace ostend::inline OSTEND_KERNELS
