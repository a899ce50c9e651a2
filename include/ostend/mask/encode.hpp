// encode, decode: dense masks to run lengths and back, for rows or columns first, strided or flipped views.
//
// Rows go through strips of bits (mask/bit_strip.hpp), columns are read as they lie; workspace is at most 40
// bytes a row of the mask, and the runs are the only other memory.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bit_strip.hpp"
#include "ostend/mask/bitmap.hpp"
#include "ostend/mask/change_walk.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/column_walk.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/mask/runs.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Bytes that lie one after the other in the order of pixels; `before` is the byte before the first.
template <class Byte>
void encode_line(const Byte* from, index n, std::uint64_t position, Byte& before, run_collector& runs) {
    const auto bit = [](Byte v) { return std::uint64_t{v != Byte{}}; };
    index i = 0;
    for (; i + 64 <= n; i += 64) {
        std::array<std::uint64_t, 8> eights;
        std::memcpy(eights.data(), from + i, 64);
        std::uint64_t differs = 0;
        for (const std::uint64_t eight : eights) {
            differs |= eight ^ (every_byte * static_cast<std::uint8_t>(before));
        }
        if (differs != 0) {
            std::uint64_t word = 0;
            for (std::size_t k = 0; k < 8; ++k) {
                word |= bits_of_bytes(load_eight(&eights[k])) << (8 * k);
            }
            runs.add(word ^ ((word << 1U) | bit(before)), position + static_cast<std::uint64_t>(i));
            before = from[i + 63];
        }
    }
    std::uint64_t changes = 0;
    for (index k = 0; i + k < n; ++k) {
        changes |= (bit(from[i + k]) ^ bit(before)) << static_cast<unsigned>(k);
        before = from[i + k];
    }
    runs.add(changes, position + static_cast<std::uint64_t>(i));
}

/// Bit r of each column of a line from row r. One plain loop, which compilers vectorise.
template <class Byte>
void pack_rows(const std::array<const Byte*, 8>& rows, std::size_t n, bit_strip::line& to) {
    const auto [a, b, c, d, e, f, g, h] = rows;
    bit_strip::line line{};
    const auto bit = [](Byte v, unsigned value) { return v != Byte{} ? value : 0U; };
    for (std::size_t x = 0; x < n; ++x) {
        line[x] = static_cast<std::uint8_t>(bit(a[x], 1) | bit(b[x], 2) | bit(c[x], 4) | bit(d[x], 8) |
                                            bit(e[x], 16) | bit(f[x], 32) | bit(g[x], 64) | bit(h[x], 128));
    }
    to = line;
}

/// The way back: 1 where the bit is set.
inline void unpack_row(const bit_strip::line& from, std::size_t n, std::uint8_t bit, std::uint8_t* to) {
    for (std::size_t x = 0; x < n; ++x) {
        to[x] = (from[x] & bit) != 0 ? 1 : 0;
    }
}

template <class Byte>
[[nodiscard]] rle encode_bytes(const tensor_view<const Byte, 2>& mask) {
    static_assert(sizeof(Byte) == 1);
    const index height = mask.extent(0);
    const index width = mask.extent(1);
    const auto pixels = mask_pixels(height, width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), "encode: " + pixels.error().what);
    run_collector runs(*pixels);
    if (*pixels == 0) {
        return {height, width, runs.finish()};
    }
    if (mask.stride(0) == 1) { // bytes lie down the columns
        Byte before{};
        for (index x = 0; x < width; ++x) {
            encode_line(mask.data() + x * mask.stride(1), height, static_cast<std::uint64_t>(x * height),
                        before, runs);
        }
        return {height, width, runs.finish()};
    }
    bit_strip strip(height, width);
    strip_runs strips(runs);
    std::array<std::array<Byte, bit_strip::most_columns>, 8> gathered;
    for (index x0 = 0; x0 < width; x0 += strip.columns()) {
        const index columns = std::min(strip.columns(), width - x0);
        for (index y = 0; y < height; y += 8) {
            const index rows = std::min<index>(8, height - y);
            std::array<const Byte*, 8> row{};
            for (index r = 0; r < 8; ++r) { // rows beyond the height repeat the last one and are ignored
                row[static_cast<std::size_t>(r)] =
                    mask.data() + (y + std::min(r, rows - 1)) * mask.stride(0) + x0 * mask.stride(1);
            }
            if (mask.stride(1) != 1) {
                for (std::size_t r = 0; r < 8; ++r) {
                    for (index x = 0; x < columns; ++x) {
                        gathered[r][static_cast<std::size_t>(x)] = row[r][x * mask.stride(1)];
                    }
                    row[r] = gathered[r].data();
                }
            }
            bit_strip::line line;
            pack_rows(row, static_cast<std::size_t>(columns), line);
            strip.set_pixels(y / 8, line);
        }
        strips.add(strip, columns);
    }
    return {height, width, runs.finish()};
}

/// Fills bytes; short fills may write up to 16 bytes, none of them at or after `end`.
inline void fill_bytes(std::uint8_t* to, index n, std::uint8_t value, const std::uint8_t* end) {
    if (n <= 16 && end - to >= 16) {
        store_eight(to, every_byte * value);
        store_eight(to + 8, every_byte * value);
    } else {
        std::memset(to, value, static_cast<std::size_t>(n));
    }
}

/// Fills strips from the left. The counts must cover all pixels, of which there are some.
class strip_filler {
public:
    explicit strip_filler(const rle& mask)
        : changes_(mask), words_(static_cast<std::size_t>((mask.height + 63) / 64)) {}

    void fill(bit_strip& strip, index columns) {
        strip.clear();
        for (index x = 0; x < columns; x += 8) {
            std::fill(words_.begin(), words_.end(), std::array<std::uint64_t, 8>{});
            for (std::size_t c = 0; c < static_cast<std::size_t>(std::min<index>(8, columns - x)); ++c) {
                changes_.next([this, c](std::size_t word, std::uint64_t bits) { words_[word][c] = bits; });
            }
            for (std::size_t i = 0; i < words_.size(); ++i) {
                std::uint64_t any = 0;
                for (const std::uint64_t word : words_[i]) {
                    any |= word;
                }
                if (any != 0) {
                    strip.set_words(static_cast<index>(8 * i), x, words_[i]);
                }
            }
        }
    }

private:
    change_walk changes_;
    std::vector<std::array<std::uint64_t, 8>> words_; ///< the changes of 64 rows of eight columns
};

inline void decode_checked(const rle& mask, const tensor_view<std::uint8_t, 2>& out) {
    if (out.empty()) {
        return;
    }
    if (out.stride(0) == 1) { // bytes lie down the columns
        column_walk walk(mask);
        for (index x = 0; x < mask.width; ++x) {
            std::uint8_t* column = out.data() + x * out.stride(1);
            walk.next([&](index y, index end, bool inside) {
                fill_bytes(column + y, end - y, inside ? 1 : 0, column + mask.height);
            });
        }
        return;
    }
    bit_strip strip(mask.height, mask.width);
    strip_filler filler(mask);
    for (index x0 = 0; x0 < mask.width; x0 += strip.columns()) {
        const index columns = std::min(strip.columns(), mask.width - x0);
        filler.fill(strip, columns);
        for (index y = 0; y < mask.height; y += 8) {
            bit_strip::line line;
            strip.get_pixels(y / 8, line);
            for (index r = 0; r < std::min<index>(8, mask.height - y); ++r) {
                std::uint8_t* row = out.data() + (y + r) * out.stride(0) + x0 * out.stride(1);
                const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(r));
                if (out.stride(1) == 1) {
                    unpack_row(line, static_cast<std::size_t>(columns), bit, row);
                } else {
                    for (index x = 0; x < columns; ++x) {
                        row[x * out.stride(1)] = (line[static_cast<std::size_t>(x)] & bit) != 0 ? 1 : 0;
                    }
                }
            }
        }
    }
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
    detail::decode_checked(mask, out);
}

/// The dense mask. Allocates height * width bytes, so ask for the size first when it comes from outside.
[[nodiscard]] inline bitmap decode(const rle& mask) {
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), "decode: " + good.error().message());
    bitmap out(mask.height, mask.width);
    detail::decode_checked(mask, out.view());
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
