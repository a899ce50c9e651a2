// Times of probe_layout with its 48 pairs of images of 336 x 336 and a 24 x 24 grid: painting them, and
// finding the cell of each token. The host is one that costs nothing: a token's features are its cell's
// middle pixel.
#include "../run.hpp"
#include "ostend/geometry/probe.hpp"
#include "ostend/geometry/stretch.hpp"

#include <benchmark/benchmark.h>

namespace {

void probe(benchmark::State& state) {
    const ostend::layout grid = ostend::geometry::stretch({336, 336});
    const auto host = [](const ostend::image_view& image) -> ostend::result<ostend::matrix<float>> {
        ostend::matrix<float> features(576, 3);
        for (ostend::index t = 0; t < 576; ++t) {
            for (ostend::index c = 0; c < 3; ++c) {
                features(t, c) = static_cast<float>(image(t / 24 * 14 + 7, t % 24 * 14 + 7, c));
            }
        }
        return features;
    };
    for ([[maybe_unused]] auto step : state) {
        const auto found = ostend::probe_layout(grid, host);
        if (!found || found->fault != ostend::layout_fault::none) {
            state.SkipWithError("the layout was not found to be right");
            return;
        }
        benchmark::DoNotOptimize(found->agree);
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("probe.24x24.48pairs.336x336", probe)->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
