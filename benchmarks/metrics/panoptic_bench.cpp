// Times of metrics/panoptic.hpp, one image of 20 truths and 20 predictions: from maps of identifiers, as
// panopticapi starts, and from run lengths.
#include "../run.hpp"
#include "ostend/metrics/panoptic.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using ostend::panoptic_info;
using ostend::panoptic_segment;

constexpr int count = 20;

struct side {
    std::vector<std::uint32_t> map;
    std::vector<panoptic_info> listed;
};

/// Voronoi cells of 20 places; the prediction's places have moved a little. The border is void.
side make_side(ostend::index height, ostend::index width, double moved) {
    std::mt19937 random(9);
    std::uniform_real_distribution<double> unit(0, 1);
    std::vector<std::pair<double, double>> places;
    side out;
    for (std::uint32_t k = 0; k < count; ++k) {
        places.emplace_back(
            (0.1 + 0.8 * unit(random) + moved * (unit(random) - 0.5)) * static_cast<double>(width),
            (0.1 + 0.8 * unit(random) + moved * (unit(random) - 0.5)) * static_cast<double>(height));
        out.listed.push_back({1000 + 7 * k, 1 + k % 5});
    }
    for (ostend::index y = 0; y < height; ++y) {
        for (ostend::index x = 0; x < width; ++x) {
            double best = 1e30;
            std::uint32_t id = 0;
            for (std::size_t k = 0; k < count; ++k) {
                const double dx = static_cast<double>(x) - places[k].first;
                const double dy = static_cast<double>(y) - places[k].second;
                if (dx * dx + dy * dy < best) {
                    best = dx * dx + dy * dy;
                    id = out.listed[k].id;
                }
            }
            out.map.push_back(x < 8 || y < 8 ? 0 : id);
        }
    }
    return out;
}

double quality(std::span<const panoptic_segment> truths, std::span<const panoptic_segment> predictions) {
    ostend::panoptic_accumulator metric(
        {.is_thing = {{1, true}, {2, true}, {3, true}, {4, false}, {5, false}}});
    if (!metric.update("image", truths, predictions)) {
        std::abort();
    }
    return metric.compute().all.pq.value();
}

} // namespace

int main(int argc, char** argv) {
    for (const auto& [height, width] : {std::pair<ostend::index, ostend::index>{480, 640}, {1024, 1024}}) {
        const side truth = make_side(height, width, 0);
        const side prediction = make_side(height, width, 0.05);
        const auto segments = [h = height, w = width](const side& of) {
            return ostend::panoptic_segments({of.map.data(), {h, w}}, of.listed).value();
        };
        const std::string op =
            "panoptic.20x20." + std::to_string(height) + "x" + std::to_string(width) + ".per-image";
        add_call(op, [=] { return quality(segments(truth), segments(prediction)); });
        add_call(op + "/impl:ostend-rle",
                 [truths = segments(truth), found = segments(prediction)] { return quality(truths, found); });
    }
    return run_benchmarks(argc, argv);
}
