// Times of a known log-sum-exp, one layer of 32 heads (LLaVA-NeXT: 2,880 keys, 576 of them asked for):
// lse.<shape>, what log_sum_exp() takes, and qk.<shape>.image576, rows of the image keys with it (only they
// are read) and without (/impl:ostend-all-keys). One layer's keys stay in the cache; from_qk_bench reads all
// layers'.
#include "../line_vector.hpp"
#include "../run.hpp"
#include "ostend/attention/from_qk.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace {

using ostend::index;

constexpr index heads = 32, d = 128, keys = 2880, image_keys = 576;

/// Queries and keys of one layer, normal values.
struct layer {
    std::vector<float> q;
    line_vector<float> k;

    explicit layer(index queries)
        : q(static_cast<std::size_t>(queries * heads * d)), k(static_cast<std::size_t>(heads * keys * d)) {
        std::mt19937 random(1);
        std::normal_distribution<float> normal;
        std::generate(q.begin(), q.end(), [&] { return normal(random); });
        std::generate(k.begin(), k.end(), [&] { return normal(random); });
    }
    [[nodiscard]] ostend::qk_block block() const {
        const auto queries = static_cast<index>(q.size()) / (heads * d);
        const ostend::tensor_view<const float, 3> view(k.data(), {heads, keys, d});
        return {.q = {q.data(), {queries, heads, d}}, .keys = ostend::key_source::contiguous(view)};
    }
};

void all_keys(benchmark::State& state, index queries) {
    const layer made(queries);
    ostend::qk_workspace workspace;
    for ([[maybe_unused]] auto step : state) {
        const auto values = ostend::log_sum_exp(made.block(), workspace);
        benchmark::DoNotOptimize(values->values().data());
    }
}

void image_rows(benchmark::State& state, index queries, bool known) {
    const layer made(queries);
    const ostend::key_selection image(35, image_keys);
    const std::vector<float> weights(static_cast<std::size_t>(heads), 1.0F / static_cast<float>(heads));
    ostend::matrix<float> out(queries, image_keys);
    ostend::qk_workspace workspace;
    const auto values = ostend::log_sum_exp(made.block(), workspace);
    if (!values) {
        state.SkipWithError(values.error().message().c_str());
        return;
    }
    const ostend::known_log_sum_exp lse{values->view()};
    constexpr auto mean = ostend::head_reduction::mean;
    for ([[maybe_unused]] auto step : state) {
        std::fill(out.values().begin(), out.values().end(), 0.0F);
        const auto done = known ? ostend::reduce_qk(ostend::blocked, made.block(), image, weights, mean,
                                                    out.view(), lse, workspace)
                                : ostend::reduce_qk(ostend::blocked, made.block(), image, weights, mean,
                                                    out.view(), workspace);
        if (!done) {
            state.SkipWithError(done.error().message().c_str());
            return;
        }
        benchmark::DoNotOptimize(out.values().data());
    }
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index queries : {1, 64}) {
        const std::string shape = "T" + std::to_string(queries) + ".L1H32D128.K2880.f32";
        benchmark::RegisterBenchmark(("lse." + shape).c_str(), all_keys, queries)
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("qk." + shape + ".image576").c_str(), image_rows, queries, true)
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("qk." + shape + ".image576/impl:ostend-all-keys").c_str(), image_rows,
                                     queries, false)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
