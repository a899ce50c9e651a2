// kernels_portable: the kernels in compiler vectors of the width that the program is compiled for.
//
// GCC and clang share the syntax. 4 lanes (SSE2, NEON), 8 (AVX2) or 16 (AVX-512); the only kernels where the
// processor is no x86-64.
#pragma once

#include "ostend/attention/kernel_table.hpp"

#define OSTEND_TARGET

namespace ostend::inline OSTEND_KERNELS {
namespace detail {
using v0::detail::attention_kernels;
}
namespace detail::portable {

using namespace v0::detail;

constexpr index baseline_lanes = 4;
constexpr index neon_lanes = 4;
constexpr index avx2_lanes = 8;
constexpr index avx512_lanes = 16;
constexpr index lanes = OSTEND_JOIN(OSTEND_ISA, lanes);
constexpr int tile_keys = 4; // 8 accumulators of 16 registers

using f32_lanes = float __attribute__((vector_size(lanes * 4)));
using i32_lanes = std::int32_t __attribute__((vector_size(lanes * 4)));
using u32_lanes = std::uint32_t __attribute__((vector_size(lanes * 4)));
using u16_lanes = std::uint16_t __attribute__((vector_size(lanes * 2)));
using i8_lanes = std::int8_t __attribute__((vector_size(lanes)));
using f32_half = float __attribute__((vector_size(lanes * 2)));
using f64_lanes = double __attribute__((vector_size(lanes * 4)));
using f32_four = float __attribute__((vector_size(16)));

inline f32_lanes load_lanes(const void* from) {
    f32_lanes v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
inline i32_lanes load_ints(const void* from) {
    i32_lanes v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
inline void store_lanes(float* to, f32_lanes v) { __builtin_memcpy(to, &v, sizeof v); }
inline f32_lanes splat(float x) { return f32_lanes{} + x; }

inline f32_lanes fma_lanes(f32_lanes a, f32_lanes b, f32_lanes c) { return a * b + c; }
inline float fma_one(float a, float b, float c) { return (splat(a) * b + c)[0]; }
/// a where it is larger, b where it is not or a is NaN.
inline f32_lanes max_lanes(f32_lanes a, f32_lanes b) { return a > b ? a : b; }
inline f32_lanes min_lanes(f32_lanes a, f32_lanes b) { return a < b ? a : b; }

/// e^x within 2 ulp for -87.3 <= x <= 88; 0 below, e^88 above, NaN for NaN. The polynomial is Cephes' expf.
inline f32_lanes exp_lanes(f32_lanes x) {
    constexpr float lowest = -87.33654F;
    const f32_lanes y = x < lowest ? splat(lowest) : (x > 88.0F ? splat(88.0F) : x);
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    const f32_lanes shifted = y * 1.44269504F + 12582912.0F;
    const f32_lanes n = shifted - 12582912.0F;
    const f32_lanes r = (y - n * 0.693359375F) + n * 2.12194440e-4F;
    f32_lanes p = splat(1.9875691500e-4F);
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * (r * r) + r + 1.0F;
    const u32_lanes power = (reinterpret_cast<u32_lanes>(shifted) - 0x4B400000U + 127U) << 23U;
    return x < lowest ? splat(0.0F) : p * reinterpret_cast<f32_lanes>(power);
}

inline f32_lanes load_bf16_lanes(const std::byte* from) {
    u16_lanes bits;
    __builtin_memcpy(&bits, from, sizeof bits);
    return reinterpret_cast<f32_lanes>(__builtin_convertvector(bits, u32_lanes) << 16U);
}

inline f32_lanes load_f16_lanes(const std::byte* from) {
    u16_lanes narrow;
    __builtin_memcpy(&narrow, from, sizeof narrow);
    const u32_lanes bits = __builtin_convertvector(narrow, u32_lanes);
    // Shifting leaves the exponent 112 too small, for subnormals too; the product puts it right.
    const f32_lanes value = reinterpret_cast<f32_lanes>((bits & 0x7FFFU) << 13U) * 0x1p112F;
    const u32_lanes special = reinterpret_cast<u32_lanes>((bits & 0x7C00U) == 0x7C00U) & 0x7F800000U;
    return reinterpret_cast<f32_lanes>(reinterpret_cast<u32_lanes>(value) | special |
                                       ((bits & 0x8000U) << 16U));
}

inline f32_lanes load_i8_lanes(const std::int8_t* from) {
    i8_lanes v;
    __builtin_memcpy(&v, from, sizeof v);
    return __builtin_convertvector(v, f32_lanes);
}

/// The sums of the lanes of four vectors, in one order for any d.
inline f32_four sum_each(f32_lanes a, f32_lanes b, f32_lanes c, f32_lanes d) {
    const auto fold = [](f32_lanes v) {
        f32_four parts[lanes / 4];
        __builtin_memcpy(parts, &v, sizeof v);
        for (index i = 1; i < lanes / 4; ++i) {
            parts[0] += parts[i];
        }
        return parts[0];
    };
    const f32_four fa = fold(a), fb = fold(b), fc = fold(c), fd = fold(d);
    const f32_four ab =
        __builtin_shufflevector(fa, fb, 0, 4, 1, 5) + __builtin_shufflevector(fa, fb, 2, 6, 3, 7);
    const f32_four cd =
        __builtin_shufflevector(fc, fd, 0, 4, 1, 5) + __builtin_shufflevector(fc, fd, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

#include "ostend/attention/kernel_text.inc"

} // namespace detail::portable
} // namespace ostend::inline OSTEND_KERNELS

#undef OSTEND_TARGET
