// packed_bits: masks of one bit a pixel, in the orders in which numpy and others keep them.
//
// Eight by eight bits are turned in a register, so that a packed mask costs an eighth of the memory traffic
// of a mask of bytes; lines that begin inside a byte (a mask that was flattened before it was packed) are
// read from two.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/encode.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline v0 {

/// Which bit of a byte is the first pixel: numpy's bitorder "big" or "little".
enum class bit_order : std::uint8_t { highest_first, lowest_first };

/// Do the bits go along the rows (C order) or down the columns (Fortran order)?
enum class bit_lines : std::uint8_t { rows, columns };

/// How the bits of a mask lie. The default is np.packbits(mask, axis=1); np.packbits(mask) without an axis
/// has line_bits = width.
struct packed_layout {
    bit_order order = bit_order::highest_first;
    bit_lines lines = bit_lines::rows;
    index line_bits = 0; ///< from the first bit of a line to that of the next; 0: lines begin at whole bytes
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The bits of each byte in the other order.
[[nodiscard]] inline std::uint64_t reverse_bytes_bits(std::uint64_t v) {
    v = ((v >> 1U) & (every_byte * 0x55U)) | ((v & (every_byte * 0x55U)) << 1U);
    v = ((v >> 2U) & (every_byte * 0x33U)) | ((v & (every_byte * 0x33U)) << 2U);
    return ((v >> 4U) & (every_byte * 0x0FU)) | ((v & (every_byte * 0x0FU)) << 4U);
}

/// The layout with its line_bits, checked.
[[nodiscard]] inline packed_layout checked_layout(packed_layout layout, index height, index width,
                                                  const char* function) {
    const index line = layout.lines == bit_lines::rows ? width : height;
    if (layout.line_bits == 0) {
        layout.line_bits = (line + 7) / 8 * 8;
    }
    OSTEND_EXPECTS_ALWAYS(layout.line_bits >= line, std::string(function) + ": lines of " +
                                                        std::to_string(line) + " pixels in " +
                                                        std::to_string(layout.line_bits) + " bits");
    return layout;
}

[[nodiscard]] inline index packed_bytes(const packed_layout& layout, index height, index width) {
    const bool rows = layout.lines == bit_lines::rows;
    const index lines = rows ? height : width;
    return lines == 0 ? 0 : ((lines - 1) * layout.line_bits + (rows ? width : height) + 7) / 8;
}

/// Reads bits by their position, the first one lowest.
class bit_reader {
public:
    bit_reader(std::span<const std::uint8_t> bytes, bit_order order)
        : bytes_(bytes), reverse_(order == bit_order::highest_first) {}

    /// Up to eight bits; those beyond `count` are zero.
    [[nodiscard]] unsigned eight(index position, index count) const {
        const auto shift = static_cast<unsigned>(position % 8);
        unsigned v = byte(position / 8) >> shift;
        if (static_cast<index>(shift) + count > 8) {
            v |= byte(position / 8 + 1) << (8U - shift);
        }
        return v & (0xFFU >> static_cast<unsigned>(8 - count));
    }

private:
    [[nodiscard]] unsigned byte(index i) const {
        const unsigned v = bytes_[static_cast<std::size_t>(i)];
        return reverse_ ? static_cast<unsigned>(reverse_bytes_bits(v)) : v;
    }
    std::span<const std::uint8_t> bytes_;
    bool reverse_;
};

/// Eight rows (fewer at the lower edge) of columns [x0, x0 + columns).
inline void pack_bits(const bit_reader& bits, index first, index line_bits, index rows, index columns,
                      bit_strip::line& line) {
    line.fill(0);
    for (index x = 0; x < columns; x += 8) {
        std::uint64_t block = 0;
        for (index r = 0; r < rows; ++r) {
            block |= std::uint64_t{bits.eight(first + r * line_bits + x, std::min<index>(8, columns - x))}
                     << static_cast<unsigned>(8 * r);
        }
        store_eight(line.data() + x, transpose_8x8(block));
    }
}

} // namespace detail

/// Run lengths of a mask of bits. Complexity O(pixels / 8). Preconditions: as many bytes as the layout needs;
/// at most max_mask_pixels.
[[nodiscard]] inline rle encode_packed(std::span<const std::uint8_t> bytes, index height, index width,
                                       packed_layout layout = {}) {
    const auto pixels = mask_pixels(height, width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), "encode_packed: " + pixels.error().what);
    layout = detail::checked_layout(layout, height, width, "encode_packed");
    OSTEND_EXPECTS_ALWAYS(static_cast<index>(bytes.size()) >= detail::packed_bytes(layout, height, width),
                          "encode_packed: " + std::to_string(bytes.size()) + " bytes for a mask of " +
                              std::to_string(height) + " x " + std::to_string(width));
    detail::run_collector runs(*pixels);
    if (*pixels == 0) {
        return {height, width, runs.finish()};
    }
    const detail::bit_reader bits(bytes, layout.order);
    if (layout.lines == bit_lines::columns) {
        std::uint64_t before = 0;
        for (index x = 0; x < width; ++x) {
            for (index y = 0; y < height; y += 8) {
                const index rows = std::min<index>(8, height - y);
                const std::uint64_t now = bits.eight(x * layout.line_bits + y, rows);
                const std::uint64_t changes =
                    (now ^ ((now << 1U) | before)) & (0xFFU >> static_cast<unsigned>(8 - rows));
                before = (now >> static_cast<unsigned>(rows - 1)) & 1U;
                if (changes != 0) {
                    runs.add(changes, static_cast<std::uint64_t>(x * height + y));
                }
            }
        }
        return {height, width, runs.finish()};
    }
    detail::bit_strip strip(height, width);
    detail::strip_runs strips(runs);
    detail::bit_strip::line line;
    for (index x0 = 0; x0 < width; x0 += strip.columns()) {
        const index columns = std::min(strip.columns(), width - x0);
        for (index y = 0; y < height; y += 8) {
            detail::pack_bits(bits, y * layout.line_bits + x0, layout.line_bits,
                              std::min<index>(8, height - y), columns, line);
            strip.set_pixels(y / 8, line);
        }
        strips.add(strip, columns);
    }
    return {height, width, runs.finish()};
}

/// The mask as bits; bits between the lines are 0. Complexity O(pixels / 8). Precondition: the counts sum to
/// height * width (ask check() first when they come from outside).
[[nodiscard]] inline std::vector<std::uint8_t> decode_packed(const rle& mask, packed_layout layout = {}) {
    const status good = check(mask);
    OSTEND_EXPECTS_ALWAYS(good.has_value(), "decode_packed: " + good.error().message());
    layout = detail::checked_layout(layout, mask.height, mask.width, "decode_packed");
    std::vector<std::uint8_t> bytes(
        static_cast<std::size_t>(detail::packed_bytes(layout, mask.height, mask.width)));
    if (bytes.empty()) {
        return bytes;
    }
    const auto put = [&bytes](index position, unsigned eight) {
        const auto shift = static_cast<unsigned>(position % 8);
        std::uint8_t* to = bytes.data() + position / 8;
        to[0] = static_cast<std::uint8_t>(to[0] | (eight << shift));
        if ((eight << shift) > 0xFFU) {
            to[1] = static_cast<std::uint8_t>(to[1] | (eight >> (8U - shift)));
        }
    };
    if (layout.lines == bit_lines::columns) {
        detail::column_walk walk(mask);
        for (index x = 0; x < mask.width; ++x) {
            walk.next([&](index y, index end, bool inside) {
                for (; inside && y < end; y += 8) {
                    put(x * layout.line_bits + y,
                        0xFFU >> static_cast<unsigned>(8 - std::min<index>(8, end - y)));
                }
            });
        }
    } else {
        detail::bit_strip strip(mask.height, mask.width);
        detail::strip_filler filler(mask);
        detail::bit_strip::line line;
        for (index x0 = 0; x0 < mask.width; x0 += strip.columns()) {
            const index columns = std::min(strip.columns(), mask.width - x0);
            filler.fill(strip, columns);
            for (index y = 0; y < mask.height; y += 8) {
                strip.get_pixels(y / 8, line);
                for (index x = 0; x < columns; x += 8) {
                    const std::uint64_t block = detail::transpose_8x8(detail::load_eight(line.data() + x));
                    const unsigned valid =
                        0xFFU >> static_cast<unsigned>(8 - std::min<index>(8, columns - x));
                    for (index r = 0; r < std::min<index>(8, mask.height - y); ++r) {
                        put((y + r) * layout.line_bits + x0 + x,
                            static_cast<unsigned>(block >> static_cast<unsigned>(8 * r)) & valid);
                    }
                }
            }
        }
    }
    if (layout.order == bit_order::highest_first) {
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(detail::reverse_bytes_bits(byte));
        }
    }
    return bytes;
}

} // namespace ostend::inline OSTEND_KERNELS
