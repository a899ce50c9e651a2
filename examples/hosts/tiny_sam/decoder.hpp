// The decoder of a small segmenter: features and a prompt in, three candidate masks and an estimate of each
// one's IoU out. The prompt is drawn as pictures of 32 x 32; convolutions decide which object is meant, and
// weigh the fine features into its outline.
#pragma once

#include "tiny_sam/encoder.hpp"

#include "ostend/adapt/sam_inputs.hpp"
#include "ostend/prompt/mask_logits.hpp"

namespace ostend_hosts {

/// A decoder's answer to one prompt.
struct sam_answer {
    feature_map logits; ///< 256 x 256 over the padded square, one channel a candidate
    row_vector iou;     ///< predicted, one a candidate
};

class sam_decoder {
public:
    static constexpr Index candidates = 3;
    static constexpr Index mask_side = 256; ///< of mask prompts and answers
    static constexpr Index square = 1024;   ///< that points are given in

    /// Errors stay in the reader.
    explicit sam_decoder(sam_weights& weights);

    /// What every prompt of an image shares: features on their way into the decoder.
    [[nodiscard]] feature_map enter(const sam_features& seen) const { return enter_deep_(seen.deep); }
    /// Points by pixel index, as ostend::make_sam_points gives them; the mask's logits, or nullptr.
    [[nodiscard]] sam_answer operator()(const sam_features& seen, const feature_map& entered,
                                        const ostend::sam_points& points,
                                        const ostend::matrix<float>* mask) const;

private:
    [[nodiscard]] row_vector judge(const feature_map& x, const matrix& logits) const;

    convolution enter_deep_, enter_prompt_;
    residual_block think_, think_wide_;
    convolution place_;
    linear weights_in_, weights_out_;
    linear judge_in_, judge_out_;
};

} // namespace ostend_hosts
