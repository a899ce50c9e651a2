// row_judgement: whether a reduced row can be attention, and its mass on the image.
#pragma once

#include "ostend/core/config.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <span>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Whether a value is finite and not below `least`.
inline bool is_attention(float p, float least) {
    return p >= least && p <= std::numeric_limits<float>::max();
}

/// Whether all values of a row are attention, and their sum.
struct row_judgement {
    bool is_good = true;
    double mass = 0;
};
/// Complexity O(values). The order of the sum is fixed by their number.
inline row_judgement judge(std::span<const float> row, float least) {
    std::array<double, 8> sums{}; // side by side, so that they are vectors
    unsigned bad = 0;
    const auto take = [&](std::size_t lane, float p) {
        bad |= is_attention(p, least) ? 0U : 1U;
        sums[lane] += static_cast<double>(p);
    };
    std::size_t i = 0;
    for (; i + sums.size() <= row.size(); i += sums.size()) {
        for (std::size_t lane = 0; lane < sums.size(); ++lane) {
            take(lane, row[i + lane]);
        }
    }
    for (std::size_t lane = 0; i < row.size(); ++i, ++lane) {
        take(lane, row[i]);
    }
    row_judgement judged{bad == 0, 0};
    for (const double sum : sums) {
        judged.mass += sum;
    }
    return judged;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
