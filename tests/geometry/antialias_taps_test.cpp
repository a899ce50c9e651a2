// The taps of every target pixel against the filter at every source pixel.
#include "ostend/geometry/antialias_taps.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // not the one of <strings.h>

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }
double cubic(double x) { // a = -1/2
    const double a = std::abs(x);
    if (a >= 2) {
        return 0;
    }
    return a < 1 ? 1.5 * a * a * a - 2.5 * a * a + 1 : -0.5 * a * a * a + 2.5 * a * a - 4 * a + 2;
}
double as_it_is(double share) { return share; }

/// The share of each source pixel in one target pixel.
template <class Filter>
std::vector<double> plain_shares(index from, index to, index target, Filter filter) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    std::vector<double> shares;
    double sum = 0;
    for (index s = 0; s < from; ++s) {
        const double away = static_cast<double>(s) + 0.5 - (static_cast<double>(target) + 0.5) * scale;
        shares.push_back(filter(scale > 1 ? away / scale : away));
        sum += shares.back();
    }
    for (double& share : shares) {
        share /= sum;
    }
    return shares;
}

template <class Filter>
void check_all(index from, index to, double support, Filter filter) {
    CAPTURE(from);
    CAPTURE(to);
    const auto taps = antialias_taps(from, to, support, filter, as_it_is);
    REQUIRE(static_cast<index>(taps.size()) == to);
    for (index t = 0; t < to; ++t) {
        const auto& [first, weights] = taps[static_cast<std::size_t>(t)];
        REQUIRE(first >= 0);
        REQUIRE(first + static_cast<index>(weights.size()) <= from);
        const auto expected = plain_shares(from, to, t, filter);
        for (index s = 0; s < from; ++s) {
            const bool named = s >= first && s < first + static_cast<index>(weights.size());
            const double weight = named ? weights[static_cast<std::size_t>(s - first)] : 0.0;
            CHECK(std::abs(weight - expected[static_cast<std::size_t>(s)]) < 1e-12);
        }
    }
}

TEST_CASE("axes made shorter and longer, with a triangle and a cubic") {
    std::mt19937 draw(17);
    for (int round = 0; round < 200; ++round) {
        const index from = 1 + static_cast<index>(draw() % 60);
        const index to = 1 + static_cast<index>(draw() % 60);
        check_all(from, to, 1.0, triangle);
        check_all(from, to, 2.0, cubic);
    }
    check_all(1000, 3, 2.0, cubic);
    check_all(3, 500, 1.0, triangle);
}

TEST_CASE("an axis that keeps its length is copied") {
    for (const index pixels : {1, 2, 9}) {
        const auto taps = antialias_taps(pixels, pixels, 2.0, cubic, as_it_is);
        for (index t = 0; t < pixels; ++t) {
            const auto& [first, weights] = taps[static_cast<std::size_t>(t)];
            for (std::size_t k = 0; k < weights.size(); ++k) {
                CHECK(weights[k] == (first + static_cast<index>(k) == t ? 1.0 : 0.0));
            }
        }
    }
}

TEST_CASE("no more source pixels are named than the filter reaches, and weights are of the caller's type") {
    const auto taps = antialias_taps(
        64, 16, 1.0, triangle, [](double share) { return static_cast<int>(std::lround(share * 1024)); });
    // Centres of 64 at 0.5, 1.5, ...; the second of 16 at 6, four on either side: 2.5 to 9.5.
    CHECK(taps[1].first == 2);
    CHECK(taps[1].weights == std::vector<int>{32, 96, 160, 224, 224, 160, 96, 32});
    CHECK(taps[0].first == 0); // cut off at the border, and still of the sum 1
    CHECK(taps[0].weights == std::vector<int>{183, 256, 256, 183, 110, 37});
}

TEST_CASE("axes that cannot be") {
    CHECK_EXPECTS(antialias_taps(0, 4, 1.0, triangle, as_it_is), "antialias_taps: 0 pixels to 4");
    CHECK_EXPECTS(antialias_taps(4, 0, 1.0, triangle, as_it_is), "4 pixels to 0");
    CHECK_EXPECTS(antialias_taps(4, 4, 0.0, triangle, as_it_is), "support 0");
}

} // namespace
