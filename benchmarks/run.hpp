// add_call: a benchmark that is one call; run_benchmarks: what main does once its benchmarks are registered.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

/// Times f(), in milliseconds.
template <class F>
benchmark::internal::Benchmark* add_call(const std::string& op, F f) {
    return benchmark::RegisterBenchmark(op.c_str(),
                                        [f](benchmark::State& state) {
                                            for ([[maybe_unused]] auto step : state) {
                                                benchmark::DoNotOptimize(f());
                                            }
                                        })
        ->Unit(benchmark::kMillisecond);
}

inline int run_benchmarks(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
