// Energies as integers, votes and costs of edges.
#include "ostend/host/graph_cut_votes.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace ostend;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

TEST_CASE("64ths, never negative, never too large, NaN is nothing") {
    CHECK(inner::in_64ths(1) == 64);
    CHECK(inner::in_64ths(0.5F + 1.0F / 128) == 32); // rounded down
    CHECK(inner::in_64ths(0) == 0);
    CHECK(inner::in_64ths(-3) == 0);
    CHECK(inner::in_64ths(1e30F) == 6400000);
    CHECK(inner::in_64ths(std::numeric_limits<float>::infinity()) == 6400000);
    CHECK(inner::in_64ths(-std::numeric_limits<float>::infinity()) == 0);
    CHECK(inner::in_64ths(std::numeric_limits<float>::quiet_NaN()) == 0);
}

TEST_CASE("a vote above 0 is for the source's side; a certain one outweighs eight neighbours") {
    for (const float vote : {0.25F, 6.0F, -0.25F, -6.0F}) {
        grid_cut cut(1, 1);
        inner::add_vote(cut, 0, 0, vote);
        CHECK(cut.solve() == 0);
        CHECK(cut.is_source_side(0, 0) == (vote > 0));
    }
    grid_cut cut(3, 3);
    for (index y = 0; y < 3; ++y) {
        for (index x = 0; x < 3; ++x) {
            inner::add_vote(cut, y, x, y == 1 && x == 1 ? inner::certain_vote : -6.0F);
            for (int d = 0; d < 4; ++d) {
                const index v = y + (d > 0 ? 1 : 0);
                const index u = x + (d == 0 || d == 2 ? 1 : d == 3 ? -1 : 0);
                if (v < 3 && u >= 0 && u < 3) {
                    cut.add_edge(y, x, d, inner::edge_cost(1, static_cast<std::size_t>(d), {}));
                }
            }
        }
    }
    cut.solve();
    CHECK(cut.is_source_side(1, 1));
}

TEST_CASE("edges cost the smoothness times the likeness, by length, and the floor") {
    const graph_cut_options o{.smoothness = 10, .smoothness_floor = 0.5F};
    CHECK(inner::edge_cost(1, 0, o) == 672);
    CHECK(inner::edge_cost(1, 1, o) == 672);
    CHECK(inner::edge_cost(1, 2, o) == 484); // (7.0710678 + 0.5) * 64
    CHECK(inner::edge_cost(1, 3, o) == 484);
    CHECK(inner::edge_cost(0, 0, o) == 32);
    CHECK(inner::edge_cost(0, 3, o) == 32);
}

TEST_CASE("a colour votes by the difference of its costs, within the limit") {
    std::vector<colour_sample> red{{{250, 10, 10}, 1}, {{240, 20, 20}, 1}};
    std::vector<colour_sample> blue{{{10, 10, 250}, 1}, {{20, 20, 240}, 1}};
    inner::colour_models models;
    models.object.fit(red, 1);
    models.background.fit(blue, 1);
    CHECK(models.vote({245, 15, 15}, 6) == 6);
    CHECK(models.vote({15, 15, 245}, 6) == -6);
    CHECK(models.vote({15, 15, 245}, 2.5F) == -2.5F);
    const colour between{131, 14, 129};
    CHECK(models.vote(between, 1e9F) == models.background.cost(between) - models.object.cost(between));
}

} // namespace
