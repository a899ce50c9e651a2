// openvino_attention: q and k of a language model's attention, read while OpenVINO's fused kernel stays in
// place.
//
//     auto layers = ostend::expose_openvino_attention(*model, {.keys = ostend::openvino_keys::states});
//     ... request.infer(); ...
//     ostend::record_openvino_attention(recorder, request, *layers, token);
//     ... at the end ...
//     ostend::flush_openvino_attention(recorder, request, *layers);
//
// The kernel never shows its probabilities, but q and k go into it as tensors, after rotary embedding. With a
// KV cache in the model's state a deferred recorder keeps q, and the state is read once for many queries: a
// copy of all keys, which is what OpenVINO gives. Without a cache k is an output, and its copy is the cost.
#pragma once

#include "ostend/adapt/openvino_expose.hpp"
#include "ostend/attention/recorder.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The mask [..., queries or 1, keys] as rows to be added, one a query; booleans say what is visible.
[[nodiscard]] inline result<matrix<float>> openvino_mask_rows(const ov::Tensor& mask, index queries,
                                                              index keys) {
    const ov::Shape& shape = mask.get_shape();
    const std::size_t rank = shape.size();
    const bool rows_fit =
        rank >= 2 && (shape[rank - 2] == 1 || static_cast<index>(shape[rank - 2]) == queries);
    if (!rows_fit || static_cast<index>(shape[rank - 1]) != keys ||
        mask.get_size() != shape[rank - 1] * shape[rank - 2]) {
        return error{"a mask of " + openvino_shape_text(shape) + " for " + std::to_string(queries) +
                         " queries and " + std::to_string(keys) + " keys; masks of each head are not read",
                     "mask"};
    }
    const bool one = shape[rank - 2] == 1;
    matrix<float> rows(queries, keys);
    for (index i = 0; i < queries; ++i) {
        const auto from = static_cast<std::size_t>((one ? 0 : i) * keys);
        for (index j = 0; j < keys; ++j) {
            const std::size_t at = from + static_cast<std::size_t>(j);
            if (mask.get_element_type() == ov::element::f32) {
                rows(i, j) = mask.data<const float>()[at];
            } else if (mask.get_element_type() == ov::element::boolean) {
                const bool visible = static_cast<const char*>(mask.data())[at] != 0;
                rows(i, j) = visible ? 0.0F : -std::numeric_limits<float>::infinity();
            } else {
                return error{"a mask of " + mask.get_element_type().to_string(), "mask"};
            }
        }
    }
    return rows;
}

/// A mask's row as what it says: keys up to one are seen and the others hidden, or the row itself.
[[nodiscard]] inline visibility openvino_visibility(std::span<const float> row) {
    constexpr float hidden = -1e30F; // exporters write the lowest number of a type as well as -inf
    const auto seen = std::find_if(row.begin(), row.end(), [](float v) { return v != 0; });
    if (seen != row.begin() && std::all_of(seen, row.end(), [](float v) { return v <= hidden; })) {
        return causal_limit{seen - row.begin()};
    }
    return additive_row{{row.data(), {static_cast<index>(row.size())}}};
}

/// What a tensor of a finished run holds. The tensor keeps the memory that the view is of.
struct openvino_values {
    ov::Tensor tensor = {};
    tensor_view<const float, 4> view = {};
};
[[nodiscard]] inline result<openvino_values> read_openvino(result<ov::Tensor> got, const char* field) {
    if (!got) {
        return got.error().in(field);
    }
    const auto view = from_openvino<float, 4>(*got);
    if (!view) {
        return view.error().in(field);
    }
    if (view->extent(0) != 1) {
        return error{
            openvino_shape_text(got->get_shape()) + " is not one sequence's [1, heads, positions, d]", field};
    }
    return openvino_values{*got, *view};
}
[[nodiscard]] inline result<openvino_values> openvino_output(ov::InferRequest& run, const std::string& name,
                                                             const char* field) {
    return read_openvino(openvino_result([&] { return run.get_tensor(name); }), field);
}
[[nodiscard]] inline result<openvino_values> openvino_state(ov::InferRequest& run, const std::string& name) {
    auto got = openvino_result([&] {
        for (const ov::VariableState& state : run.query_state()) {
            if (state.get_name() == name) {
                return state.get_state();
            }
        }
        return ov::Tensor();
    });
    if (got && !*got) {
        return error{"the request has no state '" + name + "'", "state"};
    }
    return read_openvino(std::move(got), "state");
}

/// Keys in a state that nobody reads yet: as many as the model says there are, and no data.
[[nodiscard]] inline result<key_source> openvino_key_count(ov::InferRequest& run, const std::string& name,
                                                           const ov::Tensor& q) {
    const auto shape = openvino_result([&] { return run.get_tensor(name); });
    if (!shape) {
        return shape.error().in("shape");
    }
    const auto numbers = from_openvino<std::int64_t, 1>(*shape);
    if (!numbers) {
        return numbers.error().in("shape");
    }
    const bool sound = numbers->extent(0) == 4 && (*numbers)(0) == 1 && (*numbers)(1) >= 1 &&
                       (*numbers)(2) >= 0 && (*numbers)(3) >= 1;
    if (!sound) {
        return error{"the state's keys are not one sequence's [1, heads, positions, d]", "shape"};
    }
    const key_page page{.data = q.data(), .count = (*numbers)(2)}; // any address: it is not read
    return key_source(page, (*numbers)(1), (*numbers)(3));
}

} // namespace detail

/// Adds the attention of a finished run to a recorder: query i of those shown predicts `token + i` (rows of
/// negative tokens, a prompt's, are skipped by the recorder). q is [1, heads, queries, d], k [1, kv_heads,
/// keys, d], f32. A causal node lets query i see keys [0, i], as OpenVINO does. Layers that the recorder does
/// not use are not looked at, unless somebody listens. Keys of a state are read here, a copy of all of them,
/// where the recorder needs them at once: recording::online, a listener, flush_every queries.
/// Errors name the layer and the tensor: one that is missing or of another shape; more layers, other heads or
/// fewer keys than the recorder was made for.
[[nodiscard]] inline status record_openvino_attention(recorder& to, const ov::InferRequest& run,
                                                      std::span<const openvino_attention_layer> layers,
                                                      index token, int sequence = 0) {
    const recorder_options& model = to.options();
    if (layers.size() > static_cast<std::size_t>(model.layers)) {
        return error{std::to_string(layers.size()) + " layers; the recorder has " +
                         std::to_string(model.layers),
                     "layers"};
    }
    ov::InferRequest request = run; // a handle; get_tensor is not const
    std::string mask_name;          // layers may share one
    matrix<float> mask;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const auto number = static_cast<int>(l);
        if (!to.uses(number) && model.listener == nullptr) {
            continue;
        }
        const openvino_attention_layer& layer = layers[l];
        const auto refuse = [l](const error& e) { return e.in("layer " + std::to_string(l)); };
        const auto q = detail::openvino_output(request, layer.q, "q");
        if (!q) {
            return refuse(q.error());
        }
        const index queries = q->view.extent(2);
        const bool waits = !layer.state.empty() && model.mode == recording::deferred &&
                           model.listener == nullptr &&
                           to.pending(sequence, number) + queries < model.flush_every;
        std::optional<detail::openvino_values> k; // lives until the block was added
        qk_block block;
        if (waits) {
            const auto keys = detail::openvino_key_count(request, layer.shape, q->tensor);
            if (!keys) {
                return refuse(keys.error());
            }
            block.keys = *keys;
        } else {
            auto read = layer.state.empty() ? detail::openvino_output(request, layer.k, "k")
                                            : detail::openvino_state(request, layer.state);
            if (!read) {
                return refuse(read.error());
            }
            k = *std::move(read);
            if (k->view.extent(1) < 1 || k->view.extent(3) < 1) {
                return refuse({"k " + openvino_shape_text(k->tensor.get_shape()) + " has no heads"});
            }
            block.keys = key_source::contiguous(k->view[0]);
        }
        if (q->view.extent(1) % block.keys.kv_heads() != 0 || q->view.extent(3) != block.keys.d()) {
            return refuse({"q " + openvino_shape_text(q->tensor.get_shape()) + " does not fit keys of " +
                           std::to_string(block.keys.kv_heads()) + " heads of " +
                           std::to_string(block.keys.d())});
        }
        const index keys = block.keys.keys();
        if (q->view.extent(1) != model.heads) {
            return refuse({std::to_string(q->view.extent(1)) + " heads; the recorder has " +
                               std::to_string(model.heads),
                           "q"});
        }
        if (model.image.end() > keys) {
            return refuse(
                {std::to_string(keys) + " keys; the image's end at " + std::to_string(model.image.end()),
                 "k"});
        }
        block.q = q->view[0].permuted({1, 0, 2});
        block.score.scale = layer.scale;
        if (!layer.mask.empty() && layer.mask != mask_name) {
            const auto tensor = openvino_result([&] { return request.get_tensor(layer.mask); });
            if (!tensor) {
                return refuse(tensor.error().in("mask"));
            }
            auto rows = detail::openvino_mask_rows(*tensor, queries, keys);
            if (!rows) {
                return refuse(rows.error());
            }
            mask = *std::move(rows);
            mask_name = layer.mask;
        }
        for (index i = 0; i < queries; ++i) {
            if (layer.causal) {
                block.visible.emplace_back(causal_limit{std::min(i + 1, keys)});
            } else if (!layer.mask.empty()) {
                block.visible.push_back(detail::openvino_visibility(mask.row(i)));
            }
        }
        to.add({.layer = number, .token = token, .sequence = sequence}, block);
    }
    return success{};
}

/// Does the queries that a deferred recorder keeps, over the keys in the states of a request that has not
/// been reset since: one copy of each layer's keys. Errors: a state that is missing; the recorder's own.
[[nodiscard]] inline status flush_openvino_attention(recorder& to, const ov::InferRequest& run,
                                                     std::span<const openvino_attention_layer> layers,
                                                     int sequence = 0) {
    ov::InferRequest request = run; // a handle; query_state is not const
    status first = success{};
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const auto number = static_cast<int>(l);
        if (number >= to.options().layers || to.pending(sequence, number) == 0) {
            continue;
        }
        const auto k = layers[l].state.empty() ? detail::openvino_output(request, layers[l].k, "k")
                                               : detail::openvino_state(request, layers[l].state);
        if (!k) {
            return k.error().in("layer " + std::to_string(l));
        }
        const status done = to.flush(number, key_source::contiguous(k->view[0]), 0, sequence);
        first = first ? done : first;
    }
    return first;
}

} // namespace ostend::inline OSTEND_KERNELS
