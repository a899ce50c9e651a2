// score: scale, soft cap, ALiBi, mask and sinks, each by hand.
#include "ostend/attention/score.hpp"

#include "ostend/attention/from_qk.hpp"
#include "support/expects.hpp"

#include <cmath>
#include <limits>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

constexpr float infinity = std::numeric_limits<float>::infinity();

/// One head, d = 1: the products q.k are the keys themselves.
struct row_of_products {
    std::vector<float> products;
    score_options score = {.scale = 1};
    visibility visible = all_keys{};

    std::vector<float> probabilities() const {
        const float one = 1;
        const qk_block block{.q = {&one, {1, 1, 1}},
                             .keys = key_source::contiguous(tensor_view<const float, 3>(
                                 products.data(), {1, static_cast<index>(products.size()), 1})),
                             .score = score,
                             .visible = {visible}};
        const matrix<float> rows = attention_probabilities(block, 0);
        // The blocked form must say the same as the oracle.
        matrix<float> out(1, rows.columns());
        const float weight = 1;
        const status done = reduce_qk(blocked, block, key_selection(0, rows.columns()), {&weight, 1},
                                      head_reduction::mean, out.view());
        CHECK(done.has_value());
        for (index j = 0; j < rows.columns(); ++j) {
            CHECK(out(0, j) == doctest::Approx(rows(0, j)).epsilon(1e-5));
        }
        return {rows.values().begin(), rows.values().end()};
    }
};

/// Softmax of given scores, and of what else enters the denominator.
void check_softmax_of(const std::vector<float>& p, const std::vector<double>& scores,
                      double sink = -infinity) {
    double sum = std::exp(sink);
    for (const double s : scores) {
        sum += std::exp(s);
    }
    REQUIRE(p.size() == scores.size());
    for (std::size_t j = 0; j < p.size(); ++j) {
        CHECK(p[j] == doctest::Approx(std::exp(scores[j]) / sum).epsilon(1e-6));
    }
}

TEST_CASE("The scale multiplies q.k; left at 0 it is 1 / sqrt(d)") {
    check_softmax_of(row_of_products{{1, 2, 3}, {.scale = 0.5F}}.probabilities(), {0.5, 1, 1.5});
    const std::vector<float> q{1, 1, 1, 1};
    const std::vector<float> k{1, 1, 1, 1, 0, 0, 0, 0};
    const auto row = attention_row(tensor_view<const float, 2>(q.data(), {1, 4}),
                                   tensor_view<const float, 3>(k.data(), {1, 2, 4}));
    CHECK(attention_probabilities(row, 0)(0, 0) == doctest::Approx(1 / (1 + std::exp(-2.0))));
}

TEST_CASE("The soft cap bends scores before the mask is added") {
    const std::vector<float> mask{0, -1, 0};
    const auto p =
        row_of_products{{1, 40, -200}, {.scale = 1, .softcap = 20}, additive_row{{mask.data(), {3}}}}
            .probabilities();
    check_softmax_of(p, {20 * std::tanh(0.05), 20 * std::tanh(2.0) - 1, 20 * std::tanh(-10.0)});
}

TEST_CASE("An ALiBi slope falls with the distance from the query's last visible key") {
    const std::vector<float> slopes{0.5F};
    const score_options score{.scale = 1, .alibi_slopes = slopes};
    check_softmax_of(row_of_products{{1, 1, 1}, score}.probabilities(), {0, 0.5, 1});
    const auto p = row_of_products{{1, 1, 1, 9}, score, causal_limit{3}}.probabilities();
    check_softmax_of({p.begin(), p.begin() + 3}, {0, 0.5, 1});
    CHECK(p[3] == 0);
}

TEST_CASE("The query's position matters beside a sink: the last visible key has bias 0") {
    const std::vector<float> slopes{0.5F};
    const std::vector<float> sinks{1.5F};
    const auto p =
        row_of_products{{1, 1, 1}, {.scale = 1, .alibi_slopes = slopes, .sinks = sinks}, causal_limit{2}}
            .probabilities();
    check_softmax_of({p.begin(), p.begin() + 2}, {1 - 0.5, 1}, 1.5);
    CHECK(p[2] == 0);
}

TEST_CASE("A sink takes mass and gives none; -inf is no sink") {
    const std::vector<float> some{3}, none{-infinity}, large{500};
    check_softmax_of(row_of_products{{1, 2}, {.scale = 1, .sinks = some}}.probabilities(), {1, 2}, 3);
    check_softmax_of(row_of_products{{1, 2}, {.scale = 1, .sinks = none}}.probabilities(), {1, 2});
    for (const float p : row_of_products{{1, 2}, {.scale = 1, .sinks = large}}.probabilities()) {
        CHECK(p == 0);
    }
}

TEST_CASE("A mask adds, and -inf hides a key whatever it holds") {
    const std::vector<float> mask{0.25F, -infinity, -1};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto p =
        row_of_products{{1, nan, 3}, {.scale = 1}, additive_row{{mask.data(), {3}}}}.probabilities();
    CHECK(p[1] == 0);
    check_softmax_of({p[0], p[2]}, {1.25, 2});
}

TEST_CASE("Masks of the lowest finite value, as some hosts write them, leave the other keys alone") {
    const std::vector<float> mask{0, std::numeric_limits<float>::lowest(), 0};
    const auto p =
        row_of_products{{1, -2, 3}, {.scale = 1}, additive_row{{mask.data(), {3}}}}.probabilities();
    CHECK(p[1] == 0);
    check_softmax_of({p[0], p[2]}, {1, 3});
}

} // namespace
