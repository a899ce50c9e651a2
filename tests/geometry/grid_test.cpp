// Frames, cells and the validation of layouts that a host builds itself.
#include "ostend/geometry/grid.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"

#include "support/expects.hpp"

#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index;

TEST_CASE("a cell's box, by hand: 100 x 50 padded to a square of 100, two cells a side") {
    const layout grid = geometry::llava_pad({100, 50}, {.grid = 2, .cell = 10});
    // 25 rows of padding above: the upper cells show rows [0, 25), the lower ones [25, 50).
    CHECK(cell_box(grid, 0) == box_in<original_frame>{0, 0, 50, 25});
    CHECK(cell_box(grid, 1) == box_in<original_frame>{50, 0, 100, 25});
    CHECK(cell_box(grid, 3) == box_in<original_frame>{50, 25, 100, 50});
}

TEST_CASE("a cell of padding alone has no area") {
    const layout grid = geometry::llava_pad({400, 20});
    CHECK(cell_box(grid, 0).area() == 0);
    CHECK(cell_box(grid, 12 * 24 + 3).area() > 0);
}

TEST_CASE("conversions between cells, the model's pixels and original pixels invert each other") {
    std::mt19937 random(3);
    std::uniform_int_distribution<index> side(1, 2000);
    std::uniform_real_distribution<double> place(-50, 2050);
    for (int i = 0; i < 500; ++i) {
        const layout grid = geometry::llava_pad({side(random), side(random)});
        const grid_view& view = grid.views[0];
        const point_in<original_frame> p{place(random), place(random)};
        const auto cell = to_cell(view, p);
        const auto back = to_original(view, cell);
        CHECK(back.x == doctest::Approx(p.x).epsilon(1e-9));
        CHECK(back.y == doctest::Approx(p.y).epsilon(1e-9));
        const auto model = to_model(view, cell);
        CHECK(model.x == doctest::Approx(to_model(view, p).x).epsilon(1e-9));
        const box_in<original_frame> box{p.x, p.y, p.x + 3, p.y + 7};
        const auto box_back = to_original(view, to_model(view, box));
        CHECK(box_back.x1 == doctest::Approx(box.x1).epsilon(1e-9));
        CHECK(box_back.y1 == doctest::Approx(box.y1).epsilon(1e-9));
    }
}

TEST_CASE("every pixel lies in the box of its cell, and the boxes tile the image") {
    std::mt19937 random(4);
    std::uniform_int_distribution<index> side(1, 60);
    std::uniform_int_distribution<index> cells(1, 30);
    for (int i = 0; i < 60; ++i) {
        const image_size image{side(random), side(random)};
        const layout grid =
            i % 2 == 0
                ? geometry::llava_pad(image, {.grid = cells(random)})
                : geometry::stretch(
                      image,
                      {.rows = cells(random), .columns = cells(random), .cell_width = 14, .cell_height = 28});
        for (index y = 0; y < image.height; ++y) {
            for (index x = 0; x < image.width; ++x) {
                const auto centre = pixel{x, y}.centre();
                const auto token = token_at(grid, centre);
                REQUIRE(token.has_value());
                auto box = cell_box(grid, *token);
                box = {box.x0 - 1e-9, box.y0 - 1e-9, box.x1 + 1e-9, box.y1 + 1e-9}; // a centre on an edge
                CHECK(box.contains(centre));
            }
        }
        double area = 0;
        for (index t = 0; t < static_cast<index>(grid.tokens.size()); ++t) {
            area += cell_box(grid, t).area();
        }
        CHECK(area == doctest::Approx(static_cast<double>(image.area())).epsilon(1e-9));
    }
}

TEST_CASE("token_at is empty outside of the view") {
    const layout grid = geometry::stretch({10, 10}, {.rows = 2, .columns = 2});
    CHECK(!token_at(grid, {-0.1, 5}));
    CHECK(!token_at(grid, {5, 10}));
    CHECK(!token_at(grid, {std::numeric_limits<double>::quiet_NaN(), 5}));
    CHECK(token_at(grid, {9.9, 0.1}) == 1);
    CHECK_EXPECTS(token_at(grid, {1, 1}, 1), "view 1 of 1");
}

/// Two views, the second one's tokens among newlines and in reverse order.
layout two_views() {
    layout grid{{8, 8}, {}, {}};
    grid_view whole;
    whole.rows = whole.columns = 1;
    whole.cell_width = whole.cell_height = 8;
    grid_view tile;
    tile.rows = 1;
    tile.columns = 2;
    tile.x.shift = -4;
    tile.cell_width = 2;
    tile.cell_height = 8;
    grid.views = {whole, tile};
    grid.tokens = {{token_kind::cell, 0, 0, 0},
                   {token_kind::newline, 0, 0, 0},
                   {token_kind::cell, 1, 0, 1},
                   {token_kind::cell, 1, 0, 0}};
    return grid;
}

TEST_CASE("view_map picks a view's cells by row and column, and leaves markers out") {
    const std::vector<float> map{1, 2, 3, 4};
    const matrix<float> tile = view_map(map, two_views(), 1);
    CHECK(tile.rows() == 1);
    CHECK(tile(0, 0) == 4);
    CHECK(tile(0, 1) == 3);
    CHECK(view_map(map, two_views(), 0)(0, 0) == 1);
    CHECK(cell_box(two_views(), 2) == box_in<original_frame>{6, 0, 8, 8});
}

TEST_CASE("misuse is refused with the numbers") {
    const layout grid = two_views();
    CHECK_EXPECTS(view_map(std::vector<float>(3), grid), "3 values");
    CHECK_EXPECTS(view_map(std::vector<float>(4), grid, 2), "view 2 of 2");
    CHECK_EXPECTS(cell_box(grid, 4), "token 4 of 4");
    CHECK_EXPECTS(cell_box(grid, -1), "token -1");
    CHECK_EXPECTS(cell_box(grid, 1), "marker");
    layout holed = grid;
    holed.tokens.pop_back();
    CHECK_EXPECTS(view_map(std::vector<float>(3), holed, 1), "1 tokens for the 2 cells");
}

TEST_CASE("validate accepts what the library makes and names what is wrong elsewhere") {
    CHECK(validate(geometry::llava_pad({3, 1})));
    CHECK(validate(two_views()));
    const auto wrong = [](auto&& change) {
        layout grid = two_views();
        change(grid);
        const status checked = validate(grid);
        return checked ? std::string("valid") : checked.error().message();
    };
    CHECK(wrong([](layout& g) { g.original.height = 0; }) == "original: the image has no pixels");
    CHECK(wrong([](layout& g) { g.views[1].rows = 0; }) == "views: a view without cells (at 1)");
    CHECK(wrong([](layout& g) { g.views[1].cell_width = 0; }).find("above zero (at 1)") != std::string::npos);
    CHECK(wrong([](layout& g) { g.views[0].x.scale = -1; }).find("affine") != std::string::npos);
    CHECK(wrong([](layout& g) {
              g.views[0].y.shift = std::numeric_limits<double>::infinity();
          }).find("affine") != std::string::npos);
    CHECK(wrong([](layout& g) { g.views[0].rows = std::numeric_limits<index>::max(); }).find("more cells") !=
          std::string::npos);
    CHECK(wrong([](layout& g) { g.tokens[2].view = 2; }) == "tokens: view 2 does not exist (at 2)");
    CHECK(wrong([](layout& g) { g.tokens[2].view = -1; }) == "tokens: view -1 does not exist (at 2)");
    CHECK(wrong([](layout& g) { g.tokens[2].column = 2; }).find("row 0, column 2") != std::string::npos);
    CHECK(wrong([](layout& g) { g.tokens[2].row = -1; }).find("row -1") != std::string::npos);
    CHECK(wrong([](layout& g) { g.tokens[2].column = 0; }) == "tokens: two tokens show the same cell (at 3)");
    CHECK(wrong([](layout& g) { g.tokens.pop_back(); }) == "views: a cell of the view has no token (at 1)");
}

} // namespace
