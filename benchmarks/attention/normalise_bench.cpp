// Times of subtract_mean_token: normalize.T64.24x24, 64 tokens' maps of 576 image tokens less their mean.
#include "../run.hpp"
#include "ostend/attention/normalise.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

namespace {

void normalise(benchmark::State& state) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    ostend::matrix<float> maps(64, 576);
    std::generate(maps.values().begin(), maps.values().end(), [&] { return uniform(random); });
    for ([[maybe_unused]] auto step : state) {
        const auto out = ostend::subtract_mean_token(maps);
        benchmark::DoNotOptimize(out.values().data());
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("normalize.T64.24x24", normalise)->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
