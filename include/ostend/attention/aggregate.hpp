// aggregate: the attention of many layers and heads becomes one map over the image tokens.
//
// Reads each selected element once, range by range of the image keys, and never looks a key up. Heads are
// summed in f32 in index order within a layer, layers in f64: the result does not depend on strides or
// threads, and heads that are not selected are not read. Keys without gaps are read where they lie, at the
// speed of memory; others go through a buffer. NaN and infinities pass through; the recorder reports them.
#pragma once

#include "ostend/attention/kernels.hpp"
#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/line_floats.hpp"
#include "ostend/attention/select_heads.hpp"
#include "ostend/core/execution.hpp"

#include <algorithm>
#include <array>
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

template <class T>
constexpr bool has_kernel = std::same_as<T, float> || std::same_as<T, f16> || std::same_as<T, bf16>;
template <class T>
constexpr element_type join_type = std::same_as<T, float> ? element_type::f32
                                   : std::same_as<T, f16> ? element_type::f16
                                                          : element_type::bf16;

/// One row's keys, every step-th, join out: weight times them is added, or the larger is kept.
template <class T>
void join_range(const T* keys, index step, float weight, head_reduction reduce, std::span<float> out) {
    const attention_kernels& k = best_kernels();
    const auto join = [&](const void* numbers, element_type type, std::span<float> to) {
        const auto* const row = static_cast<const std::byte*>(numbers);
        const auto n = static_cast<index>(to.size());
        reduce == head_reduction::mean ? k.add_rows(&row, &weight, 1, 1, type, n, to.data())
                                       : k.max_rows(&row, 1, type, n, to.data());
    };
    if constexpr (has_kernel<T>) {
        if (step == 1) {
            join(keys, join_type<T>, out);
            return;
        }
    }
    std::array<float, 256> buffer;
    for (std::size_t first = 0; first < out.size(); first += buffer.size()) {
        const std::size_t count = std::min(buffer.size(), out.size() - first);
        for (std::size_t i = 0; i < count; ++i) {
            buffer[i] = to_float(load(keys + static_cast<index>(first + i) * step));
        }
        join(buffer.data(), element_type::f32, out.subspan(first, count));
    }
}

template <class T>
void join_row(const tensor_view<const T, 1>& keys, const key_selection& image, float weight,
              head_reduction reduce, std::span<float> out) {
    std::size_t token = 0;
    for (const key_range& r : image.ranges()) {
        if (r.count > 0) {
            const auto count = static_cast<std::size_t>(r.count);
            join_range(keys.data() + r.first * keys.stride(0), r.step * keys.stride(0), weight, reduce,
                       out.subspan(token, count));
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
        if (weights[head] != 0) {
            detail::join_row(attention[static_cast<index>(head)], image, weights[head], reduce, out);
        }
    }
}

namespace detail {

/// The used heads' rows of one token, layer by layer, as one list: memory is fetched ahead of what is added.
struct listed_rows {
    std::vector<const std::byte*> rows = {};
    std::vector<float> weights = {};
    std::vector<index> layer_ends = {};
};

template <class T>
listed_rows list_rows(const tensor_view<const T, 3>& attention, index first_key,
                      const matrix<float>& weights) {
    listed_rows list;
    for (index layer = 0; layer < attention.extent(0); ++layer) {
        for (index head = 0; head < attention.extent(1); ++head) {
            if (weights(layer, head) != 0) {
                const T* const row = attention.data() + layer * attention.stride(0) +
                                     head * attention.stride(1) + first_key * attention.stride(2);
                list.rows.push_back(reinterpret_cast<const std::byte*>(row));
                list.weights.push_back(weights(layer, head));
            }
        }
        list.layer_ends.push_back(static_cast<index>(list.rows.size()));
    }
    return list;
}

/// One token's map out of its attention [layers, heads, keys].
template <class T>
void aggregate_token(const tensor_view<const T, 3>& attention, const key_selection& image,
                     const matrix<float>& weights, head_reduction reduce, std::span<float> map) {
    const index layers = attention.extent(0);
    if (reduce == head_reduction::max) {
        std::fill(map.begin(), map.end(), reduction_start(reduce));
        for (index layer = 0; layer < layers; ++layer) {
            reduce_heads(attention[layer], image, weights.row(layer), reduce, map);
        }
        return;
    }
    const attention_kernels& k = best_kernels();
    const auto tokens = static_cast<index>(map.size());
    const bool in_place = has_kernel<T> && image.ranges().size() == 1 && tokens > 0 &&
                          image.ranges()[0].step * attention.stride(2) == 1;
    const listed_rows list =
        in_place ? list_rows(attention, image.ranges()[0].first, weights) : listed_rows{};
    v0::detail::line_floats layer_row(map.size());
    std::vector<double, v0::detail::line_allocator<double>> sum(map.size(), 0.0);
    index row = 0;
    for (index layer = 0; layer < layers; ++layer) {
        std::fill(layer_row.begin(), layer_row.end(), 0.0F);
        if (in_place) {
            const index end = list.layer_ends[static_cast<std::size_t>(layer)];
            k.add_rows(list.rows.data() + row, list.weights.data() + row, end - row,
                       static_cast<index>(list.rows.size()) - row, join_type<T>, tokens, layer_row.data());
            row = end;
        } else {
            reduce_heads(attention[layer], image, weights.row(layer), reduce, layer_row);
        }
        k.add_to_sum(layer_row.data(), tokens, sum.data());
    }
    std::transform(sum.begin(), sum.end(), map.begin(), [](double s) { return static_cast<float>(s); });
}

template <execution E, class T>
matrix<float> aggregate_view(const E& on, const tensor_view<const T, 4>& attention,
                             const key_selection& image, const aggregate_options& options) {
    const matrix<float> weights =
        options.heads.weights(static_cast<int>(attention.extent(1)), static_cast<int>(attention.extent(2)));
    expect_image_keys("aggregate", image, attention.extent(3));
    matrix<float> maps(attention.extent(0), image.size());
    for_each_part(on, maps.rows(), [&](index token) {
        aggregate_token(attention[token], image, weights, options.reduce, maps.row(token));
    });
    return maps;
}

} // namespace detail

/// Token maps [tokens, image_tokens] out of attention [tokens, layers, heads, keys]: any tensor that has
/// traits, any element type, any strides. Row t is the query in row t of the attention. on: tokens are parts.
/// Precondition: at least one layer and head, options.heads exist, the image keys lie inside the keys.
/// Complexity: O(tokens * selected heads * image tokens). Memory: the result, and a row in f32
/// and f64 a thread.
template <class Tensor, execution E = sequential>
[[nodiscard]] matrix<float> aggregate(Tensor&& attention, const key_selection& image,
                                      const aggregate_options& options = {}, const E& on = {}) {
    const auto view = as_view<4>(attention);
    using value = typename decltype(view)::value_type;
    static_assert(std::same_as<typename decltype(view)::space, host_space>,
                  "ostend: aggregate reads host memory; copy this tensor to the host first.");
    return detail::aggregate_view(on, tensor_view<const value, 4>(view), image, options);
}

} // namespace ostend::inline OSTEND_KERNELS
