// Element types: two-byte f16 and bf16 storage, and to_float / from_float for every type that we read.
//
// The storage types do no arithmetic; kernels load them, widen to f32 and compute there.
// Conversions round to nearest, ties to even, keep NaN, infinities and subnormals (IEEE 754-2019, 5.4.2).
#pragma once

#include "ostend/core/config.hpp"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ostend::inline v0 {

using index = std::ptrdiff_t; ///< extents, strides and positions; signed, as strides may be negative

struct f16 {
    std::uint16_t bits = 0;
    friend bool operator==(f16, f16) = default; ///< equality of bits, not of values
};

struct bf16 {
    std::uint16_t bits = 0;
    friend bool operator==(bf16, bf16) = default; ///< equality of bits, not of values
};

/// Names of element types in files and messages.
/// q8_0 and q4_0 are ggml's blocks of 32 numbers (attention/key_source.hpp); they are never a tensor's
/// elements.
enum class element_type : std::uint8_t { f32, f64, f16, bf16, u8, i8, i16, i32, i64, boolean, q8_0, q4_0 };

template <class T>
concept float_element =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, f16> || std::same_as<T, bf16>;

template <class T>
concept element = float_element<T> || std::is_arithmetic_v<T>;

[[nodiscard]] constexpr float to_float(f16 h) noexcept {
    const std::uint32_t sign = std::uint32_t{h.bits & 0x8000U} << 16U;
    const std::uint32_t exponent = (h.bits >> 10U) & 0x1FU;
    const std::uint32_t mantissa = h.bits & 0x3FFU;
    if (exponent == 0) { // zero and subnormals: mantissa * 2^-24 is exact in f32
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t widened = exponent == 31 ? 0xFFU : exponent + (127 - 15);
    return std::bit_cast<float>(sign | (widened << 23U) | (mantissa << 13U));
}

[[nodiscard]] constexpr float to_float(bf16 b) noexcept {
    return std::bit_cast<float>(std::uint32_t{b.bits} << 16U);
}

template <class T>
requires std::is_arithmetic_v<T>
[[nodiscard]] constexpr float to_float(T value) noexcept { return static_cast<float>(value); }

[[nodiscard]] constexpr f16 to_f16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) {
        return {static_cast<std::uint16_t>(sign | 0x7E00U)};
    } // NaN
    if (magnitude >= 0x477FF000U) {
        return {static_cast<std::uint16_t>(sign | 0x7C00U)};
    }                              // rounds to infinity
    if (magnitude < 0x38800000U) { // subnormal: adding 0.5 aligns the mantissa and rounds it to even
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U))};
    }
    const std::uint32_t odd = (magnitude >> 13U) & 1U;
    const std::uint32_t rounded = magnitude - 0x38000000U + 0xFFFU + odd;
    return {static_cast<std::uint16_t>(sign | (rounded >> 13U))};
}

[[nodiscard]] constexpr bf16 to_bf16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return {static_cast<std::uint16_t>((bits >> 16U) | 0x40U)};
    }
    return {static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U)};
}

/// Rounds a float to T. Complexity O(1).
template <class T>
[[nodiscard]] constexpr T from_float(float value) noexcept {
    if constexpr (std::same_as<T, f16>) {
        return to_f16(value);
    } else if constexpr (std::same_as<T, bf16>) {
        return to_bf16(value);
    } else {
        return static_cast<T>(value);
    }
}

/// Reads an element that may be unaligned.
template <class T>
[[nodiscard]] inline T load(const T* address) noexcept {
    std::remove_const_t<T> value;
    std::memcpy(&value, static_cast<const void*>(address), sizeof(T));
    return value;
}

/// Writes an element that may be unaligned.
template <class T>
inline void store(T* address, T value) noexcept {
    std::memcpy(static_cast<void*>(address), &value, sizeof(T));
}

} // namespace ostend::inline v0
