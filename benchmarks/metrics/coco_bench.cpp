// Times of metrics/coco.hpp on 200 images of 480 x 640 with 7 truths and 30 detections each, of 80
// categories: the evaluation of masks in memory, and all of it from the two JSON files on.
// benchmarks/peers/coco.py makes the same files, number for number. `coco_bench --files DIR IMAGES
// CATEGORIES` writes them (for benchmarks/metrics/coco_memory.py).
#include "cases.hpp"
#include "coco/coco_evaluation.hpp"
#include "coco/coco_files.hpp"
#include "io/files.hpp"
#include "ostend/metrics/coco.hpp"
#include "ostend/metrics/coco_overlap.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ostend::index;
using namespace ostend_bench;
using namespace ostend_tools;

struct files {
    coco_truth_file truth;
    coco_result_file results;
};

files make(std::int64_t images = 200, std::int64_t classes_in_all = 80) {
    generator random;
    files out;
    for (std::int64_t k = 1; k <= classes_in_all; ++k) {
        out.truth.categories.push_back({k, "class " + std::to_string(k), ""});
    }
    for (std::int64_t i = 1; i <= images; ++i) {
        out.truth.images.push_back({i, height, width, ""});
        std::int64_t classes[3];
        for (std::int64_t& c : classes) {
            c = 1 + random.below(classes_in_all);
        }
        std::vector<ellipse> truths;
        std::vector<std::int64_t> categories;
        for (int t = 0; t < 7; ++t) {
            truths.push_back(anywhere(random));
            categories.push_back(classes[random.below(3)]);
            coco_object o;
            o.id = static_cast<std::int64_t>(out.truth.annotations.size()) + 1;
            o.image = i;
            o.category = categories.back();
            const ostend::rle mask = draw(truths.back());
            o.area = static_cast<double>(ostend::area(mask));
            o.box = ostend::to_coco_box(mask);
            o.segmentation = coco_runs{mask, false};
            out.truth.annotations.push_back(std::move(o));
        }
        for (int d = 0; d < 30; ++d) {
            const auto from = static_cast<std::size_t>(random.below(7));
            ellipse e = truths[from];
            std::int64_t category = categories[from];
            if (random.below(3) == 0) {
                e = anywhere(random);
                category = 1 + random.below(classes_in_all);
            } else {
                e = moved(e, random);
            }
            coco_object o;
            o.image = i;
            o.category = category;
            o.score = static_cast<double>(random.below(1000)) / 1000;
            o.segmentation = coco_runs{draw(e), false};
            out.results.results.push_back(std::move(o));
        }
    }
    return out;
}

/// What an evaluation in memory starts from.
struct image {
    std::vector<ostend::coco_truth> truths;
    std::vector<ostend::coco_detection> detections;
    std::vector<ostend::rle> truth_masks;
    std::vector<ostend::rle> detection_masks;
};

std::vector<image> in_memory(const files& from) {
    std::vector<image> out(from.truth.images.size());
    for (const coco_object& o : from.truth.annotations) {
        image& to = out[static_cast<std::size_t>(o.image - 1)];
        to.truths.push_back({.id = o.id, .category = o.category, .area = *o.area});
        to.truth_masks.push_back(std::get<coco_runs>(o.segmentation).mask);
    }
    for (const coco_object& o : from.results.results) {
        image& to = out[static_cast<std::size_t>(o.image - 1)];
        to.detection_masks.push_back(std::get<coco_runs>(o.segmentation).mask);
        to.detections.push_back({.category = o.category,
                                 .score = o.score,
                                 .area = static_cast<double>(ostend::area(to.detection_masks.back()))});
    }
    return out;
}

void evaluate(benchmark::State& state) {
    static const std::vector<image> images = in_memory(make());
    double figure = 0;
    for (auto _ : state) {
        ostend::coco_accumulator metric;
        for (std::size_t i = 0; i < images.size(); ++i) {
            const image& one = images[i];
            if (!metric.update(static_cast<std::int64_t>(i), one.truths, one.detections,
                               ostend::coco_mask_overlap(one.detection_masks, one.truth_masks))) {
                state.SkipWithError("an image was refused");
            }
        }
        figure = metric.compute().stats[0];
        benchmark::DoNotOptimize(figure);
    }
    state.counters["AP"] = figure;
}

bool write_files(const std::filesystem::path& folder, const files& all = make()) {
    std::string truth = coco_truth_text(all.truth);
    truth.insert(1, "\"info\": {}, "); // which pycocotools asks for
    return write_file(folder / "gt.json", truth).has_value() &&
           write_file(folder / "dt.json", coco_results_text(all.results)).has_value();
}

void load_and_evaluate(benchmark::State& state) {
    static const std::filesystem::path folder = [] {
        const auto path = std::filesystem::temp_directory_path() / "ostend_coco_bench";
        return write_files(path) ? path : std::filesystem::path();
    }();
    double figure = 0;
    for (auto _ : state) {
        auto truth = read_coco_truth(folder / "gt.json");
        auto results = read_coco_results(folder / "dt.json");
        ostend::coco_accumulator metric;
        if (!truth || !results || !evaluate_coco(*truth, *results, {}, metric)) {
            state.SkipWithError("the files cannot be evaluated");
            break;
        }
        figure = metric.compute().stats[0];
        benchmark::DoNotOptimize(figure);
    }
    state.counters["AP"] = figure;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 5 && std::string_view(argv[1]) == "--files") {
        return write_files(argv[2], make(std::atoll(argv[3]), std::atoll(argv[4]))) ? 0 : 1;
    }
    benchmark::RegisterBenchmark("cocoeval.segm.200img.evaluate+accumulate", evaluate)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("cocoeval.segm.200img", load_and_evaluate)->Unit(benchmark::kMillisecond);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
