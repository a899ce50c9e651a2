// key_codec: how the numbers of one key's head vector lie in memory, and one of them read.
//
// Floats lie a stride apart. q8_0 and q4_0 are ggml's blocks of 32 numbers, without gaps: an f16 scale, then
// 32 signed bytes (34 bytes a block), or 16 bytes (18 a block) whose low nibbles are numbers 0 to 15 and
// whose high nibbles are 16 to 31, 8 above their value. A number is scale * integer.
#pragma once

#include "ostend/core/element.hpp"

#include <cstddef>
#include <cstdint>

namespace ostend::inline v0 {

constexpr index quantised_block = 32; ///< numbers of one block of q8_0 and q4_0

[[nodiscard]] constexpr bool is_quantised(element_type codec) {
    return codec == element_type::q8_0 || codec == element_type::q4_0;
}
/// What keys can be read as: f32, f64, f16, bf16, q8_0, q4_0.
[[nodiscard]] constexpr bool is_key_codec(element_type codec) {
    return codec == element_type::f32 || codec == element_type::f64 || codec == element_type::f16 ||
           codec == element_type::bf16 || is_quantised(codec);
}

/// Bytes of one number. Precondition: codec is a float type.
[[nodiscard]] constexpr index bytes_of_codec(element_type codec) {
    return codec == element_type::f32 ? 4 : codec == element_type::f64 ? 8 : 2;
}
/// Bytes of count numbers without gaps. Precondition: quantised: count is a multiple of 32.
[[nodiscard]] constexpr index bytes_of_codec(element_type codec, index count) {
    return codec == element_type::q8_0   ? count / quantised_block * 34
           : codec == element_type::q4_0 ? count / quantised_block * 18
                                         : count * bytes_of_codec(codec);
}

/// One key's head vector in memory.
struct key_address {
    const std::byte* data = nullptr;
    index element_stride = 0; ///< bytes from one number to the next; not used by quantised codecs
    element_type codec = element_type::f32;

    /// Number x as f32 (f64 is rounded). Unchecked. The data may be unaligned.
    [[nodiscard]] float load(index x) const noexcept {
        const std::byte* const number = data + x * element_stride;
        switch (codec) {
        case element_type::f64:
            return static_cast<float>(ostend::load(reinterpret_cast<const double*>(number)));
        case element_type::f16:
            return to_float(ostend::load(reinterpret_cast<const f16*>(number)));
        case element_type::bf16:
            return to_float(ostend::load(reinterpret_cast<const bf16*>(number)));
        case element_type::q8_0:
        case element_type::q4_0:
            return load_quantised(x);
        default:
            return ostend::load(reinterpret_cast<const float*>(number));
        }
    }

private:
    [[nodiscard]] float load_quantised(index x) const noexcept {
        const std::byte* const block = data + bytes_of_codec(codec, x / quantised_block * quantised_block);
        const float scale = to_float(ostend::load(reinterpret_cast<const f16*>(block)));
        const std::byte* const numbers = block + sizeof(f16);
        const index i = x % quantised_block;
        if (codec == element_type::q8_0) {
            return scale * static_cast<float>(static_cast<std::int8_t>(numbers[i]));
        }
        const auto pair = std::to_integer<int>(numbers[i % 16]);
        return scale * static_cast<float>((i < 16 ? pair & 15 : pair >> 4) - 8);
    }
};

} // namespace ostend::inline v0
