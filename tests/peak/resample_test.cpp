// Interpolation against the golden cases and against an oracle in double, written out pixel by pixel.
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/argmax.hpp"
#include "ostend/peak/resample.hpp"

#include "support/expects.hpp"
#include "support/npy.hpp"

#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;
using ostend_test::golden_cases;
using ostend_test::read_golden;

/// One pixel in double: Keys' kernel or the tent at the position, cells repeated beyond the border.
double oracle(const matrix<float>& cells, double row, double column, interpolation kernel) {
    const auto weight = [kernel](double d) {
        d = std::abs(d);
        if (kernel == interpolation::bilinear) {
            return std::max(0.0, 1 - d);
        }
        const double a = -0.75;
        return d <= 1  ? (a + 2) * d * d * d - (a + 3) * d * d + 1
               : d < 2 ? a * (d * d * d - 5 * d * d + 8 * d - 4)
                       : 0.0;
    };
    double sum = 0;
    const auto y0 = static_cast<index>(std::floor(row)) - 1;
    const auto x0 = static_cast<index>(std::floor(column)) - 1;
    for (index y = y0; y < y0 + 4; ++y) {
        for (index x = x0; x < x0 + 4; ++x) {
            const float v = cells(std::clamp<index>(y, 0, cells.rows() - 1),
                                  std::clamp<index>(x, 0, cells.columns() - 1));
            sum += weight(row - static_cast<double>(y)) * weight(column - static_cast<double>(x)) * v;
        }
    }
    return sum;
}

matrix<float> random_cells(std::mt19937& random, index rows, index columns) {
    std::normal_distribution<float> normal;
    matrix<float> cells(rows, columns);
    for (float& v : cells.values()) {
        v = normal(random);
    }
    return cells;
}

TEST_CASE("resample agrees with the oracle in double, both kernels, larger and smaller") {
    std::mt19937 random(5);
    std::uniform_int_distribution<index> grid_side(1, 30);
    std::uniform_int_distribution<index> image_side(1, 90);
    for (int i = 0; i < 200; ++i) {
        const auto kernel = i % 2 == 0 ? interpolation::bicubic : interpolation::bilinear;
        const auto cells = random_cells(random, grid_side(random), grid_side(random));
        const image_size to{image_side(random), image_side(random)};
        const auto image = resample(cells, make_resampling(cells.rows(), cells.columns(), to, kernel));
        REQUIRE(image.rows() == to.height);
        REQUIRE(image.columns() == to.width);
        const double ratio_y = static_cast<double>(cells.rows()) / static_cast<double>(to.height);
        const double ratio_x = static_cast<double>(cells.columns()) / static_cast<double>(to.width);
        double worst = 0;
        for (index y = 0; y < to.height; ++y) {
            for (index x = 0; x < to.width; ++x) {
                const double want = oracle(cells, (static_cast<double>(y) + 0.5) * ratio_y - 0.5,
                                           (static_cast<double>(x) + 0.5) * ratio_x - 0.5, kernel);
                worst = std::max(worst, std::abs(image(y, x) - want));
            }
        }
        CHECK(worst < 2e-5);
    }
}

TEST_CASE("the padded square: upsampled to S x S and cropped, through the layout's affine alone") {
    std::mt19937 random(6);
    std::uniform_int_distribution<index> image_side(1, 80);
    for (int i = 0; i < 100; ++i) {
        const image_size image{image_side(random), image_side(random)};
        const index side = std::max(image.width, image.height);
        const auto cells = random_cells(random, 24, 24);
        const auto square = resample(cells, make_resampling(24, 24, {side, side}));
        const auto cropped = upsample(cells.values(), geometry::llava_pad(image));
        REQUIRE(cropped);
        const index left = (side - image.width) / 2;
        const index top = (side - image.height) / 2;
        bool same = true;
        for (index y = 0; y < image.height; ++y) {
            for (index x = 0; x < image.width; ++x) {
                same = same && (*cropped)(y, x) == square(y + top, x + left); // to the bit
            }
        }
        CHECK(same);
    }
}

TEST_CASE("a constant map stays constant to the bit") {
    for (const float v : {1.0F, 0.1F, 3.14159F, 1.9999999F, -7e-4F, 2e-39F, 1e30F}) {
        for (const auto kernel : {interpolation::bicubic, interpolation::bilinear}) {
            const matrix<float> cells(7, 24, v);
            const auto image = resample(cells, make_resampling(7, 24, {333, 101}, kernel));
            CHECK(std::all_of(image.values().begin(), image.values().end(), [v](float p) { return p == v; }));
        }
    }
}

TEST_CASE("a grid of the image's own size is copied, values that are not finite included") {
    matrix<float> cells(6, 8, 1.0F);
    cells(3, 3) = std::numeric_limits<float>::quiet_NaN();
    const layout grid =
        geometry::stretch({8, 6}, {.rows = 6, .columns = 8, .cell_width = 1, .cell_height = 1});
    const auto image = resample(cells, make_resampling(grid));
    for (index i = 0; i < 48; ++i) {
        const float v = image.values()[static_cast<std::size_t>(i)];
        CHECK((i == 27 ? std::isnan(v) : v == 1.0F));
    }
}

TEST_CASE("pixels that the view does not show hold the map's smallest value and are no peak") {
    // A centre crop of 10 of 30 columns.
    layout grid{{30, 10}, {}, {}};
    grid_view view;
    view.rows = view.columns = 5;
    view.cell_width = view.cell_height = 2;
    view.x.shift = -10;
    grid.views = {view};
    for (index r = 0; r < 5; ++r) {
        for (index c = 0; c < 5; ++c) {
            grid.tokens.push_back({token_kind::cell, 0, r, c});
        }
    }
    REQUIRE(validate(grid));
    std::vector<float> map(25, -2.0F);
    map[10] = 1.0F;
    const auto image = upsample(map, grid);
    REQUIRE(image);
    CHECK((*image)(5, 9) == -2.0F);
    CHECK((*image)(5, 20) == -2.0F);
    CHECK((*image)(5, 10) > 0.0F);
    const auto found = find_peak(map, grid);
    REQUIRE(found);
    CHECK(found->at.x >= 10);
    CHECK(found->at.x < 12);
    CHECK(find_peak(std::vector<float>(25, 1.0F), grid)->at == pixel{10, 0});
    layout away = grid;
    away.views[0].x.shift = -100;
    CHECK(find_peak(map, away).error().what == "the view shows no pixel of the image");
}

TEST_CASE("upsample names the first NaN, else the first infinity") {
    const layout grid = geometry::stretch({48, 48}, {.rows = 24, .columns = 24});
    std::vector<float> map(576, 0.0F);
    map[300] = std::numeric_limits<float>::quiet_NaN(); // cell (12, 12): read from rows 24 - 3 on
    const auto failed = upsample(map, grid);
    REQUIRE(!failed);
    CHECK(failed.error().what == "the upsampled map holds a NaN");
    CHECK(failed.error().field == "map");
    CHECK(failed.error().at == 21 * 48 + 21);
}

TEST_CASE("remove_corners sets the four corner cells to the smallest value") {
    std::vector<float> map{9, 1, 9, 1, 5, 1, 9, 0, 9};
    const layout grid =
        geometry::stretch({3, 3}, {.rows = 3, .columns = 3, .cell_width = 1, .cell_height = 1});
    const auto image = upsample(map, grid, {.remove_corners = true});
    REQUIRE(image);
    const std::vector<float> want{0, 1, 0, 1, 5, 1, 0, 0, 0};
    CHECK(std::equal(want.begin(), want.end(), image->values().begin()));
    CHECK(find_peak(map, grid, {.remove_corners = true})->at == pixel{1, 1});
    CHECK(find_peak(map, grid)->at == pixel{0, 0});
    CHECK((*upsample(map, grid, {.remove_corners = true, .corner_value = -2.0F}))(2, 2) == -2.0F);
}

TEST_CASE("misuse is refused") {
    const layout grid = geometry::llava_pad({10, 10});
    CHECK_EXPECTS(upsample(std::vector<float>(575), grid), "575 values");
    CHECK_EXPECTS(make_resampling(grid, {.view = 1}), "view 1 of 1");
    CHECK_EXPECTS(resample(matrix<float>(3, 3), make_resampling(grid)), "3 x 3 cells where 24 x 24");
}

TEST_CASE("golden upsample: values, extremes, mean, peak") {
    int checked = 0;
    for (const auto& c : golden_cases("upsample")) {
        const std::string name = c.at("name");
        CAPTURE(name);
        const auto maps = read_golden(c.at("inputs").at("maps"));
        const auto& values = c.at("expected_values");
        if (!c.at("params").contains("image_h")) { // argmax alone, of maps that are not upsampled
            const auto rows = maps.shape.at(1);
            const auto columns = maps.shape.at(2);
            const layout grid = geometry::stretch({columns, rows}, {.rows = rows, .columns = columns});
            const index x = values.at("point_xy").at(0).at(0);
            const index y = values.at("point_xy").at(0).at(1);
            const auto found = find_peak(maps.slice(0), grid);
            if (found) {
                CHECK(found->at == pixel{x, y});
            } else {
                CHECK(found.error().at == static_cast<std::size_t>(y * columns + x));
            }
            CHECK(found.has_value() == (name == "upsample/argmax_ties"));
            ++checked;
            continue;
        }
        const auto& params = c.at("params");
        const image_size image{params.at("image_w").get<index>(), params.at("image_h").get<index>()};
        const peak_options options{.remove_corners = params.at("remove_corner").get<bool>(),
                                   .corner_value = *std::min_element(maps.values.begin(), maps.values.end())};
        const double atol = c.at("tolerance").at("atol");
        const double rtol = c.at("tolerance").at("rtol");
        const auto close = [&](double got, double want) {
            return std::abs(got - want) <= atol + rtol * std::abs(want);
        };
        for (index i = 0; i < maps.shape.at(0); ++i) {
            const auto at = static_cast<std::size_t>(i);
            const bool pad = params.at("mode") == "pad";
            // In the reference's pad mode a grid that is not square is stretched over the square all the
            // same.
            layout grid = geometry::stretch(image, {.rows = maps.shape.at(1), .columns = maps.shape.at(2)});
            if (pad) {
                const index side = std::max(image.width, image.height);
                grid =
                    geometry::stretch({side, side}, {.rows = maps.shape.at(1), .columns = maps.shape.at(2)});
                grid.original = image;
                grid.views[0].x.shift = static_cast<double>((side - image.width) / 2) * grid.views[0].x.scale;
                grid.views[0].y.shift =
                    static_cast<double>((side - image.height) / 2) * grid.views[0].y.scale;
            }
            const auto up = upsample(maps.slice(i), grid, options);
            REQUIRE(up);
            const auto& expected = c.at("expected");
            if (expected.contains("up")) {
                const auto want = read_golden(expected.at("up"));
                const auto slice = want.slice(i);
                REQUIRE(slice.size() == up->values().size());
                bool same = true;
                for (std::size_t k = 0; k < slice.size(); ++k) {
                    same = same && close(up->values()[k], slice[k]);
                }
                CHECK(same);
            } else {
                const auto want = read_golden(expected.at("probes"));
                const auto slice = want.slice(i);
                bool same = true;
                for (std::size_t k = 0; k < slice.size(); ++k) {
                    same = same && close((*up)(params.at("probe_y").at(k).get<index>(),
                                               params.at("probe_x").at(k).get<index>()),
                                         slice[k]);
                }
                CHECK(same);
            }
            const auto [low, high] = std::minmax_element(up->values().begin(), up->values().end());
            CHECK(close(*low, values.at("min").at(at)));
            CHECK(close(*high, values.at("max").at(at)));
            double mean = 0;
            for (const float v : up->values()) {
                mean += v;
            }
            CHECK(close(mean / static_cast<double>(up->values().size()), values.at("mean").at(at)));
            const auto found = find_peak(maps.slice(i), grid, options);
            REQUIRE(found);
            CHECK(found->value == *high);
            if (values.at("argmax_margin").at(at).get<double>() >= 1e-9) {
                CHECK(found->at.x == values.at("point_xy").at(at).at(0).get<index>());
                CHECK(found->at.y == values.at("point_xy").at(at).at(1).get<index>());
            }
            ++checked;
        }
    }
    CHECK(checked >= 24);
}

TEST_CASE("positions are PyTorch's f32 product and f32 difference, whatever the compiler may contract") {
    std::mt19937 random(8);
    std::uniform_int_distribution<index> pixels(1, 5000);
    std::uniform_int_distribution<index> cells(1, 700);
    int wrong = 0;
    for (int i = 0; i < 20000; ++i) {
        const index width = pixels(random);
        const float ratio = static_cast<float>(cells(random)) / static_cast<float>(width);
        const auto x = static_cast<double>(random() % static_cast<unsigned>(width));
        // The product of two f32 values is exact in f64; both roundings are then forced through memory.
        volatile double product = static_cast<double>(ratio) * (x + 0.5);
        volatile auto rounded = static_cast<float>(product);
        volatile float source = rounded - 0.5F;
        wrong += inner::source_of(ratio, 0.0, x) != source;
    }
    CHECK(wrong == 0);
}

TEST_CASE("bilinear equals PyTorch's (training/make_bilinear.py)") {
    for (int n = 0; n < 4; ++n) {
        CAPTURE(n);
        const std::string name = "../reference/bilinear_" + std::to_string(n);
        const auto cells = read_golden(name + ".map.npy");
        const auto want = read_golden(name + ".up.npy");
        const image_size image{want.shape.at(1), want.shape.at(0)};
        const layout grid =
            geometry::stretch(image, {.rows = cells.shape.at(0), .columns = cells.shape.at(1)});
        const auto up = upsample(cells.values, grid, {.kernel = interpolation::bilinear});
        REQUIRE(up);
        REQUIRE(up->values().size() == want.values.size());
        float largest = 0;
        for (std::size_t i = 0; i < want.values.size(); ++i) {
            largest = std::max(largest, std::abs(up->values()[i] - want.values[i]));
        }
        CHECK(largest <= 1e-6F);
    }
}

} // namespace
