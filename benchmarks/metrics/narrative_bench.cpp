// Times of metrics/narrative.hpp, 200 narratives of 5 phrases over masks of 480 x 640: all of it, from COCO's
// strings and from run lengths, and the curves alone once the phrases' IoUs are there.
#include "cases.hpp"
#include "ostend/metrics/narrative.hpp"

#include <cstdlib>
#include <vector>

namespace {

using namespace ostend_bench;

struct phrase {
    std::vector<stored_mask> truth;
    std::vector<stored_mask> prediction;
    bool thing = true;
};
using narrative = std::vector<phrase>;

/// One phrase in four is plural: three objects. One in eight is not found.
const std::vector<narrative>& narratives() {
    static const std::vector<narrative> all = [] {
        generator random;
        std::vector<narrative> made(200, narrative(5));
        for (narrative& one : made) {
            for (phrase& p : one) {
                p.thing = random.below(2) == 0;
                const std::int64_t objects = random.below(4) == 0 ? 3 : 1;
                const bool found = random.below(8) != 0;
                for (std::int64_t k = 0; k < objects; ++k) {
                    const ellipse e = anywhere(random);
                    p.truth.emplace_back(draw(e));
                    if (found) {
                        p.prediction.emplace_back(draw(moved(e, random)));
                    }
                }
            }
        }
        return made;
    }();
    return all;
}

ostend::narrative_accumulator update(bool from_text) {
    ostend::narrative_accumulator metric;
    int number = 0;
    for (const narrative& one : narratives()) {
        std::vector<ostend::narrative_phrase> phrases;
        for (const phrase& p : one) {
            auto& to = phrases.emplace_back();
            for (const stored_mask& mask : p.truth) {
                to.truth.push_back(mask.read(from_text));
            }
            for (const stored_mask& mask : p.prediction) {
                to.prediction.push_back(mask.read(from_text));
            }
            to.thing = p.thing;
            to.plural = p.truth.size() > 1;
        }
        if (!metric.update("narrative " + std::to_string(number++), phrases)) {
            std::abort();
        }
    }
    return metric;
}

double recalls(const ostend::narrative_accumulator& metric) {
    const auto result = metric.compute();
    return result.all.sampled_recall.value() + result.things.sampled_recall.value() +
           result.stuff.sampled_recall.value() + result.singulars.sampled_recall.value() +
           result.plurals.sampled_recall.value();
}

} // namespace

int main(int argc, char** argv) {
    add_both("narrative.1000.480x640", [](bool from_text) { return recalls(update(from_text)); });
    add("narrative.recall.1000", [] {
        static const auto metric = update(false);
        return recalls(metric);
    });
    return run_benchmarks(argc, argv);
}
