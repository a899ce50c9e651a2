// Times of graph_cut_segmenter: segment.point.<width>x<height>, one point on an ellipse before a noisy
// ground, its three candidates at full size; segment.points8.<...>: eight points in one call, which share the
// pyramid.
#include "../run.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/mask/runs.hpp"
#include "pictures.hpp"

#include <benchmark/benchmark.h>

namespace {

void segment(benchmark::State& state, ostend::image_size size, int points) {
    const auto pixels = ostend_bench::picture(size);
    const ostend::image_view image = ostend_bench::view(pixels, size);
    std::vector<ostend::prompt> prompts;
    for (int k = 0; k < points; ++k) {
        const auto x = static_cast<double>(size.width / 2 + 4 * k);
        prompts.push_back({.points = {{{x, static_cast<double>(size.height / 2)}}}});
    }
    const ostend::graph_cut_segmenter segmenter;
    double largest = 0;
    for ([[maybe_unused]] auto step : state) {
        const auto found = segmenter.segment(image, prompts);
        if (!found) {
            state.SkipWithError(found.error().message().c_str());
            return;
        }
        largest = static_cast<double>(ostend::area((*found)[0].back().mask));
        benchmark::DoNotOptimize(largest);
    }
    state.counters["share"] = largest / static_cast<double>(size.area()); // pi / 16 would be exact
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::image_size size : {ostend::image_size{640, 480}, ostend::image_size{1024, 768}}) {
        const std::string text = "." + std::to_string(size.width) + "x" + std::to_string(size.height);
        benchmark::RegisterBenchmark(("segment.point" + text).c_str(), segment, size, 1)
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("segment.points8" + text).c_str(), segment, size, 8)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
