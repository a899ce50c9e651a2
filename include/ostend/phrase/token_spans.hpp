// Where each generated token stands in the text: spans in code points, for any detokeniser that writes bytes.
//
// The published way decodes the growing prefix after every token, which is quadratic and hides a character
// that is spread over tokens from the token that completes it. Here a UTF-8 state is carried on: both the
// published spans and better ones come out of one linear pass.
#pragma once

#include "ostend/phrase/utf8.hpp"

#include <span>

namespace ostend::inline v0 {

/// Which characters belong to a token.
enum class span_rule : std::uint8_t {
    /// As the reference: from the length of the text decoded before the token to the length after it. A
    /// character that is split over tokens belongs to the token with its first byte only.
    decoded_length,
    /// Every character of which the token holds a byte; tokens that share a character overlap.
    every_byte,
};

struct token_span_options {
    /// The detokeniser drops one space at the very beginning (SentencePiece's, as in Llama 1 and 2).
    bool leading_space_stripped = false;
    span_rule rule = span_rule::decoded_length;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {
/// Calls take(byte) for each byte that reaches the text, in order, and after(token) behind each token.
template <class Take, class After>
void for_each_text_byte(std::span<const token_text> tokens, bool strip, Take&& take, After&& after) {
    for (const token_text& token : tokens) {
        if (!token.special) {
            for (const char c : token.bytes) {
                const bool drop = strip && c == ' ';
                strip = false;
                if (!drop) {
                    take(static_cast<unsigned char>(c));
                }
            }
        }
        after();
    }
}
} // namespace detail

/// The text that the tokens write, special tokens left out, broken UTF-8 as U+FFFD. Its code points are what
/// token_spans counts. O(bytes).
[[nodiscard]] inline std::string join_text(std::span<const token_text> tokens,
                                           const token_span_options& options = {}) {
    std::string bytes;
    detail::for_each_text_byte(
        tokens, options.leading_space_stripped,
        [&](unsigned char byte) { bytes.push_back(static_cast<char>(byte)); }, [] {});
    return valid_utf8(bytes);
}

/// The span of each token in join_text(tokens, options), in code points. O(bytes), one allocation.
///
/// A special token, and one without bytes, has an empty span at the end of the text so far. With
/// span_rule::decoded_length a token that only completes a character is empty too; a character whose bytes
/// are not all there yet counts as one U+FFFD, as Python decodes it. Begins and ends never decrease.
/// Source of the default rule: groundLMM at de8b74d, tokens to characters by decoding prefixes.
[[nodiscard]] inline std::vector<text_span> token_spans(std::span<const token_text> tokens,
                                                        const token_span_options& options = {}) {
    std::vector<text_span> spans;
    spans.reserve(tokens.size());
    utf8_counter counter;
    index before = 0;      // code points before this token
    bool shares = false;   // this token's first byte continues a character of an earlier token
    bool has_byte = false; // this token has written something
    detail::for_each_text_byte(
        tokens, options.leading_space_stripped,
        [&](unsigned char byte) {
            const bool begins = counter.push(byte);
            shares = has_byte ? shares : !begins;
            has_byte = true;
        },
        [&] {
            const bool reach_back = options.rule == span_rule::every_byte && has_byte && shares;
            spans.push_back({reach_back ? before - 1 : before, counter.count()});
            before = counter.count();
            has_byte = false;
        });
    return spans;
}

} // namespace ostend::inline OSTEND_KERNELS
