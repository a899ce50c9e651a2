// pairwise_sum: the sum of doubles in the order in which NumPy adds them, so that a mean equals np.mean to
// the last bit. (It is also more exact than adding one by one: the error grows with log n.)
//
// NumPy (numpy/_core/src/umath/loops_utils.h.src): up to 128 values go into eight partial sums, longer arrays
// are halved at a multiple of eight. Up to NumPy 2.2 an array reaches this in buffers of 8192 values, whose
// sums are added one by one; from 2.3 on as a whole. The two differ in the last bit for arrays above a
// buffer.
#pragma once

#include "ostend/core/config.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace ostend::inline v0 {

enum class numpy_sums : unsigned char { buffered, whole }; ///< up to NumPy 2.2, from 2.3 on

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Halves and partial sums of the whole array: np.sum of NumPy 2.3 and later. O(values).
[[nodiscard]] inline double pairwise_sum(std::span<const double> values) {
    constexpr std::size_t block = 128;
    const std::size_t n = values.size();
    if (n < 8) {
        double sum = 0;
        for (const double v : values) {
            sum += v;
        }
        return sum;
    }
    if (n > block) {
        const std::size_t half = n / 2 - n / 2 % 8;
        return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
    }
    std::array<double, 8> part{};
    for (std::size_t k = 0; k < 8; ++k) {
        part[k] = values[k];
    }
    std::size_t i = 8;
    for (; i + 8 <= n; i += 8) {
        for (std::size_t k = 0; k < 8; ++k) {
            part[k] += values[i + k];
        }
    }
    double sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; ++i) {
        sum += values[i];
    }
    return sum;
}

/// np.sum of a contiguous float64 array. O(values).
[[nodiscard]] inline double numpy_sum(std::span<const double> values, numpy_sums how = numpy_sums::buffered) {
    if (how == numpy_sums::whole) {
        return pairwise_sum(values);
    }
    constexpr std::size_t buffer = 8192;
    double sum = 0;
    for (; values.size() > buffer; values = values.subspan(buffer)) {
        sum += pairwise_sum(values.first(buffer));
    }
    return sum + pairwise_sum(values);
}

/// np.mean; `otherwise` for no values.
[[nodiscard]] inline double numpy_mean(std::span<const double> values, double otherwise,
                                       numpy_sums how = numpy_sums::buffered) {
    return values.empty() ? otherwise : numpy_sum(values, how) / static_cast<double>(values.size());
}

} // namespace ostend::inline OSTEND_KERNELS
