// graphs: a LLaVA as two ov::Models, built from its numbers and weights: the vision tower with the projector,
// and the language model with a KV cache that stays inside OpenVINO.
//
//     vision     patches [patches, 3 * size^2]                             -> features [patches, width]
//     language   embeddings [1, n, width], positions [1, n], beams [1]     -> logits [1, 1, vocabulary]
//
// The language model is stateful: keys and values are read (ReadValue), lengthened by the run's own and kept
// (Assign), in the form that OpenVINO's CPU plugin turns into one attention node with its cache. Positions
// count from 0 where the states were reset, and go on from there; beams is {0}.
#pragma once

#include "tiny_llava/model_config.hpp"

#include <openvino/openvino.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ostend_hosts {

/// The f32 constant of a name (as PyTorch names weights) and a shape.
using weight_source = std::function<ov::Output<ov::Node>(const std::string& name, const ov::Shape& shape)>;

/// Weights out of a safetensors file. The first error is remembered, and what comes after it is an empty
/// constant: look at error() also where building the graph threw.
class file_weights {
public:
    explicit file_weights(const safetensors& file) : file_(file) {}
    [[nodiscard]] ov::Output<ov::Node> operator()(const std::string& name, const ov::Shape& shape);
    [[nodiscard]] const std::optional<ostend::error>& error() const noexcept { return error_; }

private:
    const safetensors& file_;
    std::optional<ostend::error> error_;
};

/// Both throw what OpenVINO throws where weights do not fit.
[[nodiscard]] std::shared_ptr<ov::Model> vision_graph(const model_config& config,
                                                      const weight_source& weights);
[[nodiscard]] std::shared_ptr<ov::Model> language_graph(const llama_config& config,
                                                        const weight_source& weights);

} // namespace ostend_hosts
