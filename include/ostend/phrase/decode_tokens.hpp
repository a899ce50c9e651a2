// decode_tokens: the text of each token, for detokenisers that only decode lists of tokens into text.
//
// Decoding every prefix is quadratic. Here each token is decoded with the tokens since the last place where
// the text was whole, and those before it that stand for the context (a space that is dropped at the
// beginning, pieces that join, spaces that are cleaned up before a full stop), as servers stream text.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/phrase/text_span.hpp"
#include "ostend/phrase/utf8.hpp"

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace ostend::inline v0 {

/// decode(first, last): the text of tokens [first, last) as UTF-8; a character that lacks bytes is U+FFFD.
template <class D>
concept token_decoder = requires(D& decode, index first, index last) {
    { decode(first, last) } -> std::convertible_to<std::string>;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {
/// The bytes of the first `count` code points.
[[nodiscard]] inline std::size_t bytes_of_code_points(std::string_view text, index count) {
    utf8_counter counter;
    std::size_t at = 0;
    while (at < text.size()) {
        if (counter.push(static_cast<unsigned char>(text[at])) && counter.count() > count) {
            break;
        }
        ++at;
    }
    return at;
}
} // namespace detail

/// The text of tokens 0 <= i < count, whose spans (span_rule::decoded_length) are those that decoding every
/// prefix gives: a character that is spread over tokens belongs to the first of them. Ids and special are
/// left to the caller: a token that the decoder skips has no bytes. 2 calls of decode a token, each of a few
/// tokens while characters are whole. The decoder may look at the tokens of the character before; one that
/// changes text it has already written changes no token's text here.
/// Source: groundLMM at de8b74d decodes prefixes; the window is that of text-generation servers.
template <token_decoder Decode>
[[nodiscard]] std::vector<token_text> decode_tokens(index count, Decode&& decode) {
    OSTEND_EXPECTS(count >= 0, "decode_tokens: " + std::to_string(count) + " tokens");
    std::vector<token_text> tokens(static_cast<std::size_t>(count));
    constexpr std::string_view unfinished = "\xEF\xBF\xBD";
    index context = 0;          // the window begins here
    index read = 0;             // tokens before this one have their text
    std::vector<index> lengths; // of the text of [context, i], for each i >= read that is not whole
    for (index i = 0; i < count; ++i) {
        const std::string before = decode(context, read);
        const std::string text = decode(context, i + 1);
        lengths.push_back(count_code_points(text));
        const bool whole = !std::string_view(text).ends_with(unfinished);
        if (!whole && i + 1 < count) {
            continue;
        }
        // The text behind `before`, dealt out by the lengths that the text had after each token.
        std::size_t from = std::min(before.size(), text.size());
        for (std::size_t k = 0; k < lengths.size(); ++k) {
            const std::size_t to = k + 1 == lengths.size()
                                       ? text.size()
                                       : std::max(from, detail::bytes_of_code_points(text, lengths[k]));
            tokens[static_cast<std::size_t>(read) + k].bytes = text.substr(from, to - from);
            from = to;
        }
        lengths.clear();
        if (text.size() > before.size()) { // a token without text leaves the context as it is
            context = read;
        }
        read = i + 1;
    }
    return tokens;
}

} // namespace ostend::inline OSTEND_KERNELS
