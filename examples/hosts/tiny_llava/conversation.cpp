#include "tiny_llava/conversation.hpp"

#include <algorithm>
#include <utility>

namespace ostend_hosts {

using ostend::error;

ostend::result<tokenizer> read_vocabulary(const std::filesystem::path& directory,
                                          const model_config& config) {
    auto vocabulary = tokenizer::load(directory);
    if (!vocabulary) {
        return vocabulary;
    }
    if (vocabulary->size() > std::size_t(config.language.vocabulary)) {
        return error{.what = "is " + std::to_string(config.language.vocabulary) + ", but the tokeniser has " +
                             std::to_string(vocabulary->size()) + " tokens",
                     .field = (directory / "config.json").string() + ": text_config/vocab_size"};
    }
    if (std::size_t(config.image_token) >= vocabulary->size()) {
        return error{.what = "is not a token of the tokeniser",
                     .field = (directory / "config.json").string() + ": image_token_index"};
    }
    return vocabulary;
}

ostend::result<prompt_tokens> encode_prompt(const tokenizer& vocabulary, const model_config& config,
                                            std::string prompt) {
    const bool words = vocabulary.is_word_level();
    const std::string placeholder = vocabulary.piece(config.image_token);
    if (prompt.empty()) {
        prompt = words ? "describe :" : "describe:";
    }
    if (prompt.find(placeholder) == std::string::npos) {
        prompt = (words ? "<bos> " : "<s>") + placeholder + " " + prompt;
    }
    auto tokens = vocabulary.encode(prompt);
    if (!tokens) {
        return tokens.error().in("prompt");
    }
    const auto at = std::find(tokens->begin(), tokens->end(), config.image_token);
    if (std::count(tokens->begin(), tokens->end(), config.image_token) != 1) {
        return error{.what = "has not exactly one " + placeholder, .field = "prompt"};
    }
    const auto before = at - tokens->begin();
    const Index patches = config.vision.grid() * config.vision.grid();
    tokens->insert(at, std::size_t(patches - 1), config.image_token);
    return prompt_tokens{*std::move(tokens), ostend::key_selection(before, patches)};
}

ostend::result<std::vector<std::int32_t>> encode_answer(const tokenizer& vocabulary,
                                                        const model_config& config, const std::string& text) {
    auto tokens = vocabulary.encode(text);
    if (!tokens) {
        return tokens;
    }
    for (const std::int32_t token : *tokens) {
        if (vocabulary.is_added(token)) {
            return error{.what = "an answer cannot hold the special token " + vocabulary.piece(token),
                         .field = "text"};
        }
    }
    tokens->push_back(config.end_token);
    return tokens;
}

ostend::result<std::vector<ostend::token_text>> decode_answer(const tokenizer& vocabulary,
                                                              const model_config& config,
                                                              const std::vector<std::int32_t>& answer) {
    auto tokens = vocabulary.decode(answer);
    if (tokens) {
        for (ostend::token_text& token : *tokens) {
            token.special = token.special || token.id == config.end_token;
        }
    }
    return tokens;
}

} // namespace ostend_hosts
