// Letterbox: the image keeps its aspect ratio, is resized to fit a canvas, and the rest is padding, around it
// or to its right and below. For detectors, SAM-like towers and tiled models' global views.
//
// The resized sides are whole pixels, so the two axes' scales differ slightly; each has its own.
#pragma once

#include "ostend/geometry/grid.hpp"

namespace ostend::inline v0 {

enum class letterbox_place : std::uint8_t { centre, top_left };

/// A canvas of rows x columns cells of cell_width x cell_height pixels, and where the image lies on it.
struct letterbox_options {
    index rows = 24;
    index columns = 24;
    double cell_width = 14;
    double cell_height = 14;
    letterbox_place place = letterbox_place::centre;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace geometry {

/// Resize to fit, then pad: s = min(canvas width / W, canvas height / H); the resized sides are
/// floor(side * s + 0.5), at least one pixel; centred offsets are rounded down. One view, row-major tokens.
/// Preconditions: image and grid not empty. Complexity O(tokens).
[[nodiscard]] inline layout letterbox(image_size image, const letterbox_options& options = {}) {
    OSTEND_EXPECTS(image.width >= 1 && image.height >= 1,
                   "letterbox: an image of " + detail::size_text(image) + " pixels");
    OSTEND_EXPECTS(options.rows >= 1 && options.columns >= 1 && options.cell_width > 0 &&
                       options.cell_height > 0,
                   "letterbox: a grid of " + std::to_string(options.rows) + " x " +
                       std::to_string(options.columns) + " cells");
    const double canvas_width = static_cast<double>(options.columns) * options.cell_width;
    const double canvas_height = static_cast<double>(options.rows) * options.cell_height;
    const auto width = static_cast<double>(image.width);
    const auto height = static_cast<double>(image.height);
    const double scale = std::min(canvas_width / width, canvas_height / height);
    const auto place = [&](double extent, double canvas) {
        const double resized = std::max(1.0, std::floor(extent * scale + 0.5));
        const double shift =
            options.place == letterbox_place::centre ? std::floor((canvas - resized) / 2) : 0.0;
        return axis_affine{resized / extent, std::max(0.0, shift)};
    };
    grid_view view;
    view.x = place(width, canvas_width);
    view.y = place(height, canvas_height);
    view.rows = options.rows;
    view.columns = options.columns;
    view.cell_width = options.cell_width;
    view.cell_height = options.cell_height;
    return detail::one_view(image, view);
}

} // namespace geometry
} // namespace ostend::inline OSTEND_KERNELS
