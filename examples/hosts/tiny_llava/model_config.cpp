#include "tiny_llava/model_config.hpp"

#include "tiny_llava/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <utility>

namespace ostend_hosts {
namespace {

using nlohmann::json;
using ostend::error;

// Reads fields of one JSON file by their path ("vision_config/hidden_size") and remembers the first error.
class field_reader {
public:
    field_reader(std::string file, json root) : file_(std::move(file)), root_(std::move(root)) {}

    // A whole number in [1, limit]; limits are far above any model and keep products from overflowing.
    Index count(const std::string& path, Index fallback = 0, Index limit = 1 << 24) {
        const json* const value = find(path);
        if (value == nullptr && fallback > 0) {
            return fallback;
        }
        if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() < 1 ||
            value->get<std::uint64_t>() > std::uint64_t(limit)) {
            fail(path, "is not a whole number from 1 to " + std::to_string(limit));
            return 1;
        }
        return value->get<Index>();
    }
    std::int32_t token(const std::string& path) {
        const json* const value = find(path);
        if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() > (1U << 24U)) {
            fail(path, "is not the number of a token");
            return 0;
        }
        return value->get<std::int32_t>();
    }
    float real(const std::string& path, float fallback, bool positive = true) {
        const json* const value = find(path);
        if (value == nullptr) {
            return fallback;
        }
        const float number = value->is_number() ? value->get<float>() : -1.0F;
        if (!value->is_number() || !std::isfinite(number) || (positive && number <= 0.0F)) {
            fail(path, positive ? "is not a positive number" : "is not a number");
        }
        return number;
    }
    bool flag(const std::string& path, bool fallback) {
        const json* const value = find(path);
        if (value != nullptr && !value->is_boolean()) {
            fail(path, "is neither true nor false");
        }
        return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
    }
    std::string text(const std::string& path, const std::string& fallback) {
        const json* const value = find(path);
        if (value != nullptr && !value->is_string()) {
            fail(path, "is not a string");
        }
        return value != nullptr && value->is_string() ? value->get<std::string>() : fallback;
    }
    activation act(const std::string& path, const std::string& fallback) {
        const std::string name = text(path, fallback);
        const auto found = find_activation(name);
        if (!found) {
            fail(path, "this host has no activation '" + name + "'");
        }
        return found.value_or(activation::gelu);
    }
    void require(bool holds, const std::string& path, const std::string& what) {
        if (!holds) {
            fail(path, what);
        }
    }
    const json* find(const std::string& path) const {
        const json* at = &root_;
        for (std::size_t begin = 0; begin <= path.size();) {
            const std::size_t end = std::min(path.find('/', begin), path.size());
            const auto found = at->is_object() ? at->find(path.substr(begin, end - begin)) : at->end();
            if (found == at->end() || found->is_null()) {
                return nullptr;
            }
            at = &*found;
            begin = end + 1;
        }
        return at;
    }
    [[nodiscard]] const std::optional<error>& failure() const { return error_; }

private:
    void fail(const std::string& path, const std::string& what) {
        if (!error_) {
            error_ = error{.what = what, .field = file_ + ": " + path};
        }
    }
    std::string file_;
    json root_;
    std::optional<error> error_;
};

ostend::result<field_reader> open(const std::filesystem::path& path) {
    auto bytes = read_file(path);
    if (!bytes) {
        return bytes.error();
    }
    json root = json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
    if (!root.is_object()) {
        return error{.what = "the file is not a JSON object", .field = path.string()};
    }
    return field_reader(path.string(), std::move(root));
}

// hidden_states[n] of PyTorch is the output of n blocks; -1 is the last, before any closing norm.
Index blocks_to_run(field_reader& config, Index layers) {
    const json* const value = config.find("vision_feature_layer");
    if (value == nullptr || !value->is_number_integer()) {
        config.require(false, "vision_feature_layer", "is not one whole number");
        return 1;
    }
    const auto which = value->get<std::int64_t>();
    const bool inside = which >= -std::int64_t{layers} && which <= layers && which != 0;
    config.require(inside, "vision_feature_layer", "names no block's output");
    return inside ? Index(which > 0 ? which : layers + 1 + which) : 1;
}

vision_config read_vision(field_reader& config) {
    vision_config v;
    const std::string type = config.text("vision_config/model_type", "");
    v.clip = type == "clip_vision_model";
    config.require(v.clip || type == "siglip_vision_model", "vision_config/model_type",
                   "this host runs clip_vision_model and siglip_vision_model, not '" + type + "'");
    v.image_size = config.count("vision_config/image_size", 0, 4096);
    v.patch_size = config.count("vision_config/patch_size", 0, 4096);
    config.require(v.image_size % v.patch_size == 0, "vision_config/image_size",
                   "is not a multiple of patch_size");
    config.require(config.count("vision_config/num_channels", 3) == 3, "vision_config/num_channels",
                   "is not 3");
    v.width = config.count("vision_config/hidden_size");
    v.heads = config.count("vision_config/num_attention_heads");
    config.require(v.width % v.heads == 0, "vision_config/num_attention_heads",
                   "does not divide hidden_size");
    v.mlp_width = config.count("vision_config/intermediate_size");
    v.epsilon = config.real("vision_config/layer_norm_eps", v.clip ? 1e-5F : 1e-6F);
    v.act = config.act("vision_config/hidden_act", v.clip ? "quick_gelu" : "gelu_pytorch_tanh");
    v.layers = blocks_to_run(config, config.count("vision_config/num_hidden_layers", 0, 1024));
    // What reaches the language model must be one token a patch: CLIP's class token has to be dropped.
    const std::string select = config.text("vision_feature_select_strategy", "default");
    config.require(select == (v.clip ? "default" : "full"), "vision_feature_select_strategy",
                   "'" + select + "' does not leave one token a patch");
    return v;
}

llama_config read_language(field_reader& config) {
    llama_config l;
    const auto name = [](const char* field) { return std::string("text_config/") + field; };
    const std::string type = config.text(name("model_type"), "llama");
    config.require(type == "llama", name("model_type"), "this host runs llama, not '" + type + "'");
    l.width = config.count(name("hidden_size"));
    l.layers = config.count(name("num_hidden_layers"), 0, 1024);
    l.heads = config.count(name("num_attention_heads"));
    l.kv_heads = config.count(name("num_key_value_heads"), l.heads);
    config.require(l.heads % l.kv_heads == 0, name("num_key_value_heads"), "does not divide the heads");
    l.head_dim = config.count(name("head_dim"), std::max<Index>(l.width / l.heads, 1));
    config.require(l.head_dim % 2 == 0, name("head_dim"), "is odd, which rotary embedding cannot be");
    l.mlp_width = config.count(name("intermediate_size"));
    l.vocabulary = config.count(name("vocab_size"));
    l.max_positions = config.count(name("max_position_embeddings"), 2048);
    l.epsilon = config.real(name("rms_norm_eps"), 1e-6F);
    const std::string act = config.text(name("hidden_act"), "silu");
    config.require(act == "silu", name("hidden_act"), "this host runs silu, not '" + act + "'");
    for (const char* bias : {"attention_bias", "mlp_bias"}) {
        config.require(!config.flag(name(bias), false), name(bias), "this host has no such bias");
    }
    const std::string rope = config.text(name("rope_parameters/rope_type"), "default");
    config.require(rope == "default", name("rope_parameters/rope_type"), "this host has no '" + rope + "'");
    config.require(config.find(name("rope_scaling")) == nullptr, name("rope_scaling"),
                   "this host does not scale positions");
    l.rope_theta = config.real(name("rope_parameters/rope_theta"), config.real(name("rope_theta"), 10000.0F));
    l.tied = config.flag(name("tie_word_embeddings"), config.flag("tie_word_embeddings", false));
    return l;
}

std::optional<error> read_pixels(const std::filesystem::path& path, Index image_size, pixel_config& pixels) {
    auto opened = open(path);
    if (!opened) {
        return opened.error();
    }
    field_reader& file = *opened;
    const std::string root = "image_processor/";
    for (const char* side : {"size/height", "size/width"}) {
        file.require(file.count(root + side, image_size) == image_size, root + side,
                     "is not the tower's image_size");
    }
    file.require(file.count(root + "resample", 3) == 3, root + "resample", "is not 3 (bicubic)");
    const float factor = file.real(root + "rescale_factor", 1.0F / 255.0F);
    file.require(std::abs(factor * 255.0F - 1.0F) < 1e-6F, root + "rescale_factor", "is not 1 / 255");
    for (auto [key, values] : {std::pair{"image_mean", &pixels.mean}, {"image_std", &pixels.deviation}}) {
        const json* const list = file.find(root + key);
        if (list == nullptr) {
            continue;
        }
        bool good = list->is_array() && list->size() == 3;
        for (std::size_t i = 0; good && i < 3; ++i) {
            good = (*list)[i].is_number();
            (*values)[i] = good ? (*list)[i].get<float>() : 0.0F;
            good = good && (*values)[i] > 0.0F && (*values)[i] <= 1.0F;
        }
        file.require(good, root + key, "is not three numbers above 0 and up to 1");
    }
    return file.failure();
}

} // namespace

ostend::result<model_config> model_config::read(const std::filesystem::path& directory) {
    auto opened = open(directory / "config.json");
    if (!opened) {
        return opened.error();
    }
    field_reader& config = *opened;
    const std::string type = config.text("model_type", "");
    config.require(type == "llava", "model_type", "this host runs llava, not '" + type + "'");

    model_config model;
    model.vision = read_vision(config);
    model.language = read_language(config);
    model.projector_act = config.act("projector_hidden_act", "gelu");
    model.projector_bias = config.flag("multimodal_projector_bias", true);
    const char* const image = "image_token_index";
    model.image_token = config.token(config.find(image) != nullptr ? image : "image_token_id");
    model.end_token = config.token("text_config/eos_token_id");
    config.require(model.image_token < model.language.vocabulary, image, "is not in the vocabulary");
    config.require(model.end_token < model.language.vocabulary, "text_config/eos_token_id",
                   "is not in the vocabulary");
    const Index tokens = model.vision.grid() * model.vision.grid();
    config.require(config.count("image_seq_length", tokens) == tokens, "image_seq_length",
                   "is not the number of patches, " + std::to_string(tokens));
    if (config.failure()) {
        return *config.failure();
    }

    const auto processor = directory / "processor_config.json";
    std::error_code failed;
    if (std::filesystem::exists(processor, failed)) {
        if (auto wrong = read_pixels(processor, model.vision.image_size, model.pixels)) {
            return *wrong;
        }
    }
    return model;
}

} // namespace ostend_hosts
