#include "ostend/phrase/noun_phrases.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

std::string part(const std::string& caption, text_span span) {
    return std::string(text_index(caption).substring(span));
}

TEST_CASE("noun_phrases: kept and dropped, with reasons") {
    const phrase_list list =
        noun_phrases("This image shows a dog on the left of the picture, and it is near 2 cats.");
    REQUIRE(list.kept.size() == 2);
    CHECK(list.kept[0].text == "a dog");
    CHECK(list.kept[1].text == "2 cats");
    REQUIRE(list.dropped.size() == 4);
    CHECK(list.dropped[0].phrase.text == "This image");
    CHECK(list.dropped[0].reason == "names the picture itself");
    CHECK(list.dropped[1].phrase.text == "the left");
    CHECK(list.dropped[1].reason == "names a place in the picture, not a thing");
    CHECK(list.dropped[2].phrase.text == "the picture");
    CHECK(list.dropped[3].phrase.text == "it");
    CHECK(list.dropped[3].reason == "is a pronoun or a number that stands for another phrase");
}

TEST_CASE("noun_phrases: the caller's keep_phrase, as a bool or a decision") {
    const std::string caption = "the image shows a dog and a cat";
    CHECK(noun_phrases(caption, keep_all_phrases{}).kept.size() == 3);
    const auto no_dogs = noun_phrases(caption, [](const noun_phrase& p) { return p.text != "a dog"; });
    CHECK(no_dogs.kept.size() == 2);
    REQUIRE(no_dogs.dropped.size() == 1);
    CHECK(no_dogs.dropped[0].reason == "was refused by the caller's keep_phrase");
    const auto none = noun_phrases(caption, [](const noun_phrase& p) {
        return keep_decision{false, p.text + " is too small"};
    });
    CHECK(none.kept.empty());
    CHECK(none.dropped.at(2).reason == "a cat is too small");
}

TEST_CASE("noun_phrases: spans count code points, text is valid UTF-8") {
    const std::string caption = "un caf\xC3\xA9 \xF0\x9F\x90\x95 \xFF a dog";
    const auto list = noun_phrases(caption);
    REQUIRE(!list.kept.empty());
    CHECK(list.kept.back().text == "a dog");
    CHECK(list.kept.back().span == text_span{12, 17});
    for (const noun_phrase& p : list.kept) {
        CHECK(valid_utf8(p.text) == p.text);
    }
}

TEST_CASE("phrase_at: a host's spans") {
    const std::string caption = "I saw the small bunch of grapes and a man in a red shirt.";
    const auto grapes = phrase_at(caption, {6, 31});
    CHECK(grapes.text == "the small bunch of grapes");
    CHECK(part(caption, grapes.words) == "small bunch of grapes");
    CHECK(part(caption, grapes.root) == "grapes");
    const auto man = phrase_at(caption, {36, 56});
    CHECK(man.text == "a man in a red shirt");
    CHECK(part(caption, man.words) == "man in a red shirt");
    CHECK(part(caption, man.root) == "man");
    const auto article = phrase_at("the", {0, 3}); // nothing else to keep
    CHECK(article.words == text_span{0, 3});
    CHECK(article.root == text_span{0, 3});
    const auto marks = phrase_at("a ... b", {2, 5});
    CHECK(marks.root == text_span{2, 5});
    CHECK_EXPECTS(phrase_at("dog", {0, 4}), "of a caption of 3");
    CHECK_EXPECTS(phrase_at("dog", {1, 1}), "[1, 1)");
    CHECK_EXPECTS(phrase_at("dog", {-1, 1}), "[-1, 1)");
}

TEST_CASE("phrase_at: root within words within span, for every span of a caption") {
    const std::string caption = "The caf\xC3\xA9's two big dogs' (red) hats, 5 \xF0\x9F\x90\x95.";
    const index n = count_code_points(caption);
    for (index b = 0; b < n; ++b) {
        for (index e = b + 1; e <= n; ++e) {
            const auto p = phrase_at(caption, {b, e});
            REQUIRE(p.span == text_span{b, e});
            REQUIRE(p.words.begin >= b);
            REQUIRE(p.words.end == e);
            REQUIRE(p.root.begin >= p.words.begin);
            REQUIRE(p.root.end <= e);
            REQUIRE(p.root.size() > 0);
        }
    }
}

TEST_CASE("find_phrase: occurrences as whole words, in either case") {
    const std::string caption = "A dog, a hot dog and the Dogs; a dog";
    CHECK(find_phrase(caption, "dog")->span == text_span{2, 5});
    CHECK(find_phrase(caption, "dog", 1)->span == text_span{13, 16});
    CHECK(find_phrase(caption, "dog", 2)->span == text_span{33, 36});
    CHECK(!find_phrase(caption, "dog", 3));
    CHECK(find_phrase(caption, " a DOG ")->text == "A dog");
    CHECK(find_phrase(caption, "a dog", 1)->span == text_span{31, 36});
    CHECK(find_phrase("\xF0\x9F\x90\x95 caf\xC3\xA9 caf", "caf")->span == text_span{7, 10});
    CHECK(find_phrase("aa aa aa", "aa aa", 1)->span == text_span{3, 8}); // overlapping
    CHECK(find_phrase("x \xFF y", "\xFF")->span == text_span{2, 3});
    CHECK_EXPECTS(find_phrase(caption, "dog", -1), "occurrence -1");
}

TEST_CASE("find_phrase: a phrase that is empty or not there") {
    const auto empty = find_phrase("a dog", " \n");
    REQUIRE(!empty);
    CHECK(empty.error().message() == "phrase: the phrase is empty");
    const auto absent = find_phrase("a dog", "a cat");
    REQUIRE(!absent);
    CHECK(absent.error().message() == "phrase \"a cat\": the caption has it 0 times, not 1: \"a dog\"");
    CHECK(!find_phrase("", "dog"));
    CHECK(!find_phrase("dog", "a dog"));
}

TEST_CASE("find_phrase: agrees with trying every place, and is linear") {
    const std::string letters = "ab ";
    unsigned state = 1;
    const auto next = [&] { return state = state * 1664525U + 1013904223U, state >> 16U; };
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        std::string wanted;
        for (unsigned i = 0; i < 24; ++i) {
            text += letters[next() % 3];
        }
        for (unsigned i = next() % 4 + 1; i > 0; --i) {
            wanted += letters[next() % 3];
        }
        std::vector<std::size_t> expected;
        for (std::size_t at = 0; at + wanted.size() <= text.size(); ++at) {
            const std::size_t end = at + wanted.size();
            const bool cut_before = at > 0 && text[at - 1] != ' ' && text[at] != ' ';
            const bool cut_after = end < text.size() && text[end - 1] != ' ' && text[end] != ' ';
            if (text.compare(at, wanted.size(), wanted) == 0 && !cut_before && !cut_after) {
                expected.push_back(at);
            }
        }
        REQUIRE(ostend::OSTEND_KERNELS::detail::find_words(text, wanted) == expected);
    }
    const std::string many(1000000, 'a'); // n x m would be 2.5 * 10^11 comparisons
    CHECK(ostend::OSTEND_KERNELS::detail::find_words(many, std::string(500000, 'a') + "b").empty());
}

TEST_CASE("find_phrases: the k-th mention is the k-th occurrence") {
    const std::string caption = "a dog and a cat and a dog";
    const std::vector<std::string> wanted = {"a dog", "a cat", "a dog"};
    const auto found = find_phrases(caption, wanted);
    REQUIRE(found);
    CHECK((*found)[0].span == text_span{0, 5});
    CHECK((*found)[1].span == text_span{10, 15});
    CHECK((*found)[2].span == text_span{20, 25});
    const auto one_too_many = find_phrases(caption, std::vector<std::string>{"a cat", "a cat"});
    REQUIRE(!one_too_many);
    CHECK(one_too_many.error().at == 1);
}

TEST_CASE("default_keep_phrase") {
    const auto keeps = [](const std::string& text) {
        return default_keep_phrase{}(phrase_at(text, {0, count_code_points(text)})).keep;
    };
    for (const char* dropped : {"the image",
                                "The picture",
                                "this photo",
                                "the scene",
                                "this black and white photo",
                                "an image",
                                "i",
                                "we",
                                "it",
                                "I",
                                "these",
                                "someone",
                                "each other",
                                "the other",
                                "the background",
                                "the foreground",
                                "the left side",
                                "the left",
                                "both sides",
                                "the corners",
                                "two",
                                "10:30",
                                "one",
                                "others",
                                "the middle",
                                "..."}) {
        CAPTURE(std::string(dropped));
        CHECK(!keeps(dropped));
    }
    for (const char* kept :
         {"a dog", "a framed picture", "two pictures", "his photo", "the left shoe", "a picture frame",
          "one dog", "the image sensor", "5 dogs", "a top hat", "the other dog", "it girl"}) {
        CAPTURE(std::string(kept));
        CHECK(keeps(kept));
    }
}

TEST_CASE("noun_phrases: captions that are none") {
    CHECK(noun_phrases("").kept.empty());
    CHECK(noun_phrases("   ").kept.empty());
    CHECK(noun_phrases("...!?").dropped.empty());
    CHECK(noun_phrases(std::string(1000, '\0')).kept.size() <= 1);
    CHECK(noun_phrases(std::string(10000000, ' ')).kept.empty());
}

} // namespace
