// The parts that transformers are made of: linear layers, normalisations, activations, multi-head attention.
//
// A sequence is a matrix with one row a position. All arithmetic is f32; the matrix products are Eigen's.
#pragma once

#include "tiny_llava/safetensors.hpp"

#include <Eigen/Core>

#include <optional>
#include <string>

namespace ostend_hosts {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using matrix_ref = Eigen::Ref<const matrix>; ///< a matrix or some of its rows or columns, not copied
using row_vector = Eigen::RowVectorXf;
using Eigen::Index;

/// y = x W^T + b; the bias may be empty.
struct linear {
    matrix weight; ///< [out, in], as PyTorch keeps it
    row_vector bias;
    [[nodiscard]] matrix operator()(const matrix_ref& x) const;
};

/// (x - mean) / sqrt(variance + epsilon) * gain + bias, for each row.
struct layer_norm {
    row_vector gain;
    row_vector bias;
    float epsilon = 0;
    [[nodiscard]] matrix operator()(const matrix_ref& x) const;
};

/// x / sqrt(mean of squares + epsilon) * gain, for each row.
struct rms_norm {
    row_vector gain;
    float epsilon = 0;
    [[nodiscard]] matrix operator()(const matrix_ref& x) const;
};

enum class activation { gelu, gelu_tanh, quick_gelu, silu };

/// The activation of a name in config.json: gelu (with erf), gelu_pytorch_tanh, quick_gelu, silu.
[[nodiscard]] std::optional<activation> find_activation(const std::string& name);
void activate(activation kind, matrix& x);

/// Softmax attention. q: [queries, heads * d]; k and v: [keys, kv_heads * d]; neighbouring query heads share
/// a key head (grouped-query attention). With causal, the last query sees all keys, the one before it all
/// but the last, and so on. Scores are scaled by 1 / sqrt(d). Returns [queries, heads * d]; the attention
/// weights of one head at a time live in a scratch matrix and are not kept.
[[nodiscard]] matrix attend(const matrix_ref& q, const matrix_ref& k, const matrix_ref& v, Index heads,
                            Index kv_heads, bool causal);

/// Reads weights by name and remembers the first error, so that loading a model reads like its structure.
class weight_reader {
public:
    explicit weight_reader(const safetensors& file) : file_(file) {}

    [[nodiscard]] matrix read(const std::string& name, Index rows, Index columns,
                              std::vector<ostend::index> shape = {});
    [[nodiscard]] row_vector read(const std::string& name, Index size);
    /// name.weight [out, in] and, where wanted, name.bias [out].
    [[nodiscard]] linear read_linear(const std::string& name, Index out, Index in, bool bias);
    [[nodiscard]] layer_norm read_layer_norm(const std::string& name, Index size, float epsilon);
    [[nodiscard]] rms_norm read_rms_norm(const std::string& name, Index size, float epsilon);

    [[nodiscard]] const std::optional<ostend::error>& error() const noexcept { return error_; }

private:
    const safetensors& file_;
    std::optional<ostend::error> error_;
};

} // namespace ostend_hosts
