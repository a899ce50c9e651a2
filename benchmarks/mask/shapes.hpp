// Masks and logits of the benchmarks, the same numbers as benchmarks/peers/mask_shapes.py makes.
#pragma once

#include "../run.hpp"
#include "ostend/mask/bitmap.hpp"
#include "ostend/tensor/matrix.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ostend_bench {

using ostend::index;

/// The k-th of a fixed sequence of numbers in [0, 1).
inline double unit(std::uint32_t k) { return static_cast<double>((k + 1) * 2654435761U) / 4294967296.0; }

/// `count` ellipses; the seed chooses them, `shift` moves them to the right.
inline ostend::bitmap ellipses(index side, std::uint32_t seed, std::uint32_t count, double shift = 0) {
    ostend::bitmap out(side, side);
    const auto size = static_cast<double>(side);
    for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t at = 1000 * seed + 4 * k;
        const double cx = unit(at) * size + shift;
        const double cy = unit(at + 1) * size;
        const double rx = (0.02 + 0.15 * unit(at + 2)) * size;
        const double ry = (0.02 + 0.15 * unit(at + 3)) * size;
        for (index y = 0; y < side; ++y) {
            for (index x = 0; x < side; ++x) {
                const double dx = (static_cast<double>(x) - cx) / rx;
                const double dy = (static_cast<double>(y) - cy) / ry;
                out(y, x) |= dx * dx + dy * dy < 1 ? 1 : 0;
            }
        }
    }
    return out;
}

/// Steele's and Vigna's mix of the pixel's number: bits that no processor foretells.
inline std::uint64_t hash(std::uint64_t i) {
    std::uint64_t h = (i + 1) * 0x9E3779B97F4A7C15ULL;
    h = (h ^ (h >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    h = (h ^ (h >> 27U)) * 0x94D049BB133111EBULL;
    return h ^ (h >> 31U);
}
inline ostend::bitmap noise(index side) {
    ostend::bitmap out(side, side);
    for (std::size_t i = 0; i < out.pixels.size(); ++i) {
        out.pixels[i] = static_cast<std::uint8_t>(hash(i) & 1U);
    }
    return out;
}
/// Ellipses with one pixel in five hundred turned over: many small holes and islands.
inline ostend::bitmap speckled(index side) {
    ostend::bitmap out = ellipses(side, 1, 6);
    for (std::size_t i = 0; i < out.pixels.size(); ++i) {
        out.pixels[i] ^= (hash(i) >> 40U) % 500 == 0 ? 1 : 0;
    }
    return out;
}

/// The k-th low-resolution mask of a segmenter: a blob with a soft, wavy edge.
inline ostend::matrix<float> blob_logits(index side, std::uint32_t k) {
    ostend::matrix<float> out(side, side);
    const double scale = 256.0 / static_cast<double>(side);
    for (index y = 0; y < side; ++y) {
        for (index x = 0; x < side; ++x) {
            const double v = static_cast<double>(y) * scale - 100 - 20 * k;
            const double u = static_cast<double>(x) * scale - 130 + 15 * k;
            out(y, x) = static_cast<float>(10 - 0.2 * std::sqrt(u * u + v * v) +
                                           0.5 * std::sin(0.3 * u) * std::cos(0.4 * v));
        }
    }
    return out;
}

/// Registers an operation: make() gives the call to time, and is asked once, when that is run first.
template <class Make>
void add(const std::string& op, Make make) {
    const auto made = std::make_shared<std::optional<decltype(make())>>();
    benchmark::RegisterBenchmark(op.c_str(), [make, made](benchmark::State& state) {
        if (!*made) {
            made->emplace(make());
        }
        for ([[maybe_unused]] auto step : state) {
            benchmark::DoNotOptimize((**made)());
        }
    })->Unit(benchmark::kMillisecond);
}

inline int run(int argc, char** argv) { return run_benchmarks(argc, argv); }

} // namespace ostend_bench
