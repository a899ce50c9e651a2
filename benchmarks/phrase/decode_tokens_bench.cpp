// Times of decode_tokens with a detokeniser that joins pieces and drops the first space, so cheap that the
// rest shows: decode_tokens.<tokens>. Beside it every prefix decoded anew, as the reference does
// (/impl:ostend-prefixes); items are tokens.
#include "../run.hpp"
#include "captions.hpp"
#include "ostend/phrase/decode_tokens.hpp"

#include <benchmark/benchmark.h>

namespace {

using ostend::index;

void run(benchmark::State& state, int count, bool prefixes) {
    const auto pieces = ostend_bench::tokens(static_cast<std::size_t>(count));
    const auto decode = [&pieces](index first, index last) {
        std::string bytes;
        for (index i = first; i < last; ++i) {
            bytes += pieces[static_cast<std::size_t>(i)].bytes;
        }
        return ostend::valid_utf8(bytes.starts_with(' ') ? bytes.substr(1) : bytes);
    };
    for ([[maybe_unused]] auto step : state) {
        if (prefixes) {
            for (index i = 0; i < count; ++i) {
                benchmark::DoNotOptimize(ostend::count_code_points(decode(0, i + 1)));
            }
        } else {
            benchmark::DoNotOptimize(ostend::decode_tokens(count, decode));
        }
    }
    state.SetItemsProcessed(state.iterations() * count);
}

} // namespace

int main(int argc, char** argv) {
    for (const int count : {64, 512}) {
        const std::string op = "decode_tokens." + std::to_string(count);
        benchmark::RegisterBenchmark(op.c_str(), run, count, false)->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark((op + "/impl:ostend-prefixes").c_str(), run, count, true)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
