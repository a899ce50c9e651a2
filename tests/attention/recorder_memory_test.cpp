// recorder: what it holds, in bytes: every allocation of this program is counted.
#include "ostend/attention/recorder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

std::atomic<std::ptrdiff_t> live{0};
std::atomic<std::ptrdiff_t> most{0};

constexpr std::size_t line = 64; // before each block stands its size; blocks are aligned to a cache line

void* counted_new(std::size_t size) {
    void* const raw = std::aligned_alloc(line, (size + 2 * line - 1) / line * line);
    if (raw == nullptr) {
        std::abort();
    }
    *static_cast<std::size_t*>(raw) = size;
    const std::ptrdiff_t now = live += static_cast<std::ptrdiff_t>(size);
    std::ptrdiff_t before = most;
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    return static_cast<std::byte*>(raw) + line;
}
void counted_delete(void* p) noexcept {
    if (p != nullptr) {
        void* const raw = static_cast<std::byte*>(p) - line;
        live -= static_cast<std::ptrdiff_t>(*static_cast<std::size_t*>(raw));
        std::free(raw);
    }
}

} // namespace

void* operator new(std::size_t size) { return counted_new(size); }
void* operator new(std::size_t size, std::align_val_t) { return counted_new(size); }
void operator delete(void* p) noexcept { counted_delete(p); }
void operator delete(void* p, std::size_t) noexcept { counted_delete(p); }
void operator delete(void* p, std::align_val_t) noexcept { counted_delete(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { counted_delete(p); }

namespace {

using namespace ostend;
using ostend::index;

/// The most bytes that were allocated at a time while f ran, beyond those that were before.
template <class F>
std::ptrdiff_t peak_of(F&& f) {
    const std::ptrdiff_t before = live;
    most = before;
    f();
    return most - before;
}

constexpr index tokens = 512, image_tokens = 2880;

/// Bytes at the peak of an online caption whose every layer gives the same rows of attention.
std::ptrdiff_t online_caption(int layers, int heads) {
    const std::vector<float> attention(static_cast<std::size_t>(heads * image_tokens),
                                       1.0F / static_cast<float>(2 * image_tokens));
    const tensor_view<const float, 2> row(attention.data(), {heads, image_tokens});
    return peak_of([&] {
        recorder r({.layers = layers, .heads = heads, .image = {0, image_tokens}});
        for (index token = 0; token < tokens; ++token) {
            for (int layer = 0; layer < layers; ++layer) {
                r.add({.layer = layer, .token = token}, row);
            }
        }
        std::vector<float> map(static_cast<std::size_t>(image_tokens));
        for (index token = 0; token < tokens; ++token) {
            REQUIRE(r.read_map(token, map).has_value());
            REQUIRE(std::abs(map[7] * static_cast<float>(2 * image_tokens) - 1) < 1e-5F);
        }
    });
}

TEST_CASE("An online caption of 512 tokens over 2,880 image tokens takes at most 8 MB, whatever the model") {
    const std::ptrdiff_t small = online_caption(1, 1);
    CHECK(small <= 8'000'000);
    CHECK(small >= tokens * image_tokens * 4);
    const std::ptrdiff_t large = online_caption(32, 32);
    CHECK(large <= 8'000'000);
    // What a layer and a head cost is their weight, not their rows.
    CHECK(large - small <= 64 * 1024);
}

TEST_CASE("Out of queries and keys too: one layer's workspace comes on top") {
    const index d = 16, heads = 32, few_tokens = 40;
    const std::vector<float> q(static_cast<std::size_t>(heads * d), 0.5F);
    const std::vector<float> k(static_cast<std::size_t>(heads * image_tokens * d), 0.25F);
    const tensor_view<const float, 2> query(q.data(), {heads, d});
    const auto keys = key_source::contiguous(tensor_view<const float, 3>(k.data(), {heads, image_tokens, d}));
    const auto caption = [&](int layers) {
        return peak_of([&] {
            recorder r({.layers = layers, .heads = static_cast<int>(heads), .image = {0, image_tokens}});
            for (index token = 0; token < few_tokens; ++token) {
                for (int layer = 0; layer < layers; ++layer) {
                    r.add({.layer = layer, .token = token}, attention_row(query, keys));
                }
            }
            REQUIRE(r.check().has_value());
        });
    };
    const std::ptrdiff_t one = caption(1);
    CHECK(one <= few_tokens * image_tokens * 4 + 1'000'000);
    CHECK(caption(6) - one <= 16 * 1024);
}

TEST_CASE("Deferred: layers x flush_every x heads x d floats, and no more at the flushes") {
    const index d = 16, heads = 8, keys_count = 300;
    const int layers = 4;
    const index flush_every = 20;
    const std::vector<float> q(static_cast<std::size_t>(heads * d), 0.5F);
    const std::vector<float> k(static_cast<std::size_t>(heads * keys_count * d), 0.25F);
    const tensor_view<const float, 2> query(q.data(), {heads, d});
    const auto keys = key_source::contiguous(tensor_view<const float, 3>(k.data(), {heads, keys_count, d}));
    const auto held = [&](recording mode, index count) {
        return peak_of([&] {
            recorder r({.layers = layers,
                        .heads = static_cast<int>(heads),
                        .image = {0, 10},
                        .mode = mode,
                        .flush_every = flush_every});
            for (index token = 0; token < count; ++token) {
                for (int layer = 0; layer < layers; ++layer) {
                    r.add({.layer = layer, .token = token}, attention_row(query, keys));
                }
            }
        });
    };
    const std::ptrdiff_t formula = layers * flush_every * heads * d * 4;
    // Queries that wait, before any flush; beside them their tokens, limits and masks, some 60 bytes a query.
    const std::ptrdiff_t waiting = held(recording::deferred, flush_every - 1);
    CHECK(waiting >= formula);
    CHECK(waiting <= formula + layers * flush_every * 80 + 16 * 1024);
    // Many chunks later: the same, one workspace and the rows.
    const std::ptrdiff_t after = held(recording::deferred, 10 * flush_every + 3);
    CHECK(after <= formula + 10 * flush_every * 10 * 8 + 256 * 1024);
}

} // namespace
