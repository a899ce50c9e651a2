// The encoder of a small segmenter: a picture of 256 x 256 pixels in, deep features of 32 x 32 and fine ones
// of 128 x 128 out. A pyramid of convolutions, down to 16 x 16 and back.
#pragma once

#include "tiny_sam/weights.hpp"

namespace ostend_hosts {

/// relu(x + second(relu(first(x)))).
struct residual_block {
    convolution first;
    convolution second;
    [[nodiscard]] feature_map operator()(feature_map x) const;
};
[[nodiscard]] residual_block read_residual(sam_weights& weights, const std::string& name, Index width,
                                           Index dilation = 1);

/// What the encoder makes of an image.
struct sam_features {
    feature_map deep; ///< 32 x 32, 64 channels
    feature_map fine; ///< 128 x 128, 12 channels
};

class sam_encoder {
public:
    static constexpr Index side = 256; ///< of the picture
    static constexpr Index deep = 64;  ///< channels
    static constexpr Index fine = 12;

    /// Errors stay in the reader.
    explicit sam_encoder(sam_weights& weights);
    /// A picture of side x side pixels of three channels.
    [[nodiscard]] sam_features operator()(const feature_map& picture) const;

private:
    convolution stem_, quarter_, eighth_, sixteenth_;
    residual_block quarter_block_, eighth_block_, sixteenth_block_, sixteenth_wide_;
    linear back_eighth_, back_quarter_, back_half_;
    convolution mix_eighth_, mix_quarter_, mix_half_;
    linear fine_;
};

} // namespace ostend_hosts
