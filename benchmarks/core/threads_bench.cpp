// What ostend::threads cost beside the work: two threads started, 64 parts that do nothing given out, and
// both joined again.
#include "../run.hpp"
#include "ostend/core/threads.hpp"

#include <benchmark/benchmark.h>

namespace {

void start_and_join(benchmark::State& state) {
    for ([[maybe_unused]] auto step : state) {
        ostend::for_each_part(ostend::threads{2}, 64, [](ostend::index i) { benchmark::DoNotOptimize(i); });
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("threads.start.64parts/threads:2", start_and_join)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    return run_benchmarks(argc, argv);
}
