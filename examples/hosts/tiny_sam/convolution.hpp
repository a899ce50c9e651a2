// Convolutions, bilinear enlargement and pooling over pictures whose pixels are rows: [height * width,
// channels].
//
// With the channels innermost the pixels under a 3 x 3 kernel are nine runs of memory; they are gathered for
// some hundred pixels at a time, and the rest is Eigen's matrix product.
#pragma once

#include "tiny_llava/neural.hpp"

namespace ostend_hosts {

/// A picture of any channels: pixel (y, x) is row y * width + x.
struct feature_map {
    Index height = 0;
    Index width = 0;
    matrix values; ///< [height * width, channels]
};

/// A 3 x 3 convolution with zeros beyond the picture: y(p) = sum over k of x(stride * p + dilation * k) W_k +
/// b, k from -1 to 1 on both axes. The result has ceil(extent / stride) pixels a side.
struct convolution {
    matrix weight; ///< [9 * in, out], rows in the order of k's row, k's column, channel
    row_vector bias;
    Index stride = 1;
    Index dilation = 1;
    [[nodiscard]] feature_map operator()(const feature_map& x) const;
};

/// x = max(x, 0).
void rectify(matrix& x);
/// x = 1 / (1 + exp(-x)).
void squash(matrix& x);

/// `factor` times as many pixels a side, between the four nearest, with half-pixel centres: PyTorch's
/// bilinear interpolation with align_corners=False.
[[nodiscard]] feature_map enlarge(const feature_map& x, Index factor);

/// The mean of each block of factor x factor pixels. Precondition: factor divides both sides.
[[nodiscard]] feature_map average(const feature_map& x, Index factor);

} // namespace ostend_hosts
