// model_config and loading a whole folder: what this host cannot run is refused by file and field.
#include "reference.hpp"
#include "tiny_llava/model_config.hpp"

using namespace ostend_test;
using nlohmann::json;
using ostend_hosts::model_config;

TEST_CASE("the two models") {
    const auto siglip = model_config::read(model_folder("tiny-llava"));
    const auto clip = model_config::read(model_folder("tiny-llava-clip"));
    REQUIRE_MESSAGE(siglip, siglip.error().message());
    REQUIRE_MESSAGE(clip, clip.error().message());
    CHECK_FALSE(siglip->vision.clip);
    CHECK(clip->vision.clip);
    CHECK(siglip->vision.layers == 4);
    CHECK(siglip->vision.grid() == 12);
    CHECK(siglip->vision.act == ostend_hosts::activation::gelu_tanh);
    CHECK(clip->vision.act == ostend_hosts::activation::gelu);
    CHECK(siglip->language.kv_heads == 2);
    CHECK(clip->language.kv_heads == 6);
    CHECK(siglip->language.epsilon == 1e-5F);
    CHECK(clip->language.epsilon == 1e-6F);
    CHECK(siglip->image_token == 4);
    CHECK(clip->image_token == 3);
}

TEST_CASE("every wrong field is an error with its name") {
    const scratch_folder folder;
    const json good = read_json(model_folder("tiny-llava") / "config.json");
    const auto with = [&](const std::string& field, const json& value) {
        json changed = good;
        changed[json::json_pointer("/" + field)] = value;
        folder.write("config.json", changed.dump());
        return model_config::read(folder.path());
    };
    REQUIRE(with("dtype", "float32"));
    CHECK(with("vision_feature_layer", -2)->vision.layers == 3);
    CHECK(with("vision_feature_layer", 1)->vision.layers == 1);
    const struct {
        const char* field;
        json value;
    } wrong[] = {{"model_type", "llava_next"},
                 {"vision_config/model_type", "vit"},
                 {"text_config/model_type", "qwen2"},
                 {"vision_config/image_size", 0},
                 {"vision_config/image_size", 145},
                 {"vision_config/hidden_size", -3},
                 {"vision_config/hidden_size", 1e30},
                 {"vision_config/hidden_size", "192"},
                 {"vision_config/num_attention_heads", 5},
                 {"vision_config/num_hidden_layers", 1000000},
                 {"vision_config/hidden_act", "mish"},
                 {"vision_config/layer_norm_eps", 0},
                 {"vision_feature_layer", 0},
                 {"vision_feature_layer", -5},
                 {"vision_feature_layer", json::array({-1, -2})},
                 {"vision_feature_select_strategy", "default"},
                 {"text_config/num_key_value_heads", 4},
                 {"text_config/head_dim", 31},
                 {"text_config/hidden_act", "gelu"},
                 {"text_config/attention_bias", true},
                 {"text_config/attention_bias", 1},
                 {"text_config/rope_parameters/rope_type", "yarn"},
                 {"text_config/rope_parameters/rope_theta", -1},
                 {"text_config/rope_scaling", {{"factor", 2}}},
                 {"text_config/eos_token_id", 576},
                 {"text_config/vocab_size", nullptr},
                 {"image_token_index", 99999},
                 {"image_seq_length", 145},
                 {"projector_hidden_act", 3}};
    for (const auto& w : wrong) {
        CAPTURE(w.field);
        CHECK_ERROR(with(w.field, w.value), std::string("config.json: ") + w.field, "");
    }
    folder.write("config.json", "{\"model_type\": \"llava\"");
    CHECK_ERROR(model_config::read(folder.path()), "config.json", "not a JSON object");
    std::filesystem::remove(folder.path() / "config.json");
    CHECK_ERROR(model_config::read(folder.path()), "config.json", "cannot be opened");
}

TEST_CASE("processor_config.json is read where it exists") {
    const scratch_folder folder;
    folder.write("config.json", read_json(model_folder("tiny-llava") / "config.json").dump());
    const auto with = [&](const json& processor) {
        folder.write("processor_config.json", json{{"image_processor", processor}}.dump());
        return model_config::read(folder.path());
    };
    CHECK(model_config::read(folder.path())->pixels.mean[0] == 0.5F);
    CHECK(with({{"image_mean", {0.25, 0.5, 0.75}}})->pixels.mean[2] == 0.75F);
    CHECK_ERROR(with({{"image_mean", {0.25, 0.5}}}), "image_processor/image_mean", "three numbers");
    CHECK_ERROR(with({{"image_std", {0.5, 0, 0.5}}}), "image_processor/image_std", "three numbers");
    CHECK_ERROR(with({{"resample", 2}}), "image_processor/resample", "bicubic");
    CHECK_ERROR(with({{"size", {{"height", 336}, {"width", 336}}}}), "image_processor/size/height",
                "image_size");
    CHECK_ERROR(with({{"rescale_factor", 1}}), "image_processor/rescale_factor", "1 / 255");
}

TEST_CASE("weights that do not fit the configuration") {
    const scratch_folder folder;
    folder.copy(model_folder("tiny-llava"));
    const auto load = [&] { return ostend_hosts::tiny_llava::load(folder.path()); };
    REQUIRE(load());
    const json good = read_json(folder.path() / "config.json");
    const auto with = [&](const std::string& field, const json& value) {
        json changed = good;
        changed[json::json_pointer("/" + field)] = value;
        folder.write("config.json", changed.dump());
        return load();
    };
    CHECK_ERROR(with("text_config/num_hidden_layers", 5), "model.safetensors: language_model.model.layers.4",
                "no such tensor");
    CHECK_ERROR(with("text_config/num_key_value_heads", 6), "layers.0.self_attn.k_proj.weight",
                "shape [64, 192] where [192, 192] is wanted");
    CHECK_ERROR(with("text_config/hidden_size", 16777216), "model.safetensors", "shape");
    CHECK_ERROR(with("vision_config/model_type", "clip_vision_model"), "vision_feature_select_strategy", "");
    CHECK_ERROR(with("text_config/vocab_size", 500), "text_config/vocab_size", "576 tokens");
    folder.write("config.json", good.dump());

    const auto file = folder.path() / "model.safetensors";
    const auto size = std::filesystem::file_size(file);
    std::filesystem::resize_file(file, size - 1);
    CHECK_ERROR(load(), "model.safetensors", "leave the file");
    std::filesystem::resize_file(file, 100);
    CHECK_ERROR(load(), "model.safetensors: header", "the header says");
    std::filesystem::remove(file);
    CHECK_ERROR(load(), "model.safetensors", "cannot be opened");
}
