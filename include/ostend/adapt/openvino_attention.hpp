// openvino_attention: q and k of a language model's attention, read while OpenVINO's fused kernel stays in
// place.
//
//     auto layers = ostend::expose_openvino_attention(*model);   // before compile_model
//     ... request.infer(); ...
//     ostend::record_openvino_attention(recorder, request, *layers, token);
//
// The kernel never shows its probabilities, but q and k go into it as tensors: they become outputs of the
// model, after rotary embedding, with the whole cache where the model is stateful. The cost is their copy.
#pragma once

#include "ostend/adapt/openvino.hpp"
#include "ostend/attention/recorder.hpp"

#include <openvino/op/constant.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// One attention node: the names of the outputs that show it.
struct openvino_attention_layer {
    std::string q = {};
    std::string k = {};
    std::string mask = {}; ///< empty: none
    float scale = 0;       ///< 0: 1 / sqrt(d)
    bool causal = false;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

[[nodiscard]] inline std::string add_openvino_output(ov::Model& model, ov::Output<ov::Node> port,
                                                     const std::string& name) {
    port.add_names({name});
    model.add_output(port);
    return name;
}

/// Whether a node reads a mask: a causal one ignores it; a scalar stands for none.
[[nodiscard]] inline bool has_openvino_mask(const ov::op::v13::ScaledDotProductAttention& node) {
    return !node.get_causal() && node.get_input_size() > 3 &&
           (node.get_input_partial_shape(3).rank().is_dynamic() ||
            node.get_input_partial_shape(3).size() > 0);
}

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

} // namespace detail

/// Makes q, k and the mask of each ScaledDotProductAttention outputs of the model, in the order of its
/// layers. Errors: a model without such a node (one whose attention was taken apart into products cannot be
/// read this way), a scale that is no constant, 0 or not finite, sinks, a mask whose number of axes is not
/// known. The model is changed on success only.
[[nodiscard]] inline result<std::vector<openvino_attention_layer>>
expose_openvino_attention(ov::Model& model) {
    std::vector<std::shared_ptr<ov::op::v13::ScaledDotProductAttention>> nodes;
    for (const auto& op : model.get_ordered_ops()) {
        if (auto node = ov::as_type_ptr<ov::op::v13::ScaledDotProductAttention>(op)) {
            nodes.push_back(std::move(node));
        }
    }
    if (nodes.empty()) {
        return error{"the model has no ScaledDotProductAttention", "model"};
    }
    std::vector<openvino_attention_layer> layers;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        openvino_attention_layer layer{.causal = nodes[i]->get_causal()};
        if (nodes[i]->get_input_size() > 4) {
            const auto scale = ov::as_type_ptr<ov::op::v0::Constant>(nodes[i]->get_input_node_shared_ptr(4));
            if (scale == nullptr) {
                return error{"the scale is computed, not a constant", "layers", i};
            }
            layer.scale = scale->cast_vector<float>(1).at(0);
            if (!std::isfinite(layer.scale) || layer.scale == 0) {
                return error{"the scale is " + std::to_string(layer.scale), "layers", i};
            }
        }
        if (nodes[i]->get_input_size() > 5) {
            return error{"sinks are not read", "layers", i};
        }
        if (detail::has_openvino_mask(*nodes[i]) &&
            nodes[i]->get_input_partial_shape(3).rank().is_dynamic()) {
            return error{"the mask's rank is not known", "layers", i};
        }
        layers.push_back(layer);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::string name = "ostend.attention." + std::to_string(i) + ".";
        layers[i].q = detail::add_openvino_output(model, nodes[i]->input_value(0), name + "q");
        layers[i].k = detail::add_openvino_output(model, nodes[i]->input_value(1), name + "k");
        if (detail::has_openvino_mask(*nodes[i])) {
            layers[i].mask = detail::add_openvino_output(model, nodes[i]->input_value(3), name + "mask");
        }
    }
    return layers;
}

/// Adds the attention of a finished run to a recorder: query i of the run predicts `token + i` (rows of
/// negative tokens, a prompt's, are skipped by the recorder). q is [1, heads, queries, d], k [1, kv_heads,
/// keys, d], f32. A causal node lets query i see keys [0, i], as OpenVINO does. Layers that the recorder does
/// not use are not looked at, unless somebody listens. Errors name the layer and the tensor: one that is
/// missing or of another shape; more layers, other heads or fewer keys than the recorder was made for.
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
    for (std::size_t l = 0; l < layers.size(); ++l) {
        if (!to.uses(static_cast<int>(l)) && model.listener == nullptr) {
            continue;
        }
        const auto refuse = [l](const error& e) { return e.in("layer " + std::to_string(l)); };
        const auto tensors = openvino_result([&] {
            return std::vector<ov::Tensor>{request.get_tensor(layers[l].q), request.get_tensor(layers[l].k),
                                           layers[l].mask.empty() ? ov::Tensor()
                                                                  : request.get_tensor(layers[l].mask)};
        });
        if (!tensors) {
            return refuse(tensors.error());
        }
        const auto q = from_openvino<float, 4>((*tensors)[0]);
        const auto k = from_openvino<float, 4>((*tensors)[1]);
        if (!q || !k) {
            return refuse((q ? k : q).error().in(q ? "k" : "q"));
        }
        if (q->extent(0) != 1 || k->extent(0) != 1 || q->extent(3) != k->extent(3) || q->extent(3) < 1 ||
            k->extent(1) < 1 || q->extent(1) % k->extent(1) != 0) {
            return refuse({"q " + openvino_shape_text((*tensors)[0].get_shape()) + " and k " +
                           openvino_shape_text((*tensors)[1].get_shape()) +
                           " are not one sequence's [1, heads, positions, d]"});
        }
        const index queries = q->extent(2);
        const index keys = k->extent(2);
        if (q->extent(1) != model.heads) {
            return refuse(
                {std::to_string(q->extent(1)) + " heads; the recorder has " + std::to_string(model.heads),
                 "q"});
        }
        if (model.image.end() > keys) {
            return refuse(
                {std::to_string(keys) + " keys; the image's end at " + std::to_string(model.image.end()),
                 "k"});
        }
        qk_block block;
        block.q = (*q)[0].permuted({1, 0, 2});
        block.keys = key_source::contiguous((*k)[0]);
        block.score.scale = layers[l].scale;
        matrix<float> mask;
        if (!layers[l].mask.empty()) {
            auto rows = detail::openvino_mask_rows((*tensors)[2], queries, keys);
            if (!rows) {
                return refuse(rows.error());
            }
            mask = *std::move(rows);
        }
        for (index i = 0; i < queries; ++i) {
            if (layers[l].causal) {
                block.visible.emplace_back(causal_limit{std::min(i + 1, keys)});
            } else if (!layers[l].mask.empty()) {
                block.visible.emplace_back(additive_row{{mask.row(i).data(), {keys}}});
            }
        }
        to.add({.layer = static_cast<int>(l), .token = token, .sequence = sequence}, block);
    }
    return success{};
}

} // namespace ostend::inline OSTEND_KERNELS
