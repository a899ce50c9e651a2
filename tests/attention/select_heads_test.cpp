#include "ostend/attention/select_heads.hpp"

#include "support/expects.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace {

using namespace ostend;
using ostend::index;

double sum_of(const matrix<float>& m) { return std::accumulate(m.values().begin(), m.values().end(), 0.0); }

TEST_CASE("all heads weigh the same and sum to one") {
    const matrix<float> w = head_selection::all().weights(3, 4);
    REQUIRE(w.rows() == 3);
    REQUIRE(w.columns() == 4);
    for (const float x : w.values()) {
        CHECK(x == 1.0F / 12);
    }
    CHECK(head_selection{} == head_selection::all());
}

TEST_CASE("a set of pairs: negative numbers count from the end, a head named twice counts once") {
    const matrix<float> w = head_selection::pairs({{0, 1}, {2, -1}, {-1, 3}}).weights(3, 4);
    for (index layer = 0; layer < 3; ++layer) {
        for (index head = 0; head < 4; ++head) {
            const bool used = (layer == 0 && head == 1) || (layer == 2 && head == 3);
            CHECK(w(layer, head) == (used ? 0.5F : 0.0F));
        }
    }
}

TEST_CASE("the grid of some layers and some heads; an empty list means all") {
    const matrix<float> w = head_selection::grid({0, 2}, {1}).weights(3, 2);
    CHECK(w == head_selection::pairs({{0, 1}, {2, 1}}).weights(3, 2));
    CHECK(head_selection::grid({}, {}).weights(5, 7) == head_selection::all().weights(5, 7));
    CHECK(sum_of(head_selection::grid({1}, {}).weights(3, 5)) == doctest::Approx(1));
    CHECK(head_selection::grid({1}, {}).weights(3, 5)(0, 0) == 0);
}

TEST_CASE("from_end(2) is head H - 2 of every layer") {
    const matrix<float> w = head_selection::from_end(2).weights(4, 3);
    CHECK(w == head_selection::grid({}, {1}).weights(4, 3));
    CHECK(w(3, 1) == 0.25F);
    CHECK(w(3, 0) == 0.0F);
}

TEST_CASE("weights are normalised, their ratios kept, zeros exact") {
    matrix<float> given(2, 2);
    given(0, 0) = 1;
    given(1, 0) = 3;
    const matrix<float> w = head_selection::weighted(given).weights(2, 2);
    CHECK(w(0, 0) == 0.25F);
    CHECK(w(1, 0) == 0.75F);
    CHECK(w(0, 1) == 0.0F);
    CHECK_FALSE(head_selection::weighted(given) == head_selection::all());
}

TEST_CASE("selections that name no head or one that is not there are refused") {
    CHECK_EXPECTS(head_selection::from_end(0), "n is 0");
    CHECK_EXPECTS(head_selection::from_end(4).weights(2, 3), "no head -4 among 3");
    CHECK_EXPECTS(head_selection::pairs({{2, 0}}).weights(2, 3), "no layer 2 among 2");
    CHECK_EXPECTS(head_selection::pairs({{0, 3}}).weights(2, 3), "no head 3 among 3");
    CHECK_EXPECTS(head_selection::pairs({}).weights(2, 3), "no head is selected");
    CHECK_EXPECTS(head_selection::all().weights(0, 3), "a model of 0 layers and 3 heads");
    CHECK_EXPECTS(head_selection::weighted(matrix<float>(2, 2)).weights(2, 2), "no head is selected");
    CHECK_EXPECTS(head_selection::weighted(matrix<float>(2, 2, 1)).weights(3, 2), "for 2 layers");
    CHECK_EXPECTS(head_selection::weighted(matrix<float>(1, 1, -1)).weights(1, 1), "not negative");
    CHECK_EXPECTS(
        head_selection::weighted(matrix<float>(1, 1, std::numeric_limits<float>::quiet_NaN())).weights(1, 1),
        "not negative");
}

} // namespace
