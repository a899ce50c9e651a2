// log_sum_exp on a stream: every key is read once, a tile of 64 at a time; no score is written to memory.
//
// The keys are shared out to blocks (the shape decides how many), which keep, for each row, the highest score
// and the sum of exp(score - highest); the next tile's keys are on their way while one is worked on.
#pragma once

#include "ostend/cuda/one_phase.hpp"
#include "ostend/cuda/qk.hpp"

#include <algorithm>

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

/// Queues both kernels. D: the head size rounded up.
template <int D, class T, device_stream On>
void sum_exponentials(launches<On>& queue, const kernel_qk<T>& qk, index heads,
                      const device_view<const float, 1>* weights, exponential_sum* partial,
                      const device_tensor<float, 2>& out) {
    qk_sums_body<T, D> sums;
    sums.qk = qk;
    sums.heads = heads;
    // Without keys too a tile's phase: it stores the sums that the last phase joins.
    sums.tiles_a_split =
        static_cast<int>(std::max<index>(1, blocks_for(qk.tiling.key_tiles, qk.tiling.splits)));
    sums.has_weights = weights != nullptr;
    if (weights != nullptr) {
        sums.weights = for_kernel(*weights);
    }
    sums.partial = partial;
    const join_sums_body join{{}, partial, qk.tiling.splits, qk.queries * heads, heads, out};
    queue.then(sums, {index{qk.tiling.row_tiles} * qk.tiling.sets, qk.tiling.splits})
        .then(join, {join.blocks(1, join.rows)});
}

template <class T, device_stream On>
void sum_exponentials(launches<On>& queue, const kernel_qk<T>& qk, index heads,
                      const device_view<const float, 1>* weights, exponential_sum* partial,
                      const device_tensor<float, 2>& out) {
    qk.d <= 128 ? sum_exponentials<128>(queue, qk, heads, weights, partial, out)
                : sum_exponentials<256>(queue, qk, heads, weights, partial, out);
}

[[nodiscard]] constexpr index sums_room(const qk_shape& shape) noexcept {
    return workspace_room<exponential_sum>(tiling_of(shape).splits * shape.queries * shape.heads);
}

} // namespace detail

/// For log_sum_exp and both forms of reduce_qk (cuda/from_qk.hpp).
[[nodiscard]] constexpr index workspace_bytes(const qk_shape& shape) noexcept {
    const index rows =
        detail::workspace_room<float>(detail::tiling_of(shape).shares * shape.queries * shape.image_tokens);
    return detail::sums_room(shape) + detail::workspace_room<float>(shape.queries * shape.heads) + rows;
}

/// out [queries, heads]: the natural log-sum-exp of the scores of each query and head over the keys that the
/// query sees. NaN where it sees none, or a visible score is not finite: the host cannot be told while the
/// kernels run. Two kernels; shared memory a block: 54 KB, above head size 128 104 KB. workspace: that of
/// qk_shape with 0 image tokens. Preconditions: the shapes agree. Errors: a launch's.
template <device_stream On, class T, class Out>
[[nodiscard]] status log_sum_exp(const On& on, const device_qk<T>& qk, Out&& out,
                                 const device_workspace& workspace) {
    const device_view<float, 2> to(as_device_view<2>(out));
    const index heads = qk.q.extent(1);
    const qk_shape shape{qk.q.extent(0), heads, qk.k.extent(0), qk.keys(), 0};
    const auto block = detail::for_kernel(qk, 0);
    OSTEND_EXPECTS(to.extent(0) == shape.queries && to.extent(1) == heads,
                   "log_sum_exp: out is [" + std::to_string(to.extent(0)) + ", " +
                       std::to_string(to.extent(1)) + "], expected [" + std::to_string(shape.queries) + ", " +
                       std::to_string(heads) + "]");
    detail::workspace_cutter cutter("log_sum_exp", workspace, detail::sums_room(shape));
    detail::launches queue(on);
    detail::sum_exponentials(
        queue, block, heads, nullptr,
        cutter.take<detail::exponential_sum>(block.tiling.splits * shape.queries * heads),
        detail::for_kernel(to));
    return queue.outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
