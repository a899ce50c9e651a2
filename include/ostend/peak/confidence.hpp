// How far a peak can be trusted: it is high against its own map, and the map's mass lies around it.
//
// A figure of the map alone, calibrated on nothing: it ranks peaks and finds flat maps; it is no probability.
#pragma once

#include "ostend/peak/resample.hpp"

#include <algorithm>
#include <cmath>

namespace ostend::inline OSTEND_KERNELS {

/// Confidence in [0, 1] of a peak of the given value at a pixel: sqrt(height * concentration), where
///   height = z^2 / (1 + z^2), z = (value - mean) / sd over the view's cells (0 when z <= 0): by Cantelli's
///     inequality, at least this share of the cells lies below the peak's value whatever the distribution;
///   concentration = the share of the mass above the mean, sum of max(0, cell - mean), that lies in the 5 x 5
///     cells around the peak's.
/// Unchanged when the map is scaled by a positive factor or shifted. A constant map gives 0, a single lit
/// cell of 24 x 24 about 1, noise about 0.2. Preconditions: finite cells, as find_peak has checked.
/// Complexity O(cells).
[[nodiscard]] inline double peak_confidence(const matrix<float>& cells, const resampling& on, pixel at,
                                            float value) {
    const auto count = static_cast<double>(cells.rows() * cells.columns());
    double sum = 0;
    for (const float v : cells.values()) {
        sum += v;
    }
    const double mean = sum / count;
    double squares = 0;
    double mass = 0;
    for (const float v : cells.values()) {
        const double excess = v - mean;
        squares += excess * excess;
        mass += std::max(0.0, excess);
    }
    const double sd = std::sqrt(squares / count);
    const double rise = value - mean;
    // A spread that rounding alone can make is none.
    if (!(rise > 0) || !(sd > 1e-9 * std::abs(mean)) || !(mass > 0)) {
        return 0;
    }
    const auto cell = [](const axis_weights& axis, index x) {
        return std::clamp(static_cast<index>(std::floor(axis.position(x))), index{0}, axis.cells - 1);
    };
    const index row = cell(on.y, at.y);
    const index column = cell(on.x, at.x);
    double near = 0;
    for (index r = std::max<index>(0, row - 2); r <= std::min(row + 2, cells.rows() - 1); ++r) {
        for (index c = std::max<index>(0, column - 2); c <= std::min(column + 2, cells.columns() - 1); ++c) {
            near += std::max(0.0, cells(r, c) - mean);
        }
    }
    const double z = rise / sd;
    const double height = z * z / (1 + z * z);
    return std::sqrt(height * std::clamp(near / mass, 0.0, 1.0));
}

} // namespace ostend::inline OSTEND_KERNELS
