// tiny_llava: a whole LLaVA on Eigen that models ostend::language_model. Read it to see what a host does.
//
//     image -> square of pixels -> vision tower -> projector ┐
//     prompt -> tokens -> embeddings ────────────────────────┴-> llama -> token -> llama -> token ...
//
// Recording is the observer in generate(): each layer's queries and keys go to the library's recorder, and no
// attention matrix is kept. Everything else would be the same without it, and so are the tokens.
#pragma once

#include "tiny_llava/llama.hpp"
#include "tiny_llava/preprocess.hpp"
#include "tiny_llava/tokenizer.hpp"
#include "tiny_llava/vision.hpp"

#include "ostend/geometry/probe.hpp"
#include "ostend/host/language_model.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ostend_hosts {

/// A prompt whose image token was replaced by the image.
struct prompt_input {
    std::vector<std::int32_t> tokens; ///< one a position; image positions hold the image token
    matrix embeddings;                ///< [positions, width]
    ostend::key_selection image;      ///< the image's positions, row by row of its grid
};

/// Const access is shared-safe: one model can answer for several threads.
class tiny_llava {
public:
    /// Reads config.json, model.safetensors, tokenizer.json or vocab.json and, where it exists,
    /// processor_config.json of a folder in Hugging Face's layout. Errors name the file and the field.
    [[nodiscard]] static ostend::result<tiny_llava> load(const std::filesystem::path& directory);

    /// Answers greedily until the end token, max_tokens or the last position that the model has; or reads
    /// request.text as the answer, whose rows then all come from the prefill, that of the end token included.
    /// request.prompt: empty for "<s><image> describe:"; text without <image> is put after it.
    /// Errors: an image that cannot be seen (fit_to_square), text that the vocabulary lacks or that holds
    /// special tokens, more tokens than positions, logits that are not finite.
    [[nodiscard]] ostend::result<ostend::generation> generate(const ostend::image_view& image,
                                                              const ostend::generate_request& request) const;

    /// The positions of a prompt, as generate() gives them to the language model.
    [[nodiscard]] ostend::result<prompt_input> read_prompt(const ostend::image_view& image,
                                                           std::string prompt) const;
    /// What the language model sees of an image: [patches, width], after the projector.
    [[nodiscard]] ostend::result<matrix> see(const ostend::image_view& image) const;

    /// Where the image tokens of an image of this size lie.
    [[nodiscard]] ostend::layout layout_of(ostend::image_size image) const;
    /// Probes layout_of (geometry/probe.hpp).
    [[nodiscard]] ostend::result<ostend::layout_finding>
    check_layout(ostend::image_size image, const ostend::probe_options& options = {}) const;

    [[nodiscard]] const llama& language() const noexcept { return language_; }
    [[nodiscard]] const tokenizer& vocabulary() const noexcept { return vocabulary_; }
    [[nodiscard]] const model_config& config() const noexcept { return config_; }

private:
    tiny_llava(model_config config, weight_reader& weights, tokenizer vocabulary);

    model_config config_;
    tokenizer vocabulary_;
    vision_tower vision_;
    linear projector_in_, projector_out_;
    llama language_;
};

static_assert(ostend::language_model<tiny_llava>);

} // namespace ostend_hosts
