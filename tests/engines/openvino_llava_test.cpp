// openvino_llava against the Eigen host on the same weights: tokens, maps and peaks, with the keys out of the
// model's state and out of its outputs; what OpenVINO fused; wrong folders.
#include "evaluate/evaluation.hpp"
#include "openvino_llava/openvino_llava.hpp"
#include "support/errors.hpp"
#include "support/scratch_folder.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

using ostend::index;
using ostend::openvino_keys;
using ostend_hosts::openvino_llava;
using ostend_hosts::openvino_llava_options;
using ostend_hosts::tiny_llava;

const std::vector<std::string> model_names{"tiny-llava", "tiny-llava-clip"};

std::filesystem::path folder(const std::string& name) {
    return std::filesystem::path(OSTEND_SOURCE_DIR) / "models" / name;
}
template <class T>
T value_of(ostend::result<T> made) {
    REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
    return *std::move(made);
}
openvino_llava load(const std::string& name, openvino_llava_options options = {}) {
    options.properties.insert(ov::inference_num_threads(1));
    return value_of(openvino_llava::load(folder(name), options));
}
const tiny_llava& eigen(const std::string& name) {
    static std::map<std::string, tiny_llava> loaded;
    const auto found = loaded.find(name);
    return found != loaded.end()
               ? found->second
               : loaded.emplace(name, value_of(tiny_llava::load(folder(name)))).first->second;
}
const std::vector<ostend_tools::known_scene>& scenes() {
    static const auto all = value_of(ostend_tools::read_scenes(std::string(OSTEND_TEST_DATA) + "/scenes"));
    return all;
}
std::vector<std::int32_t> ids_of(const ostend::generation& g) {
    std::vector<std::int32_t> ids;
    for (const auto& t : g.tokens) {
        ids.push_back(t.id);
    }
    return ids;
}
std::string text_of(const ostend::generation& g) {
    std::string text;
    for (const auto& t : g.tokens) {
        text += t.bytes;
    }
    return text;
}
double difference(const ostend::generation& a, const ostend::generation& b) {
    const auto left = value_of(a.attention.maps());
    const auto right = value_of(b.attention.maps());
    REQUIRE((left.rows() == right.rows() && left.columns() == right.columns()));
    double worst = 0;
    for (std::size_t i = 0; i < left.values().size(); ++i) {
        const double apart =
            std::abs(static_cast<double>(left.values()[i]) - static_cast<double>(right.values()[i]));
        worst = apart <= worst ? worst : apart; // NaN is kept
    }
    return worst;
}
/// Layers of a kind in what OpenVINO made of the language model.
std::ptrdiff_t layers_of(const openvino_llava& host, const std::string& kind) {
    const auto ops = host.language().get_runtime_model()->get_ops();
    return std::count_if(ops.begin(), ops.end(), [&](const auto& op) {
        return op->get_rt_info().at("layerType").template as<std::string>() == kind;
    });
}

TEST_CASE("captions, maps and layouts are those of the Eigen host, over all scenes, by one request") {
    for (const std::string& name : model_names) {
        auto there = load(name);
        double worst = 0;
        for (const auto& scene : scenes()) {
            CAPTURE(name + ": " + scene.name);
            const auto a = value_of(there.generate(scene.image.view(), {}));
            const auto b = value_of(eigen(name).generate(scene.image.view(), {}));
            CHECK(ids_of(a) == ids_of(b));
            CHECK(text_of(a) == text_of(b));
            CHECK(a.tokens.back().special);
            CHECK(a.grid.original == b.grid.original);
            CHECK(a.attention.tokens() == static_cast<index>(a.tokens.size()));
            worst = std::max(worst, difference(a, b));
        }
        CHECK(worst < 1e-4);
        MESSAGE(name << ": maps differ by " << worst << " over " << scenes().size() << " scenes");
    }
}

TEST_CASE("with keys out of states the attention stays fused; with keys as outputs it is taken apart") {
    auto fused = load("tiny-llava");
    CHECK(layers_of(fused, "ScaledDotProductAttention") == 4);
    CHECK(layers_of(fused, "Softmax") == 0);
    for (const std::string& name : model_names) {
        auto apart = load(name, {.keys = openvino_keys::outputs});
        CHECK(layers_of(apart, "ScaledDotProductAttention") == 0); // if not, docs/hosts/openvino.md is old
        for (const auto mode : {ostend::recording::online, ostend::recording::deferred}) {
            const auto& scene = scenes()[7];
            const auto a = value_of(apart.generate(scene.image.view(), {.recording = {.mode = mode}}));
            const auto b = value_of(eigen(name).generate(scene.image.view(), {}));
            CHECK(ids_of(a) == ids_of(b));
            CHECK(difference(a, b) < 1e-4);
        }
    }
}

TEST_CASE("recording changes no token, and the states are reset between images") {
    for (const std::string& name : model_names) {
        auto host = load(name);
        const auto first = value_of(host.generate(scenes()[0].image.view(), {}));
        for (const std::size_t i : {std::size_t{31}, std::size_t{5}, std::size_t{0}}) {
            const auto off = value_of(host.generate(scenes()[i].image.view(), {.record = false}));
            const auto on = value_of(host.generate(scenes()[i].image.view(), {}));
            CHECK(off.attention.tokens() == 0);
            CHECK(ids_of(off) == ids_of(on));
        }
        // An answer that was broken off leaves nothing behind.
        CHECK(host.generate(scenes()[3].image.view(), {.max_tokens = 4}));
        CHECK_FALSE(host.generate(scenes()[3].image.view(), {.text = "<s>"}));
        const auto again = value_of(host.generate(scenes()[0].image.view(), {}));
        CHECK(ids_of(again) == ids_of(first));
        CHECK(value_of(again.attention.maps()) == value_of(first.attention.maps()));
    }
}

TEST_CASE("a given text in blocks of any size, flushed at any time, some heads only") {
    for (const std::string& name : model_names) {
        const auto& scene = scenes()[12];
        ostend::generate_request request;
        request.text = text_of(value_of(eigen(name).generate(scenes()[4].image.view(), {})));
        const auto expected = value_of(eigen(name).generate(scene.image.view(), request));
        REQUIRE(expected.tokens.size() > 10);
        for (const index block : {1, 3, 64}) {
            auto host = load(name, {.text_block = block});
            for (const index every : {1, 4, 64}) {
                request.recording.flush_every = every;
                const auto made = value_of(host.generate(scene.image.view(), request));
                CHECK(ids_of(made) == ids_of(expected));
                CHECK(difference(made, expected) < 1e-4);
            }
        }
        auto host = load(name);
        request.recording.heads_used = ostend::head_selection::pairs({{2, 1}, {0, 5}});
        CHECK(difference(value_of(host.generate(scene.image.view(), request)),
                         value_of(eigen(name).generate(scene.image.view(), request))) < 1e-4);
    }
}

TEST_CASE("a listener sees each query with all its keys") {
    struct counter : ostend::attention_listener {
        std::vector<index> keys; ///< of the queries of layer 2
        float sum = 0;
        void on_queries(const ostend::row_key& key, const ostend::qk_block& block,
                        const ostend::key_selection& image) override {
            if (key.layer == 2) {
                keys.push_back(block.keys.keys());
                sum += block.keys.address(1, image.key(143)).load(31);
            }
        }
        void on_rows(const ostend::row_key&, const ostend::tensor_view<const float, 3>&,
                     const ostend::key_selection&) override {}
    };
    counter there;
    counter here;
    ostend::generate_request request{.max_tokens = 3};
    auto host = load("tiny-llava");
    request.recording.listener = &there;
    const auto made = value_of(host.generate(scenes()[1].image.view(), request));
    request.recording.listener = &here;
    const auto expected = value_of(eigen("tiny-llava").generate(scenes()[1].image.view(), request));
    CHECK(there.keys == here.keys);
    CHECK(there.sum == doctest::Approx(here.sum).epsilon(1e-4));
    CHECK(difference(made, expected) < 1e-4);
}

TEST_CASE("one token, no token, too many; pictures of odd shapes; the layout") {
    for (const std::string& name : model_names) {
        auto host = load(name);
        const auto image = scenes()[0].image;
        const auto said = [&](const ostend::generate_request& request) {
            const auto made = host.generate(image.view(), request);
            return made ? std::to_string(made->tokens.size()) + " tokens, " +
                              std::to_string(made->attention.tokens()) + " recorded"
                        : made.error().message();
        };
        CHECK(said({.max_tokens = 0}) == "0 tokens, 0 recorded");
        CHECK(said({.max_tokens = 1}) == "1 tokens, 1 recorded");
        CHECK(said({.text = ""}) == "1 tokens, 1 recorded");
        std::string endless;
        for (int i = 0; i < 400; ++i) {
            endless += " lion";
        }
        CHECK(said({.text = endless}).find("more than the model's 512 positions") != std::string::npos);
        CHECK(said({.prompt = "<image> <image>"}).find("prompt: has not exactly one <image>") !=
              std::string::npos);
        CHECK_ERROR(host.generate({}, {}), "image: ", "does not have the three channels");
        const std::vector<std::uint8_t> bytes(3 * 4000, 90);
        for (const auto& [height, width] :
             std::vector<std::pair<index, index>>{{1, 2}, {1, 4000}, {4000, 1}, {40, 100}}) {
            const ostend::image_view odd(bytes.data(), {height, width, 3});
            const auto a = value_of(host.generate(odd, {.max_tokens = 4}));
            const auto b = value_of(eigen(name).generate(odd, {.max_tokens = 4}));
            CHECK(ids_of(a) == ids_of(b));
            CHECK(difference(a, b) < 1e-4);
        }
        const auto layout = value_of(host.check_layout({200, 120}));
        CHECK_MESSAGE(layout.fault == ostend::layout_fault::none, layout.says);
    }
}

TEST_CASE("wrong folders are errors that name the file and the field") {
    CHECK_ERROR(openvino_llava::load("nowhere"), "nowhere/config.json", "");
    const auto changed = [](const std::string& file, const std::string& before, const std::string& after) {
        const ostend_test::scratch_folder copy;
        copy.copy(folder("tiny-llava"));
        std::ifstream in(copy.path() / file, std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        in.close();
        const std::size_t at = bytes.find(before);
        REQUIRE(at != std::string::npos);
        copy.write(file, bytes.replace(at, before.size(), after));
        return openvino_llava::load(copy.path());
    };
    CHECK_ERROR(changed("config.json", "\"model_type\": \"llava\"", "\"model_type\": \"other\""),
                "config.json: model_type", "this host runs llava, not 'other'");
    CHECK_ERROR(changed("config.json", "\"intermediate_size\": 512", "\"intermediate_size\": 500"),
                "model.safetensors", "mlp");
    CHECK_ERROR(changed("config.json", "\"num_hidden_layers\": 4", "\"num_hidden_layers\": 5"),
                "model.safetensors", "layers.4.");
    CHECK_ERROR(changed("model.safetensors", "language_model.model.layers.3.mlp.up_proj.weight",
                        "language_model.model.layers.3.mlp.up_proj.Weight"),
                "model.safetensors", "language_model.model.layers.3.mlp.up_proj.weight");
    CHECK_ERROR(changed("model.safetensors", "vision_tower.encoder.layers.0.mlp.fc1.bias",
                        "vision_tower.encoder.layers.0.mlp.fc1.Bias"),
                "model.safetensors", "vision_tower.encoder.layers.0.mlp.fc1.bias");
    CHECK_ERROR(changed("model.safetensors", "embed_tokens.weight", "embed_tokens.Weight"),
                "model.safetensors", "embed_tokens.weight");
}

} // namespace
