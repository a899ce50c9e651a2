// Times of metrics/referring.hpp: gIoU, cIoU and P@X of 1,000 expressions over masks of 480 x 640, from
// COCO's strings and from run lengths. One expression in ten has no target, one prediction in ten is empty.
#include "cases.hpp"
#include "ostend/metrics/referring.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace ostend_bench;

struct sample {
    std::string name;
    stored_mask truth;
    stored_mask prediction;
};

const std::vector<sample>& samples() {
    static const std::vector<sample> all = [] {
        std::vector<sample> made;
        generator random;
        for (int i = 0; i < 1000; ++i) {
            const ellipse e = anywhere(random);
            const bool target = random.below(10) != 0;
            const std::int64_t kind = random.below(10); // of the prediction: none, elsewhere, near
            const ellipse p = kind < 3 ? anywhere(random) : moved(e, random);
            const ostend::rle none{height, width, {height * width}};
            made.push_back({"expression " + std::to_string(i), stored_mask(target ? draw(e) : none),
                            stored_mask(kind == 0 ? none : draw(p))});
        }
        return made;
    }();
    return all;
}

double evaluate(bool from_text) {
    ostend::referring_accumulator metric;
    for (const sample& s : samples()) {
        if (!metric.update(s.name, s.truth.read(from_text), s.prediction.read(from_text))) {
            std::abort();
        }
    }
    const auto result = metric.compute();
    return result.giou.value() + result.ciou.value() + result.precision[0].value() + result.n_acc.value();
}

} // namespace

int main(int argc, char** argv) {
    add_both("referring.1000.480x640", evaluate);
    return run_benchmarks(argc, argv);
}
