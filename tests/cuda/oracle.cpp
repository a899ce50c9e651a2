#include "cuda/oracle.hpp"

#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/attention/normalise.hpp"
#include "ostend/peak/argmax.hpp"

#include <stdexcept>

namespace ostend_test {

using namespace ostend;
using ostend::index;

namespace {
template <class T>
matrix<float> aggregated(const tensor_view<const T, 4>& attention, const key_selection& image,
                         const matrix<float>& weights, head_reduction reduce) {
    return aggregate(attention, image, {.heads = head_selection::weighted(weights), .reduce = reduce});
}
} // namespace

matrix<float> oracle_aggregate(const tensor_view<const float, 4>& attention, const key_selection& image,
                               const matrix<float>& weights, head_reduction reduce) {
    return aggregated(attention, image, weights, reduce);
}
matrix<float> oracle_aggregate(const tensor_view<const f16, 4>& attention, const key_selection& image,
                               const matrix<float>& weights, head_reduction reduce) {
    return aggregated(attention, image, weights, reduce);
}
matrix<float> oracle_aggregate(const tensor_view<const bf16, 4>& attention, const key_selection& image,
                               const matrix<float>& weights, head_reduction reduce) {
    return aggregated(attention, image, weights, reduce);
}

matrix<float> oracle_subtract_mean(const matrix<float>& maps, const matrix<float>& token_maps) {
    return subtract_mean(maps, token_maps);
}
matrix<float> oracle_group_maps(const matrix<float>& token_maps, std::span<const std::vector<index>> groups,
                                token_reduction reduce) {
    return *group_maps(token_maps, groups, reduce, nan_policy::propagate);
}

result<peak> oracle_peak(std::span<const float> map, const layout& grid, const peak_options& options) {
    return find_peak(map, grid, options);
}

namespace {
query_rows rows_of(const qk_inputs& in) {
    std::vector<visibility> visible;
    for (const std::int32_t keys : in.live) {
        visible.push_back(causal_limit{keys});
    }
    for (index i = 0; i < in.mask.rows(); ++i) {
        visible.push_back(additive_row{in.mask.view()[i]});
    }
    return attention_rows(
        tensor_view<const float, 3>(in.q.values().data(), {in.queries, in.heads, in.q.columns()}),
        tensor_view<const float, 3>(in.k.values().data(), {in.kv_heads, in.keys, in.k.columns()}),
        {.scale = in.scale, .softcap = in.softcap}, visible);
}
} // namespace

matrix<float> oracle_log_sum_exp(const qk_inputs& in) {
    const qk_block block = rows_of(in).block();
    matrix<float> out(in.queries, in.heads);
    std::vector<double> scores;
    for (index i = 0; i < in.queries; ++i) {
        for (index h = 0; h < in.heads; ++h) {
            out(i, h) =
                static_cast<float>(ostend::OSTEND_KERNELS::detail::scalar_log_sum_exp(block, i, h, scores));
        }
    }
    return out;
}
matrix<float> oracle_reduce_qk(const qk_inputs& in, const key_selection& image,
                               std::span<const float> weights) {
    const query_rows rows = rows_of(in);
    matrix<float> out(in.queries, image.size());
    const status done = reduce_qk(scalar, rows.block(), image, weights, head_reduction::mean, out.view());
    if (!done) {
        throw std::runtime_error(done.error().message());
    }
    return out;
}

logits_mask oracle_from_logits(const tensor_view<const float, 2>& logits, const logits_options& options) {
    return from_logits(logits, options);
}

} // namespace ostend_test
