// reduce_qk(blocked, ...): for now the oracle under the blocked tag.
#pragma once

#include "ostend/attention/qk_scalar.hpp"

namespace ostend::inline OSTEND_KERNELS {

inline status reduce_qk(blocked_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce,
                        tensor_view<float, 2> out) {
    return reduce_qk(scalar, block, image, head_weights, reduce, out);
}

} // namespace ostend::inline OSTEND_KERNELS
