// Many maps at once against one after the other, to the bit, whoever runs them.
#include "ostend/core/threads.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/peak/many.hpp"

#include "peak/random_maps.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

matrix<float> many_maps(index count) {
    std::mt19937 random(41);
    matrix<float> maps(count, 576);
    for (index i = 0; i < count; ++i) {
        const auto cells = make_map(static_cast<kind>(i % kinds), 24, 24, random);
        std::copy(cells.values().begin(), cells.values().end(), maps.row(i).begin());
    }
    return maps;
}

/// Calls f(execution) for each kind of execution.
template <class F>
void with_each(F&& f) {
    f(seq);
    for (const int count : {0, 1, 2, 3, 7}) {
        f(threads{count});
    }
    f([](index count, part_work work) { // a host's own, last map first
        for (index i = count; i-- > 0;) {
            work(i);
        }
    });
}

TEST_CASE("the peak of each map is find_peak's, with any execution") {
    auto maps = many_maps(23);
    maps(4, 100) = std::numeric_limits<float>::quiet_NaN();
    maps(20, 7) = std::numeric_limits<float>::infinity();
    const layout grid = geometry::llava_pad({640, 427});
    const peak_options options{.kernel = interpolation::bicubic, .remove_corners = true};
    with_each([&](const auto& on) {
        const auto found = find_peak_of_each(maps, grid, options, on);
        REQUIRE(found.size() == 23);
        for (index i = 0; i < maps.rows(); ++i) {
            const auto one = find_peak(maps.row(i), grid, options);
            const auto& same = found[static_cast<std::size_t>(i)];
            REQUIRE(same.has_value() == one.has_value());
            if (one) {
                CHECK(*same == *one);
            } else {
                CHECK(same.error().message() == one.error().message());
            }
        }
        CHECK(found[4].error().at.has_value());
    });
}

TEST_CASE("and so are its separated peaks") {
    auto maps = many_maps(11);
    maps(3, 575) = std::numeric_limits<float>::quiet_NaN();
    const layout grid = geometry::llava_pad({200, 300});
    const peaks_options options{.count = 4, .separation = 2};
    with_each([&](const auto& on) {
        const auto found = find_peaks_of_each(maps, grid, options, on);
        REQUIRE(found.size() == 11);
        for (index i = 0; i < maps.rows(); ++i) {
            const auto one = find_peaks(maps.row(i), grid, options);
            const auto& same = found[static_cast<std::size_t>(i)];
            REQUIRE(same.has_value() == one.has_value());
            if (one) {
                CHECK(*same == *one);
            }
        }
    });
}

TEST_CASE("no maps, and the defaults") {
    const layout grid = geometry::llava_pad({30, 20});
    CHECK(find_peak_of_each(matrix<float>(0, 576), grid, {}, par).empty());
    CHECK(find_peak_of_each(many_maps(2), grid).size() == 2);
    CHECK(find_peaks_of_each(many_maps(2), grid)[1]->size() > 1);
}

} // namespace
