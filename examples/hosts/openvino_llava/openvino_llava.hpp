// openvino_llava: a whole LLaVA on OpenVINO that models ostend::language_model; its KV cache stays inside.
//
//     image -> square of pixels -> vision model ┐
//     prompt -> tokens -> embeddings ───────────┴-> language model -> token -> language model -> token ...
//
// The graphs are built here (graphs.hpp); a model that was converted goes the same way: expose its attention
// before it is compiled, record after each run, flush at the end. Images and words are read as on Eigen.
#pragma once

#include "openvino_llava/graphs.hpp"
#include "tiny_llava/tokenizer.hpp"

#include "ostend/adapt/openvino_attention.hpp"
#include "ostend/geometry/probe.hpp"
#include "ostend/host/language_model.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace ostend_hosts {

struct openvino_llava_options {
    ov::AnyMap properties{ov::hint::inference_precision(ov::element::f32),
                          ov::hint::kv_cache_precision(ov::element::f32)};
    /// states: the recorder keeps the queries, whatever request.recording.mode says, and reads each layer's
    /// keys once in flush_every tokens. outputs: OpenVINO takes its fused attention apart.
    ostend::openvino_keys keys = ostend::openvino_keys::states;
    ostend::index text_block = 64; ///< tokens of a given text that are read in one run
};

/// It answers for one image at a time.
class openvino_llava {
public:
    /// Reads a model's folder as tiny_llava::load does, with the same errors, and compiles it for the CPU.
    /// Precondition: text_block >= 1.
    [[nodiscard]] static ostend::result<openvino_llava> load(const std::filesystem::path& directory,
                                                             const openvino_llava_options& options = {});

    /// As tiny_llava::generate, with its errors; and what OpenVINO or the recorder met.
    [[nodiscard]] ostend::result<ostend::generation> generate(const ostend::image_view& image,
                                                              const ostend::generate_request& request);

    /// What the language model sees of an image: [patches, width].
    [[nodiscard]] ostend::result<ostend::matrix<float>> see(const ostend::image_view& image);
    /// Where each column of the maps lies in an image of that size: LLaVA's square of patches.
    [[nodiscard]] ostend::layout layout_of(ostend::image_size image) const;
    /// Probes layout_of (geometry/probe.hpp).
    [[nodiscard]] ostend::result<ostend::layout_finding>
    check_layout(ostend::image_size image, const ostend::probe_options& options = {});

    [[nodiscard]] const model_config& config() const noexcept { return config_; }
    /// The compiled language model: what OpenVINO made of the graph.
    [[nodiscard]] const ov::CompiledModel& language() const noexcept { return compiled_; }

private:
    openvino_llava(model_config config, tokenizer vocabulary)
        : config_(config), vocabulary_(std::move(vocabulary)) {}
    [[nodiscard]] ostend::status compile(const safetensors& file);
    [[nodiscard]] ov::Tensor embed(std::span<const std::int32_t> tokens) const;
    [[nodiscard]] ostend::result<std::int32_t> read(const ov::Tensor& embeddings, ostend::index first);

    model_config config_;
    tokenizer vocabulary_;
    openvino_llava_options options_ = {};
    ostend::matrix<float> table_ = {}; ///< embeddings [vocabulary, width]
    std::vector<ostend::openvino_attention_layer> layers_ = {};
    ov::CompiledModel compiled_ = {};
    ov::InferRequest vision_ = {};
    ov::InferRequest language_ = {};
};

static_assert(ostend::language_model<openvino_llava>);

} // namespace ostend_hosts
