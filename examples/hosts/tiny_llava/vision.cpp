#include "tiny_llava/vision.hpp"

namespace ostend_hosts {

vision_tower::vision_tower(weight_reader& weights, const vision_config& config) : config_(config) {
    const std::string root = "vision_tower.";
    const Index patches = config.grid() * config.grid();
    const Index pixels = 3 * config.patch_size * config.patch_size;
    const std::string patch = root + "embeddings.patch_embedding";
    // A convolution whose stride is its size is a linear layer on each patch.
    embed_.weight = weights.read(patch + ".weight", config.width, pixels,
                                 {config.width, 3, config.patch_size, config.patch_size});
    if (config.clip) {
        class_token_ = weights.read(root + "embeddings.class_embedding", 1, config.width, {config.width});
        pre_norm_ = weights.read_layer_norm(root + "pre_layrnorm", config.width, config.epsilon);
    } else {
        embed_.bias = weights.read(patch + ".bias", config.width);
    }
    positions_ = weights.read(root + "embeddings.position_embedding.weight", patches + (config.clip ? 1 : 0),
                              config.width);
    for (Index layer = 0; layer < config.layers && !weights.error(); ++layer) {
        const std::string name = root + "encoder.layers." + std::to_string(layer) + ".";
        const auto square = [&](const char* part) {
            return weights.read_linear(name + "self_attn." + part, config.width, config.width, true);
        };
        blocks_.push_back(
            {.norm1 = weights.read_layer_norm(name + "layer_norm1", config.width, config.epsilon),
             .q = square("q_proj"),
             .k = square("k_proj"),
             .v = square("v_proj"),
             .out = square("out_proj"),
             .norm2 = weights.read_layer_norm(name + "layer_norm2", config.width, config.epsilon),
             .up = weights.read_linear(name + "mlp.fc1", config.mlp_width, config.width, true),
             .down = weights.read_linear(name + "mlp.fc2", config.width, config.mlp_width, true)});
    }
}

matrix vision_tower::operator()(const matrix_ref& patches) const {
    matrix x = embed_(patches);
    if (config_.clip) {
        matrix with_class(x.rows() + 1, x.cols());
        with_class << class_token_, x;
        x = pre_norm_(with_class + positions_);
    } else {
        x += positions_;
    }
    for (const block& b : blocks_) {
        const matrix seen = b.norm1(x);
        x += b.out(attend(b.q(seen), b.k(seen), b.v(seen), config_.heads, config_.heads, false));
        matrix hidden = b.up(b.norm2(x));
        activate(config_.act, hidden);
        x += b.down(hidden);
    }
    return config_.clip ? matrix(x.bottomRows(patches.rows())) : x;
}

} // namespace ostend_hosts
