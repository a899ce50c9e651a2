// Noun phrases of a caption: by the built-in English chunker, at the host's own spans, or by their text.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/phrase/chunker.hpp"
#include "ostend/phrase/keep_phrase.hpp"

#include <map>
#include <span>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] inline noun_phrase to_phrase(const text_index& caption, const noun_chunk& chunk) {
    return {valid_utf8(caption.substring(chunk.span)), chunk.span, chunk.words, chunk.root};
}

[[nodiscard]] inline text_span shifted(text_span span, index by) noexcept {
    return {span.begin + by, span.end + by};
}

/// The parts of a phrase whose text a host chose.
[[nodiscard]] inline noun_phrase phrase_of(std::string text, text_span span) {
    noun_phrase phrase{std::move(text), span, span, span};
    const caption_words split = split_words(phrase.text);
    std::size_t first = 0; // first word that is no determiner
    std::size_t last = split.words.size();
    for (std::size_t i = 0; i < split.words.size(); ++i) {
        last = split.words[i].is(word_class::punctuation | word_class::comma) ? last : i;
    }
    if (last == split.words.size()) {
        return phrase; // no word in it
    }
    while (first < last && split.words[first].is(word_class::determiner)) {
        ++first;
    }
    phrase.words.begin = span.begin + split.words[first].span.begin;
    phrase.root = shifted(split.words[last].span, span.begin);
    for (const noun_chunk& chunk : chunker(split).run()) {
        if (chunk.kind == chunk_kind::noun) {
            phrase.root = shifted(chunk.root, span.begin); // "a man in a red shirt": man
            break;
        }
    }
    phrase.words.begin = std::min(phrase.words.begin, phrase.root.begin);
    return phrase;
}

/// Where pattern occurs in text as whole words, in bytes; overlapping occurrences too. O(text + pattern)
/// (Knuth, Morris and Pratt 1977). Both are valid UTF-8; ASCII letters match in either case.
[[nodiscard]] inline std::vector<std::size_t> find_words(std::string_view text, std::string_view pattern) {
    std::vector<std::size_t> found;
    const std::size_t m = pattern.size();
    if (m == 0) {
        return found;
    }
    std::vector<std::size_t> border(m, 0); // longest proper border of each prefix
    const auto same = [](char a, char b) { return lower_ascii(a) == lower_ascii(b); };
    for (std::size_t i = 1, k = 0; i < m; ++i) {
        while (k > 0 && !same(pattern[i], pattern[k])) {
            k = border[k - 1];
        }
        k += same(pattern[i], pattern[k]) ? 1 : 0;
        border[i] = k;
    }
    const auto word_byte = [](char c) { // a byte of a character beyond ASCII is taken for a letter's
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || is_word_character(byte);
    };
    const auto cuts_word = [&](std::size_t at) {
        return at > 0 && at < text.size() && word_byte(text[at - 1]) && word_byte(text[at]);
    };
    for (std::size_t i = 0, k = 0; i < text.size(); ++i) {
        while (k > 0 && (k == m || !same(text[i], pattern[k]))) {
            k = border[k - 1];
        }
        k += same(text[i], pattern[k]) ? 1 : 0;
        if (k == m && !cuts_word(i + 1 - m) && !cuts_word(i + 1)) {
            found.push_back(i + 1 - m);
        }
    }
    return found;
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

} // namespace detail

/// The noun phrases of an English caption, by the built-in chunker (chunker.hpp says what it can do), less
/// those that keep refuses. keep: see keep_phrase.hpp. O(bytes); any bytes are a caption.
template <phrase_keeper Keep = default_keep_phrase>
[[nodiscard]] phrase_list noun_phrases(std::string_view caption, Keep keep = {}) {
    phrase_list list;
    const text_index where(caption);
    for (const noun_chunk& chunk : chunk_noun_phrases(caption)) {
        noun_phrase phrase = detail::to_phrase(where, chunk);
        keep_decision decision;
        if constexpr (std::is_same_v<std::invoke_result_t<Keep&, const noun_phrase&>, bool>) {
            decision = {keep(std::as_const(phrase)), "was refused by the caller's keep_phrase"};
        } else {
            decision = keep(std::as_const(phrase));
        }
        if (decision.keep) {
            list.kept.push_back(std::move(phrase));
        } else {
            list.dropped.push_back({std::move(phrase), std::move(decision.reason)});
        }
    }
    return list;
}

/// The phrase at a span that the host found (its own parser's, an annotation's): words without leading
/// determiners, root by the chunker's rules, else the last word. O(bytes).
/// Precondition: 0 <= span.begin < span.end <= code points of the caption.
[[nodiscard]] inline noun_phrase phrase_at(std::string_view caption, text_span span) {
    const text_index where(caption);
    OSTEND_EXPECTS(span.begin >= 0 && span.begin < span.end && span.end <= where.size(),
                   "phrase_at: code points [" + std::to_string(span.begin) + ", " + std::to_string(span.end) +
                       ") of a caption of " + std::to_string(where.size()));
    return detail::phrase_of(valid_utf8(where.substring(span)), span);
}

/// The phrases at spans that come from outside. Error: a span that is empty or not in the caption; `at` is
/// its index. O(spans * bytes).
[[nodiscard]] inline result<phrase_list> phrases_at(std::string_view caption,
                                                    std::span<const text_span> spans) {
    const index size = count_code_points(caption);
    phrase_list list;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        if (spans[i].begin < 0 || spans[i].begin >= spans[i].end || spans[i].end > size) {
            return error{"code points [" + std::to_string(spans[i].begin) + ", " +
                             std::to_string(spans[i].end) + ") of a caption of " + std::to_string(size),
                         "noun phrase", i};
        }
        list.kept.push_back(phrase_at(caption, spans[i]));
    }
    return list;
}

/// The n-th occurrence (from 0) of a phrase in the caption, as whole words; ASCII letters match in either
/// case, white space around it does not count. Error: an empty phrase, or fewer occurrences. O(bytes).
[[nodiscard]] inline result<noun_phrase> find_phrase(std::string_view caption, std::string_view phrase,
                                                     index occurrence = 0) {
    OSTEND_EXPECTS(occurrence >= 0, "find_phrase: occurrence " + std::to_string(occurrence));
    const std::string text = valid_utf8(caption);
    const std::string wanted = valid_utf8(detail::trimmed(phrase));
    if (wanted.empty()) {
        return error{"the phrase is empty", "phrase"};
    }
    const auto found = detail::find_words(text, wanted);
    if (occurrence >= static_cast<index>(found.size())) {
        return error{"the caption has it " + std::to_string(found.size()) + " times, not " +
                         std::to_string(occurrence + 1) + ": \"" + text + "\"",
                     "phrase \"" + wanted + "\""};
    }
    const text_index where(text);
    const index begin = where.code_point_of(found[static_cast<std::size_t>(occurrence)]);
    return phrase_at(text, {begin, begin + count_code_points(wanted)});
}

/// Each of a list of phrases; the k-th time that the list says the same phrase it means the k-th occurrence.
/// An error's `at` is the index in the list. O(phrases x bytes).
[[nodiscard]] inline result<std::vector<noun_phrase>> find_phrases(std::string_view caption,
                                                                   std::span<const std::string> phrases) {
    std::vector<noun_phrase> out;
    std::map<std::string, index> seen;
    for (std::size_t i = 0; i < phrases.size(); ++i) {
        auto found = find_phrase(caption, phrases[i], seen[std::string(detail::trimmed(phrases[i]))]++);
        if (!found) {
            return error{found.error().what, found.error().field, i};
        }
        out.push_back(*std::move(found));
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
