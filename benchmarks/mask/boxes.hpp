// Boxes as a detector gives them: many a object, a little apart, with scores; the same numbers as
// benchmarks/peers/mask_shapes.py makes.
#pragma once

#include "shapes.hpp"

#include "ostend/mask/runs.hpp"

#include <cmath>
#include <vector>

namespace ostend_bench {

/// The k-th of a sequence of numbers in [0, 1) that nothing foretells.
inline double random_unit(std::uint64_t k) { return static_cast<double>(hash(k) >> 40U) / 16777216.0; }

struct scored_boxes {
    std::vector<ostend::coco_box> boxes = {}; ///< of whole numbers, which all peers take
    std::vector<double> scores = {};

    explicit scored_boxes(std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; ++i) {
            const std::uint64_t object = 4 * (i % (n / 20));
            const std::uint64_t own = 100000 + 5 * i;
            boxes.push_back({std::floor(800 * random_unit(object) + 20 * random_unit(own)),
                             std::floor(600 * random_unit(object + 1) + 20 * random_unit(own + 1)),
                             std::floor(20 + 150 * random_unit(object + 2) + 20 * random_unit(own + 2)),
                             std::floor(20 + 150 * random_unit(object + 3) + 20 * random_unit(own + 3))});
            scores.push_back(0.01 + 0.99 * random_unit(own + 4));
        }
    }
};

} // namespace ostend_bench
