// The golden category "groups": token spans, the tokens of root words, and their mean maps as groundLMM has
// them.
#include "ostend/phrase/group.hpp"
#include "ostend/phrase/token_spans.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

const std::string golden = std::string(OSTEND_TEST_DATA) + "/golden/";

/// The f32 values of a version 1 .npy file in C order, as a matrix of one row for each step of its first
/// axis.
matrix<float> read_npy(const std::string& name) {
    std::ifstream file(golden + name, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    REQUIRE(bytes.substr(0, 6) == "\x93NUMPY");
    const std::size_t length =
        static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
    const std::string header = bytes.substr(10, length);
    REQUIRE(header.find("'<f4'") != std::string::npos);
    REQUIRE(header.find("'fortran_order': False") != std::string::npos);
    const index rows = std::stol(header.substr(header.find("'shape': (") + 10));
    const std::size_t values = (bytes.size() - 10 - length) / 4;
    matrix<float> out(rows, static_cast<index>(values) / rows);
    std::memcpy(out.values().data(), bytes.data() + 10 + length, values * 4);
    return out;
}

std::vector<token_text> read_tokens(const nlohmann::json& hex_list) {
    std::vector<token_text> tokens;
    for (const auto& hex : hex_list) {
        token_text token{.special = hex.is_null()};
        for (std::size_t i = 0; !hex.is_null() && i < hex.get<std::string>().size(); i += 2) {
            token.bytes += static_cast<char>(std::stoi(hex.get<std::string>().substr(i, 2), nullptr, 16));
        }
        tokens.push_back(token);
    }
    return tokens;
}

TEST_CASE("golden groups") {
    std::ifstream file(golden + "manifest.json");
    int cases = 0;
    const auto manifest = nlohmann::json::parse(file);
    for (const auto& c : manifest.at("cases")) {
        if (c.at("category") != "groups") {
            continue;
        }
        ++cases;
        CAPTURE(c.at("name").get<std::string>());
        const auto& params = c.at("params");
        const auto tokens = read_tokens(params.at("token_bytes_hex"));
        const token_span_options rule{.leading_space_stripped = params.at("leading_space_stripped")};
        CHECK(join_text(tokens, rule) == params.at("text").get<std::string>());

        const auto spans = token_spans(tokens, rule);
        REQUIRE(spans.size() == params.at("token_char_start").size());
        for (std::size_t t = 0; t < spans.size(); ++t) {
            CHECK(spans[t].begin == params.at("token_char_start")[t].get<index>());
            CHECK(spans[t].end == params.at("token_char_end")[t].get<index>());
        }

        const std::string text = params.at("text");
        const text_index where(text);
        std::vector<noun_phrase> phrases;
        for (std::size_t g = 0; g < params.at("noun_char_spans").size(); ++g) {
            const auto& root = params.at("noun_char_spans")[g];
            const auto& whole = params.at("phrase_char_spans")[g];
            const text_span root_span{root[0], root[1]};
            CHECK(where.substring(root_span) ==
                  c.at("expected_values").at("core_words")[g].get<std::string>());
            const text_span whole_span{whole[0], whole[1]};
            phrases.push_back({std::string(where.substring(whole_span)), whole_span, whole_span, root_span});
        }
        CHECK(group_tokens(spans, phrases, phrase_words::root) ==
              c.at("expected_values").at("groups").get<std::vector<std::vector<index>>>());

        const auto ours = phrase_maps(read_npy(c.at("inputs").at("maps")), spans, phrases,
                                      {.words = phrase_words::root, .reduce = token_reduction::mean});
        REQUIRE(ours);
        const auto theirs = read_npy(c.at("expected").at("group_maps"));
        REQUIRE(ours->rows() == theirs.rows());
        REQUIRE(ours->columns() == theirs.columns());
        const double atol = c.at("tolerance").at("atol");
        const double rtol = c.at("tolerance").at("rtol");
        for (std::size_t i = 0; i < theirs.values().size(); ++i) {
            const double expected = static_cast<double>(theirs.values()[i]);
            CHECK(std::abs(static_cast<double>(ours->values()[i]) - expected) <=
                  atol + rtol * std::abs(expected));
        }
    }
    CHECK(cases == 5);
}

} // namespace
