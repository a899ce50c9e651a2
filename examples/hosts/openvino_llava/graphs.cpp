#include "openvino_llava/graphs.hpp"

#include <openvino/op/ops.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace ostend_hosts {
namespace {

namespace op = ov::op;
using value = ov::Output<ov::Node>;

template <class Op, class... Arguments>
value make(Arguments&&... arguments) {
    return std::make_shared<Op>(std::forward<Arguments>(arguments)...)->output(0);
}
value numbers(const std::vector<std::int64_t>& values) {
    return op::v0::Constant::create(ov::element::i64, {values.size()}, values)->output(0);
}
value number(std::int64_t one) { return op::v0::Constant::create(ov::element::i64, {}, {one})->output(0); }
value real(float one) { return op::v0::Constant::create(ov::element::f32, {1}, {one})->output(0); }

value add(const value& a, const value& b) { return make<op::v1::Add>(a, b); }
value multiply(const value& a, const value& b) { return make<op::v1::Multiply>(a, b); }
value reshape(const value& x, const std::vector<std::int64_t>& shape) { // 0: as it is
    return make<op::v1::Reshape>(x, numbers(shape), true);
}
value transpose(const value& x, const std::vector<std::int64_t>& order) {
    return make<op::v1::Transpose>(x, numbers(order));
}

std::shared_ptr<op::v0::Parameter> input(const char* name, ov::element::Type type,
                                         const ov::PartialShape& shape) {
    auto parameter = std::make_shared<op::v0::Parameter>(type, shape);
    parameter->set_friendly_name(name);
    parameter->output(0).set_names({name});
    return parameter;
}
std::shared_ptr<op::v0::Result> output(value x, const char* name) {
    x.set_names({name});
    return std::make_shared<op::v0::Result>(x);
}

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

/// The layers of neural.hpp as nodes; a name is the weights' name without its last part.
struct layers {
    const weight_source& weights;

    [[nodiscard]] value linear(const std::string& name, Index out, Index in, bool bias,
                               const value& x) const {
        const value y =
            make<op::v0::MatMul>(x, weights(name + ".weight", {size(out), size(in)}), false, true);
        return bias ? add(y, weights(name + ".bias", {size(out)})) : y;
    }
    [[nodiscard]] value rms_norm(const std::string& name, Index width, float epsilon, const value& x) const {
        const value square = make<op::v1::Power>(x, real(2));
        const value mean = make<op::v1::ReduceMean>(square, numbers({-1}), true);
        const value root = make<op::v0::Sqrt>(add(mean, real(epsilon)));
        return multiply(make<op::v1::Divide>(x, root), weights(name + ".weight", {size(width)}));
    }
    [[nodiscard]] value layer_norm(const std::string& name, Index width, float epsilon,
                                   const value& x) const {
        const value even = make<op::v6::MVN>(x, numbers({-1}), true, epsilon, op::MVNEpsMode::INSIDE_SQRT);
        return add(multiply(even, weights(name + ".weight", {size(width)})),
                   weights(name + ".bias", {size(width)}));
    }
};

value activate(activation kind, const value& x) {
    switch (kind) {
    case activation::gelu:
        return make<op::v7::Gelu>(x, op::GeluApproximationMode::ERF);
    case activation::gelu_tanh:
        return make<op::v7::Gelu>(x, op::GeluApproximationMode::TANH);
    case activation::quick_gelu:
        return multiply(x, make<op::v0::Sigmoid>(multiply(x, real(1.702F))));
    case activation::silu:
        break;
    }
    return make<op::v4::Swish>(x);
}

/// [1, n, heads * d] -> [1, heads, n, d], and back.
value split_heads(const value& x, Index heads, Index d) {
    return transpose(reshape(x, {0, 0, heads, d}), {0, 2, 1, 3});
}
value join_heads(const value& x, Index width) { return reshape(transpose(x, {0, 2, 1, 3}), {0, 0, width}); }

/// Rotary embedding: x * cos + (-second half, first half) * sin, as in llama.cpp of the Eigen host.
struct rotation {
    value cosines; ///< [1, 1, n, d]; the halves are the same
    value sines;

    rotation(const value& positions, Index d, float theta) {
        std::vector<float> frequencies;
        for (Index i = 0; i < d / 2; ++i) {
            frequencies.push_back(1.0F / std::pow(theta, float(2 * i) / float(d)));
        }
        const value row =
            op::v0::Constant::create(ov::element::f32, {1, 1, 1, frequencies.size()}, frequencies);
        const value column = reshape(make<op::v0::Convert>(positions, ov::element::f32), {1, 1, -1, 1});
        const value half = multiply(column, row);
        const value angles = make<op::v0::Concat>(ov::OutputVector{half, half}, -1);
        cosines = make<op::v0::Cos>(angles);
        sines = make<op::v0::Sin>(angles);
    }
    [[nodiscard]] value operator()(const value& x, Index d) const {
        const auto halves = std::make_shared<op::v1::VariadicSplit>(x, number(3), numbers({d / 2, d / 2}));
        const value turned = make<op::v0::Concat>(
            ov::OutputVector{multiply(halves->output(1), real(-1)), halves->output(0)}, -1);
        return add(multiply(x, cosines), multiply(turned, sines));
    }
};

/// 0 where key j is not after query i, else -inf: [1, 1, n, keys]; there are as many keys as positions so
/// far.
value causal_mask(const value& positions) {
    const value last = make<op::v1::ReduceMax>(positions, numbers({0, 1}), false);
    const value keys =
        make<op::v4::Range>(number(0), make<op::v1::Add>(last, number(1)), number(1), ov::element::i64);
    const value seen = make<op::v1::LessEqual>(keys, reshape(positions, {1, 1, -1, 1}));
    return make<op::v1::Select>(seen, real(0), real(-std::numeric_limits<float>::infinity()));
}

/// All keys (or values) so far, the run's own last: [1, kv_heads, keys, d]. The state is empty at first.
value remember(const value& own, const std::string& name, Index kv_heads, Index d, const value& beams,
               ov::SinkVector& sinks) {
    const auto state = std::make_shared<op::util::Variable>(
        op::util::VariableInfo{{1, kv_heads, -1, d}, ov::element::f32, name});
    const value nothing =
        std::make_shared<op::v0::Constant>(ov::element::f32, ov::Shape{1, size(kv_heads), 0, size(d)});
    const value past = make<op::v6::ReadValue>(nothing, state);
    const value chosen = make<op::v8::Gather>(past, beams, number(0));
    const value all = make<op::v0::Concat>(ov::OutputVector{chosen, own}, 2);
    sinks.push_back(std::make_shared<op::v6::Assign>(all, state));
    return all;
}

/// Each key head for its group of query heads: [1, kv_heads, keys, d] -> [1, heads, keys, d].
value repeat_heads(const value& x, Index heads, Index kv_heads, Index d) {
    if (heads == kv_heads) {
        return x;
    }
    const value grouped = make<op::v0::Unsqueeze>(x, numbers({2}));
    const value repeated = make<op::v3::Broadcast>(grouped, numbers({1, 1, heads / kv_heads, 1, 1}),
                                                   op::BroadcastType::BIDIRECTIONAL);
    return reshape(repeated, {0, heads, -1, d});
}

} // namespace

value file_weights::operator()(const std::string& name, const ov::Shape& shape) {
    if (!error_) {
        auto values = file_.values(name, std::vector<ostend::index>(shape.begin(), shape.end()));
        if (values) {
            return op::v0::Constant::create(ov::element::f32, shape, *values)->output(0);
        }
        error_ = values.error();
    }
    return real(0);
}

std::shared_ptr<ov::Model> vision_graph(const model_config& config, const weight_source& weights) {
    const vision_config& v = config.vision;
    const layers layer{weights};
    const Index pixels = 3 * v.patch_size * v.patch_size;
    const Index patches = v.grid() * v.grid();
    const std::string root = "vision_tower.";

    const auto image = input("patches", ov::element::f32, {patches, pixels});
    const std::string embed = root + "embeddings.patch_embedding";
    const value kernel =
        weights(embed + ".weight", {size(v.width), 3, size(v.patch_size), size(v.patch_size)});
    value x = make<op::v0::MatMul>(image, reshape(kernel, {v.width, pixels}), false, true);
    const value places = weights(root + "embeddings.position_embedding.weight",
                                 {size(patches + (v.clip ? 1 : 0)), size(v.width)});
    if (v.clip) {
        const value first = weights(root + "embeddings.class_embedding", {size(v.width)});
        x = make<op::v0::Concat>(ov::OutputVector{reshape(first, {1, v.width}), x}, 0);
        x = layer.layer_norm(root + "pre_layrnorm", v.width, v.epsilon, add(x, places));
    } else {
        x = add(add(x, weights(embed + ".bias", {size(v.width)})), places);
    }
    x = make<op::v0::Unsqueeze>(x, numbers({0}));
    for (Index l = 0; l < v.layers; ++l) {
        const std::string name = root + "encoder.layers." + std::to_string(l) + ".";
        const value seen = layer.layer_norm(name + "layer_norm1", v.width, v.epsilon, x);
        const auto heads_of = [&](const char* part) {
            return split_heads(layer.linear(name + "self_attn." + part, v.width, v.width, true, seen),
                               v.heads, v.width / v.heads);
        };
        const value mixed = make<op::v13::ScaledDotProductAttention>(heads_of("q_proj"), heads_of("k_proj"),
                                                                     heads_of("v_proj"), false);
        x = add(
            x, layer.linear(name + "self_attn.out_proj", v.width, v.width, true, join_heads(mixed, v.width)));
        const value normed = layer.layer_norm(name + "layer_norm2", v.width, v.epsilon, x);
        const value hidden =
            activate(v.act, layer.linear(name + "mlp.fc1", v.mlp_width, v.width, true, normed));
        x = add(x, layer.linear(name + "mlp.fc2", v.width, v.mlp_width, true, hidden));
    }
    x = reshape(x, {-1, v.width});
    if (v.clip) { // LLaVA leaves the class token out
        x = make<op::v8::Slice>(x, numbers({1}), numbers({patches + 1}), numbers({1}), numbers({0}));
    }
    const Index width = config.language.width;
    const std::string projector = "multi_modal_projector.linear_";
    x = activate(config.projector_act,
                 layer.linear(projector + "1", width, v.width, config.projector_bias, x));
    x = layer.linear(projector + "2", width, width, config.projector_bias, x);
    return std::make_shared<ov::Model>(ov::ResultVector{output(x, "features")}, ov::ParameterVector{image},
                                       "vision");
}

std::shared_ptr<ov::Model> language_graph(const llama_config& config, const weight_source& weights) {
    const layers layer{weights};
    const Index d = config.head_dim;
    const std::string root = "language_model.model.";

    const auto embeddings = input("embeddings", ov::element::f32, {1, -1, config.width});
    const auto positions = input("positions", ov::element::i64, {1, -1});
    const auto beams = input("beams", ov::element::i32, {1});
    const rotation turn(positions, d, config.rope_theta);
    const value mask = causal_mask(positions);
    ov::SinkVector sinks;
    value x = embeddings;
    for (Index l = 0; l < config.layers; ++l) {
        const std::string name = root + "layers." + std::to_string(l) + ".";
        const value seen = layer.rms_norm(name + "input_layernorm", config.width, config.epsilon, x);
        const auto heads_of = [&](const char* part, Index heads) {
            return split_heads(layer.linear(name + "self_attn." + part, heads * d, config.width, false, seen),
                               heads, d);
        };
        const auto all_of = [&](const value& own, const char* kind) {
            const std::string state = "layer." + std::to_string(l) + "." + kind;
            return repeat_heads(remember(own, state, config.kv_heads, d, beams, sinks), config.heads,
                                config.kv_heads, d);
        };
        const value q = turn(heads_of("q_proj", config.heads), d);
        const value k = all_of(turn(heads_of("k_proj", config.kv_heads), d), "key");
        const value v = all_of(heads_of("v_proj", config.kv_heads), "value");
        const value mixed = make<op::v13::ScaledDotProductAttention>(q, k, v, mask, false);
        x = add(x, layer.linear(name + "self_attn.o_proj", config.width, config.heads * d, false,
                                join_heads(mixed, config.heads * d)));

        const value normed =
            layer.rms_norm(name + "post_attention_layernorm", config.width, config.epsilon, x);
        const value gate = activate(activation::silu, layer.linear(name + "mlp.gate_proj", config.mlp_width,
                                                                   config.width, false, normed));
        const value up = layer.linear(name + "mlp.up_proj", config.mlp_width, config.width, false, normed);
        x = add(x, layer.linear(name + "mlp.down_proj", config.width, config.mlp_width, false,
                                multiply(gate, up)));
    }
    // Only the last position predicts a token that is not known yet.
    constexpr auto end = std::numeric_limits<std::int64_t>::max();
    x = make<op::v8::Slice>(x, numbers({-1}), numbers({end}), numbers({1}), numbers({1}));
    x = layer.rms_norm(root + "norm", config.width, config.epsilon, x);
    const std::string head = config.tied ? root + "embed_tokens" : "language_model.lm_head";
    x = layer.linear(head, config.vocabulary, config.width, false, x);
    return std::make_shared<ov::Model>(ov::ResultVector{output(x, "logits")}, sinks,
                                       ov::ParameterVector{embeddings, positions, beams}, "language");
}

} // namespace ostend_hosts
