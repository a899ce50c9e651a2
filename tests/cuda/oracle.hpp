// The same work by the library's own host functions, compiled without nvcc: what kernels are compared with.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/select_heads.hpp"
#include "ostend/core/result.hpp"
#include "ostend/geometry/layout.hpp"
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

} // namespace ostend_test
