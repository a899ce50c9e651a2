// The argmax that does not fill the image against the filled image, to the bit.
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/argmax.hpp"

#include "peak/random_maps.hpp"
#include "support/expects.hpp"

#include <cstring>
#include <limits>
#include <random>

namespace {

using namespace ostend;
using namespace ostend_test;
namespace inner = ostend::OSTEND_KERNELS::detail;
using ostend::index;

/// First pixel of the largest value, by looking at all of them.
peak filled_peak(const matrix<float>& cells, const resampling& on) {
    const matrix<float> image = resample(cells, on);
    const auto values = image.values();
    const auto flat = static_cast<index>(std::max_element(values.begin(), values.end()) - values.begin());
    return {{flat % image.columns(), flat / image.columns()}, values[static_cast<std::size_t>(flat)], 0};
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void check_same(const matrix<float>& cells, const resampling& on) {
    const peak want = filled_peak(cells, on);
    const auto got = find_peak(cells, on);
    REQUIRE(got);
    const bool same = got->at == want.at && same_bits(got->value, want.value);
    CHECK_MESSAGE(same, cells.rows() << " x " << cells.columns() << " -> " << on.y.pixels << " x "
                                     << on.x.pixels << ": " << got->at.y << ", " << got->at.x << " = "
                                     << got->value << " where " << want.at.y << ", " << want.at.x << " = "
                                     << want.value);
}

TEST_CASE("pruned equals filled to the bit: thousands of maps, both kernels, any shape") {
    std::mt19937 random(21);
    std::uniform_int_distribution<index> grid_side(1, 26);
    std::uniform_int_distribution<index> image_side(1, 70);
    for (int i = 0; i < 4000; ++i) {
        const index rows = i % 13 == 0 ? 1 : grid_side(random);
        const index columns = i % 11 == 0 ? 1 : grid_side(random);
        const auto cells = make_map(static_cast<kind>(i % kinds), rows, columns, random);
        const auto kernel = i / kinds % 2 == 0 ? interpolation::bicubic : interpolation::bilinear;
        const image_size image{i % 17 == 0 ? 1 : image_side(random), i % 19 == 0 ? 1 : image_side(random)};
        check_same(cells, make_resampling(rows, columns, image, kernel));
    }
}

TEST_CASE("pruned equals filled on padded images and larger sizes") {
    std::mt19937 random(22);
    std::uniform_int_distribution<index> side(1, 300);
    for (int i = 0; i < 200; ++i) {
        const layout grid = geometry::llava_pad({side(random), side(random)});
        check_same(make_map(static_cast<kind>(i % kinds), 24, 24, random), make_resampling(grid));
    }
    for (int i = 0; i < 10; ++i) {
        const layout grid = geometry::stretch({777, 1024});
        check_same(make_map(static_cast<kind>(i % kinds), 24, 24, random), make_resampling(grid));
        check_same(make_map(static_cast<kind>(i % kinds), 150, 299, random),
                   make_resampling(150, 299, {61, 300}));
    }
    // Patches of thousands of pixels, so that they are cut many times.
    for (int i = 0; i < 8 * kinds; ++i) {
        const auto kernel = i / kinds % 2 == 0 ? interpolation::bicubic : interpolation::bilinear;
        const index rows = 1 + i % 7;
        check_same(make_map(static_cast<kind>(i % kinds), rows, 5, random),
                   make_resampling(rows, 5, {3 * side(random), 3 * side(random)}, kernel));
    }
}

TEST_CASE("ties go to the first pixel in row-major order") {
    const matrix<float> constant(24, 24, 0.3F);
    CHECK(find_peak(constant, make_resampling(geometry::llava_pad({99, 40})))->at == pixel{0, 0});
    matrix<float> twice(6, 8);
    twice(2, 3) = twice(2, 5) = twice(4, 1) = 1.0F;
    const auto same_size = geometry::stretch({8, 6}, {.rows = 6, .columns = 8});
    CHECK(find_peak(twice.values(), same_size)->at == pixel{3, 2});
    // Bilinear, three pixels a cell: the cells' centres are pixels, and the peaks are equal to the bit.
    const auto larger = geometry::stretch({24, 18}, {.rows = 6, .columns = 8});
    CHECK(find_peak(twice.values(), larger, {.kernel = interpolation::bilinear})->at == pixel{10, 7});
}

TEST_CASE("1 x 1 images and single cells") {
    const matrix<float> one(1, 1, -3.0F);
    const auto lone = find_peak(one, make_resampling(1, 1, {5, 7}));
    REQUIRE(lone);
    CHECK(lone->at == pixel{0, 0});
    CHECK(lone->value == -3.0F);
    CHECK(lone->confidence == 0);
    std::vector<float> map(576, 0.0F);
    map[12 * 24 + 12] = 1.0F;
    const auto found = find_peak(map, geometry::llava_pad({1, 1}));
    REQUIRE(found);
    CHECK(found->at == pixel{0, 0});
}

TEST_CASE("values that are not finite: an error with the pixel of the filled image") {
    std::mt19937 random(24);
    std::uniform_int_distribution<index> image_side(1, 70);
    std::uniform_int_distribution<std::size_t> cell(0, 63);
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max()};
    for (int i = 0; i < 400; ++i) {
        auto cells = make_map(kind::normal, 8, 8, random);
        cells.values()[cell(random)] = bad[i % 4];
        const auto kernel = i / 4 % 2 == 0 ? interpolation::bicubic : interpolation::bilinear;
        const auto on = make_resampling(8, 8, {image_side(random), image_side(random)}, kernel);
        const auto image = resample(cells, on);
        const auto values = image.values();
        auto first = std::find_if(values.begin(), values.end(), [](float v) { return std::isnan(v); });
        if (first == values.end()) {
            first = std::find_if(values.begin(), values.end(), [](float v) { return std::isinf(v); });
        }
        const auto found = find_peak(cells, on);
        REQUIRE(found.has_value() == (first == values.end()));
        if (!found) {
            CHECK(found.error().at == static_cast<std::size_t>(first - values.begin()));
        } else {
            CHECK(found->value == *std::max_element(values.begin(), values.end()));
        }
    }
}

TEST_CASE("misuse is refused") {
    const auto on = make_resampling(geometry::llava_pad({10, 10}));
    CHECK_EXPECTS(find_peak(matrix<float>(24, 23), on), "24 x 23 cells where 24 x 24");
}

} // namespace
