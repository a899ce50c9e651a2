// Times of reduce_qk(blocked): qk.T<queries>.L<layers>H<heads>[KV<key heads>]D<d>.K<keys>.<type>, the mean
// over all heads and layers with every key an image token. FLOP/s count the products q.k (2 T L H D K);
// bytes/s count each key once. Every layer has keys of its own (up to 1.5 GB), so that they come from memory.
// Queries are of the keys' type, as a model has them, f32 beside f16 and quantised keys;
// /impl:ostend-f32-queries: f32 beside bf16 keys, split into two parts; /impl:ostend-<name> by the kernels of
// that name, which this CPU has but the library does not choose. `cells`: cell-major keys through a
// list of the cells in order, as a cache fills, `cells-shuffled`: in any order; beside them the same keys
// contiguous (/impl:ostend-contiguous).
#include "../line_vector.hpp"
#include "../run.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/core/threads.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

using ostend::element_type;
namespace inner = ostend::OSTEND_KERNELS::detail;

constexpr ostend::index d = 128; // of every model below

/// Layers and heads of a language model.
struct model {
    ostend::index layers, heads, kv_heads;
};
constexpr model llava_7b{32, 32, 32};  // LLaVA-1.5-7B (576 image tokens), LLaVA-NeXT-Vicuna-7B (2,880)
constexpr model llava_13b{40, 40, 40}; // LLaVA-1.5-13B
constexpr model qwen25_vl_7b{28, 28, 4};
constexpr model mistral_7b{32, 32, 8}; // LLaVA-NeXT-Mistral-7B; Llama 3 8B's heads too

struct shape {
    ostend::index queries = 1, keys = 704;
    element_type type = element_type::f32;
    model of = llava_7b;
    enum { contiguous, in_order, shuffled } cells = contiguous;
    bool f32_queries = false;
    int threads = 1;
    inner::attention_kernels kernels = inner::best_kernels();
};

/// Keys of all layers, kept while the type and size stay: numbers in [-1, 1), or blocks of any bytes.
const line_vector<std::byte>& cache_of(element_type type, ostend::index numbers) {
    static line_vector<std::byte> cache;
    static element_type made = element_type::boolean;
    const auto size = static_cast<std::size_t>(ostend::bytes_of_codec(type, numbers));
    if (made == type && cache.size() == size) {
        return cache;
    }
    made = type;
    cache.assign(size, std::byte{});
    for (ostend::index i = 0; i < numbers; ++i) {
        // A cheap generator: 377 million normal values would take longer than all measurements.
        const auto value = static_cast<float>((i * 2654435761U) % 4093U) / 2046.5F - 1.0F;
        if (type == element_type::f32) {
            ostend::store(reinterpret_cast<float*>(cache.data()) + i, value);
        } else if (type == element_type::f16) {
            ostend::store(reinterpret_cast<ostend::f16*>(cache.data()) + i, ostend::to_f16(value));
        } else if (type == element_type::bf16) {
            ostend::store(reinterpret_cast<ostend::bf16*>(cache.data()) + i, ostend::to_bf16(value));
        } else if (i % ostend::quantised_block == 0) {
            std::byte* const block = cache.data() + ostend::bytes_of_codec(type, i);
            const ostend::index bytes = ostend::bytes_of_codec(type, ostend::quantised_block);
            for (ostend::index b = 2; b < bytes; ++b) {
                block[b] = static_cast<std::byte>((i + b) * 2654435761U >> 8U);
            }
            ostend::store(reinterpret_cast<ostend::f16*>(block), ostend::to_f16(0.008F));
        }
    }
    return cache;
}

void reduce_layers(benchmark::State& state, const shape& s) {
    const auto [layers, heads, kv_heads] = s.of;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> q(static_cast<std::size_t>(s.queries * heads * d));
    std::generate(q.begin(), q.end(), [&] {
        const float x = normal(random);
        return s.type == element_type::bf16 && !s.f32_queries ? ostend::to_float(ostend::to_bf16(x)) : x;
    });
    const ostend::index vector = ostend::bytes_of_codec(s.type, d);
    const ostend::index layer_bytes = kv_heads * s.keys * vector;
    const line_vector<std::byte>& cache = cache_of(s.type, layers * kv_heads * s.keys * d);
    std::vector<ostend::index> cells;
    if (s.cells != shape::contiguous) {
        cells.resize(static_cast<std::size_t>(s.keys));
        std::iota(cells.begin(), cells.end(), ostend::index{0});
    }
    if (s.cells == shape::shuffled) {
        std::shuffle(cells.begin(), cells.end(), random);
    }
    const std::vector<float> weights(static_cast<std::size_t>(heads),
                                     1.0F / static_cast<float>(heads * layers));
    const ostend::key_selection image(0, s.keys);
    ostend::matrix<float> out(s.queries, s.keys);
    ostend::qk_workspace workspace;
    const auto reduce = [&](const ostend::qk_block& block) {
        constexpr auto mean = ostend::head_reduction::mean;
        return s.threads == 1 ? inner::blocked_reduce(ostend::seq, block, image, weights, mean, out.view(),
                                                      nullptr, workspace, s.kernels)
                              : ostend::reduce_qk(ostend::blocked, ostend::threads{s.threads}, block, image,
                                                  weights, mean, out.view(), workspace);
    };
    for ([[maybe_unused]] auto step : state) {
        std::fill(out.values().begin(), out.values().end(), 0.0F);
        for (ostend::index layer = 0; layer < layers; ++layer) {
            const ostend::key_page page{.data = cache.data() + layer * layer_bytes,
                                        .count = s.keys,
                                        .key_stride = cells.empty() ? vector : kv_heads * vector,
                                        .head_stride = cells.empty() ? s.keys * vector : vector,
                                        .codec = s.type};
            const auto done = reduce({.q = {q.data(), {s.queries, heads, d}},
                                      .keys = ostend::key_source(page, kv_heads, d, cells)});
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

const char* name_of(element_type type) {
    switch (type) {
    case element_type::f16:
        return "f16";
    case element_type::bf16:
        return "bf16";
    case element_type::q8_0:
        return "q8_0";
    case element_type::q4_0:
        return "q4_0";
    default:
        return "f32";
    }
}

void add(const shape& s, const std::string& more = "") {
    const std::string key_heads = s.of.kv_heads == s.of.heads ? "" : "KV" + std::to_string(s.of.kv_heads);
    const std::string name = "qk.T" + std::to_string(s.queries) + ".L" + std::to_string(s.of.layers) + "H" +
                             std::to_string(s.of.heads) + key_heads + "D" + std::to_string(d) + ".K" +
                             std::to_string(s.keys) + "." + name_of(s.type) + more;
    auto* const made =
        benchmark::RegisterBenchmark(name.c_str(), [s](benchmark::State& state) { reduce_layers(state, s); });
    made->Unit(benchmark::kMillisecond);
    if (s.threads > 1) {
        made->UseRealTime();
    }
}

} // namespace

int main(int argc, char** argv) {
    for (const element_type type : {element_type::f32, element_type::bf16, element_type::f16}) {
        for (const ostend::index keys : {704, 2880}) {
            for (const ostend::index queries : {1, 64}) {
                add({.queries = queries, .keys = keys, .type = type});
            }
        }
    }
    for (const ostend::index queries : {1, 64}) {
        const shape bf16{.queries = queries, .keys = 2880, .type = element_type::bf16};
        const shape f16{.queries = queries, .keys = 2880, .type = element_type::f16};
        shape s = bf16;
        s.f32_queries = true;
        add(s, "/impl:ostend-f32-queries");
        for (const auto& kernels : inner::all_kernels()) {
            if (queries > 1 && std::string(kernels.name) != inner::best_kernels().name) {
                s = bf16;
                s.kernels = kernels;
                add(s, std::string("/impl:ostend-") + kernels.name);
            }
        }
        for (const shape& of : {bf16, f16}) {
            s = of;
            add(s, ".cells/impl:ostend-contiguous");
            s.cells = shape::in_order;
            add(s, ".cells");
            s.cells = shape::contiguous;
            add(s, ".cells-shuffled/impl:ostend-contiguous");
            s.cells = shape::shuffled;
            add(s, ".cells-shuffled");
        }
        add({.queries = queries, .keys = 704, .type = element_type::bf16, .of = llava_13b});
        // 37 x 37 image tokens: a square of 1,036 pixels.
        add({.queries = queries, .keys = 1369, .type = element_type::bf16, .of = qwen25_vl_7b});
        add({.queries = queries, .keys = 2880, .type = element_type::bf16, .of = mistral_7b});
        for (const element_type type : {element_type::q8_0, element_type::q4_0}) {
            add({.queries = queries, .keys = 2880, .type = type});
        }
        for (const shape& of : {bf16, f16}) {
            s = of;
            s.threads = 2;
            add(s, "/threads:2");
        }
    }
    return run_benchmarks(argc, argv);
}
