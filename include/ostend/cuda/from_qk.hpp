// from_qk on a stream: image maps out of queries and keys, for engines that never write the attention matrix.
//
// Two passes over the keys: the log-sum-exp of whole rows, then the rows' values at the image keys, weighted
// and summed over heads in registers. The second pass computes its scores again: reading image keys twice
// (a layer's fit the L2 cache of large devices) costs less than writing and reading scores. With a known
// log-sum-exp, from an attention kernel that exports it, only the second pass is done.
#pragma once

#include "ostend/cuda/from_qk_bodies.hpp"
#include "ostend/cuda/log_sum_exp.hpp"

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

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
