// openvino_attention: rows recorded from q and k of the fused node, against a softmax in the plainest form;
// the model's own outputs are the same with and without.
#include "openvino_models.hpp"
#include "ostend/adapt/openvino_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace ostend_test;

namespace {

using ostend::index;
using attention = ov::op::v13::ScaledDotProductAttention;

constexpr index heads = 4;
constexpr index d = 8;

enum class masking { none, causal, added, boolean };

/// Two layers whose q and k are the inputs times 1 and 2, so that what is exposed is computed in the model.
std::shared_ptr<ov::Model> two_layers(index kv_heads, masking mode, float scale) {
    const auto q = input("q", {1, heads, -1, d});
    const auto k = input("k", {1, kv_heads, -1, d});
    const auto v = input("v", {1, kv_heads, -1, d});
    const auto type = mode == masking::boolean ? ov::element::boolean : ov::element::f32;
    const auto mask = input("mask", {1, 1, -1, -1}, type);
    ov::ResultVector results;
    for (int layer = 0; layer < 2; ++layer) {
        const auto factor = floats({1}, {static_cast<float>(layer + 1)});
        const auto own_q = multiply(q, factor);
        const auto own_k = multiply(k, factor);
        const auto none = floats({}, {0});
        const auto own_scale = floats({}, {scale});
        std::shared_ptr<attention> fused;
        if (mode == masking::causal) {
            fused = std::make_shared<attention>(own_q, own_k, v, none, own_scale, true);
        } else if (mode == masking::none) {
            fused = std::make_shared<attention>(own_q, own_k, v, none, own_scale, false);
        } else {
            fused = std::make_shared<attention>(own_q, own_k, v, mask, own_scale, false);
        }
        results.push_back(output(fused, "out" + std::to_string(layer)));
    }
    return std::make_shared<ov::Model>(results, ov::ParameterVector{q, k, v, mask});
}

struct run_inputs {
    index kv_heads = heads;
    index queries = 1;
    index keys = 1;
    std::vector<float> q, k, v, mask; // of the mask 0 is visible, 1 hidden
};
run_inputs random_inputs(index kv_heads, index queries, index keys, std::mt19937& draw) {
    std::normal_distribution<float> normal;
    run_inputs in{kv_heads, queries, keys, {}, {}, {}, {}};
    in.q.resize(static_cast<std::size_t>(heads * queries * d));
    in.k.resize(static_cast<std::size_t>(kv_heads * keys * d));
    in.v = in.k;
    for (auto* values : {&in.q, &in.k, &in.v}) {
        for (float& x : *values) {
            x = normal(draw);
        }
    }
    for (index i = 0; i < queries * keys; ++i) {
        in.mask.push_back(draw() % 4 == 0 && i % keys != 0 ? 1.0F : 0.0F); // key 0 stays visible
    }
    return in;
}

/// mean over heads of softmax(scale q k + mask) of one layer: [queries][keys].
std::vector<std::vector<double>> plain_rows(const run_inputs& in, int layer, masking mode, double scale) {
    std::vector<std::vector<double>> rows(static_cast<std::size_t>(in.queries),
                                          std::vector<double>(static_cast<std::size_t>(in.keys)));
    for (index h = 0; h < heads; ++h) {
        const index kv = h / (heads / in.kv_heads);
        for (index i = 0; i < in.queries; ++i) {
            std::vector<double> e(static_cast<std::size_t>(in.keys));
            double sum = 0;
            for (index j = 0; j < in.keys; ++j) {
                const bool hidden = mode == masking::causal ? j > i
                                    : mode == masking::none
                                        ? false
                                        : in.mask[static_cast<std::size_t>(i * in.keys + j)] != 0;
                double product = 0;
                for (index c = 0; c < d; ++c) {
                    product +=
                        static_cast<double>(in.q[static_cast<std::size_t>((h * in.queries + i) * d + c)]) *
                        static_cast<double>(in.k[static_cast<std::size_t>((kv * in.keys + j) * d + c)]);
                }
                const double factor = (layer + 1) * (layer + 1);
                e[static_cast<std::size_t>(j)] = hidden ? 0.0 : std::exp(scale * factor * product);
                sum += e[static_cast<std::size_t>(j)];
            }
            for (index j = 0; j < in.keys; ++j) {
                rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] +=
                    e[static_cast<std::size_t>(j)] / sum / heads;
            }
        }
    }
    return rows;
}

ov::InferRequest infer(ov::CompiledModel& compiled, run_inputs& in, masking mode) {
    const auto size = [](index n) { return static_cast<std::size_t>(n); };
    auto request = compiled.create_infer_request();
    request.set_tensor(
        "q", ov::Tensor(ov::element::f32, {1, size(heads), size(in.queries), size(d)}, in.q.data()));
    for (const auto& [name, values] : {std::pair{"k", &in.k}, std::pair{"v", &in.v}}) {
        request.set_tensor(name, ov::Tensor(ov::element::f32, {1, size(in.kv_heads), size(in.keys), size(d)},
                                            values->data()));
    }
    if (mode == masking::boolean) {
        ov::Tensor mask(ov::element::boolean, {1, 1, size(in.queries), size(in.keys)});
        for (std::size_t i = 0; i < in.mask.size(); ++i) {
            static_cast<char*>(mask.data())[i] = in.mask[i] == 0 ? 1 : 0;
        }
        request.set_tensor("mask", mask);
    } else {
        ov::Tensor mask(ov::element::f32, {1, 1, size(in.queries), size(in.keys)});
        for (std::size_t i = 0; i < in.mask.size(); ++i) {
            mask.data<float>()[i] = in.mask[i] == 0 ? 0.0F : -std::numeric_limits<float>::infinity();
        }
        request.set_tensor("mask", mask);
    }
    request.infer();
    return request;
}

const ov::AnyMap exact{ov::hint::inference_precision(ov::element::f32), ov::inference_num_threads(1)};

TEST_CASE("rows of prompts and of single steps, every masking, grouped heads, a scale of its own") {
    std::mt19937 draw(5);
    ov::Core core;
    for (const masking mode : {masking::none, masking::causal, masking::added, masking::boolean}) {
        const float scale = mode == masking::added ? 0.2F : 0.35355339F;
        auto plain_model = two_layers(heads, mode, scale);
        auto model = two_layers(heads, mode, scale);
        const auto layers = ostend::expose_openvino_attention(*model);
        REQUIRE_MESSAGE(layers, layers.error().message());
        REQUIRE(layers->size() == 2);
        auto plain = core.compile_model(plain_model, "CPU", exact);
        auto compiled = core.compile_model(model, "CPU", exact);
        for (const auto& [queries, keys] : {std::pair<index, index>{6, 6}, {1, 9}, {3, 3}}) {
            if (mode == masking::causal && queries != keys) {
                continue;
            }
            CAPTURE(static_cast<int>(mode));
            const index asked = queries; // clang 14 captures no structured binding
            CAPTURE(asked);
            run_inputs in = random_inputs(heads, queries, keys, draw);
            auto request = infer(compiled, in, mode);
            auto without = infer(plain, in, mode);
            for (const std::string out : {"out0", "out1"}) { // the kernel computes what it computed before
                const ov::Tensor a = request.get_tensor(out);
                const ov::Tensor b = without.get_tensor(out);
                REQUIRE(a.get_size() == b.get_size());
                for (std::size_t i = 0; i < a.get_size(); ++i) {
                    CHECK(a.data<float>()[i] == b.data<float>()[i]);
                }
            }
            ostend::recorder rows({.layers = 2, .heads = heads, .image = {0, keys}});
            const auto recorded = ostend::record_openvino_attention(rows, request, *layers, 0);
            REQUIRE_MESSAGE(recorded, recorded.error().message());
            const auto maps = rows.maps();
            REQUIRE_MESSAGE(maps, maps.error().message());
            for (index i = 0; i < queries; ++i) {
                const auto first = plain_rows(in, 0, mode, scale);
                const auto second = plain_rows(in, 1, mode, scale);
                for (index j = 0; j < keys; ++j) {
                    const double expected =
                        (first[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] +
                         second[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]) /
                        2;
                    CHECK((*maps)(i, j) == doctest::Approx(expected).epsilon(1e-4));
                }
            }
        }
    }
}

TEST_CASE("models that cannot be read this way") {
    auto model = sam2_decoder();
    const auto none = ostend::expose_openvino_attention(*model);
    REQUIRE(!none);
    CHECK(none.error().message() == "model: the model has no ScaledDotProductAttention");
    // A scale that is computed.
    const auto q = input("q", {1, 2, -1, 4});
    const auto s = input("s", {});
    const auto fused = std::make_shared<attention>(q, q, q, floats({}, {0}), s, false);
    ov::Model computed(ov::ResultVector{output(fused, "out")}, ov::ParameterVector{q, s});
    const auto refused = ostend::expose_openvino_attention(computed);
    REQUIRE(!refused);
    CHECK(refused.error().message() == "layers: the scale is computed, not a constant (at 0)");
    CHECK(computed.outputs().size() == 1); // and nothing was changed
}

TEST_CASE("a run whose tensors are not there") {
    std::mt19937 draw(1);
    ov::Core core;
    auto compiled = core.compile_model(two_layers(heads, masking::none, 0.5F), "CPU", exact);
    run_inputs in = random_inputs(heads, 1, 3, draw);
    auto request = infer(compiled, in, masking::none);
    const std::vector<ostend::openvino_attention_layer> layers{{.q = "absent", .k = "absent"}};
    ostend::recorder rows({.layers = 1, .heads = heads, .image = {0, 3}});
    const auto refused = ostend::record_openvino_attention(rows, request, layers, 0);
    REQUIRE(!refused);
    CHECK(refused.error().field.find("layer 0") == 0);
}

} // namespace
