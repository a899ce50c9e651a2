// Times of find_peaks: the five highest separated peaks of a map, everything in them.
// peaks5.24to<side>.<map>.B<maps>: uniform noise, or a blob over a little noise, as a phrase's map is.
#include "../run.hpp"
#include "ostend/core/threads.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/many.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace {

std::vector<float> random_map(bool blob) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    std::vector<float> map;
    for (int r = 0; r < 24; ++r) {
        for (int c = 0; c < 24; ++c) {
            const auto y = static_cast<float>(r) - 9.3F;
            const auto x = static_cast<float>(c) - 14.2F;
            map.push_back(blob ? std::exp(-(x * x + y * y) / 20) + 0.05F * uniform(random) : uniform(random));
        }
    }
    return map;
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index side : {336, 1024, 2048}) {
        for (const bool blob : {false, true}) {
            const std::string op = "peaks5.24to" + std::to_string(side) + (blob ? ".blob" : ".noise") + ".B1";
            benchmark::RegisterBenchmark(op.c_str(), [map = random_map(blob), side](benchmark::State& state) {
                const ostend::layout grid = ostend::geometry::stretch({side, side});
                for ([[maybe_unused]] auto step : state) {
                    benchmark::DoNotOptimize(ostend::find_peaks(map, grid));
                }
            })->Unit(benchmark::kMillisecond);
        }
    }
    for (const int count : {1, 2}) {
        const std::string op = "peaks5.24to2048.noise.B32/threads:" + std::to_string(count);
        benchmark::RegisterBenchmark(
            op.c_str(),
            [count](benchmark::State& state) {
                std::mt19937 random(1);
                std::uniform_real_distribution<float> uniform;
                ostend::matrix<float> maps(32, 576);
                std::generate(maps.values().begin(), maps.values().end(), [&] { return uniform(random); });
                const ostend::layout grid = ostend::geometry::stretch({2048, 2048});
                for ([[maybe_unused]] auto step : state) {
                    benchmark::DoNotOptimize(
                        ostend::find_peaks_of_each(maps, grid, {}, ostend::threads{count}));
                }
            })
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    }
    return run_benchmarks(argc, argv);
}
