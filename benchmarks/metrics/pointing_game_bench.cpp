// Times of metrics/pointing_game.hpp with its tolerance of 15 pixels, 200 images of 7 objects and 5 points:
// from COCO's strings and from run lengths.
#include "ostend/metrics/pointing_game.hpp"
#include "points.hpp"

#include <cstdlib>

namespace {

double evaluate(bool from_text) {
    ostend::pointing_game_accumulator metric({.classes = 80});
    for (const auto& image : ostend_bench::pointed_images()) {
        if (!metric.update(image.name, image.truths(from_text), image.points)) {
            std::abort();
        }
    }
    const auto result = metric.compute();
    return result.accuracy.value() + result.pooled.value();
}

} // namespace

int main(int argc, char** argv) {
    ostend_bench::add_both("pointing_game.200img.480x640", evaluate);
    return run_benchmarks(argc, argv);
}
