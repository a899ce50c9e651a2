// aggregate: the attention of many layers and heads becomes one map over the image tokens.
//
// Reads each selected element once, range by range of the image keys, and never looks a key up. Heads are
// summed in f32 in index order within a layer, layers in f64: the result does not depend on strides, and
// heads that are not selected are not read. NaN and infinities pass through; the recorder reports them.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/select_heads.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct aggregate_options {
    head_selection heads = {};
    head_reduction reduce = head_reduction::mean;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

struct add_weighted {
    float weight;
    float operator()(float before, float value) const { return before + weight * value; }
};
struct keep_larger { // NaN wins, so that it is seen
    float operator()(float before, float value) const {
        return value > before || value != value ? value : before;
    }
};

/// out[i] = combine(out[i], keys[range key i]); contiguous keys have a loop of their own to vectorise.
template <class T, class Combine>
void combine_range(const T* keys, index stride, std::span<float> out, Combine combine) {
    if (stride == 1) {
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = combine(out[i], to_float(load(keys + i)));
        }
        return;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = combine(out[i], to_float(load(keys + static_cast<index>(i) * stride)));
    }
}

template <class T, class Combine>
void combine_row(const tensor_view<const T, 1>& keys, const key_selection& image, std::span<float> out,
                 Combine combine) {
    std::size_t token = 0;
    for (const key_range& r : image.ranges()) {
        if (r.count > 0) {
            const auto count = static_cast<std::size_t>(r.count);
            combine_range(keys.data() + r.first * keys.stride(0), r.step * keys.stride(0),
                          out.subspan(token, count), combine);
            token += count;
        }
    }
}

inline void expect_image_keys(const char* who, const key_selection& image, index keys) {
    OSTEND_EXPECTS(image.end() <= keys, std::string(who) + ": the image keys end at " +
                                            std::to_string(image.end()) + ", the attention has " +
                                            std::to_string(keys) + " keys");
}

} // namespace detail

/// What a row holds before its first layer: 0 for the mean, -infinity for the maximum.
[[nodiscard]] inline float reduction_start(head_reduction reduce) {
    return reduce == head_reduction::mean ? 0.0F : -std::numeric_limits<float>::infinity();
}

/// One query of one layer: attention [heads, keys] of any element type and strides is added, times the
/// weights [heads], to out [image_tokens], or its maximum over heads of non-zero weight is kept there.
/// Heads in index order, f32. Complexity: O(used heads * image tokens), no allocation.
template <class T>
void reduce_heads(const tensor_view<const T, 2>& attention, const key_selection& image,
                  std::span<const float> weights, head_reduction reduce, std::span<float> out) {
    OSTEND_EXPECTS(attention.extent(0) == static_cast<index>(weights.size()),
                   "reduce_heads: attention of " + std::to_string(attention.extent(0)) +
                       " heads, weights of " + std::to_string(weights.size()));
    OSTEND_EXPECTS(static_cast<index>(out.size()) == image.size(),
                   "reduce_heads: " + std::to_string(image.size()) + " image keys, room for " +
                       std::to_string(out.size()));
    detail::expect_image_keys("reduce_heads", image, attention.extent(1));
    for (std::size_t head = 0; head < weights.size(); ++head) {
        if (weights[head] == 0) {
            continue;
        }
        const auto keys = attention[static_cast<index>(head)];
        if (reduce == head_reduction::mean) {
            detail::combine_row(keys, image, out, detail::add_weighted{weights[head]});
        } else {
            detail::combine_row(keys, image, out, detail::keep_larger{});
        }
    }
}

namespace detail {

template <class T>
matrix<float> aggregate_view(const tensor_view<const T, 4>& attention, const key_selection& image,
                             const aggregate_options& options) {
    const index tokens = attention.extent(0);
    const index layers = attention.extent(1);
    const matrix<float> weights =
        options.heads.weights(static_cast<int>(layers), static_cast<int>(attention.extent(2)));
    expect_image_keys("aggregate", image, attention.extent(3));

    matrix<float> maps(tokens, image.size());
    std::vector<float> layer_row(static_cast<std::size_t>(image.size()));
    std::vector<double> sum(layer_row.size());
    for (index token = 0; token < tokens; ++token) {
        const auto token_attention = attention[token];
        const std::span<float> map = maps.row(token);
        if (options.reduce == head_reduction::max) {
            std::fill(map.begin(), map.end(), reduction_start(options.reduce));
            for (index layer = 0; layer < layers; ++layer) {
                reduce_heads(token_attention[layer], image, weights.row(layer), options.reduce, map);
            }
            continue;
        }
        std::fill(sum.begin(), sum.end(), 0.0);
        for (index layer = 0; layer < layers; ++layer) {
            std::fill(layer_row.begin(), layer_row.end(), 0.0F);
            reduce_heads(token_attention[layer], image, weights.row(layer), options.reduce, layer_row);
            std::transform(sum.begin(), sum.end(), layer_row.begin(), sum.begin(),
                           [](double s, float x) { return s + static_cast<double>(x); });
        }
        std::transform(sum.begin(), sum.end(), map.begin(), [](double s) { return static_cast<float>(s); });
    }
    return maps;
}

} // namespace detail

/// Token maps [tokens, image_tokens] out of attention [tokens, layers, heads, keys]: any tensor that has
/// traits, any element type, any strides. Row t is the query in row t of the attention.
/// Precondition: at least one layer and head, options.heads exist, the image keys lie inside the keys.
/// Complexity: O(tokens * selected heads * image tokens). Memory: the result and one row in f32 and f64.
template <class Tensor>
[[nodiscard]] matrix<float> aggregate(Tensor&& attention, const key_selection& image,
                                      const aggregate_options& options = {}) {
    const auto view = as_view<4>(attention);
    using value = typename decltype(view)::value_type;
    static_assert(std::same_as<typename decltype(view)::space, host_space>,
                  "ostend: aggregate reads host memory; copy this tensor to the host first.");
    return detail::aggregate_view(tensor_view<const value, 4>(view), image, options);
}

} // namespace ostend::inline OSTEND_KERNELS
