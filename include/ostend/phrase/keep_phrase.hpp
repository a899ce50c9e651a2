// keep_phrase: which noun phrases are worth a mask. A callable decides; the default drops what names no
// thing.
//
// "This image shows a dog on the left": the image, the left and pronouns have no region of their own, and a
// point for them is noise. What is dropped is listed with its reason, never lost silently.
#pragma once

#include "ostend/phrase/noun_phrase.hpp"
#include "ostend/phrase/words.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace ostend::inline v0 {

/// Keep a phrase, or drop it for a reason.
struct keep_decision {
    bool keep = true;
    std::string reason = {}; ///< when dropped: a sentence without subject, "is a pronoun"
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Anything that says of a noun phrase whether to keep it: as a keep_decision or a bool.
template <class F>
concept phrase_keeper = std::is_invocable_r_v<keep_decision, F&, const noun_phrase&> ||
    std::is_invocable_r_v<bool, F&, const noun_phrase&>;

namespace detail {
[[nodiscard]] inline bool one_of(std::string_view word, std::string_view list) {
    const std::string spaced = " " + std::string(word) + " ";
    return word.find(' ') == std::string_view::npos && list.find(spaced) != std::string_view::npos;
}
inline constexpr std::string_view picture_words =
    " image images picture pictures photo photos photograph photographs pic screenshot scene view shot "
    "snapshot close-up closeup close caption frame composition setting ";
inline constexpr std::string_view picture_modifiers =
    " black white and black-and-white color colour coloured colored first second third entire whole main "
    "same "
    "close-up given provided overall following ";
inline constexpr std::string_view place_words =
    " background foreground middle center centre left right side sides front back top bottom distance corner "
    "corners edge edges midst end ends rear vicinity surroundings outside inside interior exterior ";
inline constexpr std::string_view place_modifiers = " left right top bottom far upper lower other same "
                                                    "opposite left-hand right-hand very near immediate front "
                                                    "back both two either distant hand ";
inline constexpr std::string_view standing_in = " other others one ones another each ";
} // namespace detail

/// The default stop-list. Dropped: the picture itself ("the image", "this black and white photo"), a place in
/// it ("the background", "the left side"), pronouns, and numbers that stand alone ("two are asleep").
/// Kept all the same: "two pictures", "a framed picture", "his photo", "the left shoe". O(length).
struct default_keep_phrase {
    [[nodiscard]] keep_decision operator()(const noun_phrase& phrase) const {
        const caption_words text = split_words(phrase.text);
        const std::vector<caption_word>& words = text.words;
        if (std::all_of(words.begin(), words.end(), [](const caption_word& word) {
                return word.is(word_class::punctuation | word_class::comma);
            })) {
            return {false, "has no word"};
        }
        if (is_stand_in(text)) {
            return {false, "is a pronoun or a number that stands for another phrase"};
        }
        if (only(text, detail::picture_words, detail::picture_modifiers)) {
            return {false, "names the picture itself"};
        }
        if (only(text, detail::place_words, detail::place_modifiers)) {
            return {false, "names a place in the picture, not a thing"};
        }
        return {};
    }

private:
    static bool is_stand_in(const caption_words& text) {
        for (const caption_word& word : text.words) {
            const bool stands_in =
                word.is(word_class::pronoun | word_class::determiner | word_class::number) ||
                detail::one_of(text.lower(word), detail::standing_in);
            if (!stands_in || word.tail > 0) {
                return false;
            }
        }
        return true;
    }
    /// The phrase is articles, words of modifiers, and at last a word of nouns.
    static bool only(const caption_words& text, std::string_view nouns, std::string_view modifiers) {
        if (!detail::one_of(text.lower(text.words.back()), nouns)) {
            return false;
        }
        for (std::size_t i = 0; i + 1 < text.words.size(); ++i) {
            const std::string word = text.lower(text.words[i]);
            if (!detail::one_of(word, " the this that these those a an its each both either ") &&
                !detail::one_of(word, modifiers)) {
                return false;
            }
        }
        return true;
    }
};

/// Keeps every phrase.
struct keep_all_phrases {
    [[nodiscard]] keep_decision operator()(const noun_phrase&) const { return {}; }
};

} // namespace ostend::inline OSTEND_KERNELS
