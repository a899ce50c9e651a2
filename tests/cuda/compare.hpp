// Comparisons that the cases of this folder share.
#pragma once

#include "ostend/tensor/matrix.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace ostend_test {

/// Off by at most absolute + relative * |wanted|; NaN where NaN is wanted.
inline void check_close(const std::vector<float>& got, const ostend::matrix<float>& want, float relative,
                        float absolute) {
    REQUIRE(got.size() == want.values().size());
    float worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const float w = want.values()[i];
        if (std::isnan(w) && std::isnan(got[i])) {
            continue;
        }
        const float off = got[i] == w ? 0.0F : std::abs(got[i] - w) / (absolute + relative * std::abs(w));
        worst = off > worst || std::isnan(off) ? off : worst;
    }
    CHECK_MESSAGE(worst <= 1, worst << " times the tolerance");
}

/// The same bits, NaN included.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline ostend::matrix<float> random_matrix(std::mt19937& random, ostend::index rows, ostend::index columns) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    ostend::matrix<float> made(rows, columns);
    for (float& v : made.values()) {
        v = uniform(random);
    }
    return made;
}

inline std::vector<float> values_of(const ostend::matrix<float>& m) {
    return {m.values().begin(), m.values().end()};
}

} // namespace ostend_test
