// Times of find_peak, everything in them: the interpolation's weights, the search, the confidence. The map is
// of uniform noise, which is harder than attention: many cells are nearly as high as the highest.
// bicubic+argmax.24to<side>.B<maps>: one map, or many of one image. .pad: as LLaVA pads a 640 x 480 image.
#include "../run.hpp"
#include "ostend/core/threads.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/many.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>

namespace {

ostend::matrix<float> random_maps(ostend::index count) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    ostend::matrix<float> maps(count, 576);
    std::generate(maps.values().begin(), maps.values().end(), [&] { return uniform(random); });
    return maps;
}

template <class F>
void add(const std::string& op, F f) {
    add_call(op, f)->UseRealTime();
}

void add_maps(const std::string& op, ostend::index count, const ostend::layout& grid) {
    const auto maps = random_maps(count);
    if (count == 1) {
        add(op, [maps, grid] { return ostend::find_peak(maps.row(0), grid); });
        return;
    }
    add(op, [maps, grid] { return ostend::find_peak_of_each(maps, grid); });
    add(op + "/threads:2",
        [maps, grid] { return ostend::find_peak_of_each(maps, grid, {}, ostend::threads{2}); });
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index side : {336, 1024, 2048}) {
        const std::string size = "bicubic+argmax.24to" + std::to_string(side);
        for (const ostend::index count : {1, 32}) {
            add_maps(size + ".B" + std::to_string(count), count, ostend::geometry::stretch({side, side}));
        }
    }
    add_maps("bicubic+crop+argmax.24to480x640.pad.B8", 8, ostend::geometry::llava_pad({640, 480}));
    return run_benchmarks(argc, argv);
}
