// Times of utf8.hpp on 64 KiB of text: code points out of bytes, their number, and bytes with broken
// sequences replaced (here there are none).
#include "../run.hpp"
#include "captions.hpp"
#include "ostend/phrase/utf8.hpp"

#include <benchmark/benchmark.h>

namespace {

template <class F>
void add(const std::string& op, F f) {
    benchmark::RegisterBenchmark(op.c_str(), [f](benchmark::State& state) {
        const std::string text = ostend_bench::long_text(65536);
        for ([[maybe_unused]] auto step : state) {
            benchmark::DoNotOptimize(f(text));
        }
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    })->Unit(benchmark::kMillisecond);
}

} // namespace

int main(int argc, char** argv) {
    add("utf8.decode.64K", [](const std::string& text) { return ostend::decode_utf8(text); });
    add("utf8.count.64K", [](const std::string& text) { return ostend::count_code_points(text); });
    add("utf8.replace.64K", [](const std::string& text) { return ostend::valid_utf8(text); });
    return run_benchmarks(argc, argv);
}
