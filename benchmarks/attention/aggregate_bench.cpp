// Times of aggregate over [tokens, layers, heads, keys]: aggregate.T64.L32H32.K704.<type>, all keys and
// heads, from memory. `heads8`: 8 heads of each layer. `image576`: 576 of the keys, as a model's system
// prompt and question leave them. `step`: one token at a time, each from memory; `hotstep`: one token again
// and again.
#include "../line_vector.hpp"
#include "../run.hpp"
#include "ostend/attention/aggregate.hpp"
#include "ostend/core/threads.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

constexpr ostend::index tokens = 64, layers = 32, heads = 32, keys = 704;

template <class T>
ostend::tensor_view<const T, 4> attention() {
    static const line_vector<T> values = [] {
        line_vector<T> made(static_cast<std::size_t>(tokens * layers * heads * keys));
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = ostend::from_float<T>(static_cast<float>((i * 2654435761U) % 4093U) / (4093.0F * keys));
        }
        return made;
    }();
    return {values.data(), {tokens, layers, heads, keys}};
}

struct shape {
    ostend::key_selection image = {0, keys};
    ostend::aggregate_options options = {};
    ostend::index used_heads = heads;
};

template <class T>
void all_tokens(benchmark::State& state, const shape& s, int threads) {
    const auto view = attention<T>();
    for ([[maybe_unused]] auto step : state) {
        const auto maps = threads == 1
                              ? ostend::aggregate(view, s.image, s.options)
                              : ostend::aggregate(view, s.image, s.options, ostend::threads{threads});
        benchmark::DoNotOptimize(maps.values().data());
    }
    state.SetBytesProcessed(state.iterations() * tokens * layers * s.used_heads * s.image.size() *
                            static_cast<ostend::index>(sizeof(T)));
}

template <class T>
void one_token(benchmark::State& state, bool hot) {
    const auto view = attention<T>();
    ostend::index token = 0;
    for ([[maybe_unused]] auto step : state) {
        const auto map = ostend::aggregate(view.range(0, token, 1), {0, keys});
        benchmark::DoNotOptimize(map.values().data());
        token = hot ? 0 : (token + 1) % tokens;
    }
    state.SetBytesProcessed(state.iterations() * layers * heads * keys *
                            static_cast<ostend::index>(sizeof(T)));
}

template <class T>
void add(const std::string& type) {
    const auto all = [&](const std::string& more, const shape& s, int threads = 1) {
        auto* const made = benchmark::RegisterBenchmark(
            ("aggregate.T64.L32H32.K704." + type + more).c_str(),
            [s, threads](benchmark::State& state) { all_tokens<T>(state, s, threads); });
        made->Unit(benchmark::kMillisecond);
        if (threads > 1) {
            made->UseRealTime();
        }
    };
    all("", {});
    all("/threads:2", {}, 2);
    std::vector<int> some;
    for (int head = 0; head < heads; head += 4) {
        some.push_back(head);
    }
    all(".heads8", {.options = {.heads = ostend::head_selection::grid({}, some)}, .used_heads = 8});
    all(".image576", {.image = {35, 576}});
    for (const bool hot : {false, true}) {
        benchmark::RegisterBenchmark(
            (std::string("aggregate.") + (hot ? "hotstep" : "step") + ".L32H32.K704." + type).c_str(),
            [hot](benchmark::State& state) { one_token<T>(state, hot); })
            ->Unit(benchmark::kMillisecond);
    }
}

} // namespace

int main(int argc, char** argv) {
    add<float>("f32");
    add<ostend::f16>("f16");
    add<ostend::bf16>("bf16");
    return run_benchmarks(argc, argv);
}
