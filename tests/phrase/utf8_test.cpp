#include "ostend/phrase/utf8.hpp"

#include "phrase/utf8_oracle.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

TEST_CASE("utf8: code points of broken bytes as Python counts them") {
    // len(bytes.decode('utf-8', 'replace')) of Python 3.11
    CHECK(count_code_points("\xE0\x80") == 2);
    CHECK(count_code_points("\xED\xA0\x80") == 3);
    CHECK(count_code_points("\xF4\x90") == 2);
    CHECK(count_code_points("\xF0\x9F\x90") == 1);
    CHECK(count_code_points("\xF0\x9F"
                            "A") == 2);
    CHECK(count_code_points("\xC0\x80") == 2);
    CHECK(count_code_points("\xF5\x80\x80") == 3);
    CHECK(count_code_points("\xE2\x82\xE2") == 2);
    CHECK(count_code_points("\xF0\x80\x80\x80") == 4);
    CHECK(count_code_points("") == 0);
}

TEST_CASE("utf8: decoding agrees with a slow decoder on random bytes") {
    std::mt19937 random(11);
    for (int round = 0; round < 2000; ++round) {
        const std::string text = ostend_test::random_bytes(random, random() % 40);
        const auto slow = ostend_test::slow_decode(text);
        REQUIRE(count_code_points(text) == static_cast<index>(slow.size()));
        const std::u32string decoded = decode_utf8(text);
        const std::string valid = valid_utf8(text);
        std::string expected;
        const text_index where(text);
        REQUIRE(where.size() == static_cast<index>(slow.size()));
        for (std::size_t i = 0; i < slow.size(); ++i) {
            const std::string bytes = text.substr(slow[i].first, slow[i].length);
            expected += slow[i].valid ? bytes : "\xEF\xBF\xBD";
            REQUIRE((slow[i].valid || decoded[i] == replacement_character));
            REQUIRE(where.byte_of(static_cast<index>(i)) == slow[i].first);
            REQUIRE(where.substring({static_cast<index>(i), static_cast<index>(i) + 1}) == bytes);
            for (std::size_t b = 0; b < slow[i].length; ++b) {
                REQUIRE(where.code_point_of(slow[i].first + b) == static_cast<index>(i));
            }
        }
        REQUIRE(valid == expected);
        REQUIRE(count_code_points(valid) == count_code_points(text));
        REQUIRE(where.byte_of(where.size()) == text.size());
        REQUIRE(where.code_point_of(text.size()) == where.size());
    }
}

TEST_CASE("utf8: offsets in a text of many marks") {
    std::string text;
    std::vector<std::size_t> starts;
    for (int i = 0; i < 1000; ++i) {
        starts.push_back(text.size());
        append_utf8(text, i % 3 == 0 ? U'a' : i % 3 == 1 ? U'\u00E9' : U'\U0001F415');
    }
    const text_index where(text);
    for (std::size_t i = 0; i < starts.size(); ++i) {
        REQUIRE(where.byte_of(static_cast<index>(i)) == starts[i]);
        REQUIRE(where.code_point_of(starts[i]) == static_cast<index>(i));
    }
    CHECK(where.substring({0, where.size()}) == text);
    CHECK(where.substring({5, 5}).empty());
}

TEST_CASE("utf8: every code point survives encoding and decoding, surrogates do not") {
    for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 37) {
        std::string text;
        append_utf8(text, c);
        const std::u32string back = decode_utf8(text);
        REQUIRE(back.size() == 1);
        REQUIRE(back[0] == (c >= 0xD800 && c <= 0xDFFF ? replacement_character : c));
    }
    std::string text;
    append_utf8(text, 0x110000);
    CHECK(text == "\xEF\xBF\xBD");
}

TEST_CASE("utf8: spans outside the text are refused") {
    const text_index where("caf\xC3\xA9");
    CHECK(where.substring({3, 4}) == "\xC3\xA9");
    CHECK_EXPECTS(where.substring({0, 5}), "of a text of 4");
    CHECK_EXPECTS(where.substring({-1, 2}), "[-1, 2)");
    CHECK_EXPECTS(where.substring({3, 2}), "[3, 2)");
    CHECK_EXPECTS(where.byte_of(5), "code point 5");
    CHECK_EXPECTS(where.code_point_of(6), "byte 6");
}

} // namespace
