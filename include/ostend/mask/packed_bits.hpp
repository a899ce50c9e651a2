// packed_bits: masks of one bit a pixel, in the orders in which numpy and others keep them.
//
// Blocks of 64 x 64 bits are turned where something changes in them (mask/bit_block.hpp), so that a packed
// mask costs less than one of bytes; lines may begin inside a byte (a mask that was flattened before it was
// packed).
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bit_block.hpp"
#include "ostend/mask/change_walk.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/column_walk.hpp"
#include "ostend/mask/rle.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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

/// Hands bits in rows to a run_collector, 256 columns after the other: a line of the cache is read twice.
class packed_rows_reader {
public:
    static constexpr index most_columns = 256;

    packed_rows_reader(const bit_line<const std::uint8_t>& bits, index line_bits, index height,
                       run_collector& runs)
        : bits_(bits), line_bits_(line_bits), height_(height), runs_(runs) {}

    void add(index x0, index columns) {
        for (changed_blocks& group : groups_) {
            group.blocks.clear();
            group.rows.clear();
            group.last = 0;
        }
        for (index y = 0; y < height_; y += 64) {
            for (index x = 0; x < columns; x += 64) {
                read(groups_[static_cast<std::size_t>(x / 64)], x0 + x, std::min<index>(64, columns - x), y);
            }
        }
        for (index x = 0; x < columns; x += 64) {
            write(groups_[static_cast<std::size_t>(x / 64)], std::min<index>(64, columns - x));
        }
    }

private:
    /// Where up to 64 columns change, in blocks of 64 rows: those with a change, and the first one.
    struct changed_blocks {
        std::vector<bit_block> blocks = {};
        std::vector<std::uint64_t> rows = {}; ///< the first one of each
        std::uint64_t last = 0;               ///< the row of pixels above the next block
    };

    void read(changed_blocks& to, index x, index columns, index y) {
        const auto rows = static_cast<std::size_t>(std::min<index>(64, height_ - y));
        const std::uint64_t valid = bits_.ones(columns);
        bit_block block;
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(rows), block.end(), 0);
        std::uint64_t any = 0;
        std::uint64_t last = to.last;
        index position = y * line_bits_ + x;
        for (std::size_t r = 0; r < rows; ++r, position += line_bits_) {
            const std::uint64_t now = bits_.get(position) & valid;
            block[r] = now ^ last;
            any |= now ^ last;
            last = now;
        }
        to.last = last;
        if (any != 0 || y == 0) {
            transpose_block(block);
            to.blocks.push_back(block);
            to.rows.push_back(static_cast<std::uint64_t>(y));
        }
    }
    void write(changed_blocks& from, index columns) {
        const std::uint64_t last = bits_.lowest_first(from.last);
        for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
            const std::size_t at = c ^ bits_.mirror();
            from.blocks[0][at] ^= inside_; // runs go on over the end of a column
            inside_ = (last >> c) & 1U;
            for (std::size_t i = 0; i < from.blocks.size(); ++i) {
                runs_.add(from.blocks[i][at], column_ + from.rows[i]);
            }
            column_ += static_cast<std::uint64_t>(height_);
        }
    }

    bit_line<const std::uint8_t> bits_;
    index line_bits_;
    index height_;
    run_collector& runs_;
    std::uint64_t column_ = 0; ///< the number of the column's first pixel
    std::uint64_t inside_ = 0; ///< is the pixel before inside?
    std::array<changed_blocks, most_columns / 64> groups_ = {};
};

/// Bits down the columns.
inline void add_packed_columns(const bit_line<const std::uint8_t>& bits, index line_bits, index height,
                               index width, run_collector& runs) {
    std::uint64_t before = 0;
    for (index x = 0; x < width; ++x) {
        for (index y = 0; y < height; y += 64) {
            const index rows = std::min<index>(64, height - y);
            const std::uint64_t word = bits.get(x * line_bits + y) & bits.ones(rows);
            if (word != (before != 0 ? bits.ones(rows) : 0)) {
                const std::uint64_t now = bits.lowest_first(word);
                const std::uint64_t changes = now ^ ((now << 1U) | before);
                runs.add(changes & (~std::uint64_t{0} >> static_cast<unsigned>(64 - rows)),
                         static_cast<std::uint64_t>(x * height + y));
                before = (now >> static_cast<unsigned>(rows - 1)) & 1U;
            }
        }
    }
}

/// Sets bits [first, end).
inline void set_packed_bits(std::span<std::uint8_t> bytes, index first, index end, bool highest_first) {
    const auto a = static_cast<std::size_t>(first / 8);
    const auto b = static_cast<std::size_t>((end - 1) / 8);
    const auto before = static_cast<unsigned>(first % 8);         // bits of the first byte
    const auto behind = static_cast<unsigned>(7 - (end - 1) % 8); // and of the last
    const unsigned head = highest_first ? 0xFFU >> before : 0xFFU << before;
    const unsigned tail = highest_first ? 0xFFU << behind : 0xFFU >> behind;
    const auto set = [&bytes](std::size_t i, unsigned bits) {
        bytes[i] = static_cast<std::uint8_t>(bytes[i] | bits);
    };
    if (a == b) {
        set(a, head & tail);
        return;
    }
    set(a, head);
    std::memset(bytes.data() + a + 1, 0xFF, b - a - 1);
    set(b, tail);
}

/// Writes a mask as bits in rows, sixty-four columns after the other.
class packed_rows_writer {
public:
    packed_rows_writer(const rle& mask, const bit_line<std::uint8_t>& bits, index line_bits)
        : bits_(bits), line_bits_(line_bits), height_(mask.height), changes_(mask),
          blocks_(static_cast<std::size_t>((height_ + 63) / 64)), any_(blocks_.size()) {}

    void write(index x0, index columns) {
        std::fill(blocks_.begin(), blocks_.end(), bit_block{});
        std::fill(any_.begin(), any_.end(), 0);
        for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
            changes_.next([&](std::size_t word, std::uint64_t bits) {
                blocks_[word][c ^ bits_.mirror()] = bits;
                any_[word] |= bits;
            });
        }
        std::uint64_t now = 0;
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            if (any_[i] != 0) {
                transpose_block(blocks_[i]);
            }
            const index y = static_cast<index>(64 * i);
            for (index r = 0; r < std::min<index>(64, height_ - y); ++r) {
                now ^= blocks_[i][static_cast<std::size_t>(r)];
                if (now != 0) {
                    bits_.put((y + r) * line_bits_ + x0, now);
                }
            }
        }
    }

private:
    bit_line<std::uint8_t> bits_;
    index line_bits_;
    index height_;
    change_walk changes_;
    std::vector<bit_block> blocks_;  ///< the changes of 64 rows by these columns
    std::vector<std::uint64_t> any_; ///< of each block
};

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
    const detail::bit_line<const std::uint8_t> bits(bytes, layout.order == bit_order::highest_first);
    if (layout.lines == bit_lines::columns) {
        detail::add_packed_columns(bits, layout.line_bits, height, width, runs);
        return {height, width, runs.finish()};
    }
    detail::packed_rows_reader rows(bits, layout.line_bits, height, runs);
    for (index x0 = 0; x0 < width; x0 += rows.most_columns) {
        rows.add(x0, std::min(rows.most_columns, width - x0));
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
    const bool highest_first = layout.order == bit_order::highest_first;
    if (layout.lines == bit_lines::columns) {
        detail::column_walk walk(mask);
        for (index x = 0; x < mask.width; ++x) {
            walk.next([&](index y, index end, bool inside) {
                if (inside) {
                    const index first = x * layout.line_bits;
                    detail::set_packed_bits(bytes, first + y, first + end, highest_first);
                }
            });
        }
        return bytes;
    }
    detail::packed_rows_writer rows(mask, {bytes, highest_first}, layout.line_bits);
    for (index x0 = 0; x0 < mask.width; x0 += 64) {
        rows.write(x0, std::min<index>(64, mask.width - x0));
    }
    return bytes;
}

} // namespace ostend::inline OSTEND_KERNELS
