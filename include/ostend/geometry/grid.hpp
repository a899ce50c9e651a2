// Patch <-> pixel: points, boxes and cells between the frames of a layout, and a row of tokens as a grid.
//
// A view's affine is applied as it stands, in f64 and without rounding; boxes of cells are clipped to the
// image because a padded view has cells that lie partly or wholly outside it.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/core/result.hpp"
#include "ostend/geometry/layout.hpp"
#include "ostend/tensor/matrix.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

/// Original pixels to the view's pixels.
[[nodiscard]] inline point_in<model_frame> to_model(const grid_view& view, point_in<original_frame> p) {
    return {p.x * view.x.scale + view.x.shift, p.y * view.y.scale + view.y.shift};
}

/// Cells to the view's pixels.
[[nodiscard]] inline point_in<model_frame> to_model(const grid_view& view, point_in<cell_frame> p) {
    return {p.x * view.cell_width, p.y * view.cell_height};
}

/// The view's pixels to original pixels, not clipped: padding lies outside the image.
[[nodiscard]] inline point_in<original_frame> to_original(const grid_view& view, point_in<model_frame> p) {
    return {(p.x - view.x.shift) / view.x.scale, (p.y - view.y.shift) / view.y.scale};
}

/// Cells to original pixels, not clipped.
[[nodiscard]] inline point_in<original_frame> to_original(const grid_view& view, point_in<cell_frame> p) {
    return to_original(view, to_model(view, p));
}

/// The view's pixels to cells: x is a column, y a row, and cell i covers [i, i + 1).
[[nodiscard]] inline point_in<cell_frame> to_cell(const grid_view& view, point_in<model_frame> p) {
    return {p.x / view.cell_width, p.y / view.cell_height};
}

/// Original pixels to cells.
[[nodiscard]] inline point_in<cell_frame> to_cell(const grid_view& view, point_in<original_frame> p) {
    return to_cell(view, to_model(view, p));
}

/// A box of the view's pixels or of cells in original pixels, not clipped.
template <class Frame>
[[nodiscard]] box_in<original_frame> to_original(const grid_view& view, const box_in<Frame>& box) {
    const auto low = to_original(view, point_in<Frame>{box.x0, box.y0});
    const auto high = to_original(view, point_in<Frame>{box.x1, box.y1});
    return {low.x, low.y, high.x, high.y};
}

/// A box of original pixels in the view's pixels.
[[nodiscard]] inline box_in<model_frame> to_model(const grid_view& view, const box_in<original_frame>& box) {
    const auto low = to_model(view, point_in<original_frame>{box.x0, box.y0});
    const auto high = to_model(view, point_in<original_frame>{box.x1, box.y1});
    return {low.x, low.y, high.x, high.y};
}

/// The part of a box that lies in the image; of zero area when none does.
[[nodiscard]] inline box_in<original_frame> clip(const box_in<original_frame>& box, image_size image) {
    const auto width = static_cast<double>(image.width);
    const auto height = static_cast<double>(image.height);
    return {std::clamp(box.x0, 0.0, width), std::clamp(box.y0, 0.0, height), std::clamp(box.x1, 0.0, width),
            std::clamp(box.y1, 0.0, height)};
}

/// The original pixels that an image token shows, clipped to the image; of zero area for a cell of padding.
/// Preconditions: token is an index into layout.tokens and a cell, not a marker. Complexity O(1).
[[nodiscard]] inline box_in<original_frame> cell_box(const layout& grid, index token) {
    OSTEND_EXPECTS(token >= 0 && token < static_cast<index>(grid.tokens.size()),
                   "cell_box: token " + std::to_string(token) + " of " + std::to_string(grid.tokens.size()));
    const layout_token& place = grid.tokens[static_cast<std::size_t>(token)];
    OSTEND_EXPECTS(place.kind == token_kind::cell,
                   "cell_box: token " + std::to_string(token) + " is a marker and shows no pixels");
    const auto x = static_cast<double>(place.column);
    const auto y = static_cast<double>(place.row);
    return clip(
        to_original(grid.views[static_cast<std::size_t>(place.view)], box_in<cell_frame>{x, y, x + 1, y + 1}),
        grid.original);
}

/// The image token whose cell of one view holds a point of the original image; none where the view shows
/// nothing there (outside its cells, or the cell has no token). Complexity O(tokens).
[[nodiscard]] inline std::optional<index> token_at(const layout& grid, point_in<original_frame> point,
                                                   int view = 0) {
    OSTEND_EXPECTS(view >= 0 && view < static_cast<int>(grid.views.size()),
                   "token_at: view " + std::to_string(view) + " of " + std::to_string(grid.views.size()));
    const grid_view& seen = grid.views[static_cast<std::size_t>(view)];
    const auto cell = to_cell(seen, point);
    const double row = std::floor(cell.y);
    const double column = std::floor(cell.x);
    if (!(row >= 0 && column >= 0 && row < static_cast<double>(seen.rows) &&
          column < static_cast<double>(seen.columns))) {
        return std::nullopt;
    }
    const layout_token wanted{token_kind::cell, view, static_cast<index>(row), static_cast<index>(column)};
    const auto found = std::find(grid.tokens.begin(), grid.tokens.end(), wanted);
    if (found == grid.tokens.end()) {
        return std::nullopt;
    }
    return static_cast<index>(found - grid.tokens.begin());
}

/// One view's cells of a map: [image_tokens] -> [rows, columns]. Markers and other views are left out.
/// Preconditions: one value a token; every cell of the view has its token. Complexity O(tokens).
[[nodiscard]] inline matrix<float> view_map(std::span<const float> map, const layout& grid, int view = 0) {
    OSTEND_EXPECTS(map.size() == grid.tokens.size(),
                   "view_map: the map has " + std::to_string(map.size()) + " values, the layout " +
                       std::to_string(grid.tokens.size()) + " image tokens");
    OSTEND_EXPECTS(view >= 0 && view < static_cast<int>(grid.views.size()),
                   "view_map: view " + std::to_string(view) + " of " + std::to_string(grid.views.size()));
    const grid_view& seen = grid.views[static_cast<std::size_t>(view)];
    matrix<float> cells(seen.rows, seen.columns);
    index found = 0;
    for (std::size_t t = 0; t < map.size(); ++t) {
        const layout_token& place = grid.tokens[t];
        if (place.kind == token_kind::cell && place.view == view) {
            OSTEND_EXPECTS(place.row >= 0 && place.row < seen.rows && place.column >= 0 &&
                               place.column < seen.columns,
                           "view_map: token " + std::to_string(t) + " lies outside its view");
            cells(place.row, place.column) = map[t];
            ++found;
        }
    }
    OSTEND_EXPECTS(found == seen.rows * seen.columns,
                   "view_map: " + std::to_string(found) + " tokens for the " +
                       std::to_string(seen.rows * seen.columns) + " cells of view " + std::to_string(view));
    return cells;
}

/// Whether a layout holds together, for hosts that build their own: sides and cells positive and finite,
/// scales above zero, every token in a view that exists, every cell of a view shown by exactly one token.
/// The error names the view or the token. Complexity O(tokens + cells); allocates a byte a cell.
[[nodiscard]] inline status validate(const layout& grid) {
    if (grid.original.width < 1 || grid.original.height < 1) {
        return error{"the image has no pixels", "original"};
    }
    const auto positive = [](double v) { return std::isfinite(v) && v > 0; };
    std::vector<std::vector<bool>> shown;
    for (std::size_t v = 0; v < grid.views.size(); ++v) {
        const grid_view& view = grid.views[v];
        if (view.rows < 1 || view.columns < 1) {
            return error{"a view without cells", "views", v};
        }
        if (!positive(view.cell_width) || !positive(view.cell_height)) {
            return error{"the cells' sides must be finite and above zero", "views", v};
        }
        if (!positive(view.x.scale) || !positive(view.y.scale) || !std::isfinite(view.x.shift) ||
            !std::isfinite(view.y.shift)) {
            return error{"the affine's scales must be finite and above zero, its shifts finite", "views", v};
        }
        // A view has no more cells than the layout has tokens; a larger product would be a lie (or overflow).
        const auto tokens = static_cast<index>(grid.tokens.size());
        if (view.rows > tokens || view.columns > tokens / view.rows) {
            return error{"the view has more cells than the layout has tokens", "views", v};
        }
        shown.emplace_back(static_cast<std::size_t>(view.rows * view.columns), false);
    }
    for (std::size_t t = 0; t < grid.tokens.size(); ++t) {
        const layout_token& place = grid.tokens[t];
        if (place.kind != token_kind::cell) {
            continue;
        }
        if (place.view < 0 || place.view >= static_cast<int>(grid.views.size())) {
            return error{"view " + std::to_string(place.view) + " does not exist", "tokens", t};
        }
        const grid_view& view = grid.views[static_cast<std::size_t>(place.view)];
        if (place.row < 0 || place.row >= view.rows || place.column < 0 || place.column >= view.columns) {
            return error{"row " + std::to_string(place.row) + ", column " + std::to_string(place.column) +
                             " lies outside the view's grid",
                         "tokens", t};
        }
        auto cell = shown[static_cast<std::size_t>(place.view)]
                         [static_cast<std::size_t>(place.row * view.columns + place.column)];
        if (cell) {
            return error{"two tokens show the same cell", "tokens", t};
        }
        cell = true;
    }
    for (std::size_t v = 0; v < shown.size(); ++v) {
        if (std::find(shown[v].begin(), shown[v].end(), false) != shown[v].end()) {
            return error{"a cell of the view has no token", "views", v};
        }
    }
    return success{};
}

namespace detail {
/// A layout of one view whose cells are the image tokens in row-major order.
inline layout one_view(image_size image, const grid_view& view) {
    layout grid{image, {view}, {}};
    grid.tokens.reserve(static_cast<std::size_t>(view.rows * view.columns));
    for (index r = 0; r < view.rows; ++r) {
        for (index c = 0; c < view.columns; ++c) {
            grid.tokens.push_back({token_kind::cell, 0, r, c});
        }
    }
    return grid;
}

inline std::string size_text(image_size image) {
    return std::to_string(image.width) + " x " + std::to_string(image.height);
}
} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
