// from_qk on a stream: image maps out of queries and keys, for engines that never write the attention matrix.
//
// Two passes over the keys: the log-sum-exp of whole rows, then the rows' values at the image keys, weighted
// and summed over heads in registers. The second pass computes its scores again: reading image keys twice
// (a layer's fit the L2 cache of large devices) costs less than writing and reading scores. With a known
// log-sum-exp, from an attention kernel that exports it, only the second pass is done.
#pragma once

#include "ostend/cuda/device_keys.hpp"
#include "ostend/cuda/log_sum_exp.hpp"
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

template <int D, class T, device_stream On>
void add_rows(launches<On>& queue, const kernel_qk<T>& qk, const kernel_keys& image, index image_tokens,
              const device_view<const float, 1>& weights, const device_tensor<const float, 2>& log_sums,
              float* partial, const device_tensor<float, 2>& out) {
    qk_rows_body<T, D> rows;
    rows.qk = qk;
    rows.image = image;
    rows.image_tokens = image_tokens;
    rows.weights = for_kernel(weights);
    rows.log_sums = log_sums;
    rows.partial = partial;
    const add_shares_body add{{}, partial, qk.tiling.shares, qk.queries, image_tokens, out};
    queue.then(rows, {index{qk.tiling.row_tiles} * qk.tiling.image_tiles, qk.tiling.shares})
        .then(add, {add.blocks(qk.queries, image_tokens)});
}

template <device_stream On, class T>
[[nodiscard]] status
reduce_qk_on_device(const On& on, const device_qk<T>& qk, const device_keys& image,
                    const device_view<const float, 1>& weights, const device_view<float, 2>& out,
                    const device_view<const float, 2>* known, const device_workspace& workspace) {
    const index heads = qk.q.extent(1);
    const qk_shape shape{qk.q.extent(0), heads, qk.k.extent(0), qk.keys(), image.size()};
    const kernel_qk<T> block = for_kernel(qk, shape.image_tokens);
    const kernel_keys keys = for_kernel("reduce_qk", image, shape.keys);
    OSTEND_EXPECTS(weights.extent(0) == heads, "reduce_qk: " + std::to_string(weights.extent(0)) +
                                                   " head weights for " + std::to_string(heads) + " heads");
    OSTEND_EXPECTS(out.extent(0) == shape.queries && out.extent(1) == shape.image_tokens,
                   "reduce_qk: out is [" + std::to_string(out.extent(0)) + ", " +
                       std::to_string(out.extent(1)) + "], expected [" + std::to_string(shape.queries) +
                       ", " + std::to_string(shape.image_tokens) + "]");
    OSTEND_EXPECTS(known == nullptr || (known->extent(0) == shape.queries && known->extent(1) == heads),
                   "reduce_qk: the log-sum-exp is not [queries, heads]");
    workspace_cutter cutter("reduce_qk", workspace, workspace_bytes(shape));
    launches queue(on);
    device_tensor<const float, 2> log_sums;
    if (known != nullptr) {
        log_sums = for_kernel(*known);
    } else {
        auto* const partial = cutter.take<exponential_sum>(block.tiling.splits * shape.queries * heads);
        device_tensor<float, 2> made{cutter.take<float>(shape.queries * heads), {heads, 1}};
        sum_exponentials(queue, block, heads, &weights, partial, made);
        log_sums = {made.data, {heads, 1}};
    }
    auto* const partial = cutter.take<float>(block.tiling.shares * shape.queries * shape.image_tokens);
    block.d <= 128
        ? add_rows<128>(queue, block, keys, shape.image_tokens, weights, log_sums, partial, for_kernel(out))
        : add_rows<256>(queue, block, keys, shape.image_tokens, weights, log_sums, partial, for_kernel(out));
    return queue.outcome();
}

} // namespace detail

/// Attention of each query over the image tokens, out of q and k of one layer: added to out [queries,
/// image_tokens] is the sum over heads of weights[head] * row (start out at zero, and add a model's layers
/// one after the other). Heads of weight 0 count for nothing, and are not read where none of the query heads
/// that share their key/value head has a weight. A query that sees no key, or has a visible score that is not
/// finite, gets a row of NaN. Hidden keys may hold anything. Four kernels; shared memory a block: 70 KB,
/// above head size 128 136 KB (compute capability 8.6 and 8.9 have 99: the launch's error says so). Work:
/// O(queries * heads * (keys + image_tokens) * d); memory read: the keys once, and the image keys again for
/// each 64 rows. Preconditions: the shapes agree. Errors: a launch's.
template <device_stream On, class T, class Weights, class Out>
[[nodiscard]] status reduce_qk(const On& on, const device_qk<T>& qk, const device_keys& image,
                               Weights&& weights, Out&& out, const device_workspace& workspace) {
    return detail::reduce_qk_on_device(on, qk, image, device_view<const float, 1>(as_device_view<1>(weights)),
                                       device_view<float, 2>(as_device_view<2>(out)), nullptr, workspace);
}

/// The same with a known log-sum-exp [queries, heads]: natural, over exactly these scores. Only image keys
/// are read. Two kernels.
template <device_stream On, class T, class Weights, class Out, class LogSumExp>
[[nodiscard]] status reduce_qk(const On& on, const device_qk<T>& qk, const device_keys& image,
                               Weights&& weights, Out&& out, LogSumExp&& log_sum_exp,
                               const device_workspace& workspace) {
    const device_view<const float, 2> known(as_device_view<2>(log_sum_exp));
    return detail::reduce_qk_on_device(on, qk, image, device_view<const float, 1>(as_device_view<1>(weights)),
                                       device_view<float, 2>(as_device_view<2>(out)), &known, workspace);
}

} // namespace ostend::inline OSTEND_KERNELS
