// layout: where every image token of an LMM lies in the original image. The only geometry type.
//
// A view is one picture that the vision tower saw (the whole image, a tile, a thumbnail, a frame); an affine
// map takes original pixels to its pixels, and a regular grid of cells lies over it. Each image token is a
// cell of a view or a marker (newline, separator, register). LLaVA-1.5 is one view.
#pragma once

#include "ostend/geometry/frames.hpp"

#include <cstdint>
#include <vector>

namespace ostend::inline v0 {

/// model = original * scale + shift, for each axis.
struct axis_affine {
    double scale = 1;
    double shift = 0;
    friend bool operator==(const axis_affine&, const axis_affine&) = default;
};

struct grid_view {
    axis_affine x = {};
    axis_affine y = {};
    index rows = 0;
    index columns = 0;
    double cell_width = 1;  ///< in pixels of the view
    double cell_height = 1; ///< in pixels of the view
    int image = 0;
    friend bool operator==(const grid_view&, const grid_view&) = default;
};

enum class token_kind : std::uint8_t { cell, newline, separator, marker, reg };

/// What an image token shows: a cell of a view, or nothing that has a place.
struct layout_token {
    token_kind kind = token_kind::cell;
    int view = 0;
    index row = 0;
    index column = 0;
    friend bool operator==(const layout_token&, const layout_token&) = default;
};

struct layout {
    image_size original = {};
    std::vector<grid_view> views = {};
    std::vector<layout_token> tokens = {}; ///< in image-token order
    friend bool operator==(const layout&, const layout&) = default;
};

} // namespace ostend::inline v0
