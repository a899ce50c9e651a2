// What benchmarks of metrics share: numbers and ellipses, which benchmarks/peers/metrics.py makes number for
// number, and the registration of a call that gives a figure.
#pragma once

#include "../run.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/set_operations.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace ostend_bench {

using ostend::index;

constexpr index height = 480;
constexpr index width = 640;

/// Knuth's linear congruential generator, as the peers have it.
struct generator {
    std::uint64_t state = 1;
    std::int64_t below(std::int64_t n) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::int64_t>(state >> 33U) % n;
    }
};

struct ellipse {
    std::int64_t x, y, rx, ry;
};

inline ellipse anywhere(generator& random) {
    const std::int64_t x = random.below(width);
    const std::int64_t y = random.below(height);
    const std::int64_t rx = 8 + random.below(100);
    return {x, y, rx, 8 + random.below(80)};
}

/// The same a few pixels off, as a good prediction is.
inline ellipse moved(ellipse e, generator& random) {
    e.x += random.below(13) - 6;
    e.y += random.below(13) - 6;
    return e;
}

/// Column by column, in whole numbers.
inline ostend::rle draw(const ellipse& e) {
    ostend::OSTEND_KERNELS::detail::run_writer out(height, width);
    for (std::int64_t x = std::max<std::int64_t>(0, e.x - e.rx); x <= std::min(width - 1, e.x + e.rx); ++x) {
        const std::int64_t dx = x - e.x;
        const std::int64_t square = e.ry * e.ry * (e.rx * e.rx - dx * dx) / (e.rx * e.rx);
        auto half = static_cast<std::int64_t>(std::sqrt(static_cast<double>(square)));
        half -= half * half > square ? 1 : 0;
        const std::int64_t top = std::max<std::int64_t>(0, e.y - half);
        const std::int64_t end = std::min(height, e.y + half + 1);
        if (top < end) {
            out.add_inside(static_cast<std::uint64_t>(x * height + top),
                           static_cast<std::uint64_t>(x * height + end));
        }
    }
    return out.finish();
}

/// A mask in both forms: as files have it, whose reading is then part of the work as decoding is of the
/// peers', and as run lengths.
struct stored_mask {
    ostend::rle runs;
    std::string text;

    explicit stored_mask(ostend::rle mask) : runs(std::move(mask)), text(ostend::to_coco_string(runs)) {}
    [[nodiscard]] ostend::rle read(bool from_text) const {
        return from_text ? ostend::from_coco_string(text, height, width).value() : runs;
    }
};

/// Times f(), which gives a figure; the figure is shown, so that it can be held beside the peers'.
template <class F>
void add(const std::string& op, F f) {
    benchmark::RegisterBenchmark(op.c_str(), [f](benchmark::State& state) {
        double figure = 0;
        for ([[maybe_unused]] auto step : state) {
            figure = f();
            benchmark::DoNotOptimize(figure);
        }
        state.counters["figure"] = figure;
    })->Unit(benchmark::kMillisecond);
}

/// Twice: from COCO's strings, and from run lengths.
template <class F>
void add_both(const std::string& op, F f) {
    add(op, [f] { return f(true); });
    add(op + "/impl:ostend-rle", [f] { return f(false); });
}

} // namespace ostend_bench
