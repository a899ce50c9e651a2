// adapt/ggml*: views and keys of every type; the recorder on graphs as llama.cpp builds them, fused and not,
// against the plainest attention in double.
#include "engines/ggml_scene.hpp"
#include "support/errors.hpp"
#include "support/expects.hpp"

#include "ostend/adapt/ggml_llama.hpp"

#include <algorithm>
#include <numeric>

namespace ostend_test {

TEST_CASE("tensors become views: types, permuted axes, offsets; what does not fit is refused") {
    ggml_context* const ctx = ggml_init({1 << 20, nullptr, false});
    ggml_tensor* const x = ggml_new_tensor_3d(ctx, GGML_TYPE_F32, 3, 4, 5);
    for (int i = 0; i < 60; ++i) {
        static_cast<float*>(x->data)[i] = static_cast<float>(i);
    }
    const auto view = ostend::from_ggml<float, 3>(*x);
    REQUIRE(view);
    CHECK(view->extents() == std::array<index, 3>{5, 4, 3});
    CHECK(view->at(4, 2, 1) == 4 * 12 + 2 * 3 + 1);
    const auto permuted = ostend::from_ggml<float, 4>(*ggml_permute(ctx, x, 0, 2, 1, 3));
    REQUIRE(permuted);
    CHECK(permuted->at(0, 2, 4, 1) == 4 * 12 + 2 * 3 + 1);
    const auto part = ostend::from_ggml<float, 2>(*ggml_view_2d(ctx, x, 2, 3, x->nb[1], 4 * 12 + 4));
    REQUIRE(part);
    CHECK(part->at(1, 1) == 12 + 1 + 3 + 1);
    ggml_tensor* const half = ggml_new_tensor_1d(ctx, GGML_TYPE_F16, 2);
    static_cast<ggml_fp16_t*>(half->data)[1] = ggml_fp32_to_fp16(-0.375F);
    const auto halves = ostend::from_ggml<ostend::f16, 1>(*half);
    REQUIRE(halves);
    CHECK(ostend::to_float(halves->load(1)) == -0.375F);
    CHECK(ostend::from_ggml<ostend::bf16, 1>(*ggml_new_tensor_1d(ctx, GGML_TYPE_BF16, 2)));
    CHECK(ostend::from_ggml<std::int64_t, 1>(*ggml_new_tensor_1d(ctx, GGML_TYPE_I64, 2)));

    ggml_set_name(x, "x");
    CHECK_ERROR((ostend::from_ggml<ostend::f16, 3>(*x)), "ggml tensor 'x'", "type f32 where f16");
    CHECK_ERROR((ostend::from_ggml<float, 2>(*x)), "'x'", "more than 2 axes");
    CHECK_ERROR((ostend::from_ggml<float, 1>(*ggml_new_tensor_1d(ctx, GGML_TYPE_Q8_0, 64))), "ggml",
                "type q8_0");
    ggml_tensor odd = *x;
    odd.nb[1] = 13;
    CHECK_ERROR((ostend::from_ggml<float, 3>(odd)), "'x'", "axis 1 is no multiple");
    odd = *x;
    odd.data = nullptr;
    CHECK_ERROR((ostend::from_ggml<float, 3>(odd)), "'x'", "no data yet");
    ggml_free(ctx);
}

TEST_CASE("memory that the host cannot read is refused by name") {
    // Weights repacked for the processor are the one such buffer that every build has.
    ggml_backend_dev_t const device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    REQUIRE(device != nullptr);
    using extra_types = ggml_backend_buffer_type_t* (*)(ggml_backend_dev_t);
    const auto extra = reinterpret_cast<extra_types>(ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
    REQUIRE((extra != nullptr));
    ggml_backend_buffer_type_t* const types = extra(device);
    REQUIRE((types != nullptr && *types != nullptr));
    REQUIRE_FALSE(ggml_backend_buft_is_host(*types));
    ggml_backend_buffer_t const buffer = ggml_backend_buft_alloc_buffer(*types, 4096);
    ggml_context* const ctx = ggml_init({1 << 16, nullptr, true});
    ggml_tensor* const x = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, 32, 8);
    x->buffer = buffer;
    x->data = ggml_backend_buffer_get_base(buffer);
    CHECK_ERROR((ostend::from_ggml<float, 2>(*x)), "ggml tensor", "the host cannot read");
    CHECK_ERROR(ostend::ggml_keys(*ggml_view_3d(ctx, x, 8, 4, 2, 32, 32, 0)), "ggml tensor",
                "the host cannot read");
    ggml_free(ctx);
    ggml_backend_buffer_free(buffer);
}

TEST_CASE("keys of every type are read as ggml reads them") {
    for (const ggml_type type :
         {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0}) {
        CAPTURE(ggml_type_name(type));
        toy_model model({.type = type, .d = 64, .cells = 256, .streams = 2, .layers = 1});
        decode_step step{.queries = 20, .first_stream = 1};
        step.rows = shuffled(20, 256, 3);
        step.mask = [](index, index, index) { return 0.0F; };
        model.run(step);
        ggml_context* const ctx = ggml_init({1 << 16, nullptr, true});
        ggml_tensor* const cache = const_cast<ggml_tensor*>(model.keys(0)); // ggml knows no const
        const std::size_t head = ggml_row_size(type, 64);
        const ggml_tensor* const k = ggml_permute(
            ctx, ggml_view_4d(ctx, cache, 64, 2, 128, 2, head, cache->nb[1], cache->nb[2], 0), 0, 2, 1, 3);
        const std::vector<index> cells = shuffled(50, 128, 9);
        const auto keys = ostend::ggml_keys(*k, 1, cells);
        REQUIRE_MESSAGE(keys, complaint_of(keys));
        CHECK(keys->keys() == 50);
        for (index i = 0; i < 50; ++i) {
            const auto wanted = model.key_of(0, 1, cells[static_cast<std::size_t>(i)]);
            for (index h = 0; h < 2; ++h) {
                for (index x = 0; x < 64; ++x) {
                    REQUIRE(keys->address(h, i).load(x) == wanted[static_cast<std::size_t>(h * 64 + x)]);
                }
            }
        }
        const auto whole = ostend::ggml_stream_keys(*k, 1);
        REQUIRE(whole);
        CHECK(whole->keys() == 256);
        const auto place = ostend::ggml_place_in_cache(*k, 1);
        REQUIRE(place);
        CHECK((place->first_row == 256 && place->stream == 1));
        CHECK_ERROR(ostend::ggml_keys(*k, 2), "ggml", "stream 2 of 2");
        CHECK_ERROR(ostend::ggml_place_in_cache(*cache), "cache_k_l0", "no rows of a cache");
        ggml_free(ctx);
    }
    ggml_context* const ctx = ggml_init({1 << 16, nullptr, false});
    CHECK_ERROR(ostend::ggml_keys(*ggml_new_tensor_2d(ctx, GGML_TYPE_Q5_0, 64, 4)), "ggml",
                "type q5_0 are not read");
    ggml_tensor cut = *ggml_new_tensor_2d(ctx, GGML_TYPE_Q8_0, 64, 4);
    cut.ne[0] = 48;
    CHECK_ERROR(ostend::ggml_keys(cut), "ggml", "head of size 48 cuts one");
    ggml_free(ctx);
}

TEST_CASE("rows of the fused node and of the softmax equal the plainest attention") {
    struct variant {
        const char* name;
        layer_shape shape;
        decode_step how;
        bool scattered = true;
    };
    const layer_shape plain;
    const std::vector<variant> variants{
        {"plain", plain, {}},
        {"cells in order", plain, {}, false},
        {"soft cap", plain, {.scale = 0.4F, .softcap = 3}},
        {"sinks", plain, {.sinks = true}},
        {"soft cap and sinks", plain, {.softcap = 5, .sinks = true}},
        {"ALiBi", plain, {.max_bias = 8}, false},
        {"ALiBi and sinks", plain, {.max_bias = 8, .sinks = true}, false},
        {"values of another size", {.d = 96, .dv = 64, .kv_heads = 1}, {.scale = 0.1F}},
        {"one key head a head", {.kv_heads = 6}, {}},
        {"more cells", {.cells = 1024}, {.keys = 1024}},
        {"f32", {.type = GGML_TYPE_F32}, {}},
        {"bf16", {.type = GGML_TYPE_BF16}, {}},
        {"q8_0", {.type = GGML_TYPE_Q8_0}, {}},
        {"q4_0", {.type = GGML_TYPE_Q4_0}, {}},
    };
    for (const variant& v : variants) {
        for (const bool fused : {true, false}) {
            for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
                CAPTURE(std::string(v.name) + (fused ? ", fused" : ", softmax"));
                decode_step how = v.how;
                how.fused = fused;
                toy_model model(v.shape);
                ostend::ggml_recorder recorder({.layers = 2, .heads = 6, .mode = mode});
                model.listen(ostend::ggml_recorder::eval, &recorder);
                const scene s(how, v.scattered);
                s.show(model, recorder);
                recorder.before_prompt(5);
                model.run(s.rest);
                const auto first = model.map(s.rest, 0, 4, s.image);
                recorder.before_decode(columns(1, 0, 1));
                model.run(s.next);
                const auto second = model.map(s.next, 0, 0, s.image);
                CHECK(recorder.flush());
                const auto maps = maps_of(recorder);
                REQUIRE(maps.rows() == 2);
                // The softmax's scores are ggml's, whose product with keys of fewer bits rounds q to as many.
                const bool coarse = v.shape.type == GGML_TYPE_Q8_0 || v.shape.type == GGML_TYPE_Q4_0;
                const double limit = fused                           ? 2e-6
                                     : coarse                        ? 4e-3
                                     : v.shape.type == GGML_TYPE_F32 ? 2e-6
                                                                     : 1e-3;
                CHECK(difference(maps.row(0), first) < limit);
                CHECK(difference(maps.row(1), second) < limit);
            }
        }
    }
}

TEST_CASE("under ALiBi keys out of order are refused with the fused node, and right with the softmax") {
    for (const bool fused : {true, false}) {
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene s({.fused = fused, .max_bias = 8}, true);
        s.show(model, recorder);
        recorder.before_prompt(5);
        model.run(s.rest);
        if (fused) {
            CHECK_MESSAGE(complaint(recorder).find("turn flash attention off") != std::string::npos,
                          complaint(recorder));
        } else {
            CHECK(difference(maps_of(recorder).row(0), model.map(s.rest, 0, 4, s.image)) < 1e-3);
        }
    }
}

TEST_CASE("several sequences: columns in order in one stream, each its own columns in streams") {
    { // one stream: both sequences in one batch
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene s({}, true);
        s.show(model, recorder);
        recorder.copy_sequence(0, 1);
        decode_step both = s.rest;
        both.queries = 2;
        both.rows.resize(2);
        recorder.before_decode(std::vector<ostend::ggml_column>{{1, 0}, {0, 0}});
        model.run(both);
        CHECK(difference(maps_of(recorder, 1).row(0), model.map(both, 0, 0, s.image)) < 2e-6);
        CHECK(difference(maps_of(recorder, 0).row(0), model.map(both, 0, 1, s.image)) < 2e-6);
    }
    { // three streams, of which the last two decode three columns each; the batch mixes them
        toy_model model({.streams = 3});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
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
        CHECK(difference(maps_of(recorder, 1).row(0), model.map(both, 0, 1, one.image)) < 2e-6);
        CHECK(difference(maps_of(recorder, 1).row(1), model.map(both, 0, 2, one.image)) < 2e-6);
        CHECK(difference(maps_of(recorder, 2).row(0), model.map(both, 1, 2, two.image)) < 2e-6);
    }
}

TEST_CASE("a token that is announced again is recorded anew, and what was not announced is not recorded") {
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    model.run(s.rest); // a warm-up
    s.show(model, recorder);
    CHECK(maps_of(recorder).rows() == 0);
    recorder.before_prompt(5);
    model.run(s.rest);
    for (int draft = 0; draft < 2; ++draft) { // the first is rejected
        recorder.before_decode(columns(1, 0, 1));
        model.run(s.next);
    }
    const auto maps = maps_of(recorder);
    REQUIRE(maps.rows() == 2);
    CHECK(difference(maps.row(1), model.map(s.next, 0, 0, s.image)) < 2e-6);
    recorder.stop();
    model.run(s.next);
    CHECK(maps_of(recorder).rows() == 2);

    recorder.before_decode(columns(1, 0, 2));
    model.run(s.next);
    model.run(s.next);
    CHECK(complaint(recorder).find("more columns than were announced") != std::string::npos);
    recorder.before_decode(columns(1, 0, 2)); // the error goes with its token
    model.run(s.next);
    CHECK(maps_of(recorder).rows() == 3);
}

TEST_CASE(
    "a decode in parts: each part's columns have their own rows of the mask, and ALiBi its own slopes") {
    for (const bool fused : {true, false}) {
        CAPTURE(fused);
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene s({.fused = fused}, true);
        s.show(model, recorder);
        std::vector<ostend::ggml_column> announced(4);
        for (index i = 0; i < 4; ++i) {
            announced[static_cast<std::size_t>(i)] = {0, i};
        }
        recorder.before_decode(announced);
        for (index part = 0; part < 2; ++part) { // two columns each; the second part sees more cells
            decode_step step = s.rest;
            step.queries = 2;
            step.rows.assign(s.rest.rows.begin() + 2 * part, s.rest.rows.begin() + 2 * part + 2);
            step.mask = [&, part](index, index query, index key) {
                return s.rest.mask(0, 2 * part + query, key);
            };
            model.run(step);
            const auto maps = recorder.recorded();
            REQUIRE(maps);
            for (index query = 0; query < 2; ++query) {
                std::vector<float> row(30);
                REQUIRE(maps->read_map(2 * part + query, row));
                CHECK(difference(row, model.map(step, 0, query, s.image)) < (fused ? 2e-6 : 1e-3));
            }
        }
    }
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    for (const float max_bias : {8.0F, 2.0F, 0.0F, 8.0F}) { // one recorder, one graph after another
        const scene s({.max_bias = max_bias}, false);
        s.show(model, recorder);
        recorder.before_prompt(5);
        model.run(s.rest);
        CHECK(difference(maps_of(recorder).row(0), model.map(s.rest, 0, 4, s.image)) < 2e-6);
    }
}

TEST_CASE("image tokens that are gone, masked or unknown are errors that say so") {
    const scene s({}, true);
    const auto run = [&](auto&& spoil) {
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        s.show(model, recorder);
        decode_step step = s.rest;
        spoil(model, recorder, step);
        recorder.before_prompt(step.queries);
        model.run(step);
        return complaint(recorder);
    };
    CHECK(run([](auto&, auto&, auto&) {}) == "none");
    CHECK(run([&](toy_model& model, auto&, auto&) { // a sliding window takes a cell
              decode_step other = s.next;
              other.rows = {s.image[3]};
              model.run(other);
          })
              .find("1 image tokens were overwritten") != std::string::npos);
    CHECK(run([&](auto&, auto&, decode_step& step) {
              const auto all = step.mask;
              step.mask = [all, gone = s.image[3]](index a, index b, index key) {
                  return key == gone ? hidden : all(a, b, key);
              };
          }).find("does not see the whole image") != std::string::npos);
    CHECK(run([](auto&, ostend::ggml_recorder& recorder, auto&) {
              recorder.forget(0);
          }).find("no image was decoded") != std::string::npos);
    CHECK(run([&](auto&, ostend::ggml_recorder& recorder, auto&) { // the host knows
              recorder.forget(0);
              recorder.give_image(s.image);
          }) == "none");
    CHECK(run([](auto&, auto&, decode_step& step) { step.keys = 64; }).find("the attention reads 64 keys") !=
          std::string::npos);

    toy_model model({});
    ostend::ggml_recorder wrong({.layers = 2, .heads = 8});
    model.listen(ostend::ggml_recorder::eval, &wrong);
    s.show(model, wrong);
    wrong.before_prompt(5);
    model.run(s.rest);
    CHECK(complaint(wrong).find("6 query heads, where the recorder was made for 8") != std::string::npos);
    CHECK(complaint(wrong).find("layer 0, token 0") != std::string::npos);
}

TEST_CASE("a layer whose heads are not selected is not asked for, and may lose the image") {
    toy_model model({});
    ostend::ggml_recorder recorder(
        {.layers = 2, .heads = 6, .heads_used = ostend::head_selection::grid({1}, {})});
    int asked = 0;
    recorder.chain(
        [](ggml_tensor* node, bool ask, void* count) {
            *static_cast<int*>(count) += ask ? 0 : 1;
            return node->op == GGML_OP_FLASH_ATTN_EXT && !ask;
        },
        &asked);
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    s.show(model, recorder);
    recorder.before_prompt(5);
    model.run(s.rest);
    const auto row = model.row(s.rest, 1, 0, 4);
    std::vector<double> wanted;
    for (const index key : s.image) {
        wanted.push_back(row[static_cast<std::size_t>(key)]);
    }
    CHECK(difference(maps_of(recorder).row(0), wanted) < 2e-6);
    CHECK(asked == 0); // the other callback wanted nothing and was told nothing
}

TEST_CASE("another callback is asked and told as if it were alone") {
    struct seen_nodes {
        std::vector<std::string> asked, told;
    };
    const auto other = [](ggml_tensor* node, bool ask, void* data) {
        auto& seen = *static_cast<seen_nodes*>(data);
        (ask ? seen.asked : seen.told)
            .emplace_back(std::string(ggml_op_name(node->op)) + " " + ggml_get_name(node));
        return ask ? node->op == GGML_OP_FLASH_ATTN_EXT || node->op == GGML_OP_SCALE : true;
    };
    seen_nodes alone, chained;
    const scene s({}, true);
    {
        toy_model model({});
        model.listen(other, &alone);
        model.run(s.before);
        model.run(s.shown);
        model.run(s.rest);
    }
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    recorder.chain(other, &chained);
    model.listen(ostend::ggml_recorder::eval, &recorder);
    s.show(model, recorder);
    recorder.before_prompt(5);
    model.run(s.rest);
    CHECK(maps_of(recorder).rows() == 1);
    CHECK(chained.asked == alone.asked);
    CHECK(chained.told == alone.told);
    CHECK(chained.told.size() == 12);
}

TEST_CASE(
    "kept queries are done before a context shift moves the keys, and before their cells are written again") {
    for (const bool shift : {true, false}) {
        CAPTURE(shift);
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6, .mode = ostend::recording::deferred});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene s({}, false);
        s.show(model, recorder);
        recorder.before_prompt(5);
        model.run(s.rest);
        const auto wanted = model.map(s.rest, 0, 4, s.image);
        CHECK(complaint(recorder).find("wait for a flush") != std::string::npos);
        recorder.stop();
        if (shift) {
            model.run({.shift = true});
        } else {
            decode_step other = s.next;
            other.rows = {s.cells[38]};
            model.run(other);
        }
        CHECK(difference(maps_of(recorder).row(0), wanted) < 2e-6);
    }
}

TEST_CASE("image tokens written to cells one by one, and images one after another, keep their order") {
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    model.run(s.before);
    for (index i = 0; i < 30; ++i) {
        if (i == 0 || i == 12) {
            recorder.begin_image(0, i == 0 ? 0 : 1);
        }
        decode_step one = s.shown;
        one.queries = 1;
        one.rows = {s.image[static_cast<std::size_t>(i)]};
        one.mask = [&, i](index, index, index key) { return s.shown.mask(0, i, key); };
        model.run(one);
    }
    recorder.end_image();
    recorder.before_prompt(5);
    model.run(s.rest);
    CHECK(difference(maps_of(recorder).row(0), model.map(s.rest, 0, 4, s.image)) < 2e-6);
    const auto recorded = recorder.recorded();
    REQUIRE(recorded);
    CHECK(recorded->options().image.tokens_of_image(1) == ostend::token_range{12, 18});
}

TEST_CASE("columns of the maps may be image tokens in another order, one of them twice and one left out") {
    for (const bool fused : {true, false}) {
        toy_model model({});
        ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
        model.listen(ostend::ggml_recorder::eval, &recorder);
        const scene s({.fused = fused}, true);
        model.run(s.before);
        recorder.begin_image();
        model.run(s.shown);
        std::vector<index> order{0};
        std::vector<index> cells{s.image[0]};
        for (index i = 0; i < 29; ++i) {
            order.push_back(i);
            cells.push_back(s.image[static_cast<std::size_t>(i)]);
        }
        recorder.end_image(order);
        recorder.before_prompt(5);
        model.run(s.rest);
        CHECK(difference(maps_of(recorder).row(0), model.map(s.rest, 0, 4, cells)) < 1e-3);
    }
}

TEST_CASE("the callback's answers are the same for every token, and none before an image is asked about") {
    struct asked_nodes {
        ostend::ggml_recorder recorder{{.layers = 2, .heads = 6}};
        std::vector<bool> answers = {};
    } asked;
    toy_model model({});
    model.listen(
        [](ggml_tensor* node, bool ask, void* data) {
            auto& a = *static_cast<asked_nodes*>(data);
            const bool answer = ostend::ggml_recorder::eval(node, ask, &a.recorder);
            if (ask) {
                a.answers.push_back(answer);
            }
            return answer;
        },
        &asked);
    const scene s({}, true);
    s.show(model, asked.recorder);
    CHECK(std::count(asked.answers.begin(), asked.answers.end(), true) == 0);
    asked.recorder.before_prompt(5);
    model.run(s.rest);
    std::vector<bool> first;
    for (index token = 1; token < 6; ++token) {
        asked.answers.clear();
        asked.recorder.before_decode(columns(1, 0, token));
        model.run(s.next);
        CHECK(std::count(asked.answers.begin(), asked.answers.end(), true) == 2);
        first = token == 1 ? asked.answers : first;
        CHECK(asked.answers == first);
    }
    CHECK(maps_of(asked.recorder).rows() == 6);
}

namespace {

/// A llama_batch of tokens at positions, logits of all, each of the given sequences.
struct position_batch {
    std::vector<llama_token> tokens;
    std::vector<llama_pos> positions;
    std::vector<llama_seq_id> sequences;
    std::vector<std::int32_t> counts;
    std::vector<llama_seq_id*> lists;
    std::vector<std::int8_t> logits;

    explicit position_batch(std::vector<llama_pos> at, std::vector<llama_seq_id> of = {0})
        : tokens(at.size()), positions(std::move(at)), sequences(std::move(of)),
          counts(tokens.size(), static_cast<std::int32_t>(sequences.size())),
          lists(tokens.size(), sequences.data()), logits(tokens.size(), 1) {}
    llama_batch get() {
        return {static_cast<std::int32_t>(tokens.size()),
                tokens.data(),
                nullptr,
                positions.data(),
                counts.data(),
                lists.data(),
                logits.data()};
    }
};

} // namespace

TEST_CASE("a position before the answer that is decoded again starts the answer there") {
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    s.show(model, recorder);
    const auto decode = [&](const std::vector<llama_pos>& positions) {
        position_batch batch(positions);
        ostend::before_decode(recorder, nullptr, batch.get());
        decode_step step = s.rest;
        step.queries = static_cast<index>(positions.size());
        step.rows.clear();
        for (const llama_pos at : positions) {
            step.rows.push_back(s.cells[static_cast<std::size_t>(at)]);
        }
        step.mask = [&, positions](index, index query, index key) {
            return s.before.mask(0, positions[static_cast<std::size_t>(query)], key);
        };
        model.run(step);
        return step;
    };
    decode({37});
    decode({38, 39});
    CHECK(maps_of(recorder).rows() == 3);
    const auto earlier = decode({36});
    REQUIRE(maps_of(recorder).rows() == 1);
    CHECK(difference(maps_of(recorder).row(0), model.map(earlier, 0, 0, s.image)) < 2e-6);
    decode({37});
    CHECK(maps_of(recorder).rows() == 2);
    const auto several = decode({35, 36, 37}); // before it again, in one batch
    REQUIRE(maps_of(recorder).rows() == 3);
    for (index token = 0; token < 3; ++token) {
        CHECK(difference(maps_of(recorder).row(token), model.map(several, 0, token, s.image)) < 2e-6);
    }
}

TEST_CASE("a token of several sequences may not ask for logits") {
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    position_batch shared({4, 5}, {0, 1});
    CHECK_EXPECTS(ostend::before_decode(recorder, nullptr, shared.get()),
                  "token 0 of the batch asks for logits and is of 2 sequences");
    shared.logits = {0, 1};
    CHECK_EXPECTS(ostend::before_decode(recorder, nullptr, shared.get()), "token 1 of the batch asks");
    shared.counts = {2, 1};
    ostend::before_decode(recorder, nullptr, shared.get());
    CHECK(recorder.answer_starts(0, 9) == 5);
    CHECK(recorder.answer_starts(1, 9) == 9); // it has no answer yet
}

TEST_CASE("each cache has its own cells of each sequence's image") {
    ostend::ggml_image_cells cells;
    const int full = 0;
    const int window = 0;
    const auto keys_of = [&](const void* cache, int sequence, index first_row = 0) {
        const auto found = cells.find(cache, sequence, first_row, 100);
        std::vector<index> keys;
        for (index i = 0; found && i < (*found)->size(); ++i) {
            keys.push_back((*found)->key(i));
        }
        return found ? keys : std::vector<index>{-1};
    };
    cells.begin(0, 0);
    cells.on_write(&full, std::vector<index>{7, 8, 3});
    cells.on_write(&window, std::vector<index>{1, 0, 2});
    cells.end();
    cells.on_write(&full, std::vector<index>{20, 21});
    CHECK(keys_of(&full, 0) == std::vector<index>{7, 8, 3});
    CHECK(keys_of(&window, 0) == std::vector<index>{1, 0, 2});
    CHECK_ERROR(cells.find(&full, 1, 0, 100), "image cells", "no image was decoded");
    cells.copy(0, 1);
    CHECK(keys_of(&full, 1) == std::vector<index>{7, 8, 3});
    cells.on_write(&window, std::vector<index>{5, 0}); // the window wraps round
    CHECK_ERROR(cells.find(&window, 0, 0, 100), "image cells", "1 image tokens were overwritten");
    CHECK(keys_of(&full, 0) == std::vector<index>{7, 8, 3});
    CHECK(keys_of(&full, 0, 3) == std::vector<index>{4, 5, 0});
    CHECK_ERROR(cells.find(&full, 0, 4, 100), "image cells", "another stream");
    CHECK_ERROR(cells.find(&full, 0, 0, 8), "image cells", "ends at key 9, the attention reads 8 keys");
    cells.forget(0);
    CHECK(keys_of(&full, 0) == std::vector<index>{-1});
    CHECK(keys_of(&full, 1) == std::vector<index>{7, 8, 3});
    cells.begin(1, 0); // the sequence anew
    cells.on_write(&full, std::vector<index>{30});
    cells.end();
    CHECK(keys_of(&full, 1) == std::vector<index>{30});
    cells.copy(1, 1);
    CHECK(keys_of(&full, 1) == std::vector<index>{30});
}

TEST_CASE("cells that the host gave are lost when they are written again, and images follow one another") {
    ostend::ggml_image_cells cells;
    const int cache = 0;
    const int other = 0;
    const auto keys_of = [&](const void* where) {
        const auto found = cells.find(where, 2, 0, 100);
        REQUIRE_MESSAGE(found, complaint_of(found));
        std::vector<index> keys;
        for (index i = 0; i < (*found)->size(); ++i) {
            keys.push_back((*found)->key(i));
        }
        return keys;
    };
    CHECK_FALSE(cells.knows(&cache));
    cells.give(2, 0, std::vector<index>{3, 4, 5});
    CHECK(cells.knows(&cache));
    cells.on_write(&cache, std::vector<index>{4});
    CHECK_ERROR(cells.find(&cache, 2, 0, 100), "image cells", "1 image tokens were overwritten");
    CHECK(keys_of(&other) == std::vector<index>{3, 4, 5}); // only what is written is lost
    cells.on_write(&other, std::vector<index>{5});
    CHECK_ERROR(cells.find(&other, 2, 0, 100), "image cells", "1 image tokens were overwritten");

    cells.give(2, 0, std::vector<index>{8, 9}); // anew
    CHECK(keys_of(&cache) == std::vector<index>{8, 9});
    cells.on_write(&cache, std::vector<index>{4});
    cells.give(2, 1, std::vector<index>{20, 21}); // behind what was found, and where nothing was yet
    CHECK(keys_of(&cache) == std::vector<index>{8, 9, 20, 21});
    CHECK(keys_of(&other) == std::vector<index>{8, 9, 20, 21});
    cells.begin(2, 2); // the host gave the first two, the third is decoded
    cells.on_write(&cache, std::vector<index>{30});
    cells.end();
    CHECK(keys_of(&cache) == std::vector<index>{8, 9, 20, 21, 30});
    const auto found = cells.find(&cache, 2, 0, 100);
    REQUIRE(found);
    CHECK((*found)->tokens_of_image(1) == ostend::token_range{2, 2});
    cells.forget(2);
    CHECK_FALSE(cells.knows(&cache));
}

TEST_CASE(
    "a given image whose cells a graph writes before it is looked at is lost, and a new one begins anew") {
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    model.run(s.before);
    model.run(s.shown);
    recorder.give_image(s.image);
    decode_step other = s.next;
    other.rows = {s.image[3]};
    model.run(other);
    recorder.before_prompt(5);
    model.run(s.rest);
    CHECK(complaint(recorder).find("1 image tokens were overwritten") != std::string::npos);

    model.run(s.shown);
    const std::vector<index> half(s.image.begin(), s.image.begin() + 15);
    for (const std::vector<index>& image : {s.image, half}) { // another size: no row of the first is left
        recorder.give_image(image);
        recorder.before_prompt(5);
        model.run(s.rest);
        CHECK(difference(maps_of(recorder).row(0), model.map(s.rest, 0, 4, image)) < 2e-6);
    }
}

TEST_CASE(
    "a fork has the image, the tokens and the error of what it was forked from; itself it changes not") {
    toy_model model({});
    ostend::ggml_recorder recorder({.layers = 2, .heads = 6});
    model.listen(ostend::ggml_recorder::eval, &recorder);
    const scene s({}, true);
    s.show(model, recorder, 1);
    recorder.copy_sequence(1, 1);
    recorder.before_prompt(5, 1);
    model.run(s.rest);
    const auto wanted = model.map(s.rest, 0, 4, s.image);
    recorder.copy_sequence(1, 1);
    recorder.copy_sequence(1, 2);
    CHECK(difference(maps_of(recorder, 1).row(0), wanted) < 2e-6);
    CHECK(difference(maps_of(recorder, 2).row(0), wanted) < 2e-6);

    decode_step blind = s.next;
    blind.keys = 64;
    recorder.before_decode(columns(1, 1, 1));
    model.run(blind);
    recorder.copy_sequence(1, 2);
    CHECK(complaint(recorder, 1).find("the attention reads 64 keys") != std::string::npos);
    CHECK(complaint(recorder, 2) == complaint(recorder, 1));
    CHECK_FALSE(recorder.check(2));
    recorder.truncate(1, 2); // the error goes with its token, in the fork alone
    CHECK(complaint(recorder, 2) == "none");
    CHECK(complaint(recorder, 1) != "none");
}

} // namespace ostend_test
