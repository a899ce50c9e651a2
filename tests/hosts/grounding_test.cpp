// ground() with the real models: the same tokens with and without recording, sensible masks, and every bad
// input as a clear error.
#include "reference.hpp"
#include "support/expects.hpp"

#include "ostend/host/graph_cut.hpp"
#include "ostend/host/ground.hpp"

#include <algorithm>
#include <limits>

using namespace ostend_test;

namespace {

ostend::result<ostend::grounding> ground(const std::string& name, const ostend::image_view& image,
                                         const ostend::ground_options& options = {}) {
    const ostend::graph_cut_segmenter segmenter;
    return ostend::ground(image, model(name), segmenter, options);
}

} // namespace

TEST_CASE("recording changes no token of any scene, whatever heads are recorded and how") {
    for (const std::string& name : model_names) {
        for (const auto& c : scene_cases(name)) {
            CAPTURE(name + ": " + c.name);
            const auto off = model(name).generate(c.image.view(), {.record = false});
            REQUIRE(off);
            CHECK(ids_of(off->tokens) == c.tokens);
            CHECK(off->attention.tokens() == 0);
        }
        const auto c = reference_cases(name)[0];
        for (const std::string_view conventions : ostend::preset_names) {
            for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
                ostend::generate_request request;
                request.recording.heads_used = ostend::find_preset(conventions)->heads;
                request.recording.mode = mode;
                request.recording.flush_every = 3;
                const auto on = model(name).generate(c.image.view(), request);
                REQUIRE(on);
                CHECK(ids_of(on->tokens) == c.tokens);
                CHECK(on->attention.tokens() == static_cast<ostend::index>(c.tokens.size()));
            }
        }
    }
}

TEST_CASE("every phrase of a scene gets a point in the image and a mask of the image's size") {
    for (const std::string& name : model_names) {
        for (const auto& c : reference_cases(name)) {
            CAPTURE(name + ": " + c.name);
            const auto found = ground(name, c.image.view());
            REQUIRE_MESSAGE(found, found.error().message());
            CHECK(found->caption == (c.caption.front() == ' ' ? c.caption.substr(1) : c.caption));
            CHECK(ids_of(found->tokens) == c.tokens);
            for (const auto& p : found->phrases) {
                CHECK((p.at.at.x >= 0 && p.at.at.x < c.image.width && p.at.at.y >= 0 &&
                       p.at.at.y < c.image.height));
                CHECK(p.mask.width == c.image.width);
                CHECK(p.mask.height == c.image.height);
                CHECK(ostend::area(p.mask) > 0);
                CHECK((p.at.confidence >= 0 && p.at.confidence <= 1));
                CHECK(p.map.size() == 144);
            }
        }
    }
}

TEST_CASE("images that are nothing, a single pixel or a thread") {
    const std::vector<std::uint8_t> bytes(3 * 4000, 90);
    for (const std::string& name : model_names) {
        CHECK_ERROR(ground(name, {}), "image", "0 x 0 pixels");
        CHECK_ERROR(ground(name, {bytes.data(), {0, 7, 3}}), "image", "7 x 0 pixels");
        CHECK_ERROR(ground(name, {bytes.data(), {1, 1, 3}}), "image", "1 x 1 pixels");
        CHECK_ERROR(ground(name, {bytes.data(), {4, 4, 4}}), "image", "4 channels");
        CHECK(ground(name, {bytes.data(), {1, 2, 3}}));
        CHECK(ground(name, {bytes.data(), {1, 4000, 3}}));
        CHECK(ground(name, {bytes.data(), {4000, 1, 3}}));
    }
}

TEST_CASE("phrases that are empty or not said; texts to read instead of generating") {
    const auto c = reference_cases("tiny-llava")[0];
    CHECK_ERROR(ground("tiny-llava", c.image.view(), {.phrases = {""}}), "phrase", "empty");
    CHECK_ERROR(ground("tiny-llava", c.image.view(), {.phrases = {"an aardvark"}}), "an aardvark", "0 times");
    ostend::ground_options read;
    read.request.text = "a dog and a dog.";
    read.phrases = {"a dog", "a dog"};
    const auto twice = ground("tiny-llava", c.image.view(), read);
    REQUIRE_MESSAGE(twice, twice.error().message());
    CHECK(twice->phrases[0].tokens != twice->phrases[1].tokens);
    read = {};
    read.request.text = "";
    const auto nothing = ground("tiny-llava", c.image.view(), read);
    REQUIRE(nothing);
    CHECK(nothing->phrases.empty());
    read.request.text = "a zebra";
    CHECK_ERROR(ground("tiny-llava-clip", c.image.view(), read), "text", "no word 'zebra'");
    read = {};
    read.request.max_tokens = 0;
    const auto silent = ground("tiny-llava", c.image.view(), read);
    REQUIRE(silent);
    CHECK(silent->caption.empty());
}

TEST_CASE("attention that is not finite is an error of the recorder, not a map") {
    // A key that is NaN in the second layer only: the logits after it are NaN too, so the rows are looked at
    // here.
    const auto& m = model("tiny-llava");
    const auto c = reference_cases("tiny-llava")[0];
    const auto prompt = m.read_prompt(c.image.view(), "");
    REQUIRE(prompt);
    const auto& sizes = m.config().language;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        ostend::recorder rows(
            {.layers = int(sizes.layers), .heads = int(sizes.heads), .image = prompt->image});
        ostend_hosts::kv_cache cache(sizes, prompt->embeddings.rows());
        (void)m.language().forward(prompt->embeddings, cache, 1,
                                   [&](const ostend_hosts::attention_inputs& in) {
                                       ostend_hosts::matrix q = in.queries;
                                       if (in.layer == 1) {
                                           q(0, 5) = bad;
                                       }
                                       ostend::qk_block block;
                                       block.q = {q.data(), {1, sizes.heads, sizes.head_dim}};
                                       const ostend::tensor_view<const float, 3> keys(
                                           in.keys.data(), {in.keys.rows(), sizes.kv_heads, sizes.head_dim},
                                           {in.keys.outerStride(), sizes.head_dim, 1});
                                       block.keys = ostend::key_source::cell_major(keys);
                                       rows.add({.layer = in.layer, .token = 0}, block);
                                   });
        CHECK_ERROR(rows.maps(), "token 0 in layer 1", "finite");
    }
}

TEST_CASE("a token that the vocabulary lacks") {
    // A tokeniser that is shorter than the model's output layer: the model says a word that has no text.
    const std::string name = "tiny-llava-clip";
    reference_case longest;
    std::int32_t largest = 0;
    for (const auto& c : scene_cases(name)) {
        const std::int32_t most = *std::max_element(c.tokens.begin(), c.tokens.end());
        longest = most > largest ? c : longest;
        largest = std::max(largest, most);
    }
    const scratch_folder folder;
    folder.copy(model_folder(name));
    auto words = read_json(folder.path() / "vocab.json");
    words.erase(words.begin() + largest, words.end());
    folder.write("vocab.json", words.dump());
    const auto short_one = ostend_hosts::tiny_llava::load(folder.path());
    REQUIRE_MESSAGE(short_one, short_one.error().message());
    const ostend::graph_cut_segmenter segmenter;
    const std::string said =
        "token " + std::to_string(largest) + " is outside the vocabulary of " + std::to_string(largest);
    CHECK_ERROR(short_one->generate(longest.image.view(), {}), "tokens", said);
    CHECK_ERROR(ostend::ground(longest.image.view(), *short_one, segmenter), "tokens", said);
    CHECK_EXPECTS(model(name).language().embed({3, 135}), "token 135 of a vocabulary of 135");
    CHECK_EXPECTS(model(name).language().embed({-1}), "token -1");
}

TEST_CASE("more positions than the cache has room for are refused") {
    const auto& m = model("tiny-llava");
    ostend_hosts::kv_cache cache(m.config().language, 3);
    const auto x = m.language().embed({5, 6});
    CHECK(m.language().forward(x, cache, 1).rows() == 1);
    CHECK_EXPECTS(m.language().forward(x, cache, 1), "2 positions of width 192 after 2");
    ostend_hosts::kv_cache fresh(m.config().language, 3);
    CHECK_EXPECTS(m.language().forward(x, fresh, 3), "3 wanted");
    CHECK_EXPECTS(m.language().forward(x, fresh, 0), "0 wanted");
}
