#include "tiny_sam/weights.hpp"

namespace ostend_hosts {

matrix sam_weights::read(const std::string& name, Index rows, Index columns,
                         std::vector<ostend::index> shape) {
    used_.insert(name);
    matrix values = reader_.read(name, rows, columns, std::move(shape));
    if (!reader_.error() && !not_finite_ && !values.allFinite()) {
        not_finite_ =
            ostend::error{.what = "holds a value that is not finite", .field = file_.file() + ": " + name};
    }
    return values;
}

row_vector sam_weights::read(const std::string& name, Index size) {
    const matrix row = read(name, 1, size, {size});
    return reader_.error() ? row_vector() : row_vector(row.row(0));
}

// [out, in, 3, 3] as [9 * in, out].
matrix sam_weights::read_kernel(const std::string& name, Index out, Index in) {
    const matrix given = read(name, out, 9 * in, {out, in, 3, 3});
    if (reader_.error()) {
        return {};
    }
    matrix kernel(9 * in, out);
    for (Index o = 0; o < out; ++o) {
        for (Index i = 0; i < in; ++i) {
            for (Index k = 0; k < 9; ++k) {
                kernel(k * in + i, o) = given(o, i * 9 + k);
            }
        }
    }
    return kernel;
}

convolution sam_weights::read_convolution(const std::string& name, Index out, Index in, bool bias) {
    matrix kernel = read_kernel(name + ".weight", out, in);
    return {.weight = std::move(kernel),
            .bias = bias ? read(name + ".bias", out) : row_vector(row_vector::Zero(out))};
}

convolution sam_weights::read_normalised(const std::string& name, Index out, Index in, Index stride,
                                         Index dilation) {
    constexpr float epsilon = 1e-5F; // PyTorch's
    convolution made{.weight = read_kernel(name + ".0.weight", out, in),
                     .bias = {},
                     .stride = stride,
                     .dilation = dilation};
    const row_vector gain = read(name + ".1.weight", out);
    const row_vector shift = read(name + ".1.bias", out);
    const row_vector mean = read(name + ".1.running_mean", out);
    const row_vector variance = read(name + ".1.running_var", out);
    if (reader_.error()) {
        return made;
    }
    if (!not_finite_ && (variance.array() < 0).any()) {
        not_finite_ = ostend::error{.what = "holds a variance below 0",
                                    .field = file_.file() + ": " + name + ".1.running_var"};
    }
    const row_vector scale = gain.array() * (variance.array() + epsilon).rsqrt();
    made.weight.array().rowwise() *= scale.array();
    // As the ONNX files keep the product, so that both give the same masks.
    made.weight = made.weight.unaryExpr([](float w) { return ostend::to_float(ostend::to_f16(w)); });
    made.bias = shift.array() - mean.array() * scale.array();
    return made;
}

linear sam_weights::read_point_wise(const std::string& name, Index out, Index in) {
    matrix weight = read(name + ".weight", out, in, {out, in, 1, 1});
    return {std::move(weight), read(name + ".bias", out)};
}

linear sam_weights::read_linear(const std::string& name, Index out, Index in) {
    matrix weight = read(name + ".weight", out, in, {out, in});
    return {std::move(weight), read(name + ".bias", out)};
}

ostend::status sam_weights::finish() const {
    if (reader_.error()) {
        return *reader_.error();
    }
    if (not_finite_) {
        return *not_finite_;
    }
    for (const auto& [name, entry] : file_.entries()) {
        if (used_.count(name) == 0) {
            return ostend::error{.what = "is no part of this segmenter", .field = file_.file() + ": " + name};
        }
    }
    return ostend::success{};
}

} // namespace ostend_hosts
