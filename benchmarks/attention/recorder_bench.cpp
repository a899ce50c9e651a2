// Times of the recorder as a decoding host calls it, 32 layers of 32 heads: one token's attention rows of
// every layer (aggregate.step.*/impl:ostend-recorder), one token's queries online, and 64 tokens' queries
// that were kept and flushed (qk.T1.*, qk.T64.*/impl:ostend-recorder). Their excess over the same op of
// aggregate_bench and from_qk_bench, without a recorder, is what recording adds: checks, exact sums over
// layers, kept queries.
#include "../line_vector.hpp"
#include "../run.hpp"
#include "ostend/attention/recorder.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace {

using ostend::bf16;
using ostend::f16;
using ostend::index;

constexpr int layers = 32;
constexpr index heads = 32, d = 128;

ostend::recorder recorder_of(index keys, ostend::recording mode) {
    return ostend::recorder(
        {.layers = layers, .heads = static_cast<int>(heads), .image = {0, keys}, .mode = mode});
}

/// The recorder's error is the benchmark's.
void finish(benchmark::State& state, const ostend::recorder& recorder) {
    const auto maps = recorder.maps();
    if (!maps) {
        state.SkipWithError(maps.error().message().c_str());
        return;
    }
    benchmark::DoNotOptimize(maps->values().data());
}

template <class T>
void rows_of_a_token(benchmark::State& state) {
    constexpr index keys = 704, tokens = 64;
    static const auto attention = [] {
        line_vector<T> made(static_cast<std::size_t>(tokens * layers * heads * keys));
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = ostend::from_float<T>(static_cast<float>((i * 2654435761U) % 4093U) / (4093.0F * keys));
        }
        return made;
    }();
    ostend::recorder recorder = recorder_of(keys, ostend::recording::online);
    index token = 0;
    for ([[maybe_unused]] auto step : state) {
        if (token == tokens) { // an answer's end
            recorder.truncate(0);
            token = 0;
        }
        const T* from = attention.data() + token * layers * heads * keys;
        for (int layer = 0; layer < layers; ++layer, from += heads * keys) {
            recorder.add({.layer = layer, .token = token},
                         ostend::tensor_view<const T, 2>{from, {heads, keys}});
        }
        ++token;
    }
    finish(state, recorder);
    state.SetBytesProcessed(state.iterations() * layers * heads * keys * static_cast<index>(sizeof(T)));
}

/// `tokens` decoding steps over bf16 keys of all layers, which come from memory; deferred where there are
/// several.
void queries_of(benchmark::State& state, index tokens) {
    constexpr index keys = 2880;
    static const auto cache = [] {
        line_vector<bf16> made(static_cast<std::size_t>(layers * heads * keys * d));
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = ostend::to_bf16(static_cast<float>((i * 2654435761U) % 4093U) / 2046.5F - 1.0F);
        }
        return made;
    }();
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> q(static_cast<std::size_t>(heads * d));
    std::generate(q.begin(), q.end(), [&] { return ostend::to_float(ostend::to_bf16(normal(random))); });
    const auto keys_of = [&](int layer) {
        return ostend::key_source({.data = cache.data() + layer * heads * keys * d,
                                   .count = keys,
                                   .key_stride = 2 * d,
                                   .head_stride = 2 * keys * d,
                                   .codec = ostend::element_type::bf16},
                                  heads, d);
    };
    ostend::recorder recorder =
        recorder_of(keys, tokens > 1 ? ostend::recording::deferred : ostend::recording::online);
    const auto decode = [&] {
        recorder.truncate(0);
        for (index token = 0; token < tokens; ++token) {
            for (int layer = 0; layer < layers; ++layer) {
                recorder.add({.layer = layer, .token = token},
                             ostend::qk_block{.q = {q.data(), {1, heads, d}}, .keys = keys_of(layer)});
            }
        }
        return recorder.flush_all(keys_of);
    };
    benchmark::DoNotOptimize(decode()); // an answer's first tokens take its memory
    for ([[maybe_unused]] auto step : state) {
        if (const auto done = decode(); !done) {
            state.SkipWithError(done.error().message().c_str());
            return;
        }
    }
    finish(state, recorder);
    const double products = 2.0 * static_cast<double>(tokens * layers * heads * d * keys);
    state.counters["FLOP/s"] = benchmark::Counter(products, benchmark::Counter::kIsIterationInvariantRate);
    state.SetBytesProcessed(state.iterations() * layers * heads * keys * d * 2);
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("aggregate.step.L32H32.K704.f32/impl:ostend-recorder",
                                 rows_of_a_token<float>)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("aggregate.step.L32H32.K704.f16/impl:ostend-recorder", rows_of_a_token<f16>)
        ->Unit(benchmark::kMillisecond);
    for (const ostend::index tokens : {1, 64}) {
        const std::string op = "qk.T" + std::to_string(tokens) + ".L32H32D128.K2880.bf16";
        benchmark::RegisterBenchmark((op + "/impl:ostend-recorder").c_str(), queries_of, tokens)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
