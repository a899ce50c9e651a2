// Random maps of many kinds: noise, plateaus, ties, tiny values.
#pragma once

#include "ostend/tensor/matrix.hpp"

#include <cmath>
#include <random>

namespace ostend_test {

enum class kind { normal, positive, constant, plateau, sparse, negative, smooth, offset, tiny, equal_peaks };

inline ostend::matrix<float> make_map(kind what, ostend::index rows, ostend::index columns,
                                      std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform(0, 1);
    ostend::matrix<float> cells(rows, columns);
    const float level = normal(random);
    for (ostend::index r = 0; r < rows; ++r) {
        for (ostend::index c = 0; c < columns; ++c) {
            float& v = cells(r, c);
            switch (what) {
            case kind::normal:
                v = normal(random);
                break;
            case kind::positive:
                v = 2e-4F * uniform(random);
                break;
            case kind::constant:
                v = level;
                break;
            case kind::plateau:
                v = uniform(random) < 0.5F ? 0.0F : 1.0F;
                break;
            case kind::sparse:
                v = uniform(random) < 0.03F ? normal(random) : 0.0F;
                break;
            case kind::negative:
                v = -1.0F - uniform(random);
                break;
            case kind::smooth:
                v = std::sin(0.4F * static_cast<float>(r) + level) * std::cos(0.3F * static_cast<float>(c));
                break;
            case kind::offset:
                v = 1.0F + 1e-6F * normal(random);
                break;
            case kind::tiny:
                v = 1e-41F * normal(random);
                break;
            case kind::equal_peaks:
                v = r % 3 == 1 && c % 4 == 2 ? 1.0F : 0.0F;
                break;
            }
        }
    }
    return cells;
}

inline constexpr int kinds = 10;

} // namespace ostend_test
