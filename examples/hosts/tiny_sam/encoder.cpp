#include "tiny_sam/encoder.hpp"

namespace ostend_hosts {
namespace {

feature_map rectified(feature_map x) {
    rectify(x.values);
    return x;
}

/// relu(mix(fine + twice(back(coarse)))): a step back up the pyramid.
feature_map join(const feature_map& fine, const feature_map& coarse, const linear& back,
                 const convolution& mix) {
    feature_map sum = enlarge({coarse.height, coarse.width, back(coarse.values)}, 2);
    sum.values += fine.values;
    return rectified(mix(sum));
}

} // namespace

feature_map residual_block::operator()(feature_map x) const {
    const feature_map change = second(rectified(first(x)));
    x.values += change.values;
    return rectified(std::move(x));
}

residual_block read_residual(sam_weights& weights, const std::string& name, Index width, Index dilation) {
    convolution first = weights.read_normalised(name + ".first", width, width, 1, dilation);
    return {std::move(first), weights.read_normalised(name + ".second", width, width)};
}

sam_encoder::sam_encoder(sam_weights& weights)
    : stem_(weights.read_normalised("encoder.stem", 16, 3, 2)),
      quarter_(weights.read_normalised("encoder.quarter.0", 32, 16, 2)),
      eighth_(weights.read_normalised("encoder.eighth.0", 64, 32, 2)),
      sixteenth_(weights.read_normalised("encoder.sixteenth.0", 96, 64, 2)),
      quarter_block_(read_residual(weights, "encoder.quarter.1", 32)),
      eighth_block_(read_residual(weights, "encoder.eighth.1", 64)),
      sixteenth_block_(read_residual(weights, "encoder.sixteenth.1", 96)),
      sixteenth_wide_(read_residual(weights, "encoder.sixteenth.2", 96, 2)),
      back_eighth_(weights.read_point_wise("encoder.back_eighth", 64, 96)),
      back_quarter_(weights.read_point_wise("encoder.back_quarter", 32, deep)),
      back_half_(weights.read_point_wise("encoder.back_half", 16, 32)),
      mix_eighth_(weights.read_normalised("encoder.mix_eighth", deep, 64)),
      mix_quarter_(weights.read_normalised("encoder.mix_quarter", 32, 32)),
      mix_half_(weights.read_normalised("encoder.mix_half.0", 16, 16)),
      fine_(weights.read_point_wise("encoder.mix_half.1", fine, 16)) {}

sam_features sam_encoder::operator()(const feature_map& picture) const {
    const feature_map half = rectified(stem_(picture));
    const feature_map quarter = quarter_block_(rectified(quarter_(half)));
    const feature_map eighth = eighth_block_(rectified(eighth_(quarter)));
    const feature_map sixteenth = sixteenth_wide_(sixteenth_block_(rectified(sixteenth_(eighth))));
    sam_features seen;
    seen.deep = join(eighth, sixteenth, back_eighth_, mix_eighth_);
    const feature_map mixed = join(quarter, seen.deep, back_quarter_, mix_quarter_);
    const feature_map outline = join(half, mixed, back_half_, mix_half_);
    seen.fine = {outline.height, outline.width, fine_(outline.values)};
    return seen;
}

} // namespace ostend_hosts
