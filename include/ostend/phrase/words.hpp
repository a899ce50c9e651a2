// The words of a caption, with their place in code points and what they can be (lexicon.hpp, then the
// ending).
//
// Hyphens, inner apostrophes and digits with . , : / stay inside a word; 's is a mark of the word or, after a
// pronoun, a verb of its own; a letter of any script and an emoji are word characters.
#pragma once

#include "ostend/phrase/lexicon.hpp"
#include "ostend/phrase/utf8.hpp"

namespace ostend::inline v0 {

/// A word or a mark of a caption.
struct caption_word {
    text_span span = {}; ///< code points, with a possessive 's
    word_class classes = word_class::none;
    std::int32_t tail = 0; ///< code points of the possessive 's at its end
    [[nodiscard]] bool is(word_class any_of) const noexcept { return ostend::is(classes, any_of); }
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

[[nodiscard]] constexpr bool is_apostrophe(char32_t c) noexcept { return c == U'\'' || c == 0x2019; }
[[nodiscard]] constexpr bool is_hyphen(char32_t c) noexcept {
    return c == U'-' || c == 0x2010 || c == 0x2011;
}
[[nodiscard]] constexpr bool is_digit(char32_t c) noexcept { return c >= U'0' && c <= U'9'; }
[[nodiscard]] constexpr bool is_space(char32_t c) noexcept {
    return c == U' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000 || c == 0xFEFF;
}
/// Letters, digits, emoji; beyond ASCII everything but the blocks of spaces and punctuation.
[[nodiscard]] constexpr bool is_word_character(char32_t c) noexcept {
    if (c < 0x80) {
        return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || is_digit(c) || c == U'_';
    }
    if (c < 0xC0) {
        return c == 0xAA || c == 0xB5 || c == 0xBA;
    }
    const bool joiner = c == 0x200C || c == 0x200D; // inside emoji and Indic words
    const bool mark = (c >= 0x2000 && c <= 0x206F) || (c >= 0x3000 && c <= 0x3003) ||
                      (c >= 0x3008 && c <= 0x301F) || (c >= 0xFF01 && c <= 0xFF0F) || c == 0xFF1A ||
                      c == 0xFF1B || c == 0xFF1F || c == 0xFEFF || c == 0xFFFD || c == 0xD7 || c == 0xF7;
    return joiner || (!mark && !is_space(c));
}
[[nodiscard]] constexpr char lower_ascii(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The classes of a word: those of the lexicon, of its last part after a hyphen, or of its ending.
[[nodiscard]] inline word_class classify(std::string_view word) {
    word_class found = look_up(word);
    const std::size_t hyphen = word.rfind('-');
    const bool compound = hyphen != std::string_view::npos && hyphen > 0 && hyphen + 1 < word.size();
    const auto ends = [&](std::string_view ending) {
        return word.size() > ending.size() && word.substr(word.size() - ending.size()) == ending;
    };
    const bool all_digits = !word.empty() && word.front() >= '0' && word.front() <= '9' &&
                            word.find_first_not_of("0123456789.,:/") == std::string_view::npos;
    if (all_digits) {
        return word_class::number | word_class::digits;
    }
    if (found == word_class::none && compound) {
        // "short-haired" is a participle, "blue-green" an adjective, "sign-in" and "hot-dog" nouns
        const word_class last = classify(word.substr(hyphen + 1));
        const word_class first = look_up(word.substr(0, hyphen));
        if (is(last, word_class::participle | word_class::ends_ed)) {
            return word_class::participle | word_class::attributive;
        }
        if (is(last, word_class::adjective) || is(last, word_class::ends_ing) ||
            (is(first, word_class::number) && word.find('-', hyphen + 1) == std::string_view::npos &&
             is(last, word_class::number))) {
            return is(last, word_class::number) ? word_class::number : word_class::adjective;
        }
        return ends("s") && !ends("ss") ? word_class::noun | word_class::ends_s : word_class::noun;
    }
    const bool s_noun = is(found, word_class::noun) && !is(found, word_class::verb) &&
                        (ends("ss") || ends("us") || ends("is") || ends("as"));
    if (ends("s") && !ends("ss") && !ends("us") && !s_noun) {
        found = found | word_class::ends_s;
    }
    if (is(found, static_cast<word_class>(0xFFFFFU))) { // listed
        return found;
    }
    if (ends("ing") && word.size() > 4) {
        return word_class::ends_ing;
    }
    if (ends("ed") && word.size() > 4) {
        return word_class::ends_ed;
    }
    if (ends("ly") && word.size() > 4) {
        return word_class::adverb;
    }
    return found;
}

/// A word's part before an apostrophe makes "'s" a verb: it's, there's, who's.
[[nodiscard]] inline bool contracts_is(std::string_view base) {
    return base == "it" || base == "he" || base == "she" || base == "that" || base == "there" ||
           base == "here" || base == "who" || base == "what" || base == "where" || base == "this" ||
           base == "everyone" || base == "someone" || base == "let";
}
/// "Mr." and its like keep their full stop.
[[nodiscard]] inline bool is_title(std::string_view word) {
    return word == "mr" || word == "mrs" || word == "ms" || word == "dr" || word == "st" || word == "mt";
}

} // namespace detail

/// A caption cut into words and marks. The words refer to nothing; lower(text of a word) is ASCII only.
struct caption_words {
    std::vector<caption_word> words;
    std::u32string text; ///< the caption's code points, ASCII letters in lower case

    /// A word (without its possessive) as lower-case UTF-8, for comparison with English words.
    [[nodiscard]] std::string lower(const caption_word& word) const {
        std::string out;
        for (index i = word.span.begin; i < word.span.end - word.tail; ++i) {
            const char32_t c = text[static_cast<std::size_t>(i)];
            append_utf8(out, detail::is_hyphen(c) ? U'-' : detail::is_apostrophe(c) ? U'\'' : c);
        }
        return out;
    }
};

/// Cuts a caption into words and marks. O(bytes); works on any bytes.
[[nodiscard]] inline caption_words split_words(std::string_view caption) {
    using namespace detail;
    caption_words out;
    out.text = decode_utf8(caption);
    for (char32_t& c : out.text) {
        c = c < 0x80 ? static_cast<char32_t>(lower_ascii(static_cast<char>(c))) : c;
    }
    const std::u32string& t = out.text;
    const std::size_t n = t.size();
    bool quoted = false; // inside single quotes, where s' ends the quotation
    const auto add = [&](std::size_t first, std::size_t last, std::size_t tail) {
        caption_word word{{static_cast<index>(first), static_cast<index>(last)},
                          word_class::none,
                          static_cast<std::int32_t>(tail)};
        constexpr index longest = 40; // no listed word is longer; keeps the look-up of a 10 MB word cheap
        if (word.span.size() <= longest) {
            word.classes = classify(out.lower(word));
        }
        if (tail > 0) {
            word.classes = word.classes | word_class::possessive;
        }
        out.words.push_back(word);
    };
    for (std::size_t i = 0; i < n;) {
        if (is_space(t[i])) {
            ++i;
            continue;
        }
        if (!is_word_character(t[i])) {
            const bool verb_like = t[i] == U'&';
            const word_class mark = t[i] == U',' ? word_class::comma : word_class::punctuation;
            quoted = is_apostrophe(t[i]) || t[i] == 0x2018 ? !quoted : quoted;
            out.words.push_back({{static_cast<index>(i), static_cast<index>(i + 1)},
                                 verb_like ? word_class::conjunction : mark,
                                 0});
            ++i;
            continue;
        }
        const std::size_t first = i;
        std::size_t apostrophe = 0; // where the last one stands
        while (i < n) {
            const char32_t next = i + 1 < n ? t[i + 1] : U' ';
            const bool number_inside = (t[i] == U'.' || t[i] == U',' || t[i] == U':' || t[i] == U'/') &&
                                       i > first && is_digit(t[i - 1]) && is_digit(next);
            const bool joint =
                (is_hyphen(t[i]) || is_apostrophe(t[i])) && i > first && is_word_character(next);
            if (!is_word_character(t[i]) && !number_inside && !joint) {
                break;
            }
            apostrophe = is_apostrophe(t[i]) ? i : apostrophe;
            ++i;
        }
        if (apostrophe > 0) {
            const std::string base =
                out.lower({{static_cast<index>(first), static_cast<index>(apostrophe)}, word_class::none, 0});
            const std::u32string ending =
                t.substr(apostrophe + 1, std::min<std::size_t>(i - apostrophe - 1, 3));
            if (ending == U"s" && !contracts_is(base)) {
                add(first, i, i - apostrophe);
                continue;
            }
            if (ending == U"s" || ending == U"m" || ending == U"re" || ending == U"ve" || ending == U"ll" ||
                ending == U"d") {
                add(first, apostrophe, 0);
                add(apostrophe, i, 0);
                continue;
            }
        } else if (!quoted && i < n && is_apostrophe(t[i]) && t[i - 1] == U's' && i + 1 < n &&
                   is_space(t[i + 1])) {
            ++i; // the dogs' toys
            add(first, i, 1);
            continue;
        }
        const bool short_word = i - first <= 3;
        if (short_word && i < n && t[i] == U'.' &&
            is_title(out.lower({{static_cast<index>(first), static_cast<index>(i)}, word_class::none, 0}))) {
            add(first, i, 0);
            ++i; // the full stop of "Mr." is neither a mark nor a part of the name
            continue;
        }
        add(first, i, 0);
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
