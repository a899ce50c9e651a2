// qk_tile: 64 rows of queries times 64 keys on tensor cores, out of a block's shared memory.
//
// A warp multiplies its 16 rows with the tile's keys, 16 rows x 8 keys x 16 elements an instruction (mma.sync
// m16n8k16, compute capability 8.0). That instruction and cp.async are all of this folder that a host cannot
// run: there a lane computes its own sums by plain loops over the same memory, with the same fragment_row and
// fragment_key. Both were compiled by nvcc 13.0 and have not been run on a device yet.
#pragma once

#include "ostend/cuda/device_view.hpp"

#include <cstdint>
#include <cstring>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr int tile_rows = 64;
constexpr int tile_keys = 64;
constexpr int tile_threads = 128;
constexpr int tile_columns = tile_keys / 8; ///< blocks of 8 keys

/// 64 vectors of up to D elements of two bytes, two a word, the first in the low half. Four words more part
/// neighbouring vectors by four banks, so that the lanes of a fragment read 32 different ones.
template <int D>
struct vector_tile {
    alignas(16) std::uint32_t words[tile_rows][D / 2 + 4];
};

/// Sums of a lane: element i of a block of 16 rows x 8 keys. (PTX ISA, "Matrix fragments for mma.m16n8k16".)
OSTEND_DEVICE int fragment_row(int lane, int i) { return lane / 4 + 8 * (i / 2); }
OSTEND_DEVICE int fragment_key(int lane, int i) { return lane % 4 * 2 + i % 2; }

/// A lane's part of 16 rows x 16 elements of queries, from word `at` on.
template <int D>
OSTEND_DEVICE void load_queries(const vector_tile<D>& q, int row, int at, int lane, std::uint32_t (&a)[4]) {
    a[0] = q.words[row + lane / 4][at + lane % 4];
    a[1] = q.words[row + lane / 4 + 8][at + lane % 4];
    a[2] = q.words[row + lane / 4][at + lane % 4 + 4];
    a[3] = q.words[row + lane / 4 + 8][at + lane % 4 + 4];
}
/// A lane's part of 8 keys x 16 elements.
template <int D>
OSTEND_DEVICE void load_keys(const vector_tile<D>& k, int key, int at, int lane, std::uint32_t (&b)[2]) {
    b[0] = k.words[key + lane / 4][at + lane % 4];
    b[1] = k.words[key + lane / 4][at + lane % 4 + 4];
}

/// sums += queries x keys of one block, f32 sums. On the host nothing.
template <class T>
OSTEND_DEVICE void multiply_block([[maybe_unused]] float (&sums)[4],
                                  [[maybe_unused]] const std::uint32_t (&a)[4],
                                  [[maybe_unused]] const std::uint32_t (&b)[2]) {
    if constexpr (std::is_same_v<T, f16>) {
        OSTEND_ON_DEVICE(asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                                      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                                      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                                      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1])),
                         static_cast<void>(0));
    } else {
        OSTEND_ON_DEVICE(asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                                      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                                      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                                      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1])),
                         static_cast<void>(0));
    }
}

/// What the tensor cores are asked for: 16 rows from `row` on times all keys of the tile, over so many words
/// (a multiple of 8). All lanes of a warp together.
template <class T, int D>
OSTEND_DEVICE void multiply_on_device(const vector_tile<D>& q, const vector_tile<D>& k, int row, int words,
                                      int lane, float (&dots)[tile_columns][4]) {
    for (int at = 0; at < words; at += 8) {
        std::uint32_t a[4];
        load_queries(q, row, at, lane, a);
        OSTEND_UNROLL
        for (int n = 0; n < tile_columns; ++n) {
            std::uint32_t b[2];
            load_keys(k, 8 * n, at, lane, b);
            multiply_block<T>(dots[n], a, b);
        }
    }
}

template <class T>
OSTEND_DEVICE float half_of(std::uint32_t word, int half) {
    return widen(T{static_cast<std::uint16_t>(half == 0 ? word & 0xFFFFU : word >> 16U)});
}

/// The same sums of one lane, by plain loops: the stand-in on the host.
template <class T, int D>
OSTEND_DEVICE void multiply_on_host(const vector_tile<D>& q, const vector_tile<D>& k, int row, int words,
                                    int lane, float (&dots)[tile_columns][4]) {
    OSTEND_UNROLL
    for (int n = 0; n < tile_columns; ++n) {
        OSTEND_UNROLL
        for (int i = 0; i < 4; ++i) {
            const std::uint32_t* const of_q = q.words[row + fragment_row(lane, i)];
            const std::uint32_t* const of_k = k.words[8 * n + fragment_key(lane, i)];
            for (int at = 0; at < words; ++at) {
                dots[n][i] += half_of<T>(of_q[at], 0) * half_of<T>(of_k[at], 0);
                dots[n][i] += half_of<T>(of_q[at], 1) * half_of<T>(of_k[at], 1);
            }
        }
    }
}

/// dots = the products of the lane's rows and keys.
template <class T, int D>
OSTEND_DEVICE void multiply_tile(const vector_tile<D>& q, const vector_tile<D>& k, int row, int words,
                                 int lane, float (&dots)[tile_columns][4]) {
    OSTEND_UNROLL
    for (int n = 0; n < tile_columns; ++n) {
        OSTEND_UNROLL
        for (int i = 0; i < 4; ++i) {
            dots[n][i] = 0;
        }
    }
    OSTEND_ON_DEVICE(__syncwarp(), static_cast<void>(0)); // the instruction wants the whole warp together
    OSTEND_ON_DEVICE((multiply_on_device<T>(q, k, row, words, lane, dots)),
                     (multiply_on_host<T>(q, k, row, words, lane, dots)));
}

/// Begins a copy of 16 bytes of device memory to shared memory, both aligned to 16.
OSTEND_DEVICE void copy_16_bytes(std::uint32_t* to, const void* from) {
    OSTEND_ON_DEVICE(asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                                      static_cast<unsigned>(__cvta_generic_to_shared(to))),
                                  "l"(from)
                                  : "memory"),
                     std::memcpy(to, from, 16));
}
/// Waits for the copies that this thread began.
OSTEND_DEVICE void wait_for_copies() {
    OSTEND_ON_DEVICE(asm volatile("cp.async.wait_all;" ::: "memory"), static_cast<void>(0));
}

/// Elements [8 piece, 8 piece + 8) of a vector of d elements: into its place in a tile, zeros after the d-th.
/// Without a vector every word is `fill`.
template <class T, int D>
OSTEND_DEVICE void fetch_piece(vector_tile<D>& to, int row, int piece, const T* vector, int d, bool aligned,
                               std::uint32_t fill) {
    std::uint32_t* const words = to.words[row] + 4 * piece;
    if (vector != nullptr && aligned && 8 * piece + 8 <= d) {
        copy_16_bytes(words, vector + 8 * piece);
        return;
    }
    OSTEND_UNROLL
    for (int w = 0; w < 4; ++w) {
        const int element = 8 * piece + 2 * w;
        std::uint32_t word = fill;
        if (vector != nullptr) {
            word = element < d ? vector[element].bits : 0U;
            word |= element + 1 < d ? std::uint32_t{vector[element + 1].bits} << 16U : 0U;
        }
        words[w] = word;
    }
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
