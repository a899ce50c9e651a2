// Times of token_spans: token_spans.<tokens>, pieces of one to six bytes that part characters, as a long
// answer has them; items are tokens.
#include "../run.hpp"
#include "captions.hpp"
#include "ostend/phrase/token_spans.hpp"

#include <benchmark/benchmark.h>

int main(int argc, char** argv) {
    for (const int count : {64, 512}) {
        const std::string op = "token_spans." + std::to_string(count);
        benchmark::RegisterBenchmark(op.c_str(), [count](benchmark::State& state) {
            const auto tokens = ostend_bench::tokens(static_cast<std::size_t>(count));
            ostend::index end = 0;
            for ([[maybe_unused]] auto step : state) {
                const auto spans = ostend::token_spans(tokens);
                benchmark::DoNotOptimize(spans.data());
                end = spans.back().end;
            }
            state.SetItemsProcessed(state.iterations() * count);
            state.counters["characters"] = static_cast<double>(end);
        })->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
