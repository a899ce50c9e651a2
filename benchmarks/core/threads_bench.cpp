// What for_each_part costs when its 64 parts do nothing: on the calling thread, and on two threads that are
// started for the call.
#include "../run.hpp"
#include "ostend/core/threads.hpp"

#include <benchmark/benchmark.h>

namespace {

template <class E>
void empty_parts(benchmark::State& state, const E& on) {
    for ([[maybe_unused]] auto step : state) {
        ostend::for_each_part(on, 64, [](ostend::index i) { benchmark::DoNotOptimize(i); });
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("parallel_for.empty.64", empty_parts<ostend::sequential>, ostend::seq)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("parallel_for.empty.64/threads:2", empty_parts<ostend::threads>,
                                 ostend::threads{2})
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    return run_benchmarks(argc, argv);
}
