// The layout self-test on synthetic hosts: features that follow a true layout, tested against right and wrong
// ones.
#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/probe.hpp"
#include "ostend/geometry/stretch.hpp"

#include "support/expects.hpp"

#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index;

/// A host whose token t has the mean colour of the cell order[t] of a true layout, seen through a fixed
/// random matrix, mixed with the mean of all tokens (as attention mixes them) and a little of the neighbours.
struct synthetic_host {
    layout truth;
    std::vector<index> order;
    float leak = 0.3F;
    index width = 24;

    explicit synthetic_host(layout grid) : truth(std::move(grid)), order(truth.tokens.size()) {
        for (std::size_t t = 0; t < order.size(); ++t) {
            order[t] = static_cast<index>(t);
        }
    }

    result<matrix<float>> operator()(const image_view& image) const {
        const auto tokens = static_cast<index>(truth.tokens.size());
        std::vector<std::array<float, 3>> colours(truth.tokens.size());
        std::array<float, 3> all{};
        for (index t = 0; t < tokens; ++t) {
            const auto box = cell_box(truth, t);
            float n = 0;
            auto& c = colours[static_cast<std::size_t>(t)];
            for (auto y = static_cast<index>(box.y0); static_cast<double>(y) + 0.5 < box.y1; ++y) {
                for (auto x = static_cast<index>(box.x0); static_cast<double>(x) + 0.5 < box.x1; ++x) {
                    for (index k = 0; k < 3; ++k) {
                        c[static_cast<std::size_t>(k)] += static_cast<float>(image.load(y, x, k));
                    }
                    ++n;
                }
            }
            for (std::size_t k = 0; k < 3; ++k) {
                c[k] = n > 0 ? c[k] / n / 255.0F : 0.5F; // padding is grey
                all[k] += c[k] / static_cast<float>(tokens);
            }
        }
        matrix<float> out(tokens, width);
        for (index t = 0; t < tokens; ++t) {
            const auto& c = colours[static_cast<std::size_t>(order[static_cast<std::size_t>(t)])];
            for (index x = 0; x < width; ++x) {
                std::mt19937 random(static_cast<unsigned>(x));
                std::normal_distribution<float> normal;
                for (std::size_t k = 0; k < 3; ++k) {
                    out(t, x) += normal(random) * (c[k] + leak * all[k] * 10.0F);
                }
            }
        }
        return out;
    }
};

TEST_CASE("a right layout is right, at any shape of image and grid") {
    std::mt19937 random(3);
    std::uniform_int_distribution<index> side(60, 300);
    for (int i = 0; i < 8; ++i) {
        const image_size image{side(random), side(random)};
        const layout grid = i % 3 == 0   ? geometry::llava_pad(image, {.grid = 12, .cell = 12})
                            : i % 3 == 1 ? geometry::stretch(image, {.rows = 9, .columns = 13})
                                         : geometry::letterbox(image, {.rows = 10, .columns = 12});
        const auto found = probe_layout(grid, synthetic_host(grid));
        REQUIRE(found);
        CHECK_MESSAGE(found->fault == layout_fault::none, found->says);
        CHECK(found->agree == found->judged);
        for (index t = 0; t < static_cast<index>(grid.tokens.size()); ++t) {
            const auto shown = found->shows[static_cast<std::size_t>(t)];
            CHECK((shown == t || (shown == -1 && cell_box(grid, t).area() < 200)));
        }
    }
}

TEST_CASE("tokens that are one off, as a class token counted as a patch makes them") {
    const layout grid = geometry::stretch({120, 96}, {.rows = 8, .columns = 10});
    for (const index by : {1, -1, 2}) {
        synthetic_host host(grid);
        for (index t = 0; t < 80; ++t) {
            host.order[static_cast<std::size_t>(t)] = (t + by + 80) % 80;
        }
        const auto found = probe_layout(grid, host);
        REQUIRE(found);
        CHECK_MESSAGE(found->fault == layout_fault::shifted, found->says);
        CHECK(found->shift == by);
        CHECK(found->agree == 0);
    }
}

TEST_CASE("a transposed grid, rows and columns backwards") {
    const layout grid = geometry::stretch({120, 120}, {.rows = 9, .columns = 9});
    struct made {
        layout_fault fault;
        index (*cell)(index row, index column);
    };
    for (const made& m :
         {made{layout_fault::transposed, [](index r, index c) { return c * 9 + r; }},
          made{layout_fault::mirrored, [](index r, index c) { return (8 - r) * 9 + c; }},
          made{layout_fault::mirrored, [](index r, index c) { return r * 9 + 8 - c; }},
          made{layout_fault::mirrored, [](index r, index c) { return (8 - r) * 9 + 8 - c; }}}) {
        synthetic_host host(grid);
        for (index t = 0; t < 81; ++t) {
            host.order[static_cast<std::size_t>(t)] = m.cell(t / 9, t % 9);
        }
        const auto found = probe_layout(grid, host);
        REQUIRE(found);
        CHECK_MESSAGE(found->fault == m.fault, found->says);
    }
}

TEST_CASE("padding on the wrong side, and another patch size") {
    const image_size wide{240, 120};
    const layout said = geometry::letterbox(wide, {.rows = 16, .columns = 16});
    const layout corner =
        geometry::letterbox(wide, {.rows = 16, .columns = 16, .place = letterbox_place::top_left});
    const auto padded = probe_layout(said, synthetic_host(corner));
    REQUIRE(padded);
    CHECK_MESSAGE(padded->fault == layout_fault::displaced, padded->says);
    CHECK(padded->rows == 4); // the token of row 4 is said to be row 0 of the image and shows its row 4
    CHECK(padded->columns == 0);

    // The host crops the image's middle half to the whole grid.
    const layout whole =
        geometry::stretch({160, 160}, {.rows = 16, .columns = 16, .cell_width = 10, .cell_height = 10});
    layout cropped = whole;
    cropped.views[0].x = {2, -80};
    cropped.views[0].y = {2, -80};
    const auto scaled = probe_layout(whole, synthetic_host(cropped), {.clearness = 1.0});
    REQUIRE(scaled);
    CHECK_MESSAGE(scaled->fault == layout_fault::scaled, scaled->says);
    CHECK(scaled->row_scale == doctest::Approx(0.5).epsilon(0.1));
    CHECK(scaled->column_scale == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("an image with fewer pixels than the grid has cells is too small, one with as many is not") {
    const auto probed = [](index width, index height) {
        const layout grid = geometry::stretch(
            {width, height}, {.rows = 12, .columns = 12, .cell_width = 12, .cell_height = 12});
        const auto found = probe_layout(grid, synthetic_host(grid));
        REQUIRE(found);
        return *found;
    };
    for (const index side : {1, 2, 7, 10}) {
        for (const auto& found : {probed(side, 60), probed(60, side), probed(side, side)}) {
            CHECK(found.fault == layout_fault::unclear);
            CHECK(found.judged == 0);
            CHECK(found.says.find("so small an image") != std::string::npos);
            CHECK(found.shows == std::vector<index>(144, -1));
        }
    }
    const auto found = probed(11, 60); // one column has no pixels
    CHECK_MESSAGE(found.fault == layout_fault::none, found.says);
}

TEST_CASE("a host that does not look, one that fails, and features that do not fit") {
    const layout grid = geometry::stretch({60, 60}, {.rows = 6, .columns = 6});
    const auto blind =
        probe_layout(grid, [](const image_view&) -> result<matrix<float>> { return matrix<float>(36, 8); });
    REQUIRE(blind);
    CHECK(blind->fault == layout_fault::unclear);
    CHECK(blind->judged == 0);
    CHECK(blind->says.find("Too few") == 0);

    std::mt19937 random(5);
    const auto noise = probe_layout(grid,
                                    [&](const image_view&) -> result<matrix<float>> {
                                        std::normal_distribution<float> normal;
                                        matrix<float> out(36, 8);
                                        for (float& v : out.values()) {
                                            v = normal(random);
                                        }
                                        return out;
                                    },
                                    {.clearness = 1.0});
    REQUIRE(noise);
    CHECK(noise->fault == layout_fault::unclear);

    const auto failed = probe_layout(grid, [](const image_view&) -> result<matrix<float>> {
        return error{"no model", "host"};
    });
    REQUIRE(!failed);
    CHECK(failed.error().what == "no model");
    const auto fewer =
        probe_layout(grid, [](const image_view&) -> result<matrix<float>> { return matrix<float>(35, 8); });
    REQUIRE(!fewer);
    CHECK(fewer.error().what.find("35 image tokens") != std::string::npos);
    const auto nan = probe_layout(grid, [](const image_view&) -> result<matrix<float>> {
        matrix<float> out(36, 8);
        out(7, 3) = std::numeric_limits<float>::quiet_NaN();
        return out;
    });
    REQUIRE(!nan);
    CHECK(nan.error().at == 7);
    CHECK_EXPECTS(probe_layout(grid, synthetic_host(grid), {.pairs = 2}), "fewer than 8 pairs");
    CHECK_EXPECTS(diagnose_layout(grid, {1, 2}), "2 entries for 36");
}

} // namespace
