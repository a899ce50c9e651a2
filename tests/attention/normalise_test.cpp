#include "ostend/attention/normalise.hpp"

#include "support/expects.hpp"

#include <random>

namespace {

using namespace ostend;
using ostend::index;

matrix<float> random_maps(std::mt19937& bits, index rows, index columns) {
    std::uniform_real_distribution<float> unit(0, 1);
    matrix<float> m(rows, columns);
    for (float& x : m.values()) {
        x = unit(bits);
    }
    return m;
}

/// Row r of maps less the mean of the rows of from, the row `without` left out (-1: none).
double less_mean(const matrix<float>& maps, index r, index c, const matrix<float>& from, index without) {
    double sum = 0;
    double count = 0;
    for (index k = 0; k < from.rows(); ++k) {
        if (k != without) {
            sum += static_cast<double>(from(k, c));
            count += 1;
        }
    }
    return static_cast<double>(maps(r, c)) - sum / count;
}

TEST_CASE("mean_token and other_phrases equal the definition in double") {
    std::mt19937 bits(7);
    for (int round = 0; round < 50; ++round) {
        const index columns = 1 + round % 13;
        const matrix<float> tokens = random_maps(bits, 1 + round % 9, columns);
        const matrix<float> phrases = random_maps(bits, 2 + round % 5, columns);
        const matrix<float> a = subtract_mean_token(tokens);
        const matrix<float> b = subtract_mean(phrases, tokens);
        const matrix<float> c = subtract_other_phrases(phrases);
        for (index i = 0; i < columns; ++i) {
            for (index t = 0; t < tokens.rows(); ++t) {
                REQUIRE(std::abs(static_cast<double>(a(t, i)) - less_mean(tokens, t, i, tokens, -1)) < 1e-7);
            }
            for (index p = 0; p < phrases.rows(); ++p) {
                REQUIRE(std::abs(static_cast<double>(b(p, i)) - less_mean(phrases, p, i, tokens, -1)) < 1e-7);
                REQUIRE(std::abs(static_cast<double>(c(p, i)) - less_mean(phrases, p, i, phrases, p)) < 1e-7);
            }
        }
    }
}

TEST_CASE("normalised token maps sum to nothing; a constant offset goes away") {
    matrix<float> m(2, 2);
    m(0, 0) = 0.75F;
    m(0, 1) = 0.25F;
    m(1, 0) = 0.25F;
    m(1, 1) = 0.25F;
    const matrix<float> n = subtract_mean_token(m);
    CHECK(n(0, 0) == 0.25F);
    CHECK(n(1, 0) == -0.25F);
    CHECK(n(0, 1) == 0);
    const matrix<float> o = subtract_other_phrases(m);
    CHECK(o(0, 0) == 0.5F);
    CHECK(o(1, 0) == -0.5F);
}

TEST_CASE("one phrase has no others and stays; none changes nothing; no tokens take nothing away") {
    matrix<float> one(1, 3, 0.5F);
    CHECK(subtract_other_phrases(one) == one);
    CHECK(subtract_mean(one, {}) == one);
    CHECK(normalise(normalisation::none, one, one) == one);
    CHECK(normalise(normalisation::mean_token, one, one) == matrix<float>(1, 3, 0));
    CHECK(normalise(normalisation::other_phrases, one, one) == one);
    CHECK(subtract_mean_token({}).empty());
    CHECK(subtract_other_phrases({}).empty());
}

TEST_CASE("the dispatching function uses the rule that is named") {
    std::mt19937 bits(3);
    const matrix<float> tokens = random_maps(bits, 4, 5);
    const matrix<float> phrases = random_maps(bits, 3, 5);
    CHECK(normalise(normalisation::mean_token, phrases, tokens) == subtract_mean(phrases, tokens));
    CHECK(normalise(normalisation::other_phrases, phrases, tokens) == subtract_other_phrases(phrases));
    CHECK_FALSE(subtract_mean(phrases, tokens) == subtract_other_phrases(phrases));
}

TEST_CASE("maps of different width are refused") {
    CHECK_EXPECTS(subtract_mean(matrix<float>(1, 3), matrix<float>(2, 4)),
                  "maps of 3 image tokens, token maps of 4");
}

} // namespace
