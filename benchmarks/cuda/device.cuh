// What the benchmarks of this folder share: device memory, and a time a call that the device itself measures.
// Names begin with gpu., so that no CPU peer has the same; rates are counters of their own, since the limits
// that tools/bench measures are the CPU's. Without a device a program lists nothing and says so.
#pragma once

#include "../run.hpp"
#include "ostend/cuda/stream.cuh"
#include "ostend/cuda/workspace.hpp"

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ostend_bench {

inline void require(cudaError_t code) {
    if (code != cudaSuccess) {
        std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(code));
        std::exit(1);
    }
}

/// Device memory for count T, freed at the end of the process.
template <class T>
T* reserve(ostend::index count) {
    void* data = nullptr;
    require(cudaMalloc(&data, static_cast<std::size_t>(count) * sizeof(T)));
    require(cudaMemset(data, 0, static_cast<std::size_t>(count) * sizeof(T)));
    return static_cast<T*>(data);
}

template <class T>
T* upload(const std::vector<T>& values) {
    T* const data = reserve<T>(static_cast<ostend::index>(values.size()));
    require(cudaMemcpy(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
    require(cudaDeviceSynchronize());
    return data;
}

inline ostend::device_workspace workspace(ostend::index bytes) {
    return {reserve<std::byte>(bytes), {bytes}};
}

/// Values in [-1, 1] that look random, the same every time.
template <class T>
std::vector<T> values(ostend::index count, unsigned seed = 1) {
    std::vector<T> made(static_cast<std::size_t>(count));
    for (T& v : made) {
        seed = seed * 1664525U + 1013904223U;
        v = ostend::from_float<T>(static_cast<float>(seed >> 8U) * 0x1p-23F - 1.0F);
    }
    return made;
}

/// make() prepares the inputs on first use and returns the work: a status of a stream. bytes: what the work
/// has to read and write; flop: its multiplications and additions.
template <class Make>
void add(const std::string& op, double bytes, double flop, Make make) {
    const auto made = std::make_shared<std::optional<decltype(make())>>();
    benchmark::RegisterBenchmark(op.c_str(),
                                 [make, bytes, flop, made](benchmark::State& state) {
                                     if (!*made) {
                                         made->emplace(make());
                                     }
                                     const auto& work = **made;
                                     cudaStream_t stream = nullptr;
                                     cudaEvent_t begin = nullptr;
                                     cudaEvent_t end = nullptr;
                                     require(cudaStreamCreate(&stream));
                                     require(cudaEventCreate(&begin));
                                     require(cudaEventCreate(&end));
                                     for ([[maybe_unused]] auto step : state) {
                                         require(cudaEventRecord(begin, stream));
                                         const ostend::status queued = work(ostend::cuda{stream});
                                         require(cudaEventRecord(end, stream));
                                         require(cudaEventSynchronize(end));
                                         if (!queued) {
                                             state.SkipWithError(queued.error().message().c_str());
                                             break;
                                         }
                                         float ms = 0;
                                         require(cudaEventElapsedTime(&ms, begin, end));
                                         state.SetIterationTime(static_cast<double>(ms) / 1e3);
                                     }
                                     const auto rate = benchmark::Counter::kIsIterationInvariantRate;
                                     state.counters["device bytes/s"] = benchmark::Counter(bytes, rate);
                                     if (flop > 0) {
                                         state.counters["device FLOP/s"] = benchmark::Counter(flop, rate);
                                     }
                                     require(cudaEventDestroy(begin));
                                     require(cudaEventDestroy(end));
                                     require(cudaStreamDestroy(stream));
                                 })
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
}

/// main of a program whose benchmarks register() adds.
template <class Register>
int run(int argc, char** argv, Register register_all) {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
        std::fputs("skipped: no device\n", stderr);
        return 0;
    }
    register_all();
    return run_benchmarks(argc, argv);
}

} // namespace ostend_bench
