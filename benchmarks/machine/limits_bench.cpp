// The machine's own limits on one core, which the other benchmarks are compared with: reading so many bytes
// (read.<size>/impl:machine, from cache or memory, as the size decides), f32 multiply-adds in registers
// (fma.f32/impl:machine), and Eigen's matrix product (gemm.f32.<rows>x<columns>x<inner>/impl:eigen).
#include "../line_vector.hpp"
#include "../run.hpp"
#include "ostend/core/config.hpp"

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace {

void read_memory(benchmark::State& state, std::size_t mebibytes) {
    static line_vector<std::uint64_t> memory; // of the largest size asked for
    const std::size_t words = mebibytes << 17U;
    if (memory.size() < words) {
        memory.assign(words, 1);
    }
    for ([[maybe_unused]] auto step : state) {
        const std::uint64_t* const from = memory.data();
        std::array<std::uint64_t, 64> sums{}; // stays in registers: nobody else knows its address
        for (std::size_t i = 0; i < words; i += sums.size()) {
            for (std::size_t lane = 0; lane < sums.size(); ++lane) {
                sums[lane] += from[i + lane];
            }
        }
        benchmark::DoNotOptimize(std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(8 * words));
}

[[maybe_unused]] constexpr int baseline_bytes = 16;
[[maybe_unused]] constexpr int neon_bytes = 16;
[[maybe_unused]] constexpr int avx2_bytes = 32;
[[maybe_unused]] constexpr int avx512_bytes = 64;
constexpr int bytes = OSTEND_JOIN(OSTEND_ISA, bytes);
using lanes = float __attribute__((vector_size(bytes)));

void multiply_add(benchmark::State& state) {
    constexpr int steps = 10000;
    std::array<lanes, 10> sums; // enough to hide an addition's latency
    for (std::size_t k = 0; k < sums.size(); ++k) {
        sums[k] = lanes{} + static_cast<float>(k); // different, or the compiler would do one for all
    }
    lanes x = lanes{} + 0.999F;
    lanes y = lanes{} + 0.001F;
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(y);
    for ([[maybe_unused]] auto step : state) {
        benchmark::DoNotOptimize(sums);
        std::array<lanes, 10> now = sums;
        for (int n = 0; n < steps; ++n) {
            for (lanes& sum : now) {
                sum = sum * x + y;
            }
        }
        sums = now;
    }
    const double operations = 2.0 * 10 * steps * bytes / sizeof(float);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void multiply(benchmark::State& state, Eigen::Index m, Eigen::Index n, Eigen::Index k) {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const matrix a = matrix::Random(m, k);
    const matrix b = matrix::Random(n, k);
    matrix c(m, n);
    for ([[maybe_unused]] auto step : state) {
        c.noalias() = a * b.transpose();
        benchmark::DoNotOptimize(c.data());
        benchmark::ClobberMemory();
    }
    const double operations = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

} // namespace

int main(int argc, char** argv) {
    for (const std::size_t mebibytes : {1, 24, 92, 184, 1510}) {
        benchmark::RegisterBenchmark(("read." + std::to_string(mebibytes) + "MiB/impl:machine").c_str(),
                                     read_memory, mebibytes)
            ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark("fma.f32/impl:machine", multiply_add)->Unit(benchmark::kMillisecond);
    for (const auto& [m, n, k] : {std::array{1024, 1024, 1024}, {2048, 2048, 2048}, {64, 2880, 128}}) {
        const std::string op =
            "gemm.f32." + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
        benchmark::RegisterBenchmark((op + "/impl:eigen").c_str(), multiply, m, n, k)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
