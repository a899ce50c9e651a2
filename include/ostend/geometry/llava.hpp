// LLaVA-1.5's own preprocessing: the image is pasted into the middle of a square of its longer side, and the
// square is resized to the vision tower's input (CLIP-L/14 at 336: 24 x 24 cells of 14 pixels).
//
// The same weights are also run with another preprocessor (shortest edge, then a centre crop), which has
// another geometry: a layout belongs to the preprocessor, not to the model's name.
#pragma once

#include "ostend/geometry/grid.hpp"

namespace ostend::inline v0 {

/// A square grid of square cells: grid cells a side, each of cell x cell pixels of the model's input.
struct square_grid_options {
    index grid = 24;
    double cell = 14;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace geometry {

/// Pad to a square: side S = max(W, H), the image at ((S - W) / 2, (S - H) / 2) rounded down, then resized to
/// grid * cell. One view, grid * grid tokens in row-major order. Preconditions: image and grid not empty.
/// Source: LLaVA's expand2square; specs of the reference crop (groundLMM, "pad"). Complexity O(tokens).
[[nodiscard]] inline layout llava_pad(image_size image, const square_grid_options& options = {}) {
    OSTEND_EXPECTS(image.width >= 1 && image.height >= 1,
                   "llava_pad: an image of " + detail::size_text(image) + " pixels");
    OSTEND_EXPECTS(options.grid >= 1 && options.cell > 0, "llava_pad: a grid of " +
                                                              std::to_string(options.grid) + " cells of " +
                                                              std::to_string(options.cell) + " pixels");
    const index side = std::max(image.width, image.height);
    const double scale = static_cast<double>(options.grid) * options.cell / static_cast<double>(side);
    const auto place = [&](index extent) {
        const index before = (side - extent) / 2; // whole pixels, as LLaVA pads
        return axis_affine{scale, static_cast<double>(before) * scale};
    };
    grid_view view;
    view.x = place(image.width);
    view.y = place(image.height);
    view.rows = view.columns = options.grid;
    view.cell_width = view.cell_height = options.cell;
    return detail::one_view(image, view);
}

} // namespace geometry
} // namespace ostend::inline OSTEND_KERNELS
