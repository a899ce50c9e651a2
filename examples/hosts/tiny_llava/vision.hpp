// vision_tower: patches in, one feature row a patch out. SigLIP or CLIP; a transformer without a causal mask.
//
// The two differ in four places: CLIP puts a class token before the patches (and LLaVA drops it afterwards),
// normalises before the first block, has no bias in its patch embedding, and its own activation.
#pragma once

#include "tiny_llava/model_config.hpp"

#include <vector>

namespace ostend_hosts {

class vision_tower {
public:
    /// Errors stay in the reader.
    vision_tower(weight_reader& weights, const vision_config& config);

    /// patches [grid^2, 3 * patch^2] (cut_patches) -> features [grid^2, width] after the chosen block.
    [[nodiscard]] matrix operator()(const matrix_ref& patches) const;

private:
    struct block {
        layer_norm norm1;
        linear q, k, v, out;
        layer_norm norm2;
        linear up, down;
    };
    vision_config config_;
    linear embed_;
    matrix class_token_; ///< [1, width], CLIP only
    matrix positions_;   ///< [tokens, width]
    layer_norm pre_norm_;
    std::vector<block> blocks_;
};

} // namespace ostend_hosts
