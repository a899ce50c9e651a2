// Times of reduce_qk(blocked): qk.T<queries>.L<layers>H<heads>D<d>.K<keys>.<type>, the mean over all heads
// and layers with every key an image token, on one thread. FLOP/s count the products q.k (2 T L H D K);
// bytes/s count each key once. Every layer has keys of its own (up to 1.5 GB), so that they come from memory.
// `few` kv heads: a grouped-query model; `cells`: cell-major f16 keys through a shuffled cell list.
#include "ostend/attention/from_qk.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

using ostend::element_type;

struct shape {
    ostend::index queries = 1, keys = 704;
    element_type type = element_type::f32;
    ostend::index kv_heads = 32;
    bool cells = false;
};

constexpr ostend::index layers = 32, heads = 32, d = 128;

void reduce_layers(benchmark::State& state, const shape& s) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> q(static_cast<std::size_t>(s.queries * heads * d));
    std::generate(q.begin(), q.end(), [&] { return normal(random); });
    const ostend::index bytes = ostend::bytes_of_codec(s.type);
    const ostend::index layer_bytes = s.kv_heads * s.keys * d * bytes;
    std::vector<std::byte> cache(static_cast<std::size_t>(layer_bytes * layers));
    for (ostend::index i = 0; i < layer_bytes * layers / bytes; ++i) {
        // A cheap generator: 188 million normal values would take longer than all measurements.
        const auto value = static_cast<float>((i * 2654435761U) % 4093U) / 2046.5F - 1.0F;
        if (s.type == element_type::f32) {
            ostend::store(reinterpret_cast<float*>(cache.data()) + i, value);
        } else if (s.type == element_type::f16) {
            ostend::store(reinterpret_cast<ostend::f16*>(cache.data()) + i, ostend::to_f16(value));
        } else {
            ostend::store(reinterpret_cast<ostend::bf16*>(cache.data()) + i, ostend::to_bf16(value));
        }
    }
    std::vector<ostend::index> cells;
    if (s.cells) {
        cells.resize(static_cast<std::size_t>(s.keys));
        std::iota(cells.begin(), cells.end(), ostend::index{0});
        std::shuffle(cells.begin(), cells.end(), random);
    }
    const std::vector<float> weights(heads, 1.0F / static_cast<float>(heads * layers));
    const ostend::key_selection image(0, s.keys);
    ostend::matrix<float> out(s.queries, s.keys);
    ostend::qk_workspace workspace;
    for (auto _ : state) {
        std::fill(out.values().begin(), out.values().end(), 0.0F);
        for (ostend::index layer = 0; layer < layers; ++layer) {
            const ostend::key_page page{.data = cache.data() + layer * layer_bytes,
                                        .count = s.keys,
                                        .key_stride = s.cells ? s.kv_heads * d * bytes : d * bytes,
                                        .head_stride = s.cells ? d * bytes : s.keys * d * bytes,
                                        .codec = s.type};
            const ostend::qk_block block{.q = {q.data(), {s.queries, heads, d}},
                                         .keys = ostend::key_source(page, s.kv_heads, d, cells)};
            const auto done = ostend::reduce_qk(ostend::blocked, block, image, weights,
                                                ostend::head_reduction::mean, out.view(), workspace);
            if (!done) {
                state.SkipWithError(done.error().message().c_str());
                return;
            }
        }
        benchmark::DoNotOptimize(out.values().data());
    }
    const double products = 2.0 * static_cast<double>(s.queries * layers * heads * d * s.keys);
    state.counters["FLOP/s"] = benchmark::Counter(products, benchmark::Counter::kIsIterationInvariantRate);
    state.SetBytesProcessed(state.iterations() * layer_bytes * layers);
}

/// One pass over as many bytes as the f32 keys of a layer set: the limit that T1 is to be compared with.
void read_bytes(benchmark::State& state) {
    const std::vector<std::uint64_t> words(std::size_t{64} << 20U, 1);
    for (auto _ : state) {
        std::uint64_t sums[8] = {};
        for (std::size_t i = 0; i < words.size(); i += 8) {
            for (std::size_t lane = 0; lane < 8; ++lane) {
                sums[lane] += words[i + lane];
            }
        }
        benchmark::DoNotOptimize(sums);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(words.size() * 8));
}

const char* name_of(element_type type) {
    return type == element_type::f32 ? "f32" : type == element_type::f16 ? "f16" : "bf16";
}

void add(const shape& s, const std::string& more = "") {
    const std::string name = "qk.T" + std::to_string(s.queries) + ".L32H32D128.K" + std::to_string(s.keys) +
                             "." + name_of(s.type) + more;
    benchmark::RegisterBenchmark(name.c_str(), [s](benchmark::State& state) {
        reduce_layers(state, s);
    })->Unit(benchmark::kMillisecond);
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("read.512MiB", read_bytes)->Unit(benchmark::kMillisecond);
    for (const ostend::index keys : {704, 2880}) {
        for (const element_type type : {element_type::f32, element_type::bf16, element_type::f16}) {
            for (const ostend::index queries : {1, 64}) {
                add({queries, keys, type});
            }
        }
    }
    for (const ostend::index queries : {1, 64}) {
        add({queries, 2880, element_type::f16, 8}, ".few");
        add({queries, 2880, element_type::f16, 32, true}, ".cells");
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
