// The peaks of many maps of one image: the interpolation is made once, and the maps may be shared out to
// threads.
#pragma once

#include "ostend/core/execution.hpp"
#include "ostend/peak/maxima.hpp"

#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// find_peak of each row of maps over the image tokens, [maps, image_tokens]: element i is the peak of row i
/// or its error. Bits do not depend on who runs it. Workspace: that of find_peak for each map under way.
template <execution E = sequential>
[[nodiscard]] std::vector<result<peak>> find_peak_of_each(const matrix<float>& maps, const layout& grid,
                                                          const peak_options& options = {},
                                                          const E& on = {}) {
    const resampling onto = make_resampling(grid, options);
    std::vector<result<peak>> found(static_cast<std::size_t>(maps.rows()), peak{});
    for_each_part(on, maps.rows(), [&](index i) {
        found[static_cast<std::size_t>(i)] = find_peak(detail::cells_of(maps.row(i), grid, options), onto);
    });
    return found;
}

/// find_peaks of each row of maps over the image tokens, in the same way.
template <execution E = sequential>
[[nodiscard]] std::vector<result<std::vector<peak>>>
find_peaks_of_each(const matrix<float>& maps, const layout& grid, const peaks_options& options = {},
                   const E& on = {}) {
    const resampling onto = make_resampling(grid, options.map);
    std::vector<result<std::vector<peak>>> found(static_cast<std::size_t>(maps.rows()), std::vector<peak>{});
    for_each_part(on, maps.rows(), [&](index i) {
        found[static_cast<std::size_t>(i)] =
            find_peaks(detail::cells_of(maps.row(i), grid, options.map), onto, options);
    });
    return found;
}

} // namespace ostend::inline OSTEND_KERNELS
