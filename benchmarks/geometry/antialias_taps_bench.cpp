// Times of antialias_taps, taps.triangle.<from>to<to>, and of what they are made for: the image that SAM
// reads, sam.image.<from>to<to>, resized so that every pixel counts, scaled, in planes
// (adapt/sam_inputs.hpp).
#include "../run.hpp"
#include "ostend/adapt/sam_inputs.hpp"
#include "ostend/geometry/antialias_taps.hpp"

#include <benchmark/benchmark.h>

#include <random>

namespace {

using ostend::image_size;
using ostend::index;

std::string text(image_size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

void make_taps(benchmark::State& state, index from, index to) {
    for ([[maybe_unused]] auto step : state) {
        benchmark::DoNotOptimize(ostend::make_triangle_taps(from, to));
    }
}

void make_image(benchmark::State& state, image_size from, image_size to) {
    std::mt19937 random(1);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * from.area()));
    for (std::uint8_t& p : pixels) {
        p = static_cast<std::uint8_t>(random());
    }
    const ostend::image_view image(pixels.data(), {from.height, from.width, 3});
    for ([[maybe_unused]] auto step : state) {
        benchmark::DoNotOptimize(ostend::sam_image(image, to, {1024, 1024}));
    }
    state.SetBytesProcessed(state.iterations() * (3 * from.area() + 4 * 3 * 1024 * 1024));
}

} // namespace

int main(int argc, char** argv) {
    for (const auto& [from, to] : {std::pair{640, 1024}, std::pair{4032, 1024}}) {
        const std::string op = "taps.triangle." + std::to_string(from) + "to" + std::to_string(to);
        benchmark::RegisterBenchmark(op.c_str(), make_taps, from, to)->Unit(benchmark::kMillisecond);
    }
    for (const image_size from : {image_size{640, 480}, image_size{2048, 1536}}) {
        const image_size to{1024, 768};
        benchmark::RegisterBenchmark(("sam.image." + text(from) + "to" + text(to)).c_str(), make_image, from,
                                     to)
            ->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
