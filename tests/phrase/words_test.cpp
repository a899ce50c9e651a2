#include "ostend/phrase/words.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> out;
    const text_index where(text);
    for (const caption_word& w : split_words(text).words) {
        out.emplace_back(where.substring(w.span));
    }
    return out;
}
using list = std::vector<std::string>;

TEST_CASE("words: marks, hyphens, numbers") {
    CHECK(split("A well-lit room (empty), at 10:30.") ==
          list{"A", "well-lit", "room", "(", "empty", ")", ",", "at", "10:30", "."});
    CHECK(split("3.5 m, 1,000 cars - fast") == list{"3.5", "m", ",", "1,000", "cars", "-", "fast"});
    CHECK(split("dog.") == list{"dog", "."});
    CHECK(split("Mr. Smith") == list{"Mr", "Smith"});
    CHECK(split("").empty());
    CHECK(split(" \t\n\xC2\xA0").empty());
}

TEST_CASE("words: apostrophes") {
    CHECK(split("the man's hat") == list{"the", "man's", "hat"});
    CHECK(split("it's here") == list{"it", "'s", "here"});
    CHECK(split("there's one, I'm here") == list{"there", "'s", "one", ",", "I", "'m", "here"});
    CHECK(split("isn't") == list{"isn't"});
    CHECK(split("the dogs' toys") == list{"the", "dogs'", "toys"});
    CHECK(split("the \xE2\x80\x98open dogs\xE2\x80\x99 sign").size() == 6); // a quotation, not a possessive
    const auto words = split_words("the man\xE2\x80\x99s").words;
    REQUIRE(words.size() == 2);
    CHECK(words[1].tail == 2);
    CHECK(words[1].is(word_class::possessive));
}

TEST_CASE("words: other scripts and emoji are words, their punctuation is not") {
    CHECK(split("caf\xC3\xA9 \xE2\x80\x94 \xC4\xB0stanbul") ==
          list{"caf\xC3\xA9", "\xE2\x80\x94", "\xC4\xB0stanbul"});
    CHECK(split("an \xF0\x9F\x90\x95 dog") == list{"an", "\xF0\x9F\x90\x95", "dog"});
    CHECK(split("\xE2\x80\x9Cyes\xE2\x80\x9D\xE2\x80\xA6") ==
          list{"\xE2\x80\x9C", "yes", "\xE2\x80\x9D", "\xE2\x80\xA6"});
}

TEST_CASE("words: classes by the lexicon and by the ending") {
    const auto of = [](const char* word) { return split_words(word).words.at(0).classes; };
    CHECK(is(of("THE"), word_class::determiner));
    CHECK(is(of("orange"), word_class::adjective));
    CHECK(is(of("orange"), word_class::noun));
    CHECK(is(of("blorping"), word_class::ends_ing));
    CHECK(!is(of("building"), word_class::ends_ing));
    CHECK(is(of("blorped"), word_class::ends_ed));
    CHECK(!is(of("bed"), word_class::ends_ed));
    CHECK(is(of("quickly"), word_class::adverb));
    CHECK(!is(of("butterfly"), word_class::adverb));
    CHECK(is(of("dogs"), word_class::ends_s));
    CHECK(!is(of("bus"), word_class::ends_s));
    CHECK(!is(of("grass"), word_class::ends_s));
    CHECK(is(of("short-haired"), word_class::participle));
    CHECK(is(of("hot-dog"), word_class::noun));
    CHECK(is(of("42"), word_class::digits));
    CHECK(of("dog") == word_class::none);
}

TEST_CASE("lexicon: look-up and compounds") {
    CHECK(look_up("of") != word_class::none);
    CHECK(look_up("") == word_class::none);
    CHECK(look_up("Dog") == word_class::none);
    CHECK(is_ing_compound("swimming", "pool"));
    CHECK(!is_ing_compound("swimming", "poo"));
    CHECK(!is_ing_compound("swimming", "ool"));
    CHECK(!is_ing_compound("swimming", ""));
    CHECK(!is_ing_compound("eating", "pool"));
}

} // namespace
