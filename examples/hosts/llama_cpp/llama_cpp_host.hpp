// llama_cpp_host: a LLaVA on libllama and libmtmd that models ostend::language_model.
//
// Nothing in llama.cpp is changed: the attention comes through the callback that a context has for
// inspection (adapt/ggml.hpp), flash attention on or off. The picture is padded to a square and resized here,
// as LLaVA-1.5 does it, so that the layout is known; a CLIP tower is probed for the defect that moves every
// patch by one (docs/hosts/llama_cpp.md), and the maps follow what the build at hand really does.
#pragma once

#include "llama_cpp/gguf_file.hpp"
#include "tiny_llava/preprocess.hpp"

#include "ostend/geometry/probe.hpp"
#include "ostend/host/language_model.hpp"

#include <llama.h>
#include <mtmd.h>

#include <memory>
#include <string>
#include <vector>

namespace ostend_hosts {

struct llama_cpp_options {
    std::string model = {};             ///< the language model, a GGUF file
    std::string mmproj = {};            ///< its vision tower and projector, a GGUF file
    bool flash_attention = true;        ///< llama.cpp's fused kernel
    ggml_type key_type = GGML_TYPE_F16; ///< of the cache's keys: f32, f16, bf16, q8_0, q4_0
    int threads = 0;                    ///< 0: as many as the processor has
    int gpu_layers = 0;                 ///< layers whose work and keys a device has, if llama.cpp knows one
    int probe_pairs = 16;               ///< images / 2 by which a CLIP tower is probed
};

class llama_cpp_host {
public:
    /// Errors name the file and the field: no GGUF file, a cut one, one of another kind in each other's
    /// place, a tower whose features are not as wide as the model's, another projector than LLaVA's, numbers
    /// that are not those of the tensors. (llama.cpp may still abort the process over other damage.)
    [[nodiscard]] static ostend::result<llama_cpp_host> load(const llama_cpp_options& options);

    /// Answers greedily until an end token, max_tokens or the model's last position; or reads request.text as
    /// the answer. request.prompt: empty for the one that the model file names, else LLaVA-1.5's; <image>
    /// stands where the picture goes, before the prompt where it has none.
    /// Errors: an image that cannot be seen, a prompt with two images or none behind it, more tokens than
    /// positions, logits that are not finite, what the recorder met.
    [[nodiscard]] ostend::result<ostend::generation> generate(const ostend::image_view& image,
                                                              const ostend::generate_request& request);

    /// What the language model sees of an image: [image tokens, width].
    [[nodiscard]] ostend::result<ostend::matrix<float>> see(const ostend::image_view& image);
    /// Where each column of the maps lies in an image of that size: LLaVA's square of patches.
    [[nodiscard]] ostend::layout layout_of(ostend::image_size image) const;
    /// Which image token each column of the maps is; empty: column i is token i. With the defect column i is
    /// token i - 1; no token shows the first patch, whose column repeats that of its neighbour, and the class
    /// token, which comes last, has none.
    [[nodiscard]] std::vector<ostend::index> token_order() const;
    /// Probes layout_of and token_order together (geometry/probe.hpp).
    [[nodiscard]] ostend::result<ostend::layout_finding>
    check_layout(ostend::image_size image, const ostend::probe_options& options = {});
    /// What was found of a CLIP tower, in a sentence; empty for towers without a class token.
    [[nodiscard]] const std::string& met() const noexcept { return met_; }

private:
    struct free_model {
        void operator()(llama_model* m) const { llama_model_free(m); }
    };
    struct free_context {
        void operator()(llama_context* c) const { llama_free(c); }
    };
    using context_ptr = std::unique_ptr<llama_context, free_context>;

    llama_cpp_host() = default;
    [[nodiscard]] ostend::status read_tower(const gguf_file& file, int width);
    [[nodiscard]] ostend::status probe_class_token(int pairs);
    [[nodiscard]] ostend::result<mtmd::input_chunks_ptr> read_prompt(const ostend::image_view& image,
                                                                     const std::string& prompt) const;
    [[nodiscard]] ostend::result<std::vector<llama_token>> tokens_of(const std::string& text) const;
    [[nodiscard]] std::vector<ostend::token_text> texts_of(const std::vector<llama_token>& tokens) const;

    llama_cpp_options options_ = {};
    std::unique_ptr<llama_model, free_model> model_;
    mtmd::context_ptr vision_;
    const llama_vocab* vocabulary_ = nullptr;
    std::string prompt_ = {};
    ostend::index side_ = 0; ///< of the square that the tower sees, in pixels
    ostend::index cell_ = 0; ///< of a patch
    pixel_config pixels_ = {};
    bool has_class_token_ = false;
    bool is_shifted_ = false; ///< image token k shows patch k + 1
    std::string met_ = {};
};

static_assert(ostend::language_model<llama_cpp_host>);

} // namespace ostend_hosts
