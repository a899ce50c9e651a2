// Plain resize: the whole image is stretched to the model's input, each axis by its own scale. The layout of
// PaliGemma, Gemma 3, thumbnails, and of any map that is simply laid over the image.
#pragma once

#include "ostend/geometry/grid.hpp"

namespace ostend::inline v0 {

/// rows x columns cells of cell_width x cell_height pixels of the model's input.
struct grid_options {
    index rows = 24;
    index columns = 24;
    double cell_width = 14;
    double cell_height = 14;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace geometry {

/// Stretch the image over a grid. One view, rows * columns tokens in row-major order.
/// Preconditions: image and grid not empty. Complexity O(tokens).
[[nodiscard]] inline layout stretch(image_size image, const grid_options& options = {}) {
    OSTEND_EXPECTS(image.width >= 1 && image.height >= 1,
                   "stretch: an image of " + detail::size_text(image) + " pixels");
    OSTEND_EXPECTS(options.rows >= 1 && options.columns >= 1 && options.cell_width > 0 &&
                       options.cell_height > 0,
                   "stretch: a grid of " + std::to_string(options.rows) + " x " +
                       std::to_string(options.columns) + " cells");
    grid_view view;
    view.rows = options.rows;
    view.columns = options.columns;
    view.cell_width = options.cell_width;
    view.cell_height = options.cell_height;
    view.x.scale =
        static_cast<double>(options.columns) * options.cell_width / static_cast<double>(image.width);
    view.y.scale =
        static_cast<double>(options.rows) * options.cell_height / static_cast<double>(image.height);
    return detail::one_view(image, view);
}

} // namespace geometry
} // namespace ostend::inline OSTEND_KERNELS
