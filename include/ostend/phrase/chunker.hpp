// A chunker for English captions: noun phrases by rules over a small lexicon, in one pass from left to right.
//
// No parser and no model: it is made for the plain present-tense English of captions, where nearly every noun
// comes with an article, and costs microseconds. A host with a real parser passes its own spans (phrase_at).
//
// What it does: determiners, numbers, adjectives also joined ("black, white and red"), participles before a
// noun ("a parked car") but not behind one ("a car parked"), nouns in a row ("fire engine"), possessives
// ("the man's hat" is one phrase), measures ("a cup of coffee" is one phrase with the root "coffee"),
// pronouns. What it does not do: attach relative clauses or prepositions to a phrase, join "salt and pepper",
// resolve pronouns, tell a rare verb from a noun ("the crane cranes"), join "two wine and beer glasses", look
// into quotations, read other languages, or find a noun that only its context tells from a verb or an
// adjective. Longer than most headers: the rules share one pass and its state.
#pragma once

#include "ostend/phrase/words.hpp"

namespace ostend::inline v0 {

/// What sort of phrase a chunk is.
enum class chunk_kind : std::uint8_t {
    noun,     ///< has a noun, or an adjective in its place ("the left")
    pronoun,  ///< it, someone, these
    quantity, ///< a number that stands alone: "two are asleep", "at 10:30"
};

/// A noun phrase as the chunker finds it; spans in code points.
struct noun_chunk {
    text_span span = {};  ///< whole
    text_span words = {}; ///< without leading determiners; the whole where nothing else is left
    text_span root = {};  ///< head noun
    chunk_kind kind = chunk_kind::noun;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// What stood before a word, as far as it decides what the word is.
enum class context : std::uint8_t {
    start,
    noun,
    pronoun,
    verb,
    copula,
    modal,
    preposition,
    conjunction,
    other
};

class chunker {
public:
    using wc = word_class;
    explicit chunker(const caption_words& caption) : caption_(caption), words_(caption.words) {}

    std::vector<noun_chunk> run() {
        std::vector<noun_chunk> chunks;
        for (std::size_t i = 0; i < words_.size();) {
            noun_chunk chunk;
            const std::size_t end = phrase_at(i, chunk);
            if (found_) {
                chunks.push_back(chunk);
                before_ = chunk.kind == chunk_kind::pronoun ? context::pronoun : context::noun;
                i = end;
                continue;
            }
            for (; i < end; ++i) {
                before_ = context_after(i);
            }
        }
        return chunks;
    }

private:
    [[nodiscard]] wc at(std::size_t i) const noexcept {
        return i < words_.size() ? words_[i].classes : wc::punctuation;
    }
    [[nodiscard]] bool has(std::size_t i, wc any_of) const noexcept { return is(at(i), any_of); }
    /// Nothing but a noun can be said of it: listed as one, or unknown.
    [[nodiscard]] bool plain_noun(std::size_t i) const noexcept {
        constexpr wc other = wc::determiner | wc::pronoun | wc::number | wc::adjective | wc::participle |
                             wc::verb | wc::copula | wc::modal | wc::preposition | wc::conjunction |
                             wc::relative | wc::adverb | wc::ends_ing | wc::ends_ed | wc::comma |
                             wc::punctuation;
        return !has(i, other);
    }
    [[nodiscard]] bool noun(std::size_t i) const noexcept { return has(i, wc::noun) || plain_noun(i); }
    [[nodiscard]] bool past_form(std::size_t i) const noexcept {
        return has(i, wc::participle | wc::ends_ed) && !has(i, wc::noun);
    }
    /// The word can continue a phrase that waits for its noun.
    [[nodiscard]] bool nominal(std::size_t i) const noexcept {
        if (noun(i)) {
            // "a smiling can be": the modal wins unless a noun is due
            return !has(i, wc::modal) || !has(i + 1, wc::verb | wc::copula);
        }
        if (has(i, wc::preposition | wc::adverb)) {
            return has(i, wc::adjective) && noun(i + 1); // "the next room", not "next to"
        }
        return has(i, wc::adjective) || (past_form(i) && (noun(i + 1) || has(i + 1, wc::adjective))) ||
               (has(i, wc::ends_ing) && plain_noun(i + 1));
    }
    [[nodiscard]] context context_after(std::size_t i) const noexcept {
        const wc w = at(i);
        // "next to", "close to": "to" is no sign of a verb there
        const bool to_place =
            i > 0 && has(i, wc::modal) && has(i - 1, wc::preposition | wc::adjective | wc::ends_ed);
        if (is(w, wc::copula)) {
            return context::copula;
        }
        if (to_place) {
            return context::preposition;
        }
        if (is(w, wc::modal)) {
            return context::modal;
        }
        if (is(w, wc::relative)) {
            return context::pronoun;
        }
        if (is(w, wc::verb | wc::ends_ing)) {
            return context::verb;
        }
        if (is(w, wc::preposition)) {
            return context::preposition;
        }
        if (is(w, wc::conjunction)) {
            return context::conjunction;
        }
        if (is(w, wc::comma | wc::punctuation)) {
            return context::start;
        }
        return is(w, wc::adverb) ? before_ : context::other;
    }

    /// A form of a verb that is also a noun: which of the two, when it begins a phrase.
    [[nodiscard]] bool verb_here(std::size_t i) const noexcept {
        if (!has(i, wc::verb)) { // unknown; behind a noun that did not take it: "a tree casts a shadow"
            return before_ == context::noun && has(i, wc::ends_s) != plural_before_ && !has(i, wc::noun);
        }
        if (!has(i, wc::noun)) {
            return true;
        }
        switch (before_) {
        case context::modal:
        case context::pronoun:
            return true;
        case context::noun:
            return has(i, wc::ends_s) != plural_before_;
        case context::conjunction:
            return starts_phrase(i + 1) && !has(i, wc::container);
        default:
            return false;
        }
    }
    [[nodiscard]] bool starts_phrase(std::size_t i) const noexcept {
        return has(i, wc::determiner | wc::pronoun | wc::number);
    }
    /// Behind the noun of an open phrase: the word is its verb.
    [[nodiscard]] bool verb_of(std::size_t i, bool plural, bool singular_article) const noexcept {
        if (has(i, wc::modal)) {
            return !has(i + 1, wc::preposition | wc::punctuation | wc::comma | wc::conjunction);
        }
        const bool unknown = plain_noun(i) && !has(i, wc::noun);
        if (has(i, wc::verb) && has(i, wc::noun)) {
            return has(i, wc::ends_s) ? !plural && (singular_article || starts_phrase(i + 1)) : plural;
        }
        const bool agrees = has(i, wc::ends_s) ? !plural && singular_article : plural;
        return unknown && agrees && has(i + 1, wc::determiner); // "the lights illuminate the street"
    }

    /// "a long, flowing dress"
    [[nodiscard]] bool modifying_ing(std::size_t i) const noexcept {
        return has(i, wc::ends_ing) && !has(i, wc::noun) &&
               (plain_noun(i + 1) || has(i + 1, wc::adjective)) && !has(i + 1, wc::preposition);
    }

    /// "red, white and blue flag": the comma or conjunction at i joins adjectives, and a noun follows.
    [[nodiscard]] bool joins_adjectives(std::size_t i) const noexcept {
        constexpr std::size_t furthest = 12; // bounds the look ahead, so the whole stays linear
        for (std::size_t k = i; k < i + furthest; ++k) {
            const bool joint = has(k, wc::comma | wc::conjunction);
            if (!joint && !has(k, wc::adjective) && !past_form(k) && !modifying_ing(k)) {
                return false;
            }
            if (!joint && noun(k + 1)) {
                return true;
            }
        }
        return false;
    }

    struct nominal_part {
        std::size_t end = 0;
        std::size_t head = 0;
        std::size_t last_modifier = 0;
        bool has_head = false;
        bool has_adjective = false;
        bool has_number = false;
        bool plural = false;
    };

    /// Modifiers and nouns from i on. determined: a determiner (or "cup of") stands before.
    [[nodiscard]] nominal_part read_nominal(std::size_t i, bool determined, bool article,
                                            bool singular) const {
        nominal_part p;
        p.end = i;
        bool modified = determined; // a word of the phrase stands directly before
        for (std::size_t k = i;; ++k) {
            if (p.has_head ? !extends_noun(k, p, singular)
                           : !extends_modifiers(k, p, determined, article, modified)) {
                return p;
            }
            modified = true;
        }
    }

    /// Takes word k into a phrase that has no noun yet; false when it does not belong.
    bool extends_modifiers(std::size_t k, nominal_part& p, bool determined, bool article,
                           bool modified) const {
        const auto modifier = [&] {
            p.has_adjective = true;
            p.last_modifier = k;
            p.end = k + 1;
            return true;
        };
        const auto head = [&] { return take_noun(k, p); };
        const bool described = p.has_adjective || (article && k == p.end && determined);
        if (has(k, wc::comma | wc::conjunction)) {
            const bool predicate = before_ == context::copula && !determined;
            if (!p.has_adjective || predicate || p.last_modifier + 1 < k ||
                !(joins_adjectives(k) ||
                  (has(k, wc::comma) && has(k + 1, wc::conjunction) && joins_adjectives(k)))) {
                return joint_continues(k, p);
            }
            return true; // its end counts only when an adjective follows
        }
        if (has(k, wc::punctuation | wc::relative)) {
            return false;
        }
        if (has(k, wc::number)) {
            p.has_number = true;
            p.last_modifier = k;
            p.end = k + 1;
            return true;
        }
        if (has(k, wc::possessive) && nominal(k + 1)) {
            p.end = k + 1; // "the man's red hat": as a determiner
            return true;
        }
        if (has(k, wc::adjective)) {
            const bool joint = has(k + 1, wc::comma | wc::conjunction) && joins_adjectives(k + 1);
            const bool more =
                nominal(k + 1) || joint || (has(k + 1, wc::adverb) && has(k + 2, wc::adjective));
            if (has(k, wc::noun) && !more) {
                return head();
            }
            if (has(k, wc::preposition) && !modified && !noun(k + 1)) {
                return false;
            }
            if (has(k, wc::preposition | wc::adverb) && !determined && !p.has_adjective) {
                return false; // "outside the house", "next to"
            }
            return modifier();
        }
        if (past_form(k)) {
            if (nominal(k + 1) && (modified || !after_subject())) {
                return modifier();
            }
            return article && !p.has_adjective && has(k, wc::ends_ed) && !has(k + 1, wc::preposition) ? head()
                                                                                                      : false;
        }
        if (has(k, wc::ends_ing) && !has(k, wc::noun)) {
            if (is_compound(k)) {
                return modifier();
            }
            if (!modified) {
                return false;
            }
            if (nominal(k + 1)) {
                return described || p.has_number || determined ? modifier() : false;
            }
            return described ? head() : false;
        }
        if (has(k, wc::adverb) && !has(k, wc::noun)) {
            const bool grades = has(k + 1, wc::adjective | wc::number) || past_form(k + 1);
            if (grades &&
                (modified || (before_ != context::copula && nominal(k + 1) && adjective_phrase(k + 1)))) {
                p.end = k + 1;
                return true;
            }
            return false;
        }
        if (has(k, wc::adverb) && !modified) {
            return false; // "goes home"
        }
        if (has(k, wc::preposition | wc::determiner) || (has(k, wc::pronoun) && !has(k, wc::noun))) {
            return false;
        }
        if (has(k, wc::modal)) {
            return has(k, wc::noun) && described ? head() : false;
        }
        if (has(k, wc::copula)) {
            return has(k, wc::noun) && described ? head() : false;
        }
        if (has(k, wc::verb)) {
            // "a look", "a big smile"; not "the middle wears"
            const bool named = p.has_adjective ? !has(k, wc::ends_s) : described;
            if (named || (modified && has(k, wc::noun))) {
                return head();
            }
            return !modified && !verb_here(k) ? head() : false;
        }
        if (!modified && verb_here(k)) {
            return false;
        }
        return head();
    }

    /// The "and" in "red , and white": a second joint directly behind the first.
    [[nodiscard]] bool joint_continues(std::size_t k, const nominal_part& p) const {
        return k > 0 && has(k - 1, wc::comma) && has(k, wc::conjunction) && p.has_adjective &&
               p.last_modifier + 2 == k && joins_adjectives(k);
    }
    [[nodiscard]] bool adjective_phrase(std::size_t k) const {
        return noun(k + 1) || (has(k + 1, wc::adjective) && noun(k + 2));
    }
    /// A past form here is the verb of a subject: "the dog chased cats", "is called".
    [[nodiscard]] bool after_subject() const noexcept {
        return before_ == context::noun || before_ == context::pronoun || before_ == context::copula ||
               before_ == context::modal;
    }
    [[nodiscard]] bool is_compound(std::size_t k) const {
        constexpr index longest = 16;
        return k + 1 < words_.size() && words_[k].span.size() <= longest &&
               words_[k + 1].span.size() <= longest &&
               is_ing_compound(caption_.lower(words_[k]), caption_.lower(words_[k + 1]));
    }

    bool take_noun(std::size_t k, nominal_part& p) const {
        p.head = k;
        p.end = k + 1;
        p.has_head = true;
        p.plural = has(k, wc::ends_s | wc::plural);
        return true;
    }

    /// Takes word k into a phrase that has a noun already.
    bool extends_noun(std::size_t k, nominal_part& p, bool singular) const {
        if (has(p.head, wc::possessive) && p.head + 1 == k) {
            if (!nominal(k) && !has(k, wc::number)) {
                return false;
            }
        }
        if (has(k, wc::digits) && !noun(k + 1)) {
            p.end = k + 1; // "number 5"
            return false;
        }
        if (has(k, wc::place) && !nominal(k + 1)) {
            return take_noun(k, p); // "tank top"
        }
        const bool joins = (has(k, wc::attributive) || (has(k, wc::adjective) && singular)) && noun(k + 1) &&
                           !verb_of(k + 1, p.plural, singular);
        if (joins && !has(k, wc::preposition | wc::adverb)) {
            p.end = k + 1; // "snow covered mountain"
            return true;
        }
        if (is_compound(k)) {
            p.end = k + 1;
            return true;
        }
        if (!noun(k) || has(k, wc::adverb | wc::preposition | wc::determiner | wc::pronoun | wc::number) ||
            verb_of(k, p.plural, singular)) {
            return false;
        }
        return take_noun(k, p);
    }

    /// The phrase that begins at word i, into chunk, and where it ends; found_ says whether there is one.
    std::size_t phrase_at(std::size_t i, noun_chunk& chunk) {
        found_ = false;
        std::size_t k = i;
        bool article = false;
        bool singular = false;
        while (has(k, wc::determiner)) {
            const bool also_pronoun = has(k, wc::pronoun);
            if (also_pronoun && !nominal(k + 1) && !has(k + 1, wc::number)) {
                break; // "with her"
            }
            article = article || has(k, wc::bound) || also_pronoun;
            singular = has(k, wc::singular);
            ++k;
        }
        const std::size_t determiners = k;
        if (k == i && has(k, wc::pronoun)) {
            return emit(chunk, i, i + 1, i, i, chunk_kind::pronoun);
        }
        singular = singular || has(k, wc::singular);
        nominal_part p = read_nominal(k, k > i, article, singular);
        const std::size_t tried = std::max(p.end, k);
        while (p.has_head && has(p.head, wc::container) && p.head + 1 == p.end && has(p.end, wc::of)) {
            const nominal_part inner = read_nominal(p.end + 1, true, false, false);
            if (!inner.has_head) {
                break;
            }
            p = inner;
        }
        if (p.has_head) {
            plural_before_ = p.plural;
            return emit(chunk, i, p.end, determiners, p.head, chunk_kind::noun);
        }
        if (p.has_adjective && k > i) {
            plural_before_ = false;
            return emit(chunk, i, p.last_modifier + 1, determiners, p.last_modifier, chunk_kind::noun);
        }
        if (p.has_number && !p.has_adjective) {
            plural_before_ = !singular;
            return emit(chunk, i, p.last_modifier + 1, determiners, p.last_modifier, chunk_kind::quantity);
        }
        const bool clause = has(i, wc::relative) && before_ != context::start; // "a dog that runs"
        if (k > i && !has(k - 1, wc::bound) && !clause) {
            plural_before_ = !singular;
            return emit(chunk, i, k, i, k - 1, chunk_kind::pronoun);
        }
        return std::max(tried, i + 1);
    }

    std::size_t emit(noun_chunk& chunk, std::size_t first, std::size_t end, std::size_t determiners,
                     std::size_t head, chunk_kind kind) {
        const auto stop = [&](std::size_t word) { return words_[word].span.end - words_[word].tail; };
        chunk.span = {words_[first].span.begin, stop(end - 1)};
        chunk.words = {words_[determiners < end ? determiners : first].span.begin, chunk.span.end};
        chunk.root = {words_[head].span.begin, stop(head)};
        chunk.kind = kind;
        found_ = true;
        return end;
    }

    const caption_words& caption_;
    const std::vector<caption_word>& words_;
    context before_ = context::start;
    bool plural_before_ = false; // of the phrase that ended last
    bool found_ = false;
};

} // namespace detail

/// The noun phrases of an English caption, in order, none overlapping another. O(bytes); works on any bytes.
/// See the head of this file for what it does and what it does not do.
[[nodiscard]] inline std::vector<noun_chunk> chunk_noun_phrases(std::string_view caption) {
    const caption_words words = split_words(caption);
    return detail::chunker(words).run();
}

} // namespace ostend::inline OSTEND_KERNELS
