// Times of image_pyramid: pyramid.<width>x<height>to96, an image of bytes and its halves in f32 until no side
// is longer than 96, each with its contrast, the last with its neighbours' likeness.
#include "../run.hpp"
#include "ostend/host/image_pyramid.hpp"
#include "pictures.hpp"

#include <benchmark/benchmark.h>

namespace {

void halve(benchmark::State& state, ostend::image_size size) {
    const auto pixels = ostend_bench::picture(size);
    const ostend::image_view image = ostend_bench::view(pixels, size);
    for ([[maybe_unused]] auto step : state) {
        benchmark::DoNotOptimize(ostend::image_pyramid(image, 96));
    }
    // bytes read, and 12 written a pixel at each level
    state.SetBytesProcessed(state.iterations() * (3 * size.area() + 16 * size.area()));
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::image_size size : {ostend::image_size{640, 480}, ostend::image_size{1024, 768}}) {
        const std::string op =
            "pyramid." + std::to_string(size.width) + "x" + std::to_string(size.height) + "to96";
        benchmark::RegisterBenchmark(op.c_str(), halve, size)->Unit(benchmark::kMillisecond);
    }
    return run_benchmarks(argc, argv);
}
