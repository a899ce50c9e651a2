// Several peaks against a brute-force search of the filled image, and the confidence.
#include "ostend/geometry/llava.hpp"
#include "ostend/peak/maxima.hpp"

#include "peak/random_maps.hpp"
#include "support/expects.hpp"

#include <limits>
#include <random>

namespace {

using namespace ostend;
using namespace ostend_test;
namespace inner = ostend::OSTEND_KERNELS::detail;
using ostend::index;

/// Local maxima of a filled image, then the greedy choice; distances are measured in units of so many pixels.
std::vector<peak> brute_force(const matrix<float>& image, int count, double separation, double unit_x = 1,
                              double unit_y = 1) {
    std::vector<peak> candidates;
    for (index y = 0; y < image.rows(); ++y) {
        for (index x = 0; x < image.columns(); ++x) {
            bool is_peak = true;
            for (index v = -1; v <= 1; ++v) {
                for (index u = -1; u <= 1; ++u) {
                    if ((u == 0 && v == 0) || y + v < 0 || x + u < 0 || y + v >= image.rows() ||
                        x + u >= image.columns()) {
                        continue;
                    }
                    const bool earlier = v < 0 || (v == 0 && u < 0);
                    const float other = image(y + v, x + u);
                    is_peak = is_peak && (earlier ? image(y, x) > other : image(y, x) >= other);
                }
            }
            if (is_peak) {
                candidates.push_back({{x, y}, image(y, x), 0});
            }
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const peak& a, const peak& b) { return a.value > b.value; });
    std::vector<peak> taken;
    for (const peak& c : candidates) {
        bool apart = true;
        for (const peak& t : taken) {
            const auto dx = static_cast<double>(c.at.x - t.at.x) / unit_x;
            const auto dy = static_cast<double>(c.at.y - t.at.y) / unit_y;
            apart = apart && std::sqrt(dx * dx + dy * dy) >= separation - 1e-9;
        }
        if (apart && static_cast<int>(taken.size()) < count) {
            taken.push_back(c);
        }
    }
    return taken;
}

TEST_CASE("find_peaks agrees with a brute-force search") {
    std::mt19937 random(31);
    std::normal_distribution<float> normal;
    std::uniform_int_distribution<index> side(1, 60);
    for (int i = 0; i < 100; ++i) {
        matrix<float> cells(6, 9);
        for (float& v : cells.values()) {
            v = i % 4 == 0 ? std::round(normal(random)) : normal(random);
        }
        const auto on = make_resampling(6, 9, {side(random), side(random)});
        const double separation = i % 5 + 1.5;
        const auto got =
            find_peaks(cells, on, {.count = 4, .separation = separation, .unit = separation_unit::pixels});
        REQUIRE(got);
        const auto want = brute_force(resample(cells, on), 4, separation);
        REQUIRE(got->size() == want.size());
        for (std::size_t k = 0; k < want.size(); ++k) {
            CHECK((*got)[k].at == want[k].at);
            CHECK((*got)[k].value == want[k].value);
        }
        CHECK(got->front() == *find_peak(cells, on));
    }
}

void check_same(const std::vector<peak>& got, const std::vector<peak>& want) {
    bool same = got.size() == want.size();
    for (std::size_t k = 0; same && k < want.size(); ++k) {
        same = got[k].at == want[k].at && got[k].value == want[k].value;
    }
    CHECK(same);
}

TEST_CASE("and so it does for maps of every kind, both kernels, any shape, count and separation") {
    std::mt19937 random(33);
    std::uniform_int_distribution<index> grid_side(1, 12);
    std::uniform_int_distribution<index> image_side(1, 70);
    std::uniform_int_distribution<int> count(1, 12);
    std::uniform_real_distribution<double> separation(0, 4);
    for (int i = 0; i < 1500; ++i) {
        const index rows = grid_side(random);
        const index columns = grid_side(random);
        const auto cells = make_map(static_cast<kind>(i % kinds), rows, columns, random);
        const auto kernel = i / kinds % 2 == 0 ? interpolation::bicubic : interpolation::bilinear;
        const image_size image{image_side(random), image_side(random)};
        const auto on = make_resampling(rows, columns, image, kernel);
        const peaks_options options{.count = count(random), .separation = separation(random)};
        const auto got = find_peaks(cells, on, options);
        REQUIRE(got);
        check_same(*got,
                   brute_force(resample(cells, on), options.count, options.separation,
                               1.0 / static_cast<double>(on.x.ratio), 1.0 / static_cast<double>(on.y.ratio)));
    }
}

TEST_CASE("and for images of many pixels a cell, padded or not, with values that cannot be bounded") {
    std::mt19937 random(34);
    for (int i = 0; i < 2 * kinds; ++i) {
        const layout grid = i < kinds ? geometry::llava_pad({311, 197}) : geometry::llava_pad({150, 480});
        auto cells = make_map(static_cast<kind>(i % kinds), 24, 24, random);
        const auto on = make_resampling(grid);
        const peaks_options options{.count = 7, .separation = 40, .unit = separation_unit::pixels};
        check_same(*find_peaks(cells, on, options), brute_force(resample(cells, on), 7, 40));
        const float largest = inner::largest_magnitude(cells.values());
        for (float& v : cells.values()) {
            v = v / largest * 0x1p123F; // overflow is near
        }
        check_same(*find_peaks(cells, on, options), brute_force(resample(cells, on), 7, 40));
    }
}

TEST_CASE("two blobs are two peaks, and the separation in cells keeps one of two near ones") {
    std::vector<float> map(576, 0.0F);
    map[5 * 24 + 5] = 1.0F;
    map[18 * 24 + 17] = 0.8F;
    const layout grid = geometry::llava_pad({240, 240});
    const peaks_options two{.count = 2, .least_confidence = 0.1};
    const auto found = find_peaks(map, grid, two);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(cell_box(grid, 5 * 24 + 5).contains((*found)[0].at.centre()));
    CHECK(cell_box(grid, 18 * 24 + 17).contains((*found)[1].at.centre()));
    CHECK((*found)[0].confidence > (*found)[1].confidence);
    map[18 * 24 + 17] = 0.0F;
    map[5 * 24 + 7] = 0.8F; // two cells away
    CHECK(find_peaks(map, grid, {.separation = 2.5, .least_confidence = 0.1})->size() == 1);
    // The ripples of the bicubic kernel beside them are local maxima too, of confidence 0.14.
    const auto near = find_peaks(map, grid, {.separation = 1.5, .least_confidence = 0.3});
    REQUIRE(near->size() == 2);
    CHECK(cell_box(grid, 5 * 24 + 5).contains((*near)[0].at.centre()));
    CHECK(cell_box(grid, 5 * 24 + 7).contains((*near)[1].at.centre()));
}

TEST_CASE("constant maps, count 0, values that are not finite, misuse") {
    const layout grid = geometry::llava_pad({30, 20});
    const std::vector<float> constant(576, 2.0F);
    const auto one = find_peaks(constant, grid);
    REQUIRE(one);
    REQUIRE(one->size() == 1);
    CHECK(one->front().at == pixel{0, 0});
    CHECK(one->front().confidence == 0);
    CHECK(find_peaks(constant, grid, {.count = 0})->empty());
    CHECK(find_peaks(constant, grid, {.least_confidence = 0.5})->empty());
    std::vector<float> bad = constant;
    bad[300] = std::numeric_limits<float>::quiet_NaN();
    CHECK(find_peaks(bad, grid).error().at == find_peak(bad, grid).error().at);
    CHECK_EXPECTS(find_peaks(constant, grid, {.separation = -1}), "separation -1");
}

TEST_CASE("confidence: 0 for flat, near 1 for one lit cell, low for noise; blind to scale and shift") {
    const layout grid = geometry::llava_pad({240, 240});
    std::mt19937 random(32);
    std::normal_distribution<float> normal;
    std::vector<float> lit(576, 0.0F);
    lit[100] = 1.0F;
    CHECK(find_peak(lit, grid)->confidence > 0.99);
    for (int i = 0; i < 20; ++i) {
        std::vector<float> noise(576);
        for (float& v : noise) {
            v = normal(random);
        }
        const double c = find_peak(noise, grid)->confidence;
        CHECK(c > 0.05);
        CHECK(c < 0.35);
        std::vector<float> moved = noise;
        for (float& v : moved) {
            v = 8.0F * v + 64.0F;
        }
        CHECK(find_peak(moved, grid)->confidence == doctest::Approx(c).epsilon(1e-3));
    }
}

TEST_CASE("confidence by hand") {
    // Nine cells in a row, 0 but for one 9: mean 1, variance (64 + 8) / 9 = 8, z^2 = 64 / 8 at value 9.
    matrix<float> cells(1, 9);
    cells(0, 4) = 9;
    const auto on = make_resampling(1, 9, {9, 1});
    CHECK(peak_confidence(cells, on, {4, 0}, 9) == doctest::Approx(std::sqrt(8.0 / 9)));
    CHECK(peak_confidence(cells, on, {6, 0}, 9) == doctest::Approx(std::sqrt(8.0 / 9)));
    CHECK(peak_confidence(cells, on, {7, 0}, 9) == 0); // no mass within two cells
    CHECK(peak_confidence(cells, on, {4, 0}, 1) == 0); // no higher than the mean
}

} // namespace
