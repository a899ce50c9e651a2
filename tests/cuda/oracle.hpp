// The same work by the library's own host functions, compiled without nvcc: what kernels are compared with.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/select_heads.hpp"
#include "ostend/core/result.hpp"
#include "ostend/geometry/layout.hpp"
#include "ostend/mask/from_logits.hpp"
#include "ostend/peak/peak.hpp"
#include "ostend/phrase/group.hpp"
#include "ostend/tensor/matrix.hpp"

namespace ostend_test {

ostend::matrix<float> oracle_aggregate(const ostend::tensor_view<const float, 4>& attention,
                                       const ostend::key_selection& image,
                                       const ostend::matrix<float>& weights, ostend::head_reduction reduce);
ostend::matrix<float> oracle_aggregate(const ostend::tensor_view<const ostend::f16, 4>& attention,
                                       const ostend::key_selection& image,
                                       const ostend::matrix<float>& weights, ostend::head_reduction reduce);
ostend::matrix<float> oracle_aggregate(const ostend::tensor_view<const ostend::bf16, 4>& attention,
                                       const ostend::key_selection& image,
                                       const ostend::matrix<float>& weights, ostend::head_reduction reduce);

ostend::matrix<float> oracle_subtract_mean(const ostend::matrix<float>& maps,
                                           const ostend::matrix<float>& token_maps);
ostend::matrix<float> oracle_group_maps(const ostend::matrix<float>& token_maps,
                                        std::span<const std::vector<ostend::index>> groups,
                                        ostend::token_reduction reduce);

ostend::result<ostend::peak> oracle_peak(std::span<const float> map, const ostend::layout& grid,
                                         const ostend::peak_options& options);

/// Queries and keys as f32, contiguous: q [queries, heads, d], k [kv_heads, keys, d].
struct qk_inputs {
    ostend::matrix<float> q; ///< [queries * heads, d]
    ostend::matrix<float> k; ///< [kv_heads * keys, d]
    ostend::index queries = 1;
    ostend::index heads = 1;
    ostend::index kv_heads = 1;
    ostend::index keys = 1;
    float scale = 0;
    float softcap = 0;
    std::vector<std::int32_t> live = {}; ///< one a query, or empty
    ostend::matrix<float> mask = {};     ///< [queries, keys], or empty
};
ostend::matrix<float> oracle_log_sum_exp(const qk_inputs& in);
/// Rows weighted and summed over heads.
ostend::matrix<float> oracle_reduce_qk(const qk_inputs& in, const ostend::key_selection& image,
                                       std::span<const float> weights);

ostend::logits_mask oracle_from_logits(const ostend::tensor_view<const float, 2>& logits,
                                       const ostend::logits_options& options);

} // namespace ostend_test
