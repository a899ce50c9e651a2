// aggregate on a stream: the attention of many layers and heads becomes one map over the image tokens.
//
// As attention/aggregate.hpp does it: heads in f32 in index order within a layer, layers in f64. Layers are
// shared out to blocks where tokens and keys alone would leave the device idle; the shape decides how, so the
// bits are the same on every device. Heads of weight 0 are not read.
#pragma once

#include "ostend/attention/select_heads.hpp"
#include "ostend/cuda/device_keys.hpp"
#include "ostend/cuda/one_phase.hpp"
#include "ostend/cuda/workspace.hpp"

#include <algorithm>
#include <concepts>

namespace ostend::inline v0 {

struct aggregate_shape {
    index tokens = 0;
    index layers = 0;
    index image_tokens = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Into how many parts the layers are cut, so that some 2^18 threads read.
[[nodiscard]] constexpr index layer_parts(const aggregate_shape& shape) noexcept {
    const index outputs = std::max<index>(1, shape.tokens * shape.image_tokens);
    return std::clamp<index>(blocks_for(index{1} << 18U, outputs), 1, std::max<index>(1, shape.layers));
}

/// The layers of one part for one token and image key: partial[token][part][image token].
template <class T>
struct aggregate_body : one_phase {
    static constexpr int at_once = 8; ///< heads whose loads are under way together

    device_tensor<const T, 4> attention = {};
    device_tensor<const float, 2> weights = {};
    kernel_keys image = {};
    index layers = 0;
    index heads = 0;
    index image_tokens = 0;
    index parts = 0;
    bool largest = false;
    double* partial = nullptr;

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [token, column] = place(at, image_tokens);
        if (column >= image_tokens) {
            return;
        }
        const index key = image.key(column);
        const index begin = layers * at.y / parts;
        const index end = layers * (at.y + 1) / parts;
        double sum = largest ? -static_cast<double>(infinity()) : 0.0;
        for (index layer = begin; layer < end && key >= 0; ++layer) {
            const float row = largest ? row_largest(token, layer, key) : row_sum(token, layer, key);
            sum = !largest ? sum + static_cast<double>(row) : row > sum ? static_cast<double>(row) : sum;
        }
        partial[(token * parts + at.y) * image_tokens + column] =
            key >= 0 ? sum : static_cast<double>(not_a_number());
    }

    OSTEND_DEVICE float row_sum(index token, index layer, index key) const {
        float row = 0;
        for (index first = 0; first < heads; first += at_once) {
            float weight[at_once];
            float value[at_once];
            OSTEND_UNROLL
            for (int i = 0; i < at_once; ++i) {
                weight[i] = first + i < heads ? *weights.at(layer, first + i) : 0.0F;
                value[i] = weight[i] != 0 ? widen(*attention.at(token, layer, first + i, key)) : 0.0F;
            }
            OSTEND_UNROLL
            for (int i = 0; i < at_once; ++i) {
                row = weight[i] != 0 ? row + weight[i] * value[i] : row;
            }
        }
        return row;
    }
    OSTEND_DEVICE float row_largest(index token, index layer, index key) const {
        float row = -infinity();
        for (index head = 0; head < heads; ++head) {
            if (*weights.at(layer, head) != 0) {
                const float value = widen(*attention.at(token, layer, head, key));
                row = value > row ? value : row;
            }
        }
        return row;
    }
};

/// The parts of each output, in order.
struct join_layers_body : one_phase {
    const double* partial = nullptr;
    index image_tokens = 0;
    index parts = 0;
    bool largest = false;
    device_tensor<float, 2> out = {};

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [token, column] = place(at, image_tokens);
        if (column >= image_tokens) {
            return;
        }
        const double* const from = partial + token * parts * image_tokens + column;
        double sum = from[0];
        for (index part = 1; part < parts; ++part) {
            const double more = from[part * image_tokens];
            sum = !largest ? sum + more : more > sum ? more : sum;
        }
        *out.at(token, column) = static_cast<float>(sum);
    }
};

} // namespace detail

/// At most 2 MB and 8 bytes a value of the result.
[[nodiscard]] constexpr index workspace_bytes(const aggregate_shape& shape) noexcept {
    return detail::workspace_room<double>(shape.tokens * detail::layer_parts(shape) * shape.image_tokens);
}

/// Token maps out [tokens, image_tokens] of attention [tokens, layers, heads, keys] in f32, f16 or bf16, any
/// strides; weights [layers, heads] are those of head_selection::weights, copied to the device. With
/// head_reduction::max out holds the largest value of the heads whose weight is not 0. NaN and infinities
/// pass through a mean; a maximum leaves NaN out.
/// Two kernels. Preconditions: the shapes agree, at least one layer and head. Errors: a launch's.
template <device_stream On, class Attention, class Weights, class Out>
[[nodiscard]] status aggregate(const On& on, Attention&& attention, const device_keys& image,
                               Weights&& weights, Out&& out, const device_workspace& workspace,
                               head_reduction reduce = head_reduction::mean) {
    const auto from = as_device_view<4>(attention);
    const device_view<const float, 2> by(as_device_view<2>(weights));
    const device_view<float, 2> to(as_device_view<2>(out));
    using value = typename std::remove_const_t<decltype(from)>::value_type;
    static_assert(detail::device_element<value>,
                  "ostend: attention on the device is read as float, ostend::f16 or ostend::bf16");
    const aggregate_shape shape{from.extent(0), from.extent(1), image.size()};
    OSTEND_EXPECTS(from.extent(1) > 0 && from.extent(2) > 0 && by.extent(0) == from.extent(1) &&
                       by.extent(1) == from.extent(2),
                   "aggregate: attention of " + std::to_string(from.extent(1)) + " layers and " +
                       std::to_string(from.extent(2)) + " heads, weights of " + std::to_string(by.extent(0)) +
                       " and " + std::to_string(by.extent(1)));
    OSTEND_EXPECTS(to.extent(0) == shape.tokens && to.extent(1) == shape.image_tokens,
                   "aggregate: out is [" + std::to_string(to.extent(0)) + ", " +
                       std::to_string(to.extent(1)) + "], expected [" + std::to_string(shape.tokens) + ", " +
                       std::to_string(shape.image_tokens) + "]");
    detail::workspace_cutter cutter("aggregate", workspace, workspace_bytes(shape));
    const index parts = detail::layer_parts(shape);
    const bool largest = reduce == head_reduction::max;
    detail::aggregate_body<value> body;
    body.attention = detail::for_reading(from);
    body.weights = detail::for_kernel(by);
    body.image = detail::for_kernel("aggregate", image, from.extent(3));
    body.layers = shape.layers;
    body.heads = from.extent(2);
    body.image_tokens = shape.image_tokens;
    body.parts = parts;
    body.largest = largest;
    body.partial = cutter.take<double>(shape.tokens * parts * shape.image_tokens);
    const detail::join_layers_body join{{},    body.partial, shape.image_tokens,
                                        parts, largest,      detail::for_kernel(to)};
    const index blocks = body.blocks(shape.tokens, shape.image_tokens);
    return detail::launches(on).then(body, {blocks, parts}).then(join, {blocks}).outcome();
}

} // namespace ostend::inline OSTEND_KERNELS
