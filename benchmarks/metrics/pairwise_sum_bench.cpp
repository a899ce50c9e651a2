// Times of numpy_sum, the sum of doubles in NumPy's order: sum.f64.<values>.
#include "cases.hpp"
#include "ostend/metrics/pairwise_sum.hpp"

#include <vector>

namespace {

void sum(benchmark::State& state, int count) {
    ostend_bench::generator random;
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
        values.push_back(static_cast<double>(random.below(1 << 30)) / (1 << 30));
    }
    for ([[maybe_unused]] auto step : state) {
        benchmark::DoNotOptimize(ostend::numpy_sum(values));
    }
    state.SetBytesProcessed(state.iterations() * count * 8);
}

} // namespace

int main(int argc, char** argv) {
    for (const int count : {1000, 100000}) {
        benchmark::RegisterBenchmark(("sum.f64." + std::to_string(count)).c_str(), sum, count)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
