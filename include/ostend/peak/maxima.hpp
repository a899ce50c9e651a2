// Several separated peaks of one map: its local maxima, highest first, none too near to a higher one.
//
// Local maxima, not "the largest pixel outside of a disc": the rim of a removed disc is no peak. The map is
// read row by row and never filled; every pixel is evaluated once.
#pragma once

#include "ostend/peak/argmax.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Pixels that no neighbour of the eight exceeds and no earlier one equals (a plateau counts once or a few
/// times), in row-major order. Only pixels that the view shows take part.
inline std::vector<best_pixel> local_maxima(const matrix<float>& cells, const resampling& on) {
    row_stream rows(on, cells);
    const index width = on.x.end - on.x.begin;
    // Three rows in turn, each with a border of -infinity; a missing row is all border.
    const auto stride = static_cast<std::size_t>(width + 2);
    const float low = -std::numeric_limits<float>::infinity();
    std::array<std::vector<float>, 3> window;
    window.fill(std::vector<float>(stride, low));
    std::vector<float> line(static_cast<std::size_t>(on.x.pixels));
    const auto read = [&](index y, std::vector<float>& into) {
        if (y >= on.y.end) {
            std::fill(into.begin(), into.end(), low);
            return;
        }
        rows.row(y, line.data());
        std::copy(line.begin() + on.x.begin, line.begin() + on.x.end, into.begin() + 1);
    };
    std::vector<best_pixel> found;
    read(on.y.begin, window[1]);
    for (index y = on.y.begin; y < on.y.end; ++y) {
        read(y + 1, window[2]);
        const auto& above = window[0];
        const auto& here = window[1];
        const auto& below = window[2];
        for (std::size_t i = 1; i + 1 < stride; ++i) {
            const float v = here[i];
            if (v > here[i - 1] && v >= here[i + 1] && v > above[i] && v > above[i - 1] && v > above[i + 1] &&
                v >= below[i] && v >= below[i - 1] && v >= below[i + 1]) {
                found.push_back({{on.x.begin + static_cast<index>(i) - 1, y}, v});
            }
        }
        std::rotate(window.begin(), window.begin() + 1, window.end());
    }
    return found;
}

} // namespace detail

/// Separated peaks of a view's cells, highest first, equal ones in row-major order; the first is find_peak's.
/// Greedy: a local maximum is taken when it is at least options.separation from every peak taken before.
/// Errors: as upsample. Complexity O(pixels); workspace O(rows of cells * width).
[[nodiscard]] inline result<std::vector<peak>> find_peaks(const matrix<float>& cells, const resampling& on,
                                                          const peaks_options& options = {}) {
    OSTEND_EXPECTS(options.count >= 0 && options.separation >= 0,
                   "find_peaks: count " + std::to_string(options.count) + ", separation " +
                       std::to_string(options.separation));
    const auto highest = find_peak(cells, on);
    if (!highest) {
        return highest.error();
    }
    auto candidates = detail::local_maxima(cells, on);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.value > b.value; });
    const bool in_cells = options.unit == separation_unit::cells;
    const double step_x = in_cells ? static_cast<double>(on.x.ratio) : 1.0;
    const double step_y = in_cells ? static_cast<double>(on.y.ratio) : 1.0;
    std::vector<peak> peaks;
    for (const auto& candidate : candidates) {
        if (static_cast<int>(peaks.size()) >= options.count) {
            break;
        }
        const bool apart = std::all_of(peaks.begin(), peaks.end(), [&](const peak& taken) {
            const double dx = static_cast<double>(candidate.at.x - taken.at.x) * step_x;
            const double dy = static_cast<double>(candidate.at.y - taken.at.y) * step_y;
            return std::hypot(dx, dy) >= options.separation;
        });
        if (apart) {
            peaks.push_back(
                {candidate.at, candidate.value, peak_confidence(cells, on, candidate.at, candidate.value)});
        }
    }
    peaks.erase(std::remove_if(peaks.begin(), peaks.end(),
                               [&](const peak& p) { return p.confidence < options.least_confidence; }),
                peaks.end());
    return peaks;
}

/// Separated peaks of a map over the image tokens, [image_tokens], in original pixels.
[[nodiscard]] inline result<std::vector<peak>> find_peaks(std::span<const float> map, const layout& grid,
                                                          const peaks_options& options = {}) {
    return find_peaks(detail::cells_of(map, grid, options.map), make_resampling(grid, options.map), options);
}

} // namespace ostend::inline OSTEND_KERNELS
