#include "cuda/oracle.hpp"

#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/normalise.hpp"
#include "ostend/peak/argmax.hpp"

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

} // namespace ostend_test
