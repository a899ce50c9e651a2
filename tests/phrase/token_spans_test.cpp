#include "ostend/phrase/token_spans.hpp"

#include "phrase/utf8_oracle.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

std::vector<token_text> tokens_of_bytes(std::initializer_list<std::string> bytes) {
    std::vector<token_text> out;
    for (const std::string& b : bytes) {
        out.push_back({.bytes = b});
    }
    return out;
}

/// Every prefix decoded anew, as the reference does.
std::vector<text_span> slow_spans(const std::vector<token_text>& tokens, bool strip) {
    std::vector<text_span> spans;
    std::string bytes;
    index before = 0;
    for (const token_text& token : tokens) {
        bytes += token.special ? "" : token.bytes;
        const std::string text = strip && !bytes.empty() && bytes[0] == ' ' ? bytes.substr(1) : bytes;
        const auto length = static_cast<index>(ostend_test::slow_decode(text).size());
        spans.push_back({before, length});
        before = length;
    }
    return spans;
}

TEST_CASE("token_spans: words of several tokens") {
    const auto tokens = tokens_of_bytes({"a", " um", "brella", "s ."});
    const auto spans = token_spans(tokens);
    CHECK(join_text(tokens) == "a umbrellas .");
    CHECK(spans == std::vector<text_span>{{0, 1}, {1, 4}, {4, 10}, {10, 13}});
}

TEST_CASE("token_spans: a character split over tokens") {
    // a dog's face in four byte-fallback tokens
    const auto tokens = tokens_of_bytes({"a ", "\xF0", "\x9F", "\x90", "\x95", " b"});
    CHECK(join_text(tokens) == "a \xF0\x9F\x90\x95 b");
    CHECK(token_spans(tokens) == std::vector<text_span>{{0, 2}, {2, 3}, {3, 3}, {3, 3}, {3, 3}, {3, 5}});
    CHECK(token_spans(tokens, {.rule = span_rule::every_byte}) ==
          std::vector<text_span>{{0, 2}, {2, 3}, {2, 3}, {2, 3}, {2, 3}, {3, 5}});
}

TEST_CASE("token_spans: a token that ends one character and begins another") {
    const auto tokens = tokens_of_bytes({"\xC3", "\xA9\xC3", "\xA8!"});
    CHECK(token_spans(tokens) == std::vector<text_span>{{0, 1}, {1, 2}, {2, 3}});
    CHECK(token_spans(tokens, {.rule = span_rule::every_byte}) ==
          std::vector<text_span>{{0, 1}, {0, 2}, {1, 3}});
}

TEST_CASE("token_spans: special tokens and the leading space") {
    std::vector<token_text> tokens = tokens_of_bytes({"<s>", " a", "", " dog", "</s>"});
    tokens[0].special = tokens[4].special = true;
    CHECK(join_text(tokens) == " a dog");
    CHECK(token_spans(tokens) == std::vector<text_span>{{0, 0}, {0, 2}, {2, 2}, {2, 6}, {6, 6}});
    const token_span_options strip{.leading_space_stripped = true};
    CHECK(join_text(tokens, strip) == "a dog");
    CHECK(token_spans(tokens, strip) == std::vector<text_span>{{0, 0}, {0, 1}, {1, 1}, {1, 5}, {5, 5}});
    // one space only, and only at the very beginning
    CHECK(join_text(tokens_of_bytes({"  a"}), strip) == " a");
    CHECK(join_text(tokens_of_bytes({"a", " b"}), strip) == "a b");
    CHECK(token_spans(tokens_of_bytes({" ", "a"}), strip) == std::vector<text_span>{{0, 0}, {0, 1}});
    CHECK(token_spans({}).empty());
    CHECK(join_text({}).empty());
}

TEST_CASE("token_spans: agrees with decoding every prefix, on random tokens") {
    std::mt19937 random(5);
    for (int round = 0; round < 3000; ++round) {
        std::vector<token_text> tokens;
        const std::string bytes = ostend_test::random_bytes(random, random() % 30);
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t n = 1 + random() % 5;
            tokens.push_back({.bytes = bytes.substr(at, n)});
            at += n;
            if (random() % 6 == 0) {
                tokens.push_back({.bytes = "</s>", .special = random() % 2 == 0});
            }
            if (random() % 9 == 0) {
                tokens.push_back({});
            }
        }
        const bool strip = random() % 2 == 0;
        const auto spans = token_spans(tokens, {.leading_space_stripped = strip});
        REQUIRE(spans == slow_spans(tokens, strip));
        for (std::size_t i = 0; i < spans.size(); ++i) {
            REQUIRE(spans[i].begin == (i == 0 ? 0 : spans[i - 1].end));
            REQUIRE(spans[i].end >= spans[i].begin);
        }
        const std::string text = join_text(tokens, {.leading_space_stripped = strip});
        REQUIRE(count_code_points(text) == (spans.empty() ? 0 : spans.back().end));
    }
}

TEST_CASE("token_spans: every_byte gives a token each character that it holds a byte of, on random tokens") {
    std::mt19937 random(6);
    for (int round = 0; round < 2000; ++round) {
        const std::string bytes = ostend_test::random_bytes(random, 1 + random() % 30);
        const auto characters = ostend_test::slow_decode(bytes);
        std::vector<token_text> tokens;
        std::vector<text_span> expected;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t n = std::min<std::size_t>(1 + random() % 4, bytes.size() - at);
            tokens.push_back({.bytes = bytes.substr(at, n)});
            index first = -1;
            index last = -1;
            for (std::size_t c = 0; c < characters.size(); ++c) {
                const bool touches =
                    characters[c].first < at + n && characters[c].first + characters[c].length > at;
                first = touches && first < 0 ? static_cast<index>(c) : first;
                last = touches ? static_cast<index>(c) : last;
            }
            expected.push_back({first, last + 1});
            at += n;
        }
        REQUIRE(token_spans(tokens, {.rule = span_rule::every_byte}) == expected);
    }
}

TEST_CASE("token_spans: a long generation") {
    // decoding every prefix would read 2 * 10^11 bytes here
    const std::vector<token_text> tokens(300000, {.bytes = "\xE2\x80\x94 x"});
    const auto spans = token_spans(tokens);
    CHECK(spans.back() == text_span{3 * 299999, 3 * 300000});
}

} // namespace
