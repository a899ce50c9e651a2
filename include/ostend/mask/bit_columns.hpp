// bit_columns: sixty-four columns of a dense mask as bits, eight rows a byte, the way between pixels and
// runs.
//
// Run lengths go down the columns while pixels usually lie along the rows. Blocks of 8 x 8 pixels are turned
// in a register, so both orders cost about the same; runs then come out of 64 rows at a time. Portable C++:
// only the byte order is asked for.
#pragma once

#include "ostend/core/element.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

inline constexpr std::uint64_t every_byte = 0x0101010101010101ULL;
inline constexpr index bit_block_columns = 64;

/// Eight bytes, the first one lowest.
[[nodiscard]] inline std::uint64_t load_eight(const void* from) {
    std::uint64_t v = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&v, from, 8);
    } else {
        std::array<std::uint8_t, 8> bytes{};
        std::memcpy(bytes.data(), from, 8);
        for (std::size_t i = 8; i-- > 0;) {
            v = (v << 8U) | bytes[i];
        }
    }
    return v;
}
inline void store_eight(void* to, std::uint64_t v) {
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(to, &v, 8);
    } else {
        std::array<std::uint8_t, 8> bytes{};
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(v & 0xFFU);
            v >>= 8U;
        }
        std::memcpy(to, bytes.data(), 8);
    }
}

/// Bit i is set when byte i is not zero.
[[nodiscard]] inline std::uint64_t bits_of_bytes(std::uint64_t v) {
    const std::uint64_t ones = ((((v & (every_byte * 0x7FU)) + every_byte * 0x7FU) | v) >> 7U) & every_byte;
    return (ones * 0x0102040810204080ULL) >> 56U;
}
/// Byte i is 1 when bit i is set.
[[nodiscard]] inline std::uint64_t bytes_of_bits(std::uint64_t bits) {
    const std::uint64_t spread = (bits * every_byte) & 0x8040201008040201ULL;
    return ((spread + every_byte * 0x7FU) >> 7U) & every_byte;
}
/// Bit (8 r + c) moves to (8 c + r): three rounds of swaps (Warren, Hacker's Delight, 7-3).
[[nodiscard]] inline std::uint64_t transpose_8x8(std::uint64_t x) {
    std::uint64_t t = (x ^ (x >> 7U)) & 0x00AA00AA00AA00AAULL;
    x ^= t ^ (t << 7U);
    t = (x ^ (x >> 14U)) & 0x0000CCCC0000CCCCULL;
    x ^= t ^ (t << 14U);
    t = (x ^ (x >> 28U)) & 0x00000000F0F0F0F0ULL;
    return x ^ t ^ (t << 28U);
}

/// Up to 64 columns of `height` bits; row y of a column is bit y % 8 of byte y / 8.
class bit_columns {
public:
    explicit bit_columns(index height)
        : stride_((height + 63) / 64 * 8), bytes_(static_cast<std::size_t>(stride_ * bit_block_columns)) {}
    [[nodiscard]] std::uint8_t* column(index c) { return bytes_.data() + c * stride_; }
    [[nodiscard]] std::uint64_t word(index c, index w) const {
        return load_eight(bytes_.data() + c * stride_ + w * 8);
    }
    void clear() { bytes_.assign(bytes_.size(), 0); }
    /// Sets rows [first, last) of column c.
    void set(index c, index first, index last) {
        std::uint8_t* bytes = column(c);
        const index a = first / 8;
        const index b = (last - 1) / 8;
        const auto head = static_cast<std::uint8_t>(0xFFU << static_cast<unsigned>(first % 8));
        const auto tail = static_cast<std::uint8_t>(0xFFU >> static_cast<unsigned>(7 - (last - 1) % 8));
        if (a == b) {
            bytes[a] = static_cast<std::uint8_t>(bytes[a] | (head & tail));
            return;
        }
        bytes[a] = static_cast<std::uint8_t>(bytes[a] | head);
        std::memset(bytes + a + 1, 0xFF, static_cast<std::size_t>(b - a - 1));
        bytes[b] = static_cast<std::uint8_t>(bytes[b] | tail);
    }

private:
    index stride_; ///< bytes a column, a multiple of 8
    std::vector<std::uint8_t> bytes_;
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
