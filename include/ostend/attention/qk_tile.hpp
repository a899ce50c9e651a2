// qk_tile: f32 scores of a few rows of queries against up to 64 keys, and the keys widened for it.
//
// Two forms, chosen by how many rows share a key/value head. Many: queries lie transposed, a vector holds
// rows, each key element is broadcast; nothing is summed across lanes and keys need no transposition. Few:
// a vector holds elements of one head vector, and lanes are summed at the end. Both take keys four at a time.
#pragma once

#include "ostend/attention/key_source.hpp"
#include "ostend/attention/qk_block.hpp"
#include "ostend/attention/qk_lanes.hpp"

#include <cstdint>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr index keys_per_block = 64;

/// Widens one head vector of d elements.
inline void decode_key(const key_address& key, index d, float* out) {
    const bool packed = key.element_stride == bytes_of_codec(key.codec);
    index x = 0;
    if (packed && key.codec == element_type::f32) {
        std::memcpy(out, key.data, static_cast<std::size_t>(d) * sizeof(float));
        return;
    }
    if (packed && key.codec == element_type::f16) {
        for (; x + lanes <= d; x += lanes) {
            store_lanes(out + x, load_f16_lanes(key.data + 2 * x));
        }
    } else if (packed && key.codec == element_type::bf16) {
        for (; x + lanes <= d; x += lanes) {
            store_lanes(out + x, load_bf16_lanes(key.data + 2 * x));
        }
    }
    for (; x < d; ++x) {
        out[x] = load_element(key.data + x * key.element_stride, key.codec);
    }
}

/// True when a kernel may read the key where it lies.
inline bool readable_in_place(const key_address& key, index d) {
    return key.codec == element_type::f32 && key.element_stride == 4 && d % lanes == 0 &&
           reinterpret_cast<std::uintptr_t>(key.data) % alignof(float) == 0;
}

/// scores[j * stride + r] = q[.][r] . keys[j], for rows rows (a multiple of lanes) of q [d, rows] and count
/// keys (a multiple of 4).
inline void score_many_rows(const float* const* keys, index count, const float* q, index d, index rows,
                            float* scores, index stride) {
    for (index j = 0; j < count; j += 4) {
        const float *k0 = keys[j], *k1 = keys[j + 1], *k2 = keys[j + 2], *k3 = keys[j + 3];
        float* out = scores + j * stride;
        index r = 0;
        for (; r + 2 * lanes <= rows; r += 2 * lanes) {
            f32_lanes a0{}, a1{}, a2{}, a3{}, b0{}, b1{}, b2{}, b3{};
            const float* column = q + r;
            for (index x = 0; x < d; ++x, column += rows) {
                const f32_lanes qa = load_lanes(column), qb = load_lanes(column + lanes);
                a0 += qa * k0[x], b0 += qb * k0[x];
                a1 += qa * k1[x], b1 += qb * k1[x];
                a2 += qa * k2[x], b2 += qb * k2[x];
                a3 += qa * k3[x], b3 += qb * k3[x];
            }
            store_lanes(out + r, a0), store_lanes(out + r + lanes, b0);
            store_lanes(out + stride + r, a1), store_lanes(out + stride + r + lanes, b1);
            store_lanes(out + 2 * stride + r, a2), store_lanes(out + 2 * stride + r + lanes, b2);
            store_lanes(out + 3 * stride + r, a3), store_lanes(out + 3 * stride + r + lanes, b3);
        }
        for (; r < rows; r += lanes) {
            f32_lanes a0{}, a1{}, a2{}, a3{};
            const float* column = q + r;
            for (index x = 0; x < d; ++x, column += rows) {
                const f32_lanes qa = load_lanes(column);
                a0 += qa * k0[x], a1 += qa * k1[x], a2 += qa * k2[x], a3 += qa * k3[x];
            }
            store_lanes(out + r, a0), store_lanes(out + stride + r, a1);
            store_lanes(out + 2 * stride + r, a2), store_lanes(out + 3 * stride + r, a3);
        }
    }
}

/// scores[j * stride + r] = q[r] . keys[j] for few rows of q [rows, d], d a multiple of lanes.
inline void score_few_rows(const float* const* keys, index count, const float* q, index d, index rows,
                           float* scores, index stride) {
    for (index j = 0; j < count; j += 4) {
        const float *k0 = keys[j], *k1 = keys[j + 1], *k2 = keys[j + 2], *k3 = keys[j + 3];
        for (index r = 0; r < rows; ++r) {
            f32_lanes a0{}, a1{}, a2{}, a3{};
            for (index x = 0; x < d; x += lanes) {
                const f32_lanes v = load_lanes(q + r * d + x);
                a0 += v * load_lanes(k0 + x), a1 += v * load_lanes(k1 + x);
                a2 += v * load_lanes(k2 + x), a3 += v * load_lanes(k3 + x);
            }
            const f32_four sums = sum_each(a0, a1, a2, a3);
            for (index i = 0; i < 4; ++i) {
                scores[(j + i) * stride + r] = sums[i];
            }
        }
    }
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
