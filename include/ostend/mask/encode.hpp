// encode, decode: dense masks to run lengths and back, for rows or columns first, strided or flipped views.
//
// Pixels go through blocks of bits (mask/bit_columns.hpp); views whose bytes lie neither along rows nor
// along columns are read one by one. Workspace is 8 bytes a row of the mask; the runs are the only other
// memory.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bit_columns.hpp"
#include "ostend/mask/bitmap.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Columns [x0, x0 + columns) of a view of bytes into bits.
template <class Byte>
void pack_columns(const tensor_view<const Byte, 2>& mask, index x0, index columns, bit_columns& bits) {
    const index height = mask.extent(0);
    const auto bit = [&](index y, index x) { return mask.load(y, x) != Byte{} ? 1U : 0U; };
    if (mask.stride(0) == 1) { // bytes lie down the columns
        for (index c = 0; c < columns; ++c) {
            const Byte* from = mask.data() + (x0 + c) * mask.stride(1);
            std::uint8_t* to = bits.column(c);
            for (index y = 0; y < height; y += 8) {
                std::uint64_t byte = 0;
                if (y + 8 <= height) {
                    byte = bits_of_bytes(load_eight(from + y));
                } else {
                    for (index i = 0; y + i < height; ++i) {
                        byte |= std::uint64_t{bit(y + i, x0 + c)} << static_cast<unsigned>(i);
                    }
                }
                to[y / 8] = static_cast<std::uint8_t>(byte);
            }
        }
        return;
    }
    const bool along_rows = mask.stride(1) == 1;
    for (index y = 0; y < height; y += 8) {
        const index rows = std::min<index>(8, height - y);
        for (index c = 0; c < columns; c += 8) {
            const index wide = std::min<index>(8, columns - c);
            std::uint64_t block = 0;
            for (index r = 0; r < rows; ++r) {
                std::uint64_t row = 0;
                if (along_rows && wide == 8) {
                    row = bits_of_bytes(load_eight(mask.data() + (y + r) * mask.stride(0) + (x0 + c)));
                } else {
                    for (index i = 0; i < wide; ++i) {
                        row |= std::uint64_t{bit(y + r, x0 + c + i)} << static_cast<unsigned>(i);
                    }
                }
                block |= row << static_cast<unsigned>(8 * r);
            }
            block = transpose_8x8(block);
            for (index i = 0; i < wide; ++i) {
                bits.column(c + i)[y / 8] =
                    static_cast<std::uint8_t>((block >> static_cast<unsigned>(8 * i)) & 0xFFU);
            }
        }
    }
}

template <class Byte>
[[nodiscard]] rle encode_bytes(const tensor_view<const Byte, 2>& mask) {
    static_assert(sizeof(Byte) == 1);
    const index height = mask.extent(0);
    const index width = mask.extent(1);
    const auto pixels = mask_pixels(height, width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), "encode: " + pixels.error().what);
    rle out{height, width, {}};
    bit_columns bits(*pixels == 0 ? 0 : height);
    std::uint64_t start = 0; // of the run that is open
    std::uint64_t last = 0;  // the bit before
    for (index x0 = 0; x0 < width && height > 0; x0 += bit_block_columns) {
        const index columns = std::min(bit_block_columns, width - x0);
        pack_columns(mask, x0, columns, bits);
        for (index c = 0; c < columns; ++c) {
            const std::uint64_t column =
                static_cast<std::uint64_t>(x0 + c) * static_cast<std::uint64_t>(height);
            for (index y = 0; y < height; y += 64) {
                const index rows = std::min<index>(64, height - y);
                const std::uint64_t word = bits.word(c, y / 64);
                std::uint64_t change = word ^ ((word << 1U) | last);
                if (rows < 64) {
                    change &= (std::uint64_t{1} << static_cast<unsigned>(rows)) - 1;
                }
                last = (word >> static_cast<unsigned>(rows - 1)) & 1U;
                for (; change != 0; change &= change - 1) {
                    const std::uint64_t at = column + static_cast<std::uint64_t>(y) +
                                             static_cast<std::uint64_t>(std::countr_zero(change));
                    out.counts.push_back(static_cast<std::uint32_t>(at - start));
                    start = at;
                }
            }
        }
    }
    out.counts.push_back(static_cast<std::uint32_t>(*pixels - start));
    return out;
}

} // namespace detail

/// Run lengths of a mask [height, width]; any value but 0 is inside. Equal to pycocotools' encode for masks
/// of 0 and 1. Complexity O(pixels). Precondition: at most max_mask_pixels.
[[nodiscard]] inline rle encode(const tensor_view<const std::uint8_t, 2>& mask) {
    return detail::encode_bytes(mask);
}
[[nodiscard]] inline rle encode(const tensor_view<const bool, 2>& mask) { return detail::encode_bytes(mask); }
[[nodiscard]] inline rle encode(const bitmap& mask) { return detail::encode_bytes(mask.view()); }

/// Writes 0 and 1 into a view [height, width] with any strides. Preconditions: equal sizes; the counts sum
/// to height * width (ask check() first when they come from outside). O(pixels).
inline void decode(const rle& mask, const tensor_view<std::uint8_t, 2>& out) {
    OSTEND_EXPECTS_ALWAYS(out.extent(0) == mask.height && out.extent(1) == mask.width,
                          "decode: a mask of " + std::to_string(mask.height) + " x " +
                              std::to_string(mask.width) + " into a view of " +
                              std::to_string(out.extent(0)) + " x " + std::to_string(out.extent(1)));
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), "decode: " + good.error().message());
    if (out.empty()) {
        return;
    }
    const index height = mask.height;
    detail::bit_columns bits(height);
    std::size_t next = 0;   // the count that comes after the open one
    std::uint64_t left = 0; // pixels left of the open count
    for (index x0 = 0; x0 < mask.width; x0 += detail::bit_block_columns) {
        const index columns = std::min(detail::bit_block_columns, mask.width - x0);
        bits.clear();
        for (index c = 0; c < columns; ++c) {
            for (index y = 0; y < height;) {
                while (left == 0) { // the counts cover all pixels: checked above
                    left = mask.counts[next++];
                }
                const index last =
                    y +
                    static_cast<index>(std::min<std::uint64_t>(left, static_cast<std::uint64_t>(height - y)));
                if (next % 2 == 0) {
                    bits.set(c, y, last);
                }
                left -= static_cast<std::uint64_t>(last - y);
                y = last;
            }
        }
        for (index y = 0; y < height; y += 8) {
            for (index c = 0; c < columns; c += 8) {
                const index wide = std::min<index>(8, columns - c);
                std::uint64_t block = 0;
                for (index i = 0; i < wide; ++i) {
                    block |= std::uint64_t{bits.column(c + i)[y / 8]} << static_cast<unsigned>(8 * i);
                }
                block = detail::transpose_8x8(block);
                for (index r = 0; r < std::min<index>(8, height - y); ++r) {
                    const std::uint64_t row =
                        detail::bytes_of_bits((block >> static_cast<unsigned>(8 * r)) & 0xFFU);
                    std::uint8_t* to = out.data() + (y + r) * out.stride(0) + (x0 + c) * out.stride(1);
                    if (out.stride(1) == 1 && wide == 8) {
                        detail::store_eight(to, row);
                    } else {
                        for (index i = 0; i < wide; ++i) {
                            to[i * out.stride(1)] =
                                static_cast<std::uint8_t>((row >> static_cast<unsigned>(8 * i)) & 1U);
                        }
                    }
                }
            }
        }
    }
}

/// The dense mask. Allocates height * width bytes, so ask for the size first when it comes from outside.
[[nodiscard]] inline bitmap decode(const rle& mask) {
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), "decode: " + good.error().message());
    bitmap out(mask.height, mask.width);
    decode(mask, out.view());
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
