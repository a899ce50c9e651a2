// Times of mask_logits_from_map: sam.maskprompt.<side>to256.B4, four maps of side x side as mask prompts.
#include "../run.hpp"
#include "ostend/prompt/mask_logits.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace {

void make_prompts(benchmark::State& state, ostend::index side) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    std::vector<ostend::matrix<float>> maps(4, ostend::matrix<float>(side, side));
    for (auto& map : maps) {
        std::generate(map.values().begin(), map.values().end(), [&] { return uniform(random); });
    }
    for ([[maybe_unused]] auto step : state) {
        for (const auto& map : maps) {
            const auto logits = ostend::mask_logits_from_map(map.view());
            if (!logits) {
                state.SkipWithError(logits.error().message().c_str());
                return;
            }
            benchmark::DoNotOptimize(logits->values.values().data());
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index side : {1024, 2048}) {
        benchmark::RegisterBenchmark(("sam.maskprompt." + std::to_string(side) + "to256.B4").c_str(),
                                     [side](benchmark::State& state) { make_prompts(state, side); })
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
