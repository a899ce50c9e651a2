// log_sum_exp: whole rows' log-sum-exp out of q and k, and image rows where it is known already.
//
// Image rows from a known log-sum-exp read only the image keys. It comes from an attention kernel that
// exports it, or from log_sum_exp() here, which reads all keys once and then serves any selection and any
// weights.
#pragma once

#include "ostend/attention/qk_blocked.hpp"
#include "ostend/core/result.hpp"
#include "ostend/tensor/matrix.hpp"

#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Natural log-sum-exp [queries, heads] of the scores of score.hpp over the keys that each query sees, the
/// sink included. Errors as reduce_qk. Complexity O(queries * heads * keys * d).
inline result<matrix<float>> log_sum_exp(const qk_block& block, qk_workspace& workspace) {
    detail::expect_block(block);
    matrix<float> values(block.q.extent(0), block.q.extent(1));
    const std::vector<float> every_head(static_cast<std::size_t>(block.q.extent(1)), 1.0F);
    const key_selection no_image;
    const detail::qk_plan plan(block, no_image, every_head, nullptr, 64, detail::best_kernels(), workspace);
    if (status done = detail::run_tiles(seq, plan, head_reduction::mean, values.values().data()); !done) {
        return done.error();
    }
    return values;
}
inline result<matrix<float>> log_sum_exp(const qk_block& block) {
    qk_workspace workspace;
    return log_sum_exp(block, workspace);
}

/// As reduce_qk(scalar, ..., known), in f32.
inline status reduce_qk(blocked_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                        const known_log_sum_exp& known, qk_workspace& workspace) {
    OSTEND_EXPECTS(known.values.extent(0) == block.q.extent(0) && known.values.extent(1) == block.q.extent(1),
                   "reduce_qk: the log-sum-exp is not [queries, heads]");
    return detail::blocked_reduce(seq, block, image, head_weights, reduce, out, &known, workspace,
                                  detail::best_kernels());
}
inline status reduce_qk(blocked_tag tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                        const known_log_sum_exp& known) {
    qk_workspace workspace;
    return reduce_qk(tag, block, image, head_weights, reduce, out, known, workspace);
}

} // namespace ostend::inline OSTEND_KERNELS
