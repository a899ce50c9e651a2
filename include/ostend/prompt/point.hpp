// A point that a segmenter is prompted with, in original pixels.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/peak/peak.hpp"

namespace ostend::inline v0 {

/// A point on the object (inside) or on what is not the object.
struct labelled_point {
    point_in<original_frame> at = {};
    bool inside = true;
    friend bool operator==(const labelled_point&, const labelled_point&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// A peak as a point on the object: the centre of its pixel. (Published code passes the pixel's index, half a
/// pixel up and left of it: see sam_index_point.)
[[nodiscard]] inline labelled_point point_of(const peak& found) { return {found.at.centre(), true}; }

} // namespace ostend::inline OSTEND_KERNELS
