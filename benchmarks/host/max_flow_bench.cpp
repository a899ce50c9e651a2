// Times of grid_cut, edges and terminals added and the flow found: mincut.grid8.<width>x<height>. A disc of
// pixels that are drawn to the source, the others to the sink, both with noise that the edges have to smooth.
#include "../run.hpp"
#include "ostend/host/max_flow.hpp"

#include <benchmark/benchmark.h>

namespace {

using ostend::index;

/// A number below n for the k-th draw about pixel i, as benchmarks/peers/host.py has it.
std::int32_t below(std::int32_t n, index i, std::uint64_t k) {
    std::uint64_t h = (8 * static_cast<std::uint64_t>(i) + k + 1) * 0x9E3779B97F4A7C15ULL;
    h = (h ^ (h >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    h = (h ^ (h >> 27U)) * 0x94D049BB133111EBULL;
    return static_cast<std::int32_t>((h ^ (h >> 31U)) % static_cast<std::uint64_t>(n));
}

struct costs {
    std::int32_t source, sink, edges[4];
};

std::vector<costs> make(index height, index width) {
    std::vector<costs> all;
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            const index i = y * width + x;
            const index dx = 2 * x - width;
            const index dy = 2 * y - height;
            const bool inside = 4 * (dx * dx + dy * dy) < height * height;
            costs one{below(1000, i, 0) + (inside ? 300 : 0), below(1000, i, 1) + (inside ? 0 : 300), {}};
            for (std::size_t d = 0; d < 4; ++d) {
                one.edges[d] = 20 + below(200, i, 2 + d);
            }
            all.push_back(one);
        }
    }
    return all;
}

void cut(benchmark::State& state, index height, index width) {
    const std::vector<costs> all = make(height, width);
    ostend::grid_cut graph;
    std::int64_t flow = 0;
    for ([[maybe_unused]] auto step : state) {
        graph.reset(height, width);
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                const costs& one = all[static_cast<std::size_t>(y * width + x)];
                graph.add_terminal(y, x, one.source, one.sink);
                for (int d = 0; d < 4; ++d) {
                    const bool right = d == 0 || d == 2;
                    if ((d == 0 || y + 1 < height) && (!right || x + 1 < width) && (d != 3 || x > 0)) {
                        graph.add_edge(y, x, d, one.edges[d]);
                    }
                }
            }
        }
        flow = graph.solve();
        benchmark::DoNotOptimize(flow);
    }
    state.counters["flow"] = static_cast<double>(flow);
}

} // namespace

int main(int argc, char** argv) {
    for (const auto& [width, height] : {std::pair{96, 72}, std::pair{320, 240}, std::pair{640, 480}}) {
        const std::string op = "mincut.grid8." + std::to_string(width) + "x" + std::to_string(height);
        benchmark::RegisterBenchmark(op.c_str(), cut, height, width)->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
