// model_config: the numbers of config.json and processor_config.json that shape a LLaVA.
//
// Only what this host can run is accepted; anything else is an error that names the file and the field, so
// that a model is never run with a part of its configuration silently ignored.
#pragma once

#include "tiny_llava/neural.hpp"

#include "ostend/core/result.hpp"

#include <array>
#include <cstdint>
#include <filesystem>

namespace ostend_hosts {

struct vision_config {
    bool clip = false;    ///< CLIP: class token, norm before the blocks, no patch bias. Otherwise SigLIP
    Index image_size = 0; ///< of the square that the tower sees, in pixels
    Index patch_size = 0; ///< in pixels
    Index width = 0;      ///< features of a token
    Index layers = 0;     ///< blocks that are run, after vision_feature_layer
    Index heads = 0;
    Index mlp_width = 0;
    float epsilon = 0;
    activation act = activation::gelu;
    [[nodiscard]] Index grid() const { return image_size / patch_size; } ///< patches a side
};

struct llama_config {
    Index width = 0;
    Index layers = 0;
    Index heads = 0;
    Index kv_heads = 0;
    Index head_dim = 0;
    Index mlp_width = 0;
    Index vocabulary = 0;
    Index max_positions = 0;
    float epsilon = 0;
    float rope_theta = 0;
    bool tied = false; ///< the output layer is the table of embeddings
};

/// How pixels become numbers: (byte / 255 - mean) / deviation, for each channel.
struct pixel_config {
    std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
    std::array<float, 3> deviation{0.5F, 0.5F, 0.5F};
};

struct model_config {
    vision_config vision = {};
    llama_config language = {};
    pixel_config pixels = {};
    activation projector_act = activation::gelu;
    bool projector_bias = true;
    std::int32_t image_token = -1; ///< stands in the prompt where the image is
    std::int32_t end_token = -1;   ///< generation ends with it

    /// Reads config.json and, where it exists, processor_config.json of a model's folder.
    [[nodiscard]] static ostend::result<model_config> read(const std::filesystem::path& directory);
};

} // namespace ostend_hosts
