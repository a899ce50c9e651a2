// bit_block: 64 x 64 pixels as bits, turned from rows to columns and back; lines of bits that begin anywhere.
//
// What goes from rows of bits to run lengths, or back, is where a column *changes*: each row against the one
// above it, sixty-four columns by one operation. Most blocks have no change and are never turned.
#pragma once

#include "ostend/mask/bit_strip.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

using bit_block = std::array<std::uint64_t, 64>;

/// Changes the high `Shift` bits of a group of the first word with the low ones of a word `Step` after it.
template <unsigned Shift, std::size_t Step>
inline void exchange_bits(bit_block& w, std::uint64_t low) {
    for (std::size_t first = 0; first < w.size(); first += 2 * Step) {
        for (std::size_t i = first; i < first + Step; ++i) {
            const std::uint64_t t = ((w[i] >> Shift) ^ w[i + Step]) & low;
            w[i + Step] ^= t;
            w[i] ^= t << Shift;
        }
    }
}
/// Word 8 i + k becomes word 8 k + i.
[[nodiscard]] inline bit_block turn_words(const bit_block& w) {
    bit_block out;
    for (std::size_t i = 0; i < 8; ++i) {
        for (std::size_t k = 0; k < 8; ++k) {
            out[8 * k + i] = w[8 * i + k];
        }
    }
    return out;
}
/// Bit c of word r moves to bit r of word c. Words that meet are always eight or more apart, so that eight at
/// a time are one plain loop, which compilers vectorise.
inline void transpose_block(bit_block& block) {
    bit_block w = block;
    exchange_bits<32, 32>(w, 0x00000000FFFFFFFFULL);
    exchange_bits<16, 16>(w, 0x0000FFFF0000FFFFULL);
    exchange_bits<8, 8>(w, 0x00FF00FF00FF00FFULL);
    w = turn_words(w);
    exchange_bits<4, 32>(w, 0x0F0F0F0F0F0F0F0FULL);
    exchange_bits<2, 16>(w, 0x3333333333333333ULL);
    exchange_bits<1, 8>(w, 0x5555555555555555ULL);
    block = turn_words(w);
}

[[nodiscard]] inline std::uint64_t reverse_bytes(std::uint64_t v) {
    v = ((v >> 8U) & 0x00FF00FF00FF00FFULL) | ((v & 0x00FF00FF00FF00FFULL) << 8U);
    v = ((v >> 16U) & 0x0000FFFF0000FFFFULL) | ((v & 0x0000FFFF0000FFFFULL) << 16U);
    return (v >> 32U) | (v << 32U);
}
/// The bits of each byte in the other order.
[[nodiscard]] inline std::uint64_t reverse_bits_of_bytes(std::uint64_t v) {
    v = ((v >> 1U) & 0x5555555555555555ULL) | ((v & 0x5555555555555555ULL) << 1U);
    v = ((v >> 2U) & 0x3333333333333333ULL) | ((v & 0x3333333333333333ULL) << 2U);
    return ((v >> 4U) & 0x0F0F0F0F0F0F0F0FULL) | ((v & 0x0F0F0F0F0F0F0F0FULL) << 4U);
}

/// Bytes as one line of bits, read and set up to sixty-four at a time, at any position. A word keeps the
/// order of bits that the bytes have: lines that begin at bytes are one load a word.
template <class Byte>
class bit_line {
public:
    bit_line(std::span<Byte> bytes, bool highest_first) : bytes_(bytes), highest_first_(highest_first) {}

    /// Pixel i of a word is bit i ^ mirror().
    [[nodiscard]] std::size_t mirror() const { return highest_first_ ? 7 : 0; }
    /// The word with its first pixel lowest.
    [[nodiscard]] std::uint64_t lowest_first(std::uint64_t word) const {
        return highest_first_ ? reverse_bits_of_bytes(word) : word;
    }
    /// The word of which the first `count` pixels, 1 to 64, are inside.
    [[nodiscard]] std::uint64_t ones(index count) const {
        return lowest_first(~std::uint64_t{0} >> static_cast<unsigned>(64 - count));
    }
    /// Sixty-four pixels, of which only those that the bytes have mean something.
    [[nodiscard]] std::uint64_t get(index position) const {
        const auto shift = static_cast<unsigned>(position) % 8U;
        const std::size_t at = static_cast<std::size_t>(position) / 8;
        if (shift == 0 && at + 8 <= bytes_.size()) {
            return load_eight(bytes_.data() + at);
        }
        std::array<std::uint8_t, 9> nine{};
        std::copy_n(bytes_.data() + at, std::min(nine.size(), bytes_.size() - at), nine.begin());
        const std::uint64_t eight = load_eight(nine.data());
        return highest_first_
                   ? reverse_bytes((reverse_bytes(eight) << shift) | (std::uint64_t{nine[8]} >> (8U - shift)))
                   : (eight >> shift) | ((std::uint64_t{nine[8]} << 1U) << (63U - shift));
    }
    /// Adds the pixels of a word that are inside.
    void put(index position, std::uint64_t word) {
        const auto shift = static_cast<unsigned>(position) % 8U;
        const std::size_t at = static_cast<std::size_t>(position) / 8;
        if (shift == 0 && at + 8 <= bytes_.size()) {
            store_eight(bytes_.data() + at, load_eight(bytes_.data() + at) | word);
            return;
        }
        std::array<std::uint8_t, 9> nine;
        const std::uint64_t first = reverse_bytes(word);
        store_eight(nine.data(), highest_first_ ? reverse_bytes(first >> shift) : word << shift);
        nine[8] =
            static_cast<std::uint8_t>(highest_first_ ? first << (8U - shift) : (word >> 1U) >> (63U - shift));
        for (std::size_t i = 0; i < std::min(nine.size(), bytes_.size() - at); ++i) {
            bytes_[at + i] = static_cast<std::uint8_t>(bytes_[at + i] | nine[i]);
        }
    }

private:
    std::span<Byte> bytes_;
    bool highest_first_;
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
