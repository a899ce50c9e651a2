// adapt/ggml* on a device's memory: queries, masks, sinks and keys are copied, and the rows are those of the
// plainest attention; slices on several devices are refused.
#include "engines/ggml_scene.hpp"
#include "engines/ggml_server.hpp"
#include "support/errors.hpp"

namespace ostend_test {
namespace {

/// One for all tests: what has run a server's graphs once cannot forget it.
ggml_backend_dev_t device() {
    static const ggml_server server;
    return server.device();
}

/// Counts the nodes that are asked for, and whether the answers are those of the step before.
struct answers {
    ostend::ggml_recorder* recorder = nullptr;
    std::vector<bool> last = {}, now = {};
    static bool eval(ggml_tensor* node, bool ask, void* self) {
        auto& a = *static_cast<answers*>(self);
        const bool said = ostend::ggml_recorder::eval(node, ask, a.recorder);
        if (ask) {
            a.now.push_back(said);
        }
        return said;
    }
    void next() {
        last = now;
        now.clear();
    }
};

} // namespace

TEST_CASE("device: a tensor's memory is told apart, parts of it are copied, and views of it are refused") {
    ggml_backend_buffer_t const buffer =
        ggml_backend_buft_alloc_buffer(ggml_backend_dev_buffer_type(device()), 1 << 16);
    ggml_context* const ctx = ggml_init({1 << 16, nullptr, true});
    ggml_tensor* const x = ggml_new_tensor_4d(ctx, GGML_TYPE_F32, 4, 3, 5, 2);
    ggml_set_name(x, "x");
    CHECK_ERROR(ostend::v0::detail::ggml_is_on_host(*x), "'x'", "no data yet");
    REQUIRE(ggml_backend_tensor_alloc(buffer, x, ggml_backend_buffer_get_base(buffer)) ==
            GGML_STATUS_SUCCESS);
    std::vector<float> values(4 * 3 * 5 * 2);
    std::iota(values.begin(), values.end(), 0.0F);
    ggml_backend_tensor_set(x, values.data(), 0, ggml_nbytes(x));

    const auto here = ostend::v0::detail::ggml_is_on_host(*x);
    REQUIRE(here);
    CHECK_FALSE(*here);
    CHECK_ERROR((ostend::from_ggml<float, 4>(*x)), "'x'", "the host cannot read");
    CHECK_ERROR(ostend::ggml_keys(*x), "'x'", "the host cannot read");
    CHECK_ERROR(ostend::ggml_stream_keys(*x), "'x'", "the host cannot read");

    std::vector<float> room;
    const auto check = [&](const ggml_tensor& t, const auto& wanted) {
        for (index i1 = 0; i1 < t.ne[1]; ++i1) {
            for (index i3 = 0; i3 < t.ne[3]; ++i3) {
                const auto plane = ostend::ggml_plane(t, i1, i3, room);
                REQUIRE(plane);
                REQUIRE((plane->extent(0) == t.ne[2] && plane->extent(1) == t.ne[0]));
                for (index row = 0; row < t.ne[2]; ++row) {
                    for (index i = 0; i < t.ne[0]; ++i) {
                        REQUIRE(plane->load(row, i) == static_cast<float>(wanted(i, i1, row, i3)));
                    }
                }
            }
        }
    };
    // Rows that lie apart; rows that touch; a part of the rows, from the second on.
    check(*x, [](index i, index i1, index row, index i3) { return i + 4 * i1 + 12 * row + 60 * i3; });
    ggml_tensor* const permuted = ggml_permute(ctx, x, 0, 2, 1, 3);
    REQUIRE(ggml_backend_view_init(permuted) == GGML_STATUS_SUCCESS);
    check(*permuted, [](index i, index i1, index row, index i3) { return i + 12 * i1 + 4 * row + 60 * i3; });
    ggml_tensor* const part = ggml_view_3d(ctx, x, 2, 3, 4, x->nb[1], x->nb[2], x->nb[2] + 4);
    REQUIRE(ggml_backend_view_init(part) == GGML_STATUS_SUCCESS);
    check(*part, [](index i, index i1, index row, index) { return i + 1 + 4 * i1 + 12 * (row + 1); });

    std::vector<ostend::f16> halves;
    CHECK_ERROR(ostend::ggml_plane(*x, 0, 0, halves), "'x'", "type f32 where f16");
    ggml_tensor* const turned = ggml_permute(ctx, x, 1, 0, 2, 3);
    REQUIRE(ggml_backend_view_init(turned) == GGML_STATUS_SUCCESS);
    CHECK_ERROR(ostend::ggml_plane(*turned, 0, 0, room), "x", "have gaps");
    ggml_free(ctx);
    ggml_backend_buffer_free(buffer);
}

TEST_CASE("device: rows equal the plainest attention, online and deferred, fused and not") {
    struct variant {
        const char* name;
        layer_shape shape;
        decode_step how;
        bool scattered = true;
    };
    const std::vector<variant> variants{
        {"plain", {}, {}},
        {"cells in order", {}, {}, false},
        {"soft cap and sinks", {}, {.softcap = 5, .sinks = true}},
        {"ALiBi", {}, {.max_bias = 8}, false},
        {"ALiBi and sinks", {}, {.max_bias = 8, .sinks = true}, false},
        {"values of another size", {.d = 96, .dv = 64, .kv_heads = 1}, {.scale = 0.1F}},
        {"f32", {.type = GGML_TYPE_F32}, {}},
        {"q8_0", {.type = GGML_TYPE_Q8_0}, {}},
    };
    for (const variant& v : variants) {
        for (const bool fused : {true, false}) {
            for (const index flush_every : {0, 1, 2, 64}) { // 0: online
                CAPTURE(std::string(v.name) + (fused ? ", fused, " : ", softmax, ") +
                        std::to_string(flush_every));
                decode_step how = v.how;
                how.fused = fused;
                layer_shape shape = v.shape;
                shape.device = device();
                toy_model model(shape);
                ostend::ggml_recorder recorder(
                    {.layers = 2,
                     .heads = 6,
                     .mode = flush_every == 0 ? ostend::recording::online : ostend::recording::deferred,
                     .flush_every = std::max<index>(flush_every, 1)});
                answers said{&recorder};
                model.listen(answers::eval, &said);
                const scene s(how, v.scattered);
                s.show(model, recorder);
                recorder.before_prompt(5);
                model.run(s.rest);
                std::vector<std::vector<double>> wanted{model.map(s.rest, 0, 4, s.image)};
                for (index token = 1; token < 4;
                     ++token) { // the same cell again: the keys that were seen change
                    said.next();
                    decode_step step = s.next;
                    step.rows[0] = s.cells[static_cast<std::size_t>(40 + token - 1)];
                    const index last = 40 + token;
                    step.mask = [&s, last, alibi = how.max_bias > 0](index, index, index key) {
                        const auto at = std::find(s.cells.begin(), s.cells.begin() + last, key);
                        if (at == s.cells.begin() + last) {
                            return hidden;
                        }
                        return alibi ? -static_cast<float>(last - 1 - (at - s.cells.begin())) : 0.0F;
                    };
                    recorder.before_decode(columns(1, 0, token));
                    model.run(step);
                    wanted.push_back(model.map(step, 0, 0, s.image));
                    if (token > 1) {
                        CHECK(said.now == said.last);
                    }
                }
                CHECK(recorder.flush());
                const auto maps = maps_of(recorder);
                REQUIRE(maps.rows() == 4);
                const double limit = fused                          ? 2e-6
                                     : shape.type == GGML_TYPE_Q8_0 ? 4e-3
                                     : shape.type == GGML_TYPE_F32  ? 2e-6
                                                                    : 1e-3;
                for (index t = 0; t < 4; ++t) {
                    CHECK(difference(maps.row(t), wanted[static_cast<std::size_t>(t)]) < limit);
                }
            }
        }
    }
}

TEST_CASE("device: streams, and kept queries that are done before their keys are moved") {
    for (const bool deferred : {false, true}) {
        layer_shape shape{.streams = 3, .device = device()};
        toy_model model(shape);
        ostend::ggml_recorder recorder(
            {.layers = 2,
             .heads = 6,
             .mode = deferred ? ostend::recording::deferred : ostend::recording::online});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene one({}, true, 1);
        const scene two({}, false, 2);
        one.show(model, recorder, 1);
        two.show(model, recorder, 2);
        decode_step both = one.rest;
        both.queries = 3;
        both.streams = 2;
        both.rows = {one.cells[35], one.cells[36], one.cells[37],
                     two.cells[35], two.cells[36], two.cells[37]};
        both.mask = [&](index stream, index query, index key) {
            return (stream == 0 ? one : two).rest.mask(stream, query, key);
        };
        recorder.before_decode(
            std::vector<ostend::ggml_column>{{2, {}}, {1, {}}, {2, {}}, {1, 0}, {2, 0}, {1, 1}});
        model.run(both);
        const std::vector<double> first = model.map(both, 0, 1, one.image);
        const std::vector<double> second = model.map(both, 0, 2, one.image);
        const std::vector<double> other = model.map(both, 1, 2, two.image);
        recorder.stop();
        model.run({.shift = true}); // moves all keys
        CHECK(recorder.check());
        CHECK(difference(maps_of(recorder, 1).row(0), first) < 2e-6);
        CHECK(difference(maps_of(recorder, 1).row(1), second) < 2e-6);
        CHECK(difference(maps_of(recorder, 2).row(0), other) < 2e-6);
    }
}

TEST_CASE("device: a listener sees keys that it can read") {
    struct reader : ostend::attention_listener {
        double sum = 0;
        void on_queries(const ostend::row_key&, const ostend::qk_block& block,
                        const ostend::key_selection&) override {
            for (index key = 0; key < block.keys.keys(); ++key) {
                sum += static_cast<double>(block.keys.address(0, key).load(0));
            }
        }
        void on_rows(const ostend::row_key&, const ostend::tensor_view<const float, 3>&,
                     const ostend::key_selection&) override {}
    } listener;
    toy_model model({.layers = 1, .device = device()});
    ostend::ggml_recorder recorder(
        {.layers = 1, .heads = 6, .mode = ostend::recording::deferred, .listener = &listener});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    s.show(model, recorder);
    recorder.before_prompt(5);
    model.run(s.rest);
    double wanted = 0;
    for (index key = 0; key < s.rest.keys; ++key) {
        wanted += static_cast<double>(model.key_of(0, 0, key)[0]);
    }
    CHECK(listener.sum == doctest::Approx(wanted));
}

TEST_CASE("device: slices on several devices are refused by name") {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto split = [](const ggml_tensor* tensor, void*) {
        ggml_backend_meta_split_state state{};
        state.axis = GGML_BACKEND_SPLIT_AXIS_0;
        state.n_segments = 1;
        state.nr[0] = 1;
        state.ne[0] = state.ne[1] = tensor->ne[0] / 2;
        return state;
    };
    ggml_backend_dev_t pair[] = {cpu, cpu};
    ggml_backend_dev_t const both = ggml_backend_meta_device(pair, 2, split, nullptr);
    REQUIRE((both != nullptr));
    ggml_context* const ctx = ggml_init({1 << 16, nullptr, true});
    ggml_tensor* const x = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, 64, 8);
    ggml_set_name(x, "cache_k_l0");
    ggml_backend_buffer_t const buffer =
        ggml_backend_alloc_ctx_tensors_from_buft(ctx, ggml_backend_dev_buffer_type(both));
    REQUIRE((buffer != nullptr));
    std::vector<float> room;
    for (const ggml_tensor* const t : {x, ggml_view_2d(ctx, x, 32, 4, x->nb[1], 0)}) {
        const std::string what = "slices on several devices";
        CHECK_ERROR(ostend::ggml_plane(*t, 0, 0, room), "cache_k_l0", what);
        CHECK_ERROR((ostend::from_ggml<float, 2>(*t)), "cache_k_l0", "split the model by layers");
        CHECK_ERROR(ostend::ggml_keys(*t), "cache_k_l0", what);
    }
    ggml_free(ctx);
    ggml_backend_buffer_free(buffer);
}

} // namespace ostend_test
