// log_sum_exp_bodies: the kernels of log_sum_exp on a stream (cuda/log_sum_exp.hpp).
//
// The keys are shared out to blocks, which keep, for each row, the highest score and the sum of
// exp(score - highest); the next tile's keys are on their way while one is worked on.
#pragma once

#include "ostend/cuda/kernel_qk.hpp"
#include "ostend/cuda/one_phase.hpp"

#include <cmath>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A sum of exponentials as highest and sum of exp(x - highest). NaN stays NaN; nothing added: -inf and 0.
struct exponential_sum {
    float highest = 0;
    float sum = 0;

    OSTEND_DEVICE void clear() {
        highest = -infinity();
        sum = 0;
    }
    /// What exponents are taken against: a row that has seen nothing must not make NaN of inf - inf.
    OSTEND_DEVICE float base() const { return highest == -infinity() ? 0.0F : highest; }
    OSTEND_DEVICE void raise(float to) {
        const float before = highest;
        highest = to > highest ? to : highest;
        sum *= exponential(before - base());
    }
    OSTEND_DEVICE void join(const exponential_sum& other) {
        raise(other.highest);
        sum += other.sum * exponential(other.highest - base());
    }
};

/// partial[split][query][head]: the sum over the keys of one split.
template <class T, int D>
struct qk_sums_body {
    static constexpr int threads = tile_threads;
    struct shared {
        vector_tile<D> q;
        vector_tile<D> k[2];
        float highest[tile_rows][4];
        float sum[tile_rows][4];
    };
    struct own {
        exponential_sum sums[2]; ///< of the rows fragment_row(lane, 0) and (lane, 2), a lane's keys
        int tiles = 0;           ///< of this split, with keys that a query of the tile sees
    };

    kernel_qk<T> qk = {};
    index heads = 0;
    int tiles_a_split = 1; ///< at least 1
    device_tensor<const float, 1> weights =
        {}; ///< [heads], where has_weights: sets without weight are left out
    bool has_weights = false;
    exponential_sum* partial = nullptr;

    OSTEND_DEVICE int phases() const { return tiles_a_split + 2; }

    OSTEND_DEVICE void run(int phase, const thread_place& at, shared& s, own& o) const {
        const int row_tile = static_cast<int>(at.x) / qk.tiling.sets;
        const int set = static_cast<int>(at.x) % qk.tiling.sets;
        const index first = at.y * tiles_a_split;
        if (phase == 0) {
            o.sums[0].clear();
            o.sums[1].clear();
            const index end = blocks_for(qk.limit_of_tile(row_tile), tile_keys);
            const index left = end - first;
            const bool wanted = !has_weights || qk.has_weight(set, weights);
            o.tiles = !wanted || left < 0 ? 0 : static_cast<int>(left < tiles_a_split ? left : tiles_a_split);
            if (o.tiles > 0) {
                qk.fetch_queries(s.q, row_tile, set, at.thread);
                fetch(s.k[0], first, set, at.thread);
            }
        } else if (phase <= tiles_a_split) {
            const int i = phase - 1;
            if (i + 1 < o.tiles) {
                fetch(s.k[(i + 1) % 2], first + i + 1, set, at.thread);
            }
            if (i < o.tiles) {
                add_tile(s.q, s.k[i % 2], row_tile, set, static_cast<int>(first + i) * tile_keys, at.thread,
                         o);
            }
            if (phase == tiles_a_split) {
                OSTEND_UNROLL
                for (int half = 0; half < 2; ++half) {
                    const int row = at.thread / 32 * 16 + fragment_row(at.thread % 32, 2 * half);
                    s.highest[row][at.thread % 4] = o.sums[half].highest;
                    s.sum[row][at.thread % 4] = o.sums[half].sum;
                }
            }
        } else if (at.thread < tile_rows) {
            const tile_row row = qk.row(row_tile, set, at.thread);
            if (row.used) {
                exponential_sum sum{s.highest[at.thread][0], s.sum[at.thread][0]};
                for (int lane = 1; lane < 4; ++lane) {
                    sum.join({s.highest[at.thread][lane], s.sum[at.thread][lane]});
                }
                partial[(at.y * qk.queries + row.query) * heads + row.head] = sum;
            }
        }
        wait_for_copies();
    }

    OSTEND_DEVICE void fetch(vector_tile<D>& to, index tile, int set, int thread) const {
        const index first = tile * tile_keys;
        const index keys = qk.keys;
        qk.fetch_keys(to, set, thread,
                      [first, keys](int i) { return first + i < keys ? first + i : index{-1}; });
    }
    OSTEND_DEVICE void add_tile(const vector_tile<D>& q, const vector_tile<D>& k, int row_tile, int set,
                                int first_key, int thread, own& o) const {
        const int lane = thread % 32;
        const int first_row = thread / 32 * 16;
        float dots[tile_columns][4];
        multiply_tile<T>(q, k, first_row, qk.words(), lane, dots);
        OSTEND_UNROLL
        for (int half = 0; half < 2; ++half) {
            const tile_row row = qk.row(row_tile, set, first_row + fragment_row(lane, 2 * half));
            if (!row.used) {
                continue;
            }
            const int limit = qk.limit(row.query);
            float highest = -infinity();
            OSTEND_UNROLL
            for (int n = 0; n < tile_columns; ++n) {
                OSTEND_UNROLL
                for (int j = 0; j < 2; ++j) {
                    float& score = dots[n][2 * half + j];
                    score = qk.score(score, row.query, first_key + 8 * n + fragment_key(lane, j), limit);
                    highest = score > highest ? score : highest;
                }
            }
            o.sums[half].raise(highest);
            const float base = o.sums[half].base();
            OSTEND_UNROLL
            for (int n = 0; n < tile_columns; ++n) {
                OSTEND_UNROLL
                for (int j = 0; j < 2; ++j) {
                    o.sums[half].sum += exponential(dots[n][2 * half + j] - base);
                }
            }
        }
    }
};

/// The splits of each row, in order; NaN where a query sees no key.
struct join_sums_body : one_phase {
    const exponential_sum* partial = nullptr;
    index splits = 0;
    index rows = 0; ///< queries * heads
    index heads = 0;
    device_tensor<float, 2> out = {};

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const index row = place(at, rows).column;
        if (row >= rows) {
            return;
        }
        exponential_sum sum = partial[row];
        for (index split = 1; split < splits; ++split) {
            sum.join(partial[split * rows + row]);
        }
        const float value = sum.highest + OSTEND_ON_DEVICE(logf(sum.sum), std::log(sum.sum));
        *out.at(row / heads, row % heads) = sum.highest == -infinity() ? not_a_number() : value;
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
