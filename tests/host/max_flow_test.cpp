#include "ostend/host/max_flow.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

using ostend::grid_cut;

namespace {

struct problem {
    ostend::index height;
    ostend::index width;
    std::vector<std::array<int, 2>> terminals; // [pixel]{source, sink}
    std::vector<std::array<int, 3>> edges;     // {pixel, direction, capacity}
};

ostend::index neighbour(const problem& p, ostend::index pixel, int direction) {
    constexpr ostend::index dy[] = {0, 1, 1, 1};
    constexpr ostend::index dx[] = {1, 0, 1, -1};
    return pixel + dy[direction] * p.width + dx[direction];
}

/// Cost of the cut that puts the pixels with a set bit on the source's side.
long long cost(const problem& p, unsigned source_side) {
    long long sum = 0;
    for (std::size_t i = 0; i < p.terminals.size(); ++i) {
        sum += (source_side >> i & 1U) != 0 ? p.terminals[i][1] : p.terminals[i][0];
    }
    for (const auto& e : p.edges) {
        const auto j = static_cast<unsigned>(neighbour(p, e[0], e[1]));
        if ((source_side >> e[0] & 1U) != (source_side >> j & 1U)) {
            sum += e[2];
        }
    }
    return sum;
}

problem random_problem(std::mt19937& draw, ostend::index height, ostend::index width, int largest) {
    problem p{height, width, {}, {}};
    const auto below = [&](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n)); };
    for (ostend::index y = 0; y < height; ++y) {
        for (ostend::index x = 0; x < width; ++x) {
            p.terminals.push_back({below(3) == 0 ? 0 : below(largest), below(3) == 0 ? 0 : below(largest)});
            const int pixel = static_cast<int>(y * width + x);
            for (int d = 0; d < 4; ++d) {
                const bool inside =
                    (d == 1 || (d == 3 ? x > 0 : x + 1 < width)) && (d == 0 || y + 1 < height);
                if (inside && below(5) != 0) {
                    p.edges.push_back({pixel, d, below(largest)});
                }
            }
        }
    }
    return p;
}

void fill(grid_cut& cut, const problem& p) {
    for (std::size_t i = 0; i < p.terminals.size(); ++i) {
        const auto pixel = static_cast<ostend::index>(i);
        cut.add_terminal(pixel / p.width, pixel % p.width, p.terminals[i][0], p.terminals[i][1]);
    }
    for (const auto& e : p.edges) {
        cut.add_edge(e[0] / p.width, e[0] % p.width, e[1], e[2]);
    }
}

} // namespace

TEST_CASE("grid_cut: the flow and the cut are those of an exhaustive search") {
    std::mt19937 draw(1);
    grid_cut cut; // one object for all: reset() must leave nothing behind
    for (int round = 0; round < 600; ++round) {
        const ostend::index height = 1 + static_cast<ostend::index>(draw() % 4);
        const ostend::index width = 1 + static_cast<ostend::index>(draw() % (height == 4 ? 3 : 4));
        const problem p = random_problem(draw, height, width, round % 2 == 0 ? 4 : 1000);
        cut.reset(height, width);
        fill(cut, p);
        const auto flow = cut.solve();
        long long least = cost(p, 0);
        for (unsigned side = 1; side < 1U << p.terminals.size(); ++side) {
            least = std::min(least, cost(p, side));
        }
        unsigned found = 0;
        for (ostend::index i = 0; i < height * width; ++i) {
            found |= cut.is_source_side(i / width, i % width) ? 1U << i : 0U;
        }
        REQUIRE(flow == least);
        REQUIRE(cost(p, found) == least);
    }
}

TEST_CASE("grid_cut: flow equals the cost of the cut on larger grids, and repeats") {
    std::mt19937 draw(2);
    for (int round = 0; round < 10; ++round) {
        const problem p = random_problem(draw, 40, 57, 50);
        grid_cut cut(p.height, p.width);
        fill(cut, p);
        const auto flow = cut.solve();
        const auto inside = [&](ostend::index i) { return cut.is_source_side(i / p.width, i % p.width); };
        long long sum = 0;
        for (std::size_t i = 0; i < p.terminals.size(); ++i) {
            sum += p.terminals[i][inside(static_cast<ostend::index>(i)) ? 1 : 0];
        }
        for (const auto& e : p.edges) {
            sum += inside(e[0]) != inside(neighbour(p, e[0], e[1])) ? e[2] : 0;
        }
        CHECK(flow == sum); // a cut whose cost a flow reaches is the smallest (weak duality)
        grid_cut again(p.height, p.width);
        fill(again, p);
        CHECK(again.solve() == flow);
    }
}

TEST_CASE("grid_cut: terminals add up and cancel") {
    grid_cut cut(1, 2);
    cut.add_terminal(0, 0, 5, 2);
    cut.add_terminal(0, 0, 0, 4); // 5 against 6: on the sink's side
    cut.add_terminal(0, 1, 3, 0);
    CHECK(cut.solve() == 5);
    CHECK_FALSE(cut.is_source_side(0, 0));
    CHECK(cut.is_source_side(0, 1));
}

TEST_CASE("grid_cut: the largest costs, and those beyond") {
    constexpr int largest = (1 << 30) - 1;
    grid_cut cut(1, 2);
    cut.add_terminal(0, 0, largest, 0);
    cut.add_terminal(0, 1, 0, largest);
    cut.add_edge(0, 0, 0, largest);
    CHECK(cut.solve() == largest);
    cut.reset(1, 2);
    cut.add_terminal(0, 0, largest, 0);
    CHECK_EXPECTS(cut.add_terminal(0, 0, 1, 0), "reach 2^30");
    cut.add_edge(0, 0, 0, largest - 5);
    CHECK_EXPECTS(cut.add_edge(0, 0, 0, 6), "reaches 2^30");
}

TEST_CASE("grid_cut: empty grids and refusals") {
    grid_cut cut(0, 5);
    CHECK(cut.solve() == 0);
    CHECK_EXPECTS(cut.reset(-1, 3), "a grid of -1 x 3");
    CHECK_EXPECTS(cut.reset(1 << 20, 1 << 20), "grid_cut");
    CHECK_EXPECTS(cut.reset(std::numeric_limits<ostend::index>::max(), 2), "grid_cut");
    cut.reset(2, 3);
    CHECK_EXPECTS(cut.add_terminal(2, 0, 1, 1), "row 2, column 0");
    CHECK_EXPECTS(cut.add_terminal(0, -1, 1, 1), "column -1");
    CHECK_EXPECTS(cut.add_terminal(0, 0, -1, 1), "costs -1 and 1");
    CHECK_EXPECTS(cut.add_edge(0, 2, 0, 1), "direction 0 at row 0, column 2"); // no neighbour there
    CHECK_EXPECTS(cut.add_edge(1, 0, 1, 1), "direction 1 at row 1, column 0");
    CHECK_EXPECTS(cut.add_edge(0, 2, 2, 1), "direction 2");
    CHECK_EXPECTS(cut.add_edge(0, 0, 3, 1), "direction 3");
    CHECK_EXPECTS(cut.add_edge(0, 0, 4, 1), "direction 4");
    CHECK_EXPECTS(cut.add_edge(0, 0, 0, -1), "capacity -1");
}
