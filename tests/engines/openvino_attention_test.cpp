// openvino_attention: rows recorded from q and k of the fused node, against a softmax in the plainest form;
// the model's own outputs are the same with and without.
#include "openvino_models.hpp"
#include "ostend/adapt/openvino_attention.hpp"
#include "support/errors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
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

/// A model of one attention node, q its q, k and v. scale: null for none.
std::shared_ptr<ov::Model> one_layer(const std::shared_ptr<ov::op::v0::Parameter>& mask, const node& scale,
                                     bool causal = false) {
    const auto q = input("q", {1, 2, -1, 4});
    const auto fused = scale == nullptr ? std::make_shared<attention>(q, q, q, mask, causal)
                                        : std::make_shared<attention>(q, q, q, mask, scale, causal);
    ov::ParameterVector inputs{q, mask};
    if (const auto computed = ov::as_type_ptr<ov::op::v0::Parameter>(scale)) {
        inputs.push_back(computed);
    }
    return std::make_shared<ov::Model>(ov::ResultVector{output(fused, "out")}, inputs);
}

TEST_CASE("models that cannot be read this way") {
    auto none = sam2_decoder();
    CHECK_ERROR(ostend::expose_openvino_attention(*none),
                "model: ", "the model has no ScaledDotProductAttention");
    const auto refused = [](const std::shared_ptr<ov::Model>& model) {
        const auto layers = ostend::expose_openvino_attention(*model);
        CHECK(model->outputs().size() == 1); // and nothing was changed
        return layers;
    };
    const auto scalar = [] { return input("mask", {}); };
    CHECK_ERROR(refused(one_layer(scalar(), input("s", {}))),
                "layers: ", "the scale is computed, not a constant (at 0)");
    CHECK_ERROR(refused(one_layer(scalar(), floats({}, {0}))), "layers: ", "the scale is 0.0");
    CHECK_ERROR(refused(one_layer(scalar(), floats({}, {std::numeric_limits<float>::infinity()}))),
                "layers: ", "the scale is inf");
    // A mask of any number of axes may be one that hides keys.
    CHECK_ERROR(refused(one_layer(input("mask", ov::PartialShape::dynamic()), nullptr)),
                "layers: ", "the mask's rank is not known (at 0)");
    const auto causal = one_layer(input("mask", ov::PartialShape::dynamic()), nullptr, true);
    const auto exposed = ostend::expose_openvino_attention(*causal);
    REQUIRE_MESSAGE(exposed, exposed.error().message());
    CHECK(exposed->front().mask.empty()); // a causal node does not read it
    const auto unmasked = one_layer(scalar(), nullptr);
    CHECK(ostend::expose_openvino_attention(*unmasked)->front().mask.empty());
    const auto masked = one_layer(input("mask", {-1, -1}), nullptr);
    CHECK(ostend::expose_openvino_attention(*masked)->front().mask == "ostend.attention.0.mask");
}

TEST_CASE("layers that are not used are not looked at, unless somebody listens") {
    struct counter : ostend::attention_listener {
        int queries = 0;
        void on_queries(const ostend::row_key&, const ostend::qk_block&,
                        const ostend::key_selection&) override {
            ++queries;
        }
        void on_rows(const ostend::row_key&, const ostend::tensor_view<const float, 3>&,
                     const ostend::key_selection&) override {}
    };
    std::mt19937 draw(3);
    ov::Core core;
    auto model = two_layers(heads, masking::added, 0.5F);
    auto layers = *ostend::expose_openvino_attention(*model);
    auto compiled = core.compile_model(model, "CPU", exact);
    run_inputs in = random_inputs(heads, 4, 4, draw);
    auto request = infer(compiled, in, masking::added);
    ostend::recorder_options options{.layers = 2, .heads = heads, .image = {0, 4}};
    options.heads_used = ostend::head_selection::pairs({{1, 0}});
    ostend::recorder rows(options);
    layers[0].mask = layers[0].q; // no mask of four keys
    const auto recorded = ostend::record_openvino_attention(rows, request, layers, 0);
    REQUIRE_MESSAGE(recorded, recorded.error().message());
    const auto maps = rows.maps();
    REQUIRE_MESSAGE(maps, maps.error().message());
    CHECK(maps->rows() == 4);
    counter listener;
    options.listener = &listener;
    ostend::recorder heard(options);
    CHECK_ERROR(ostend::record_openvino_attention(heard, request, layers, 0), "layer 0: mask", "a mask of");
    CHECK(listener.queries == 0);
    layers[0].mask = layers[1].mask;
    CHECK(ostend::record_openvino_attention(heard, request, layers, 0));
    CHECK(listener.queries == 2);
    CHECK(*heard.maps() == *maps);
}

TEST_CASE("a model that is not the recorder's") {
    std::mt19937 draw(4);
    ov::Core core;
    auto model = two_layers(heads, masking::none, 0.5F);
    const auto layers = *ostend::expose_openvino_attention(*model);
    auto compiled = core.compile_model(model, "CPU", exact);
    run_inputs in = random_inputs(heads, 2, 4, draw);
    const auto request = infer(compiled, in, masking::none);
    const auto record = [&](const ostend::recorder_options& options) {
        ostend::recorder rows(options);
        const auto recorded = ostend::record_openvino_attention(rows, request, layers, 0);
        CHECK(rows.tokens() == (recorded ? 2 : 0));
        return recorded;
    };
    CHECK_ERROR(record({.layers = 1, .heads = heads, .image = {0, 4}}), "layers",
                "2 layers; the recorder has 1");
    CHECK_ERROR(record({}), "layers", "2 layers; the recorder has 0");
    CHECK_ERROR(record({.layers = 2, .heads = 8, .image = {0, 4}}), "layer 0: q",
                "4 heads; the recorder has 8");
    CHECK_ERROR(record({.layers = 2, .heads = heads, .image = {1, 4}}), "layer 0: k",
                "4 keys; the image's end at 5");
    CHECK(record({.layers = 3, .heads = heads, .image = {0, 4}})); // the last comes from elsewhere
}

/// Two layers as above over caches: each run's keys come behind those of the runs before.
std::shared_ptr<ov::Model> two_caches(index kv_heads, std::int64_t axis = 2) {
    const auto q = input("q", {1, heads, -1, d});
    const auto k = input("k", {1, kv_heads, -1, d});
    const auto v = input("v", {1, kv_heads, -1, d});
    const auto mask = input("mask", {1, 1, -1, -1});
    const auto beams = input("beams", {1}, ov::element::i32);
    ov::ResultVector results;
    ov::SinkVector sinks;
    for (int layer = 0; layer < 2; ++layer) {
        const auto factor = floats({1}, {static_cast<float>(layer + 1)});
        const auto all = [&](const node& own, const char* kind) -> node {
            const auto variable = std::make_shared<ov::op::util::Variable>(ov::op::util::VariableInfo{
                {1, kv_heads, -1, d}, ov::element::f32, kind + std::to_string(layer)});
            const auto past = std::make_shared<ov::op::v6::ReadValue>(
                floats({1, static_cast<std::size_t>(kv_heads), 0, d}, {}), variable);
            const auto chosen = std::make_shared<ov::op::v8::Gather>(past, beams, number(0));
            const auto joined = std::make_shared<ov::op::v0::Concat>(ov::NodeVector{chosen, own}, 2);
            sinks.push_back(std::make_shared<ov::op::v6::Assign>(joined, variable));
            if (kv_heads == heads) {
                return joined;
            }
            const auto grouped = std::make_shared<ov::op::v0::Unsqueeze>(joined, whole({axis}));
            const auto repeated = std::make_shared<ov::op::v3::Broadcast>(
                grouped, whole({1, 1, heads / kv_heads, 1, 1}), ov::op::BroadcastType::BIDIRECTIONAL);
            return reshape(repeated, {1, heads, -1, d});
        };
        const auto fused = std::make_shared<attention>(multiply(q, factor), all(multiply(k, factor), "key"),
                                                       all(v, "value"), mask, false);
        results.push_back(output(fused, "out" + std::to_string(layer)));
    }
    return std::make_shared<ov::Model>(results, sinks, ov::ParameterVector{q, k, v, mask, beams});
}

std::vector<float> joined_keys(const run_inputs& past, const run_inputs& own) {
    std::vector<float> all;
    for (index head = 0; head < own.kv_heads; ++head) {
        for (const auto& [k, keys] : {std::pair{&past.k, past.keys}, std::pair{&own.k, own.queries}}) {
            const auto from = k->begin() + head * keys * d;
            all.insert(all.end(), from, from + keys * d);
        }
    }
    return all;
}

struct cache_run {
    ov::InferRequest request;
    run_inputs all; ///< of the last run: its queries, all keys
};
/// One run over the cache; the mask is random, or hides later keys.
void infer_next(cache_run& run, index queries, bool causal, std::mt19937& draw) {
    const auto size = [](index n) { return static_cast<std::size_t>(n); };
    run_inputs own = random_inputs(run.all.kv_heads, queries, queries, draw);
    run_inputs all = random_inputs(run.all.kv_heads, queries, run.all.keys + queries, draw);
    all.q = own.q;
    all.k = joined_keys(run.all, own);
    for (index i = 0; causal && i < queries; ++i) {
        for (index j = 0; j < all.keys; ++j) {
            all.mask[size(i * all.keys + j)] = j > all.keys - queries + i ? 1.0F : 0.0F;
        }
    }
    run.request.set_tensor(
        "q", ov::Tensor(ov::element::f32, {1, size(heads), size(queries), size(d)}, own.q.data()));
    for (const auto& [name, values] : {std::pair{"k", &own.k}, std::pair{"v", &own.v}}) {
        run.request.set_tensor(
            name,
            ov::Tensor(ov::element::f32, {1, size(own.kv_heads), size(queries), size(d)}, values->data()));
    }
    ov::Tensor mask(ov::element::f32, {1, 1, size(queries), size(all.keys)});
    for (std::size_t i = 0; i < all.mask.size(); ++i) {
        mask.data<float>()[i] = all.mask[i] == 0 ? 0.0F : std::numeric_limits<float>::lowest();
    }
    run.request.set_tensor("mask", mask);
    ov::Tensor beams(ov::element::i32, {1});
    *beams.data<std::int32_t>() = 0;
    run.request.set_tensor("beams", beams);
    run.request.infer();
    run.all = all;
}
cache_run start(ov::CompiledModel& compiled, index kv_heads) {
    return {compiled.create_infer_request(), run_inputs{kv_heads, 0, 0, {}, {}, {}, {}}};
}

/// OpenVINO compresses its cache unless it is told not to.
ov::AnyMap exact_cache() {
    ov::AnyMap all = exact;
    all.insert(ov::hint::kv_cache_precision(ov::element::f32));
    return all;
}

TEST_CASE("keys out of states: the nodes stay fused, rows at once or kept, all queries or the last") {
    std::mt19937 draw(8);
    ov::Core core;
    for (const index kv_heads : {heads, heads / 2, index{1}}) {
        for (const auto& [shown_at_most, compressed] :
             {std::pair<index, bool>{0, false}, {2, false}, {0, true}}) {
            auto model = two_caches(kv_heads);
            const auto layers = ostend::expose_openvino_attention(
                *model, {.keys = ostend::openvino_keys::states, .last_queries = shown_at_most});
            REQUIRE_MESSAGE(layers, (layers ? std::string() : layers.error().message()));
            CHECK(std::set{layers->at(0).state, layers->at(1).state} ==
                  std::set<std::string>{"key0", "key1"});
            CHECK(layers->at(1).mask == layers->at(0).mask);
            CHECK(model->outputs().size() == 2 + 2 * 2 + 1); // a mask for both
            auto compiled = core.compile_model(model, "CPU", compressed ? exact : exact_cache());
            int fused = 0;
            for (const auto& op : compiled.get_runtime_model()->get_ops()) {
                fused += op->get_rt_info().at("layerType").as<std::string>() == "ScaledDotProductAttention";
            }
            CHECK(fused == 2);
            for (const index every : {0, 1, 2, 3, 64}) {
                CAPTURE(every);
                ostend::recorder_options options{.layers = 2, .heads = heads, .image = {1, 3}};
                options.mode = every == 0 ? ostend::recording::online : ostend::recording::deferred;
                options.flush_every = every == 0 ? 64 : every;
                ostend::recorder rows(options);
                cache_run run = start(compiled, kv_heads);
                std::vector<std::vector<double>> expected;
                index last = 0;
                for (const auto& [queries, causal] :
                     {std::pair<index, bool>{5, true}, {1, false}, {2, true}, {1, true}, {2, false}}) {
                    infer_next(run, queries, causal, draw);
                    last += expected.empty() ? 0 : queries; // of the first run only the last predicts
                    const index shown = shown_at_most == 0 ? queries : std::min(queries, shown_at_most);
                    const auto recorded =
                        ostend::record_openvino_attention(rows, run.request, *layers, last - (shown - 1));
                    REQUIRE_MESSAGE(recorded, (recorded ? std::string() : recorded.error().message()));
                    const auto first_layer = plain_rows(run.all, 0, masking::added, 0.35355339);
                    const auto second_layer = plain_rows(run.all, 1, masking::added, 0.35355339);
                    for (index i = expected.empty() ? queries - 1 : 0; i < queries; ++i) {
                        expected.emplace_back();
                        for (std::size_t j = 1; j < 4; ++j) {
                            expected.back().push_back((first_layer[static_cast<std::size_t>(i)][j] +
                                                       second_layer[static_cast<std::size_t>(i)][j]) /
                                                      2);
                        }
                    }
                }
                const auto flushed = ostend::flush_openvino_attention(rows, run.request, *layers);
                REQUIRE_MESSAGE(flushed, (flushed ? std::string() : flushed.error().message()));
                const auto maps = rows.maps();
                REQUIRE_MESSAGE(maps, (maps ? std::string() : maps.error().message()));
                REQUIRE(maps->rows() == static_cast<index>(expected.size()));
                for (index t = 0; t < maps->rows(); ++t) {
                    for (index j = 0; j < 3; ++j) {
                        CHECK((*maps)(t, j) ==
                              doctest::Approx(
                                  expected[static_cast<std::size_t>(t)][static_cast<std::size_t>(j)])
                                  .epsilon(compressed ? 2e-2 : 1e-4));
                    }
                }
            }
        }
    }
}

TEST_CASE("keys that lie in no state, and states that are not there any more") {
    const ostend::openvino_exposure states{.keys = ostend::openvino_keys::states};
    const auto refused = [](const std::shared_ptr<ov::Model>& model, const ostend::openvino_exposure& how) {
        const std::size_t before = model->outputs().size();
        auto layers = ostend::expose_openvino_attention(*model, how);
        CHECK(model->outputs().size() == before);
        return layers;
    };
    CHECK_ERROR(refused(two_layers(heads, masking::added, 0.5F), states),
                "layers: ", "the keys are no state");
    CHECK_ERROR(refused(two_caches(2, 1), states), "layers: ", "the keys are no state"); // heads in turn
    for (const auto& how : {states, ostend::openvino_exposure{.last_queries = 1}}) {
        CHECK_ERROR(refused(two_layers(heads, masking::causal, 0.5F), how),
                    "layers: ", "a causal node counts keys from its first query");
    }

    std::mt19937 draw(9);
    ov::Core core;
    auto model = two_caches(heads);
    const auto layers = *ostend::expose_openvino_attention(*model, states);
    auto compiled = core.compile_model(model, "CPU", exact);
    ostend::recorder_options options{.layers = 2, .heads = heads, .image = {0, 4}};
    const auto record = [&](std::vector<ostend::openvino_attention_layer> changed, index queries) {
        cache_run run = start(compiled, heads);
        infer_next(run, queries, true, draw);
        ostend::recorder rows(options);
        const auto recorded = ostend::record_openvino_attention(rows, run.request, changed, 0);
        return recorded ? ostend::flush_openvino_attention(rows, run.request, changed) : recorded;
    };
    auto other = layers;
    other[1].state = "absent";
    for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
        options.mode = mode;
        CHECK(record(layers, 4));
        CHECK_ERROR(record(layers, 3), "layer 0: k", "3 keys; the image's end at 4");
        CHECK_ERROR(record(other, 4), "layer 1: state", "the request has no state 'absent'");
    }
    options.heads_used = ostend::head_selection::pairs({{0, 2}});
    CHECK(record(other, 4)); // the layer is not used
    options.heads_used = ostend::head_selection::all();
    other = layers;
    other[1].shape = "absent";
    CHECK_ERROR(record(other, 4), "layer 1: shape", "absent");
    other[1].shape = layers[1].q;
    CHECK_ERROR(record(other, 4), "layer 1: shape", "f32 where i64 is expected");

    cache_run run = start(compiled, heads);
    infer_next(run, 6, true, draw);
    ostend::recorder rows(options);
    CHECK(ostend::record_openvino_attention(rows, run.request, layers, 0));
    run.request.reset_state();
    run.all.keys = 0;
    run.all.k.clear();
    infer_next(run, 4, true, draw);
    CHECK_ERROR(ostend::flush_openvino_attention(rows, run.request, layers), "epoch",
                "saw 6 keys, of which 4 are left at the flush");
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
