// Times of metrics/gcg_ap.hpp, 200 images of 8 predictions and 6 truths: from COCO's strings and from run
// lengths.
#include "cases.hpp"
#include "ostend/metrics/gcg_ap.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace ostend_bench;

struct image {
    std::vector<stored_mask> truths;
    std::vector<stored_mask> predictions;
};

/// One prediction in three lies anywhere, the others near a truth.
const std::vector<image>& images() {
    static const std::vector<image> all = [] {
        generator random;
        std::vector<image> made(200);
        for (image& one : made) {
            std::vector<ellipse> truths;
            for (int t = 0; t < 6; ++t) {
                truths.push_back(anywhere(random));
                one.truths.emplace_back(draw(truths.back()));
            }
            for (std::size_t p = 0; p < 8; ++p) {
                const bool wrong = random.below(3) == 0;
                one.predictions.emplace_back(draw(wrong ? anywhere(random) : moved(truths[p % 6], random)));
            }
        }
        return made;
    }();
    return all;
}

std::vector<ostend::rle> read(const std::vector<stored_mask>& masks, bool from_text) {
    std::vector<ostend::rle> out;
    for (const stored_mask& mask : masks) {
        out.push_back(mask.read(from_text));
    }
    return out;
}

double evaluate(bool from_text) {
    ostend::gcg_ap_accumulator metric;
    std::int64_t number = 0;
    for (const image& one : images()) {
        if (!metric.update(++number, read(one.truths, from_text), read(one.predictions, from_text))) {
            std::abort();
        }
    }
    const auto result = metric.compute();
    return result.ap + result.ap50;
}

} // namespace

int main(int argc, char** argv) {
    add_both("gcg.ap.200img.8x6.480x640", evaluate);
    return run_benchmarks(argc, argv);
}
