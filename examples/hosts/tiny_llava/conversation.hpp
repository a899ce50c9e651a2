// conversation: the words before and after the image as tokens, which is the same on every engine.
#pragma once

#include "tiny_llava/model_config.hpp"
#include "tiny_llava/tokenizer.hpp"

#include "ostend/attention/key_selection.hpp"
#include "ostend/core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ostend_hosts {

/// The tokeniser of a model's folder. Errors: tokenizer::load's; more tokens than the model has embeddings,
/// no token for the image.
[[nodiscard]] ostend::result<tokenizer> read_vocabulary(const std::filesystem::path& directory,
                                                        const model_config& config);

/// A prompt with one image token for each of the image's.
struct prompt_tokens {
    std::vector<std::int32_t> tokens;
    ostend::key_selection image; ///< the image's positions, row by row of its grid
};
/// prompt: empty for "<s><image> describe:"; text without <image> is put after it. Errors: text that the
/// vocabulary lacks, more than one <image>.
[[nodiscard]] ostend::result<prompt_tokens> encode_prompt(const tokenizer& vocabulary,
                                                          const model_config& config, std::string prompt);

/// A text as an answer, the end token behind it. Errors: text that the vocabulary lacks, special tokens.
[[nodiscard]] ostend::result<std::vector<std::int32_t>>
encode_answer(const tokenizer& vocabulary, const model_config& config, const std::string& text);

/// The texts of an answer's tokens; the end token is special.
[[nodiscard]] ostend::result<std::vector<ostend::token_text>>
decode_answer(const tokenizer& vocabulary, const model_config& config,
              const std::vector<std::int32_t>& answer);

} // namespace ostend_hosts
