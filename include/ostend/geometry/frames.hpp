// Points and boxes that carry their frame in the type: a point of the model's input cannot be mistaken for
// one of the original image.
//
// Coordinates are continuous: pixel i covers [i, i + 1), its centre is i + 0.5. Published conversions that
// scale a pixel's index without the half pixel are functions that say so in their name.
#pragma once

#include "ostend/core/element.hpp"

#include <algorithm>

namespace ostend::inline v0 {

struct original_frame {};  ///< pixels of the image as the user gave it
struct model_frame {};     ///< pixels of one view as the LMM's vision tower sees it
struct cell_frame {};      ///< cells (image tokens) of one view: x is the column, y the row
struct segmenter_frame {}; ///< pixels as the segmenter sees the image (SAM: long side 1024)

template <class Frame>
struct point_in {
    double x = 0;
    double y = 0;
    friend bool operator==(const point_in&, const point_in&) = default;
};

/// Half-open: [x0, x1) x [y0, y1).
template <class Frame>
struct box_in {
    double x0 = 0;
    double y0 = 0;
    double x1 = 0;
    double y1 = 0;
    [[nodiscard]] constexpr double width() const noexcept { return std::max(0.0, x1 - x0); }
    [[nodiscard]] constexpr double height() const noexcept { return std::max(0.0, y1 - y0); }
    [[nodiscard]] constexpr double area() const noexcept { return width() * height(); }
    [[nodiscard]] constexpr bool contains(const point_in<Frame>& p) const noexcept {
        return p.x >= x0 && p.x < x1 && p.y >= y0 && p.y < y1;
    }
    friend bool operator==(const box_in&, const box_in&) = default;
};

/// Width and height in pixels.
struct image_size {
    index width = 0;
    index height = 0;
    [[nodiscard]] constexpr index area() const noexcept { return width * height; }
    friend bool operator==(const image_size&, const image_size&) = default;
};

/// A pixel of the original image by its integer indices.
struct pixel {
    index x = 0;
    index y = 0;
    [[nodiscard]] constexpr point_in<original_frame> centre() const noexcept {
        return {static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
    }
    friend bool operator==(const pixel&, const pixel&) = default;
};

} // namespace ostend::inline v0
