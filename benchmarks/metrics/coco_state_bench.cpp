// Times of metrics/coco_state.hpp: the state of 1,000 images with 7 truths and 30 detections each, of 80
// categories, as bytes and back with all that is checked.
#include "cases.hpp"
#include "ostend/metrics/coco_state.hpp"

#include "ostend/metrics/coco_overlap.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace ostend_bench;

ostend::coco_box anywhere_box(generator& random) {
    const ellipse e = anywhere(random);
    return {static_cast<double>(e.x), static_cast<double>(e.y), static_cast<double>(e.rx),
            static_cast<double>(e.ry)};
}

const ostend::coco_accumulator& evaluated() {
    static const ostend::coco_accumulator all = [] {
        generator random;
        ostend::coco_accumulator made;
        for (std::int64_t image = 1; image <= 1000; ++image) {
            std::vector<ostend::coco_truth> truths;
            std::vector<ostend::coco_detection> detections;
            std::vector<ostend::coco_box> truth_boxes;
            std::vector<ostend::coco_box> detection_boxes;
            for (std::int64_t t = 0; t < 7; ++t) {
                truth_boxes.push_back(anywhere_box(random));
                truths.push_back({.id = 7 * image + t,
                                  .category = random.below(80),
                                  .area = truth_boxes.back().width * truth_boxes.back().height});
            }
            for (std::size_t d = 0; d < 30; ++d) {
                const bool wrong = random.below(3) == 0;
                detection_boxes.push_back(wrong ? anywhere_box(random) : truth_boxes[d % 7]);
                detections.push_back({.category = wrong ? random.below(80) : truths[d % 7].category,
                                      .score = static_cast<double>(random.below(1000)) / 1000,
                                      .area = 1000});
            }
            if (!made.update(image, truths, detections,
                             ostend::coco_box_overlap(detection_boxes, truth_boxes))) {
                std::abort();
            }
        }
        return made;
    }();
    return all;
}

void write(benchmark::State& state) {
    std::size_t size = 0;
    for ([[maybe_unused]] auto step : state) {
        const std::string bytes = coco_to_bytes(evaluated());
        size = bytes.size();
        benchmark::DoNotOptimize(bytes.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void read(benchmark::State& state) {
    const std::string bytes = coco_to_bytes(evaluated());
    for ([[maybe_unused]] auto step : state) {
        const auto back = ostend::coco_from_bytes(bytes);
        if (!back) {
            state.SkipWithError(back.error().message().c_str());
            return;
        }
        benchmark::DoNotOptimize(back->records().size());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

} // namespace

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("coco.state.write.1000img", write)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("coco.state.read.1000img", read)->Unit(benchmark::kMillisecond);
    return run_benchmarks(argc, argv);
}
