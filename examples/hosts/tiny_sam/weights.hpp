// The weights of a small segmenter: read by name, batch normalisation folded into the convolution before it.
#pragma once

#include "tiny_sam/convolution.hpp"

#include <set>
#include <string>
#include <vector>

namespace ostend_hosts {

/// Reads weights by name and remembers the first error, as weight_reader does.
class sam_weights {
public:
    explicit sam_weights(const safetensors& file) : file_(file), reader_(file) {}

    /// name.weight [out, in, 3, 3] and, where wanted, name.bias [out].
    [[nodiscard]] convolution read_convolution(const std::string& name, Index out, Index in,
                                               bool bias = true);
    /// name.0.weight without bias, and the normalisation name.1 of its outputs, as one convolution whose
    /// weights are rounded to f16.
    [[nodiscard]] convolution read_normalised(const std::string& name, Index out, Index in, Index stride = 1,
                                              Index dilation = 1);
    /// A convolution of one pixel: name.weight [out, in, 1, 1] and name.bias [out].
    [[nodiscard]] linear read_point_wise(const std::string& name, Index out, Index in);
    [[nodiscard]] linear read_linear(const std::string& name, Index out, Index in);

    /// What was wrong: a tensor that is missing, of another shape or not of numbers; one that holds NaN, an
    /// infinity, or a variance below 0; or, after all is read, one that the model has no use for.
    [[nodiscard]] ostend::status finish() const;

private:
    [[nodiscard]] matrix read(const std::string& name, Index rows, Index columns,
                              std::vector<ostend::index> shape);
    [[nodiscard]] row_vector read(const std::string& name, Index size);
    [[nodiscard]] matrix read_kernel(const std::string& name, Index out, Index in);

    const safetensors& file_;
    weight_reader reader_;
    std::set<std::string> used_;
    std::optional<ostend::error> not_finite_;
};

} // namespace ostend_hosts
