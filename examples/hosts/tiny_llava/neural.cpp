#include "tiny_llava/neural.hpp"

#include <algorithm>
#include <cmath>

namespace ostend_hosts {

matrix linear::operator()(const matrix_ref& x) const {
    matrix y(x.rows(), weight.rows());
    y.noalias() = x * weight.transpose();
    if (bias.size() > 0) {
        y.rowwise() += bias;
    }
    return y;
}

matrix layer_norm::operator()(const matrix_ref& x) const {
    matrix y = x.colwise() - x.rowwise().mean();
    const Eigen::VectorXf scale = (y.rowwise().squaredNorm().array() / float(x.cols()) + epsilon).rsqrt();
    y.array().colwise() *= scale.array();
    y.array().rowwise() *= gain.array();
    y.rowwise() += bias;
    return y;
}

matrix rms_norm::operator()(const matrix_ref& x) const {
    const Eigen::VectorXf scale = (x.rowwise().squaredNorm().array() / float(x.cols()) + epsilon).rsqrt();
    matrix y = x.array().colwise() * scale.array();
    y.array().rowwise() *= gain.array();
    return y;
}

std::optional<activation> find_activation(const std::string& name) {
    if (name == "gelu") {
        return activation::gelu;
    }
    if (name == "gelu_pytorch_tanh") {
        return activation::gelu_tanh;
    }
    if (name == "quick_gelu") {
        return activation::quick_gelu;
    }
    if (name == "silu") {
        return activation::silu;
    }
    return std::nullopt;
}

void activate(activation kind, matrix& x) {
    auto a = x.array();
    switch (kind) {
    case activation::gelu:
        a = a.unaryExpr([](float v) { return 0.5F * v * (1.0F + std::erf(v * 0.70710678F)); });
        break;
    case activation::gelu_tanh: // sqrt(2 / pi) = 0.79788456
        a = 0.5F * a * (1.0F + (0.79788456F * a * (1.0F + 0.044715F * a.square())).tanh());
        break;
    case activation::quick_gelu:
        a = a / (1.0F + (-1.702F * a).exp());
        break;
    case activation::silu:
        a = a / (1.0F + (-a).exp());
        break;
    }
}

matrix attend(const matrix_ref& q, const matrix_ref& k, const matrix_ref& v, Index heads, Index kv_heads,
              bool causal) {
    const Index d = q.cols() / heads;
    const Index queries = q.rows();
    const Index keys = k.rows();
    const float scale = 1.0F / std::sqrt(float(d));
    matrix out(queries, q.cols());
    matrix weights(queries, keys);
    for (Index head = 0; head < heads; ++head) {
        const Index kv = head / (heads / kv_heads);
        weights.noalias() = q.middleCols(head * d, d) * k.middleCols(kv * d, d).transpose();
        for (Index row = 0; row < queries; ++row) {
            const Index seen = causal ? keys - (queries - 1 - row) : keys;
            auto scores = weights.row(row).head(seen).array();
            scores = ((scores - scores.maxCoeff()) * scale).exp();
            scores *= 1.0F / scores.sum();
            weights.row(row).tail(keys - seen).setZero();
        }
        out.middleCols(head * d, d).noalias() = weights * v.middleCols(kv * d, d);
    }
    return out;
}

matrix weight_reader::read(const std::string& name, Index rows, Index columns,
                           std::vector<ostend::index> shape) {
    if (error_) {
        return {};
    }
    if (shape.empty()) {
        shape = {rows, columns};
    }
    const auto values = file_.values(name, shape);
    if (!values) {
        error_ = values.error();
        return {};
    }
    return Eigen::Map<const matrix>(values->data(), rows, columns);
}

row_vector weight_reader::read(const std::string& name, Index size) {
    const matrix row = read(name, 1, size, {size});
    return error_ ? row_vector() : row_vector(row.row(0));
}

linear weight_reader::read_linear(const std::string& name, Index out, Index in, bool bias) {
    return {read(name + ".weight", out, in), bias ? read(name + ".bias", out) : row_vector()};
}

layer_norm weight_reader::read_layer_norm(const std::string& name, Index size, float epsilon) {
    return {read(name + ".weight", size), read(name + ".bias", size), epsilon};
}

rms_norm weight_reader::read_rms_norm(const std::string& name, Index size, float epsilon) {
    return {read(name + ".weight", size), epsilon};
}

} // namespace ostend_hosts
