// log_sum_exp on a stream: every key is read once, a tile of 64 at a time; no score is written to memory.
//
// The kernels are in cuda/log_sum_exp_bodies.hpp; the shape decides how keys are shared out.
#pragma once

#include "ostend/cuda/log_sum_exp_bodies.hpp"
#include "ostend/cuda/workspace.hpp"

#include <algorithm>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Queues both kernels. D: the head size rounded up.
template <int D, class T, device_stream On>
void sum_exponentials(launches<On>& queue, const kernel_qk<T>& qk, index heads,
                      const device_view<const float, 1>* weights, exponential_sum* partial,
                      const device_tensor<float, 2>& out) {
    qk_sums_body<T, D> sums;
    sums.qk = qk;
    sums.heads = heads;
    // Without keys too there is a phase for a tile: it stores the sums that the last phase joins.
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
