// llava_pad, stretch and letterbox: their affines, and the round trip through a synthetic map.
#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/argmax.hpp"

#include "support/expects.hpp"

#include <random>

namespace {

using namespace ostend;
using ostend::index;

TEST_CASE("llava_pad: paste at (side - extent) / 2 rounded down, then one scale for both axes") {
    const layout grid = geometry::llava_pad({640, 481});
    const grid_view& view = grid.views.at(0);
    CHECK(view.x == axis_affine{336.0 / 640, 0});
    CHECK(view.y.scale == 336.0 / 640);
    CHECK(view.y.shift == doctest::Approx(79 * 336.0 / 640)); // (640 - 481) / 2 = 79.5
    CHECK(grid.tokens.size() == 576);
    CHECK(grid.tokens[25] == layout_token{token_kind::cell, 0, 1, 1});
    CHECK_EXPECTS(geometry::llava_pad({0, 5}), "0 x 5");
    CHECK_EXPECTS(geometry::llava_pad({5, 5}, {.grid = 0}), "grid of 0");
}

TEST_CASE("stretch: each axis by its own scale") {
    const layout grid = geometry::stretch({100, 50}, {.rows = 3, .columns = 5});
    CHECK(grid.views[0].x.scale == 70.0 / 100);
    CHECK(grid.views[0].y.scale == 42.0 / 50);
    CHECK(grid.tokens.size() == 15);
    CHECK(cell_box(grid, 14).x1 == doctest::Approx(100));
    CHECK_EXPECTS(geometry::stretch({5, 0}), "5 x 0");
    CHECK_EXPECTS(geometry::stretch({5, 5}, {.rows = 0}), "0 x 24");
}

TEST_CASE("letterbox: aspect ratio kept, whole resized pixels, centred or in the upper left") {
    const layout centred = geometry::letterbox({640, 481});
    CHECK(centred.views[0].x == axis_affine{336.0 / 640, 0});
    CHECK(centred.views[0].y == axis_affine{253.0 / 481, 41}); // 481 * 0.525 = 252.5, (336 - 253) / 2 = 41.5
    const layout corner = geometry::letterbox({640, 481}, {.place = letterbox_place::top_left});
    CHECK(corner.views[0].y == axis_affine{253.0 / 481, 0});
    const layout thin = geometry::letterbox({1, 5000});
    CHECK(thin.views[0].x.scale == 1.0); // at least one pixel
    CHECK(validate(thin));
    CHECK_EXPECTS(geometry::letterbox({0, 0}), "0 x 0");
}

/// Lights each visible cell in turn; the peak must touch the cell's box in original pixels.
void round_trip(const layout& grid, index step) {
    const resampling on = make_resampling(grid);
    std::vector<float> map(grid.tokens.size(), 0.0F);
    for (index t = 0; t < static_cast<index>(map.size()); t += step) {
        const box_in<original_frame> box = cell_box(grid, t);
        bool has_centre =
            false; // whether a pixel's centre lies in the box (cells may be smaller than pixels)
        for (double y = std::floor(box.y0) + 0.5; y < box.y1 && !has_centre; ++y) {
            has_centre = y >= box.y0 && y < box.y1;
        }
        bool in_x = false;
        for (double x = std::floor(box.x0) + 0.5; x < box.x1 && !in_x; ++x) {
            in_x = x >= box.x0 && x < box.x1;
        }
        if (!has_centre || !in_x) {
            continue;
        }
        map[static_cast<std::size_t>(t)] = 1.0F;
        const auto found = find_peak(view_map(map, grid), on);
        map[static_cast<std::size_t>(t)] = 0.0F;
        REQUIRE(found);
        const auto centre = found->at.centre();
        const bool inside = centre.x >= box.x0 - 1e-6 && centre.x <= box.x1 + 1e-6 &&
                            centre.y >= box.y0 - 1e-6 && centre.y <= box.y1 + 1e-6;
        CHECK_MESSAGE(inside, grid.original.width << " x " << grid.original.height << ", token " << t);
        // And the pixel leads back to the cell, unless its centre lies on the cell's edge.
        const auto cell = to_cell(grid.views[0], centre);
        const auto& place = grid.tokens[static_cast<std::size_t>(t)];
        CHECK(std::abs(cell.x - static_cast<double>(place.column) - 0.5) <= 0.5 + 1e-6);
        CHECK(std::abs(cell.y - static_cast<double>(place.row) - 0.5) <= 0.5 + 1e-6);
    }
}

TEST_CASE("one lit cell: its peak lies in its box, for hundreds of sizes up to 1:20") {
    std::mt19937 random(11);
    std::uniform_int_distribution<index> shorter(1, 120);
    std::uniform_real_distribution<double> ratio(1, 20);
    for (int i = 0; i < 400; ++i) {
        const index a = shorter(random);
        const auto b = static_cast<index>(static_cast<double>(a) * ratio(random));
        const image_size image = i % 2 == 0 ? image_size{a, b} : image_size{b, a};
        switch (i % 3) {
        case 0:
            round_trip(geometry::llava_pad(image), 7);
            break;
        case 1:
            round_trip(geometry::stretch(image, {.rows = 16, .columns = 25}), 11);
            break;
        default:
            round_trip(geometry::letterbox(image, {.place = i % 2 == 0 ? letterbox_place::top_left
                                                                       : letterbox_place::centre}),
                       7);
        }
    }
    round_trip(geometry::llava_pad({1000, 50}), 1);
    round_trip(geometry::llava_pad({50, 1000}), 1);
    round_trip(geometry::llava_pad({1, 1}), 1);
    round_trip(geometry::llava_pad({24, 24}), 1);
    round_trip(geometry::llava_pad({31, 24}), 1);
}

TEST_CASE("transposed or unpadded maps would be seen: the lit cell's neighbours do not hold its peak") {
    const layout grid = geometry::llava_pad({300, 100});
    std::vector<float> map(576, 0.0F);
    map[12 * 24 + 3] = 1.0F;
    const auto found = find_peak(map, grid);
    REQUIRE(found);
    CHECK(cell_box(grid, 12 * 24 + 3).contains(found->at.centre()));
    CHECK(!cell_box(grid, 12 * 24 + 4).contains(found->at.centre()));
    CHECK(!cell_box(grid, 11 * 24 + 3).contains(found->at.centre()));
}

} // namespace
