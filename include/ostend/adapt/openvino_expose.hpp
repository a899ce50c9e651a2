// openvino_expose: makes what goes into an OpenVINO model's attention outputs of the model, before it is
// compiled.
//
// q is free to show. k is not, where the model has a KV cache: a fused node reads its cache in place, and an
// output of all keys takes it apart (measured in docs/hosts/openvino.md). There the keys are read from the
// model's state instead, once for many queries: openvino_keys::states.
#pragma once

#include "ostend/adapt/openvino.hpp"

#include <openvino/op/assign.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/read_value.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/unsqueeze.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Where the keys come from: an output of each node, which fits any model; or the state that the model keeps
/// them in.
enum class openvino_keys { outputs, states };

struct openvino_exposure {
    openvino_keys keys = openvino_keys::outputs;
    index last_queries = 0; ///< so many last queries of a run are shown; 0: all
};

/// One attention node: the names of the outputs that show it.
struct openvino_attention_layer {
    std::string q = {};
    std::string k = {};     ///< empty: the keys lie in `state`
    std::string state = {}; ///< the variable with keys [1, kv_heads, keys, d]
    std::string shape = {}; ///< of the keys in the state: four whole numbers
    std::string mask = {};  ///< empty: none
    float scale = 0;        ///< 0: 1 / sqrt(d)
    bool causal = false;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

using openvino_attention_node = ov::op::v13::ScaledDotProductAttention;

/// Whether a node reads a mask: a causal one ignores it; a scalar stands for none.
[[nodiscard]] inline bool has_openvino_mask(const openvino_attention_node& node) {
    return !node.get_causal() && node.get_input_size() > 3 &&
           (node.get_input_partial_shape(3).rank().is_dynamic() ||
            node.get_input_partial_shape(3).size() > 0);
}

/// What a node reads at an input, if it is of that type.
template <class Op>
[[nodiscard]] std::shared_ptr<Op> openvino_input(const std::shared_ptr<ov::Node>& node, std::size_t at) {
    return ov::as_type_ptr<Op>(node->get_input_node_shared_ptr(at));
}

/// Where all keys of a cache come together: past ones chosen by beam, then the run's own, [1, kv_heads, keys,
/// d].
struct openvino_cache {
    ov::Output<ov::Node> keys = {};
    std::string state = {};
};

/// The cache that a node's keys come from, as they are or each head repeated for its group of query heads.
[[nodiscard]] inline result<openvino_cache> find_openvino_cache(const openvino_attention_node& node) {
    std::shared_ptr<ov::Node> all = node.get_input_node_shared_ptr(1);
    if (ov::is_type<ov::op::v1::Reshape>(all)) { // grouped heads: Unsqueeze, Broadcast or a product, Reshape
        const auto repeated = all->get_input_node_shared_ptr(0);
        const bool known =
            ov::is_type<ov::op::v3::Broadcast>(repeated) || ov::is_type<ov::op::v1::Multiply>(repeated);
        const auto grouped = known ? openvino_input<ov::op::v0::Unsqueeze>(repeated, 0) : nullptr;
        const auto axis = grouped ? openvino_input<ov::op::v0::Constant>(grouped, 1) : nullptr;
        const bool third = axis && axis->cast_vector<std::int64_t>() == std::vector<std::int64_t>{2};
        all = third ? grouped->get_input_node_shared_ptr(0) : nullptr;
    }
    const auto joined = ov::as_type_ptr<ov::op::v0::Concat>(all);
    const bool along_keys = joined && joined->get_input_size() == 2 &&
                            joined->get_output_partial_shape(0).rank() == ov::Rank(4) &&
                            (joined->get_axis() == 2 || joined->get_axis() == -2);
    std::shared_ptr<ov::Node> past = along_keys ? joined->get_input_node_shared_ptr(0) : nullptr;
    while (past && (ov::is_type<ov::op::v8::Gather>(past) || ov::is_type<ov::op::v0::Convert>(past))) {
        past = past->get_input_node_shared_ptr(0);
    }
    const auto read = ov::as_type_ptr<ov::op::v6::ReadValue>(past);
    if (!read) {
        return error{"the keys are no state [1, heads, keys, d] and the run's own behind it"};
    }
    return openvino_cache{joined->output(0), read->get_variable_id()};
}

/// The last rows of a value, along an axis: all where it has no more.
[[nodiscard]] inline ov::Output<ov::Node> last_openvino_rows(const ov::Output<ov::Node>& value, index rows,
                                                             std::int64_t axis) {
    const auto one = [](std::int64_t n) {
        return ov::op::v0::Constant::create(ov::element::i64, {1}, std::vector<std::int64_t>{n});
    };
    return std::make_shared<ov::op::v8::Slice>(
               value, one(-rows), one(std::numeric_limits<std::int64_t>::max()), one(1), one(axis))
        ->output(0);
}

/// What a layer's outputs will be called, or why it cannot be shown.
[[nodiscard]] inline result<openvino_attention_layer>
describe_openvino_attention(const openvino_attention_node& node, const openvino_exposure& how) {
    openvino_attention_layer layer{.causal = node.get_causal()};
    if (node.get_input_size() > 4) {
        const auto scale = ov::as_type_ptr<ov::op::v0::Constant>(node.get_input_node_shared_ptr(4));
        if (scale == nullptr) {
            return error{"the scale is computed, not a constant"};
        }
        layer.scale = scale->cast_vector<float>(1).at(0);
        if (!std::isfinite(layer.scale) || layer.scale == 0) {
            return error{"the scale is " + std::to_string(layer.scale)};
        }
    }
    if (node.get_input_size() > 5) {
        return error{"sinks are not read"};
    }
    if (has_openvino_mask(node) && node.get_input_partial_shape(3).rank().is_dynamic()) {
        return error{"the mask's rank is not known"};
    }
    if (layer.causal && (how.last_queries > 0 || how.keys == openvino_keys::states)) {
        return error{"a causal node counts keys from its first query; show all queries and k"};
    }
    if (how.keys == openvino_keys::states) {
        const auto cache = find_openvino_cache(node);
        if (!cache) {
            return cache.error();
        }
        layer.state = cache->state;
    }
    return layer;
}

} // namespace detail

/// Makes q, k (or the shape of the keys in the state) and the mask of each ScaledDotProductAttention outputs
/// of the model, in the order of its layers; a mask that layers share is shown once. Errors: a model without
/// such a node (one whose attention was taken apart into products cannot be read this way), a scale that is
/// no constant, 0 or not finite, sinks, a mask whose number of axes is not known; keys that lie in no state,
/// where that is asked for. The model is changed on success only. Precondition: last_queries >= 0.
[[nodiscard]] inline result<std::vector<openvino_attention_layer>>
expose_openvino_attention(ov::Model& model, const openvino_exposure& how = {}) {
    OSTEND_EXPECTS(how.last_queries >= 0,
                   "expose_openvino_attention: the last " + std::to_string(how.last_queries) + " queries");
    std::vector<std::shared_ptr<detail::openvino_attention_node>> nodes;
    std::vector<openvino_attention_layer> layers;
    for (const auto& op : model.get_ordered_ops()) {
        if (auto node = ov::as_type_ptr<detail::openvino_attention_node>(op)) {
            auto layer = detail::describe_openvino_attention(*node, how);
            if (!layer) {
                return error{layer.error().what, "layers", layers.size()};
            }
            layers.push_back(*std::move(layer));
            nodes.push_back(std::move(node));
        }
    }
    if (nodes.empty()) {
        return error{"the model has no ScaledDotProductAttention", "model"};
    }
    const auto show = [&model](ov::Output<ov::Node> value, const std::string& name) {
        value.add_names({name});
        model.add_output(value);
        return name;
    };
    std::map<ov::Output<ov::Node>, std::string> masks;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::string name = "ostend.attention." + std::to_string(i) + ".";
        const auto rows = [&how](const ov::Output<ov::Node>& value, std::int64_t axis) {
            return how.last_queries == 0 ? value : detail::last_openvino_rows(value, how.last_queries, axis);
        };
        layers[i].q = show(rows(nodes[i]->input_value(0), -2), name + "q");
        if (layers[i].state.empty()) {
            layers[i].k = show(nodes[i]->input_value(1), name + "k");
        } else {
            const auto cache = detail::find_openvino_cache(*nodes[i]);
            layers[i].shape =
                show(std::make_shared<ov::op::v3::ShapeOf>(cache->keys)->output(0), name + "shape");
        }
        if (detail::has_openvino_mask(*nodes[i])) {
            auto& mask = masks[nodes[i]->input_value(3)];
            mask = mask.empty() ? show(rows(nodes[i]->input_value(3), -2), name + "mask") : mask;
            layers[i].mask = mask;
        }
    }
    return layers;
}

} // namespace ostend::inline OSTEND_KERNELS
