// antialias_taps: which pixels of an axis make each pixel of a shorter or longer one, and with what shares.
//
// The filter widens where the axis shrinks, so that every source pixel counts, as PIL's filters do and
// PyTorch's interpolation does not (peak/axis.hpp). A list of its own for each pixel; both axes of an image
// have one, so their cost is small beside the image's.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// The source pixels [first, first + weights.size()) of one target pixel.
template <class T>
struct pixel_taps {
    index first = 0;
    std::vector<T> weights = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The taps of each of `to` pixels over `from`. filter(x) weighs a source pixel whose centre lies x from the
/// target's, in source pixels, or in target pixels where those are larger; it is 0 from `support` on.
/// rounded(share) makes a weight of a share in f64; a pixel's shares have the sum 1. Complexity O(to +
/// support * max(from, to)). Preconditions: from, to >= 1, support > 0, and no pixel's filter values sum to
/// 0. Source: Pillow, precompute_coeffs.
template <class Filter, class Rounded>
[[nodiscard]] auto antialias_taps(index from, index to, double support, Filter&& filter, Rounded&& rounded) {
    using weight = std::decay_t<std::invoke_result_t<Rounded&, double>>;
    OSTEND_EXPECTS(from >= 1 && to >= 1 && support > 0, "antialias_taps: " + std::to_string(from) +
                                                            " pixels to " + std::to_string(to) +
                                                            ", support " + std::to_string(support));
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double stretch = std::max(scale, 1.0);
    const double reach = support * stretch;
    std::vector<pixel_taps<weight>> all(static_cast<std::size_t>(to));
    std::vector<double> values;
    for (index t = 0; t < to; ++t) {
        const double centre = (static_cast<double>(t) + 0.5) * scale;
        pixel_taps<weight>& taps = all[static_cast<std::size_t>(t)];
        taps.first = std::max<index>(static_cast<index>(centre - reach + 0.5), 0);
        const auto end = std::min<index>(static_cast<index>(centre + reach + 0.5), from);
        values.clear();
        double sum = 0;
        for (index s = taps.first; s < end; ++s) {
            values.push_back(filter((static_cast<double>(s) + 0.5 - centre) / stretch));
            sum += values.back();
        }
        taps.weights.reserve(values.size());
        for (const double v : values) {
            taps.weights.push_back(rounded(v / sum));
        }
    }
    return all;
}

} // namespace ostend::inline OSTEND_KERNELS
