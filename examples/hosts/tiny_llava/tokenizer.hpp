// tokenizer: text to token numbers and back, for the two kinds of vocabulary that the models have.
//
// tokenizer.json: byte-pair encoding as SentencePiece does it. A space is written as the letter U+2581; the
// characters of the text are merged pair by pair, the merge that training found first going first; a
// character that the vocabulary lacks is written as its UTF-8 bytes, each a token. vocab.json: a list of
// words; text is split at spaces, and an unknown word is an error that names it.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/phrase/text_span.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ostend_hosts {

class tokenizer {
public:
    /// Reads tokenizer.json or else vocab.json of a model's folder.
    [[nodiscard]] static ostend::result<tokenizer> load(const std::filesystem::path& directory);

    /// The tokens of a text; special tokens written out (<s>, <image>) become themselves. O(n log n).
    /// Errors: text that is not UTF-8, a word that the vocabulary lacks.
    [[nodiscard]] ostend::result<std::vector<std::int32_t>> encode(std::string_view text) const;

    /// The text of each token; joined, the text of all. Error: a number outside the vocabulary.
    [[nodiscard]] ostend::result<std::vector<ostend::token_text>>
    decode(const std::vector<std::int32_t>& tokens) const;

    [[nodiscard]] std::size_t size() const noexcept { return pieces_.size(); }
    /// Words of a fixed list, rather than sub-words that can write any text.
    [[nodiscard]] bool is_word_level() const noexcept { return words_; }
    /// As the vocabulary writes the token. Precondition: 0 <= token < size().
    [[nodiscard]] const std::string& piece(std::int32_t token) const {
        return pieces_.at(std::size_t(token));
    }
    /// Whether a token is one of those that no ordinary text contains: <s>, <pad>, <image>, ...
    [[nodiscard]] bool is_added(std::int32_t token) const { return added_.count(token) > 0; }

private:
    struct merge {
        std::int32_t rank = 0; ///< its place in the list; lower goes first
        std::int32_t token = 0;
    };
    [[nodiscard]] ostend::result<std::vector<std::int32_t>> split_words(std::string_view text) const;
    void merge_pairs(std::string_view text, std::vector<std::int32_t>& out) const;
    static ostend::result<tokenizer> load_pairs(const std::filesystem::path& file);
    static ostend::result<tokenizer> load_words(const std::filesystem::path& file);

    bool words_ = false;
    std::vector<std::string> pieces_;
    std::unordered_map<std::string, std::int32_t> ids_;
    std::map<std::pair<std::int32_t, std::int32_t>, merge> merges_;
    std::map<std::int32_t, bool> added_; ///< added tokens, and whether they are written as nothing
    std::vector<std::int32_t> bytes_;    ///< the token of each of the 256 bytes
};

} // namespace ostend_hosts
