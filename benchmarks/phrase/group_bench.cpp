// Times of phrase_maps: phrase_maps.T256.24x24.P12.<reduction>, the maps of twelve phrases of six tokens out
// of 256 tokens' maps, finding their tokens included.
#include "../run.hpp"
#include "ostend/phrase/group.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

namespace {

void run(benchmark::State& state, ostend::token_reduction reduce) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    ostend::matrix<float> maps(256, 576);
    std::generate(maps.values().begin(), maps.values().end(), [&] { return uniform(random); });
    std::vector<ostend::text_span> spans;
    for (ostend::index t = 0; t < maps.rows(); ++t) {
        spans.push_back({4 * t, 4 * t + 4});
    }
    std::vector<ostend::noun_phrase> phrases;
    for (ostend::index p = 0; p < 12; ++p) {
        const ostend::text_span words{80 * p, 80 * p + 24};
        phrases.push_back({.text = "a phrase", .span = words, .words = words, .root = words});
    }
    for ([[maybe_unused]] auto step : state) {
        const auto found = ostend::phrase_maps(maps, spans, phrases, {.reduce = reduce});
        if (!found) {
            state.SkipWithError(found.error().message().c_str());
            return;
        }
        benchmark::DoNotOptimize(found->values().data());
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("phrase_maps.T256.24x24.P12.mean", run, ostend::token_reduction::mean)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("phrase_maps.T256.24x24.P12.max", run, ostend::token_reduction::max)
        ->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
