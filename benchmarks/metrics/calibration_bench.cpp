// Times of metrics/calibration.hpp, 2,000 images of 5 predictions with many equal confidences: all of it, and
// compute() alone: AUROC, both calibration errors of 15 bins, and the risk-coverage curve.
#include "cases.hpp"
#include "ostend/metrics/calibration.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace ostend_bench;

struct image {
    std::string name;
    std::vector<ostend::scored_hit> predictions;
};

/// A confidence is a thousandth; the higher, the likelier a hit.
const std::vector<image>& images() {
    static const std::vector<image> all = [] {
        generator random;
        std::vector<image> made(2000);
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i].name = "image " + std::to_string(i);
            for (int k = 0; k < 5; ++k) {
                const std::int64_t confidence = random.below(1001);
                const bool hit = random.below(1500) < confidence;
                made[i].predictions.push_back({static_cast<double>(confidence) / 1000, hit});
            }
        }
        return made;
    }();
    return all;
}

ostend::calibration_accumulator update() {
    ostend::calibration_accumulator metric;
    for (const image& one : images()) {
        if (!metric.update(one.name, one.predictions)) {
            std::abort();
        }
    }
    return metric;
}

double figures(const ostend::calibration_accumulator& metric) {
    const auto result = metric.compute();
    return result.auroc.value() + result.ece_equal_width.value() + result.ece_equal_mass.value() +
           result.aurc.value() + result.excess_aurc.value();
}

} // namespace

int main(int argc, char** argv) {
    add("calibration.2000img", [] { return figures(update()); });
    add("calibration.2000img.compute", [] {
        static const auto metric = update();
        return figures(metric);
    });
    return run_benchmarks(argc, argv);
}
