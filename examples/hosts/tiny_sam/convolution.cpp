#include "tiny_sam/convolution.hpp"

#include "ostend/core/expects.hpp"

#include <algorithm>

namespace ostend_hosts {
namespace {

/// The pixels under the kernel at rows y * width + x of the result, one a row: [count, 9 * channels].
void gather(const feature_map& x, Index stride, Index dilation, Index out_width, Index first, matrix& under) {
    const Index channels = x.values.cols();
    for (Index i = 0; i < under.rows(); ++i) {
        const Index y0 = (first + i) / out_width * stride - dilation;
        const Index x0 = (first + i) % out_width * stride - dilation;
        float* to = under.row(i).data();
        for (Index ky = 0; ky < 3; ++ky) {
            const Index row = y0 + ky * dilation;
            for (Index kx = 0; kx < 3; ++kx, to += channels) {
                const Index column = x0 + kx * dilation;
                if (row < 0 || row >= x.height || column < 0 || column >= x.width) {
                    std::fill_n(to, channels, 0.0F);
                } else {
                    std::copy_n(x.values.row(row * x.width + column).data(), channels, to);
                }
            }
        }
    }
}

/// Output pixel i of an axis lies between two input pixels.
struct between {
    Index first = 0;
    Index second = 0;
    float share = 0; ///< of the second
};
between place(Index i, Index factor, Index extent) {
    const float at = std::max(0.0F, (float(i) + 0.5F) / float(factor) - 0.5F);
    const auto first = Index(at);
    return {first, std::min(first + 1, extent - 1), at - float(first)};
}

} // namespace

feature_map convolution::operator()(const feature_map& x) const {
    OSTEND_EXPECTS(weight.rows() == 9 * x.values.cols(),
                   "convolution: a picture of " + std::to_string(x.values.cols()) + " channels, not of " +
                       std::to_string(weight.rows() / 9));
    constexpr Index strip = 256; // pixels: what is gathered stays in the second-level cache
    feature_map y{(x.height + stride - 1) / stride, (x.width + stride - 1) / stride, {}};
    const Index pixels = y.height * y.width;
    y.values.resize(pixels, weight.cols());
    matrix under;
    for (Index first = 0; first < pixels; first += strip) {
        under.resize(std::min(strip, pixels - first), weight.rows());
        gather(x, stride, dilation, y.width, first, under);
        auto part = y.values.middleRows(first, under.rows());
        part.noalias() = under * weight;
        part.rowwise() += bias;
    }
    return y;
}

void rectify(matrix& x) { x = x.cwiseMax(0.0F); }

void squash(matrix& x) { x = (1.0F + (-x.array()).exp()).inverse(); }

feature_map enlarge(const feature_map& x, Index factor) {
    const Index channels = x.values.cols();
    feature_map y{factor * x.height, factor * x.width, matrix(factor * factor * x.values.rows(), channels)};
    std::vector<between> columns;
    for (Index column = 0; column < y.width; ++column) {
        columns.push_back(place(column, factor, x.width));
    }
    matrix line(x.width, channels);
    for (Index row = 0; row < y.height; ++row) {
        const between rows = place(row, factor, x.height);
        line = (1.0F - rows.share) * x.values.middleRows(rows.first * x.width, x.width) +
               rows.share * x.values.middleRows(rows.second * x.width, x.width);
        float* to = y.values.row(row * y.width).data();
        for (const between& at : columns) {
            const float* const first = line.row(at.first).data();
            const float* const second = line.row(at.second).data();
            for (Index c = 0; c < channels; ++c) {
                *to++ = (1.0F - at.share) * first[c] + at.share * second[c];
            }
        }
    }
    return y;
}

feature_map average(const feature_map& x, Index factor) {
    OSTEND_EXPECTS(factor >= 1 && x.height % factor == 0 && x.width % factor == 0,
                   "average: blocks of " + std::to_string(factor) + " in a picture of " +
                       std::to_string(x.width) + " x " + std::to_string(x.height));
    feature_map y{x.height / factor, x.width / factor, {}};
    y.values = matrix::Zero(y.height * y.width, x.values.cols());
    for (Index row = 0; row < x.height; ++row) {
        for (Index column = 0; column < x.width; ++column) {
            y.values.row(row / factor * y.width + column / factor) += x.values.row(row * x.width + column);
        }
    }
    y.values *= 1.0F / float(factor * factor);
    return y;
}

} // namespace ostend_hosts
