// Times of the filled bicubic image, bicubic.24to<side>.B<maps>; bytes are those written.
#include "../run.hpp"
#include "ostend/peak/resample.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace {

void fill(benchmark::State& state, ostend::index side, int count) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<ostend::matrix<float>> maps(static_cast<std::size_t>(count), ostend::matrix<float>(24, 24));
    for (auto& map : maps) {
        std::generate(map.values().begin(), map.values().end(), [&] { return normal(random); });
    }
    for ([[maybe_unused]] auto step : state) {
        const auto on = ostend::make_resampling(24, 24, {side, side});
        for (const auto& map : maps) {
            benchmark::DoNotOptimize(ostend::resample(map, on));
        }
    }
    state.SetBytesProcessed(state.iterations() * count * side * side * 4);
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index side : {336, 1024, 2048}) {
        for (const int count : {1, 32}) {
            const std::string op = "bicubic.24to" + std::to_string(side) + ".B" + std::to_string(count);
            benchmark::RegisterBenchmark(op.c_str(), fill, side, count)->Unit(benchmark::kMillisecond);
        }
    }
    return run_benchmarks(argc, argv);
}
