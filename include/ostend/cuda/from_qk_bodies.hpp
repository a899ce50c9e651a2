// from_qk_bodies: the kernels of reduce_qk's second pass on a stream (cuda/from_qk.hpp).
//
// A block keeps 64 rows times 64 image tokens in registers and goes over the sets of its share, fetching the
// next one's vectors meanwhile; then the shares are added up, in order.
#pragma once

#include "ostend/cuda/device_keys.hpp"
#include "ostend/cuda/kernel_qk.hpp"
#include "ostend/cuda/one_phase.hpp"

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// partial[share][query][image token]: the weighted rows of the sets of one share.
template <class T, int D>
struct qk_rows_body {
    static constexpr int threads = tile_threads;
    struct shared {
        vector_tile<D> q[2];
        vector_tile<D> k[2];
        std::int32_t keys[tile_keys]; ///< of the tile's image tokens; -1: none
    };
    struct own {
        float sums[tile_columns][4];
    };

    kernel_qk<T> qk = {};
    kernel_keys image = {};
    index image_tokens = 0;
    device_tensor<const float, 1> weights = {};
    device_tensor<const float, 2> log_sums = {};
    float* partial = nullptr;

    OSTEND_DEVICE int sets_a_share() const {
        return (qk.tiling.sets + qk.tiling.shares - 1) / qk.tiling.shares;
    }
    OSTEND_DEVICE int phases() const { return sets_a_share() + 3; }

    OSTEND_DEVICE void run(int phase, const thread_place& at, shared& s, own& o) const {
        const int row_tile = static_cast<int>(at.x) / qk.tiling.image_tiles;
        const index first_token = index{tile_keys} * (static_cast<int>(at.x) % qk.tiling.image_tiles);
        const int first_set = static_cast<int>(at.y) * sets_a_share();
        const int sets = sets_a_share();
        const int end = qk.tiling.sets - first_set < sets ? qk.tiling.sets - first_set : sets;
        if (phase == 0) {
            OSTEND_UNROLL
            for (int n = 0; n < tile_columns; ++n) {
                OSTEND_UNROLL
                for (int i = 0; i < 4; ++i) {
                    o.sums[n][i] = 0;
                }
            }
            if (at.thread < tile_keys) {
                s.keys[at.thread] = static_cast<std::int32_t>(key_of(first_token + at.thread));
            }
            fetch(s, 0, row_tile, first_set, end, first_token, at.thread);
        } else if (phase <= sets) {
            const int i = phase - 1;
            fetch(s, i + 1, row_tile, first_set, end, first_token, at.thread);
            if (i < end && qk.has_weight(first_set + i, weights)) {
                add_set(s, i, row_tile, first_set + i, first_token, at.thread, o);
            }
        } else if (phase == sets + 1) {
            OSTEND_UNROLL
            for (int n = 0; n < tile_columns; ++n) {
                OSTEND_UNROLL
                for (int i = 0; i < 4; ++i) {
                    const int row = at.thread / 32 * 16 + fragment_row(at.thread % 32, i);
                    s.k[0].words[row][8 * n + fragment_key(at.thread % 32, i)] = float_to_bits(o.sums[n][i]);
                }
            }
        } else {
            write(s, row_tile, first_token, at);
        }
        wait_for_copies();
    }

    OSTEND_DEVICE index key_of(index token) const { return token < image_tokens ? image.key(token) : -1; }
    /// The i-th set of the share, if it has one that counts.
    OSTEND_DEVICE void fetch(shared& s, int i, int row_tile, int first_set, int end, index first_token,
                             int thread) const {
        if (i < end && qk.has_weight(first_set + i, weights)) {
            qk.fetch_queries(s.q[i % 2], row_tile, first_set + i, thread);
            qk.fetch_keys(s.k[i % 2], first_set + i, thread,
                          [this, first_token](int t) { return key_of(first_token + t); });
        }
    }
    OSTEND_DEVICE void add_set(const shared& s, int i, int row_tile, int set, index first_token, int thread,
                               own& o) const {
        const int lane = thread % 32;
        const int first_row = thread / 32 * 16;
        float dots[tile_columns][4];
        multiply_tile<T>(s.q[i % 2], s.k[i % 2], first_row, qk.words(), lane, dots);
        OSTEND_UNROLL
        for (int half = 0; half < 2; ++half) {
            const tile_row row = qk.row(row_tile, set, first_row + fragment_row(lane, 2 * half));
            const float weight = row.used ? *weights.at(row.head) : 0.0F;
            if (weight == 0) {
                continue;
            }
            const float log_sum = *log_sums.at(row.query, row.head);
            const int limit = qk.limit(row.query);
            OSTEND_UNROLL
            for (int n = 0; n < tile_columns; ++n) {
                OSTEND_UNROLL
                for (int j = 0; j < 2; ++j) {
                    const int column = 8 * n + fragment_key(lane, j);
                    const int key = s.keys[column];
                    if (key >= 0) {
                        const float score = qk.score(dots[n][2 * half + j], row.query, key, limit);
                        o.sums[n][2 * half + j] += weight * exponential(score - log_sum);
                    } else if (first_token + column < image_tokens) {
                        o.sums[n][2 * half + j] = not_a_number();
                    }
                }
            }
        }
    }
    /// The rows of a query, which the sums of its heads are, become one.
    OSTEND_DEVICE void write(const shared& s, int row_tile, index first_token, const thread_place& at) const {
        for (int i = at.thread; i < qk.tiling.queries_a_tile * tile_keys; i += threads) {
            const index query = index{row_tile} * qk.tiling.queries_a_tile + i / tile_keys;
            const int column = i % tile_keys;
            if (query < qk.queries && first_token + column < image_tokens) {
                float sum = 0;
                for (int h = 0; h < qk.tiling.heads_a_set; ++h) {
                    const int row = i / tile_keys * qk.tiling.heads_a_set + h;
                    sum += bits_to_float(s.k[0].words[row][column]);
                }
                partial[(at.y * qk.queries + query) * image_tokens + first_token + column] = sum;
            }
        }
    }
};

/// Adds the shares, in order, to out.
struct add_shares_body : one_phase {
    const float* partial = nullptr;
    index shares = 0;
    index queries = 0;
    index image_tokens = 0;
    device_tensor<float, 2> out = {};

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [query, token] = place(at, image_tokens);
        if (token >= image_tokens) {
            return;
        }
        float sum = 0;
        for (index share = 0; share < shares; ++share) {
            sum += partial[(share * queries + query) * image_tokens + token];
        }
        *out.at(query, token) += sum;
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
