// Presets: what each published version does, as its code was read, and names that are none.
#include "ostend/host/preset.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using ostend::index;

TEST_CASE("every name is a preset that carries it") {
    for (const std::string_view name : preset_names) {
        const auto found = find_preset(name);
        REQUIRE(found);
        CHECK(found->name == name);
        CHECK(found->normalise == normalisation::mean_token); // all subtract the mean of the generated tokens
        CHECK(found->query == query_convention::predicting);
        CHECK(found->peak.kernel == interpolation::bicubic);
        CHECK(!found->peak.remove_corners);
    }
}

TEST_CASE("the published versions: root word, one point, the last of the masks; they differ in two places") {
    const preset paper = *find_preset("paper");
    const preset first = *find_preset("groundlmm_de8b74d");
    const preset later = *find_preset("groundlmm_b77f889");
    for (const preset* p : {&paper, &first, &later}) {
        CHECK(p->words == phrase_words::root);
        CHECK(p->candidate == candidate_rule::last);
        CHECK(!p->map_as_prior);
    }
    CHECK(paper.tokens == token_reduction::mean);
    CHECK(first.tokens == token_reduction::mean);
    CHECK(later.tokens == token_reduction::max);
    CHECK(paper.heads == head_selection::all());
    CHECK(later.heads == head_selection::all());
    // Of [1, heads, ...] the slice [:, -2:-1] keeps the last head but one of each layer.
    const auto weights = first.heads.weights(3, 5);
    for (index layer = 0; layer < 3; ++layer) {
        for (index head = 0; head < 5; ++head) {
            CHECK(weights(layer, head) == (head == 3 ? doctest::Approx(1.0 / 3) : doctest::Approx(0)));
        }
    }
}

TEST_CASE("the library's own is the default") {
    const preset own = *find_preset("ostend");
    const preset plain;
    CHECK(own.name == plain.name);
    CHECK(own.words == phrase_words::without_article);
    CHECK(own.words == plain.words);
    CHECK(own.tokens == token_reduction::mean);
    CHECK(own.map_as_prior);
    CHECK(own.candidate == candidate_rule::best_score);
    CHECK(own.heads == head_selection::all());
}

TEST_CASE("another name is an error that lists the names") {
    for (const char* name : {"", "Ostend", "paper ", "groundlmm"}) {
        const auto found = find_preset(name);
        REQUIRE(!found);
        CHECK(found.error().field == "preset");
        CHECK(found.error().what.find("'" + std::string(name) + "'") != std::string::npos);
        CHECK(found.error().what.find("ostend, paper, groundlmm_de8b74d, groundlmm_b77f889") !=
              std::string::npos);
    }
}

} // namespace
