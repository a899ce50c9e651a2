// Several separated peaks of one map: its local maxima, highest first, none too near to a higher one.
//
// Local maxima, not "the largest pixel outside of a disc": the rim of a removed disc is no peak. Patches are
// searched in the order of their bounds, and only until the wanted peaks are higher than what is left.
#pragma once

#include "ostend/peak/argmax.hpp"
#include "ostend/peak/local_maxima.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The greedy choice of separated peaks out of local maxima that are found as they are needed.
class peak_choice {
public:
    peak_choice(const resampling& on, const peaks_options& options)
        : on_(on), count_(options.count), separation_(options.separation),
          step_x_(options.unit == separation_unit::cells ? static_cast<double>(on.x.ratio) : 1.0),
          step_y_(options.unit == separation_unit::cells ? static_cast<double>(on.y.ratio) : 1.0) {}

    /// Highest first, equal ones in row-major order.
    std::vector<valued_pixel> run(const matrix<float>& cells, float largest) {
        struct open_patch {
            float bound;
            index at;
        };
        std::vector<open_patch> open; // heaps: the highest bound in front, and the highest, first candidate
        std::vector<valued_pixel> candidates;
        const auto lower = [](const open_patch& a, const open_patch& b) { return a.bound < b.bound; };
        const auto later = [](const valued_pixel& a, const valued_pixel& b) {
            return a.value < b.value ||
                   (a.value == b.value && (a.at.y > b.at.y || (a.at.y == b.at.y && a.at.x > b.at.x)));
        };
        if (can_be_bounded(largest)) {
            const matrix<float> bounds = patch_bounds(on_, cells, rounding_margin(largest));
            for (const float bound : bounds.values()) {
                open.push_back({bound, static_cast<index>(open.size())});
            }
            std::make_heap(open.begin(), open.end(), lower);
        } else {
            candidates = local_maxima(cells, on_);
            std::make_heap(candidates.begin(), candidates.end(), later);
        }
        patch_maxima patches(on_, cells, largest);
        const auto columns = static_cast<index>(on_.x.runs.size());
        while (static_cast<int>(taken_.size()) < count_ && !(open.empty() && candidates.empty())) {
            if (!candidates.empty() && (open.empty() || candidates.front().value > open.front().bound)) {
                if (!near_a_taken({candidates.front().at.y, candidates.front().at.y + 1},
                                  {candidates.front().at.x, candidates.front().at.x + 1}, separation_)) {
                    taken_.push_back(candidates.front());
                }
                std::pop_heap(candidates.begin(), candidates.end(), later);
                candidates.pop_back();
                continue;
            }
            const index at = open.front().at;
            std::pop_heap(open.begin(), open.end(), lower);
            open.pop_back();
            const std::size_t before = candidates.size();
            // A little less than the separation: rounding must not cover what is just far enough.
            patches.find(
                at / columns, at % columns,
                [&](index_span y, index_span x) { return near_a_taken(y, x, separation_ * (1 - 1e-12)); },
                candidates);
            for (std::size_t end = before + 1; end <= candidates.size(); ++end) {
                std::push_heap(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(end),
                               later);
            }
        }
        return taken_;
    }

private:
    /// Whether the whole rectangle of pixels is nearer than a distance to one peak that is taken.
    [[nodiscard]] bool near_a_taken(index_span y, index_span x, double distance) const {
        return std::any_of(taken_.begin(), taken_.end(), [&](const valued_pixel& t) {
            const index dx = std::max(std::abs(x.begin - t.at.x), std::abs(x.end - 1 - t.at.x));
            const index dy = std::max(std::abs(y.begin - t.at.y), std::abs(y.end - 1 - t.at.y));
            return std::hypot(static_cast<double>(dx) * step_x_, static_cast<double>(dy) * step_y_) <
                   distance;
        });
    }

    const resampling& on_;
    int count_;
    double separation_;
    double step_x_;
    double step_y_;
    std::vector<valued_pixel> taken_;
};

} // namespace detail

/// Separated peaks of a view's cells, highest first, equal ones in row-major order; the first is find_peak's.
/// Greedy: a local maximum is taken when it is at least options.separation from every peak taken before; the
/// outcome is that of looking at every pixel. Errors: as upsample. Workspace: O(cells + peaks). Complexity
/// O(cells + patches whose bound reaches the last peak taken).
[[nodiscard]] inline result<std::vector<peak>> find_peaks(const matrix<float>& cells, const resampling& on,
                                                          const peaks_options& options = {}) {
    OSTEND_EXPECTS(options.count >= 0 && options.separation >= 0,
                   "find_peaks: count " + std::to_string(options.count) + ", separation " +
                       std::to_string(options.separation));
    const float largest = detail::largest_magnitude(cells.values());
    if (!detail::can_be_bounded(largest) || on.x.runs.empty() || on.y.runs.empty()) {
        const auto highest = find_peak(cells, on); // for its errors
        if (!highest) {
            return highest.error();
        }
    }
    std::vector<peak> peaks;
    for (const auto& [at, value] : detail::peak_choice(on, options).run(cells, largest)) {
        const double confidence = peak_confidence(cells, on, at, value);
        if (!(confidence < options.least_confidence)) {
            peaks.push_back({at, value, confidence});
        }
    }
    return peaks;
}

/// Separated peaks of a map over the image tokens, [image_tokens], in original pixels.
[[nodiscard]] inline result<std::vector<peak>> find_peaks(std::span<const float> map, const layout& grid,
                                                          const peaks_options& options = {}) {
    return find_peaks(detail::cells_of(map, grid, options.map), make_resampling(grid, options.map), options);
}

} // namespace ostend::inline OSTEND_KERNELS
