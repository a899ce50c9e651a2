#include "ostend/phrase/decode_tokens.hpp"
#include "ostend/phrase/token_spans.hpp"

#include <doctest/doctest.h>

#include <random>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

/// SentencePiece with byte fallback: tokens are bytes, a space at the beginning is dropped.
struct byte_decoder {
    std::vector<std::string> tokens;
    std::string operator()(index first, index last) const {
        std::string bytes;
        for (index i = first; i < last; ++i) {
            bytes += tokens[static_cast<std::size_t>(i)];
        }
        return valid_utf8(bytes.starts_with(' ') ? bytes.substr(1) : bytes);
    }
};

/// WordPiece: words are joined by spaces, "##" joins to the word before, and spaces before marks are removed.
struct piece_decoder {
    std::vector<std::string> tokens;
    std::string operator()(index first, index last) const {
        std::string text;
        for (index i = first; i < last; ++i) {
            const std::string& token = tokens[static_cast<std::size_t>(i)];
            if (token.starts_with("[")) {
                continue; // special
            }
            const bool joins = token.starts_with("##") || token == "." || token == "," || token == "n't";
            text += text.empty() || joins ? "" : " ";
            text += token.starts_with("##") ? token.substr(2) : token;
        }
        return text;
    }
};

template <class Decoder>
void check_against_every_prefix(const Decoder& decoder) {
    const auto count = static_cast<index>(decoder.tokens.size());
    const auto tokens = decode_tokens(count, decoder);
    REQUIRE(tokens.size() == decoder.tokens.size());
    CHECK(join_text(tokens) == decoder(0, count));
    const auto spans = token_spans(tokens);
    index before = 0;
    for (index i = 0; i < count; ++i) {
        const index length = count_code_points(decoder(0, i + 1));
        CAPTURE(i);
        CHECK(spans[static_cast<std::size_t>(i)] == text_span{before, length});
        before = length;
    }
}

TEST_CASE("decode_tokens: words, pieces and marks") {
    check_against_every_prefix(
        piece_decoder{{"[CLS]", "a", "hot", "##dog", "does", "n't", "[UNK]", "bark", "."}});
    const auto tokens = decode_tokens(3, piece_decoder{{"a", "umb", "##rella"}});
    CHECK(tokens[1].bytes == " umb");
    CHECK(tokens[2].bytes == "rella");
    CHECK(decode_tokens(0, byte_decoder{}).empty());
}

TEST_CASE("decode_tokens: a character that is spread over tokens belongs to the first") {
    const byte_decoder decoder{{" a ", "\xF0", "\x9F", "\x90", "\x95!", " b"}};
    const auto tokens = decode_tokens(6, decoder);
    CHECK(tokens[1].bytes == "\xF0\x9F\x90\x95");
    CHECK(tokens[2].bytes.empty());
    CHECK(tokens[4].bytes == "!");
    check_against_every_prefix(decoder);
    check_against_every_prefix(byte_decoder{{"\xC3", "\xA9\xC3", "\xA8!", "\xC3"}}); // the last never whole
    check_against_every_prefix(byte_decoder{{"\xC3", "\xA9\xC3"}});
}

TEST_CASE("decode_tokens: agrees with decoding every prefix, on random tokens") {
    std::mt19937 random(11);
    const std::vector<std::string> bytes{"a",        " b",       "",  " ",        "\xC3", "\xA9",
                                         "\xF0\x9F", "\x90\x95", ".", "\xE2\x82", "\xAC "};
    const std::vector<std::string> pieces{"a",     "dog",         "##s",           ".", ",", "n't",
                                          "[SEP]", "caf\xC3\xA9", "##\xE2\x82\xAC"};
    for (int round = 0; round < 400; ++round) {
        byte_decoder by_bytes;
        piece_decoder by_pieces;
        for (std::size_t n = random() % 24; n > 0; --n) {
            by_bytes.tokens.push_back(bytes[random() % bytes.size()]);
            by_pieces.tokens.push_back(pieces[random() % pieces.size()]);
        }
        check_against_every_prefix(by_bytes);
        check_against_every_prefix(by_pieces);
    }
}

TEST_CASE("decode_tokens: a few tokens are decoded for each, however long the text") {
    const piece_decoder decoder{std::vector<std::string>(2000, "word")};
    index decoded = 0;
    const auto counting = [&](index first, index last) {
        decoded += last - first;
        return decoder(first, last);
    };
    CHECK(join_text(decode_tokens(2000, counting)).size() == 2000 * 5 - 1);
    CHECK(decoded <= 4 * 2000);
}

} // namespace
