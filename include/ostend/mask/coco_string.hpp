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

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// One number of the string, at most `longest_number` characters; the place behind it.
[[nodiscard]] inline char* write_coco_number(char* to, std::int64_t x) {
    for (bool more = true; more;) {
        auto group = static_cast<unsigned>(x & 0x1F);
        x >>= 5; // keeps the sign
        more = (group & 0x10U) != 0 ? x != -1 : x != 0;
        group |= more ? 0x20U : 0U;
        *to++ = static_cast<char>(group + 48U);
    }
    return to;
}

inline constexpr std::size_t longest_number = 7; // 35 bits hold every difference of two counts
inline constexpr std::size_t coco_block = 32;    // numbers tried at once: noise has few long ones

/// A block of counts, the first not among the first three of a mask, as one character each; false if one
/// needs more, or counts are so large that a difference might not fit 32 bits.
[[nodiscard]] inline bool write_coco_block(const std::uint32_t* counts, char* to) {
    std::array<char, coco_block> text;
    std::uint32_t other = 0;
    for (std::size_t i = 0; i < coco_block; ++i) {
        const std::uint32_t shifted = counts[i] - counts[static_cast<std::ptrdiff_t>(i) - 2] + 16U;
        other |= (shifted >> 5U) | ((counts[i] | counts[static_cast<std::ptrdiff_t>(i) - 2]) >> 31U);
        text[i] = static_cast<char>(((shifted + 16U) & 0x1FU) + 48U);
    }
    std::memcpy(to, text.data(), coco_block);
    return other == 0;
}

/// The way back: a block of characters into counts, after two that are there. False, with counts that mean
/// nothing, if a number has more characters or a count is negative or beyond `left`; otherwise `left` is less
/// by the block.
[[nodiscard]] inline bool read_coco_block(const char* text, std::uint32_t* counts, std::uint64_t& left) {
    std::array<std::int32_t, coco_block> values;
    std::uint32_t other = (counts[-2] | counts[-1]) >> 31U; // no sum of a block may overflow
    for (std::size_t i = 0; i < coco_block; ++i) {
        const std::uint32_t group = static_cast<unsigned char>(text[i]) - 48U;
        other |= group & ~0x1FU;
        values[i] = static_cast<std::int32_t>(group ^ 0x10U) - 0x10; // five bits with their sign
    }
    if (other != 0) {
        return false;
    }
    auto before = static_cast<std::int32_t>(counts[-2]);
    auto last = static_cast<std::int32_t>(counts[-1]);
    for (std::size_t i = 0; i < coco_block; i += 2) {
        values[i] = before += values[i];
        values[i + 1] = last += values[i + 1];
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < coco_block; ++i) {
        counts[i] = static_cast<std::uint32_t>(values[i]);
        other |= counts[i] >> 31U; // negative
        sum += counts[i];
    }
    if (other != 0 || sum > left) {
        return false;
    }
    left -= sum;
    return true;
}

} // namespace detail

/// The compressed string, equal to pycocotools' for equal counts. O(counts); allocates the string.
[[nodiscard]] inline std::string to_coco_string(const rle& mask) {
    std::string text;
    text.reserve(mask.counts.size() + mask.counts.size() / 4);
    std::array<char, 512> waiting;
    char* const full = waiting.data() + waiting.size() - std::max(detail::longest_number, detail::coco_block);
    std::size_t tried = 0; // no block before this count
    char* to = waiting.data();
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        if (to > full) {
            text.append(waiting.data(), to);
            to = waiting.data();
        }
        if (i > 2 && i >= tried && i + detail::coco_block <= mask.counts.size()) {
            if (detail::write_coco_block(mask.counts.data() + i, to)) {
                to += detail::coco_block;
                i += detail::coco_block - 1;
                continue;
            }
            tried = i + detail::coco_block;
        }
        std::int64_t x = mask.counts[i];
        if (i > 2) {
            x -= mask.counts[i - 2];
        }
        to = detail::write_coco_number(to, x);
    }
    return text.append(waiting.data(), to);
}

/// The mask of a compressed string. Errors name the byte: a character that the form does not use, a string
/// that ends inside a number, a number too long, a negative count, runs beyond the mask, runs that fall
/// short of it. Counts are kept as they are written, empty inner runs too. O(string).
[[nodiscard]] inline result<rle> from_coco_string(std::string_view text, index height, index width) {
    const auto pixels = mask_pixels(height, width);
    if (!pixels) {
        return pixels.error();
    }
    std::vector<std::uint32_t> counts(text.size());
    std::size_t n = 0;
    std::uint64_t left = *pixels;
    std::size_t tried = 0; // no block before this character
    for (std::size_t i = 0; i < text.size();) {
        if (n > 2 && i >= tried && i + detail::coco_block <= text.size()) {
            if (detail::read_coco_block(text.data() + i, counts.data() + n, left)) {
                i += detail::coco_block;
                n += detail::coco_block;
                continue;
            }
            tried = i + detail::coco_block;
        }
        const std::size_t start = i;
        std::int64_t count = 0;
        for (unsigned shift = 0;; shift += 5) {
            if (i == text.size()) {
                return error{"the string ends inside a number", "counts", i};
            }
            if (i - start == detail::longest_number) {
                return error{"a number of more than seven characters", "counts", start};
            }
            const unsigned group = static_cast<unsigned char>(text[i]) - 48U;
            if (group > 63) {
                return error{"the character with code " + std::to_string(group + 48U) +
                                 " does not occur in run lengths",
                             "counts", i};
            }
            ++i;
            const unsigned sign = group & 0x10U; // of the number, when this is its last group
            if (group < 0x20U) {
                count += (static_cast<std::int64_t>(group) - 2 * static_cast<std::int64_t>(sign)) *
                         (std::int64_t{1} << shift);
                break;
            }
            count |= static_cast<std::int64_t>(group & 0x1FU) << shift;
        }
        if (n > 2) {
            count += counts[n - 2];
        }
        if (count < 0) {
            return error{"a run of " + std::to_string(count) + " pixels", "counts", start};
        }
        if (static_cast<std::uint64_t>(count) > left) {
            return error{"the runs go beyond the " + std::to_string(*pixels) + " pixels of the mask",
                         "counts", start};
        }
        left -= static_cast<std::uint64_t>(count);
        counts[n++] = static_cast<std::uint32_t>(count);
    }
    if (left != 0) {
        return error{"the runs cover " + std::to_string(*pixels - left) + " of " + std::to_string(*pixels) +
                         " pixels",
                     "counts", text.size()};
    }
    counts.resize(n);
    if (counts.capacity() > n + n / 4) {
        counts.shrink_to_fit();
    }
    return rle{height, width, std::move(counts)};
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
