// Times of noun_phrases (the built-in chunker, words and lexicon in it) and of find_phrases (phrases that the
// host names, found in the text), of 50 captions; items are captions.
#include "../run.hpp"
#include "captions.hpp"
#include "ostend/phrase/noun_phrases.hpp"

#include <benchmark/benchmark.h>

namespace {

void chunk(benchmark::State& state) {
    const auto captions = ostend_bench::captions();
    std::size_t found = 0;
    for ([[maybe_unused]] auto step : state) {
        found = 0;
        for (const std::string& caption : captions) {
            found += ostend::noun_phrases(caption).kept.size();
        }
        benchmark::DoNotOptimize(found);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(captions.size()));
    state.counters["phrases"] = static_cast<double>(found);
}

void find(benchmark::State& state) {
    const auto captions = ostend_bench::captions();
    std::vector<std::vector<std::string>> named;
    for (const std::string& caption : captions) {
        auto& texts = named.emplace_back();
        for (const auto& phrase : ostend::noun_phrases(caption).kept) {
            texts.push_back(phrase.text);
        }
    }
    for ([[maybe_unused]] auto step : state) {
        for (std::size_t i = 0; i < captions.size(); ++i) {
            const auto found = ostend::find_phrases(captions[i], named[i]);
            if (!found) {
                state.SkipWithError(found.error().message().c_str());
                return;
            }
            benchmark::DoNotOptimize(found->data());
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(captions.size()));
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("noun_phrases.50captions", chunk)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("find_phrases.50captions", find)->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
