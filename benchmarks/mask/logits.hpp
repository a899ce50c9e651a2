// Three low-resolution masks of a segmenter at once, and what is made of each of them.
#pragma once

#include "shapes.hpp"

#include "ostend/mask/coco_string.hpp"

#include <vector>

namespace ostend_bench {

inline std::vector<ostend::matrix<float>> three_logits(index side) {
    std::vector<ostend::matrix<float>> out;
    for (std::uint32_t k = 0; k < 3; ++k) {
        out.push_back(blob_logits(side, k));
    }
    return out;
}

/// f makes a logits_mask of each of three logits; it is used as a COCO string with box, area and stability
/// score.
template <class F>
void add_three(const std::string& op, index side, F f) {
    add(op, [=] {
        return [f, logits = three_logits(side)] {
            double sum = 0;
            for (const auto& one : logits) {
                const auto got = f(one);
                sum += static_cast<double>(to_coco_string(got.mask).size()) + got.box.x1 +
                       static_cast<double>(got.area) + got.stability;
            }
            return sum;
        };
    });
}

} // namespace ostend_bench
