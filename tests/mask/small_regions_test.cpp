#include "ostend/mask/encode.hpp"
#include "ostend/mask/small_regions.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("golden: regions") {
    for (const auto& one : golden_cases("regions")) {
        CAPTURE(one["name"].get<std::string>());
        const rle mask = encode(read_npy_mask(one["inputs"]["mask"]));
        const double threshold = one["params"]["area_thresh"].get<double>();
        const auto& want = one["expected_values"];
        const auto holes = remove_small_regions(mask, threshold, small_regions::holes);
        const auto islands = remove_small_regions(mask, threshold, small_regions::islands);
        const auto both = remove_small_regions(holes.mask, threshold, small_regions::islands);
        CHECK(decode(holes.mask) == read_npy_mask(one["expected"]["holes"]));
        CHECK(decode(islands.mask) == read_npy_mask(one["expected"]["islands"]));
        CHECK(decode(both.mask) == read_npy_mask(one["expected"]["holes_then_islands"]));
        CHECK(holes.changed == want["holes_changed"].get<bool>());
        CHECK(islands.changed == want["islands_changed"].get<bool>());
        const auto eight = components(mask, connectivity::eight).found;
        CHECK(eight.size() == want["n_components8"].get<std::size_t>());
        CHECK(components(mask, connectivity::four).found.size() == want["n_components4"].get<std::size_t>());
        std::vector<std::uint64_t> areas;
        for (const component& c : eight) {
            areas.push_back(c.area);
        }
        std::sort(areas.begin(), areas.end());
        CHECK(areas == want["areas8_sorted"].get<std::vector<std::uint64_t>>());
    }
}

TEST_CASE("what stays has no small region left") {
    std::mt19937 random(41);
    for (int round = 0; round < 200; ++round) {
        const rle mask = encode(random_mask(random, random_side(random), random_side(random)));
        const double threshold = static_cast<double>(random() % 30);
        const auto holes = remove_small_regions(mask, threshold, small_regions::holes);
        REQUIRE(area(subtract(mask, holes.mask)) == 0); // only adds
        REQUIRE(holes.changed == (holes.mask != mask));
        for (const component& c : components(complement(holes.mask), connectivity::eight).found) {
            REQUIRE(static_cast<double>(c.area) >= threshold);
        }
        const auto islands = remove_small_regions(mask, threshold, small_regions::islands);
        REQUIRE(area(subtract(islands.mask, mask)) == 0); // only removes
        const auto left = components(islands.mask, connectivity::eight).found;
        REQUIRE((area(mask) == 0) == left.empty()); // never all
        for (const component& c : left) {
            REQUIRE((static_cast<double>(c.area) >= threshold || left.size() == 1));
        }
    }
}

TEST_CASE("the background is a region too, and of small islands the largest stays") {
    const rle almost_full{3, 3, {0, 8, 1}};
    CHECK(remove_small_regions(almost_full, 2, small_regions::holes).mask == rle{3, 3, {0, 9}});
    const rle two_islands{1, 6, {0, 2, 1, 3}};
    CHECK(remove_small_regions(two_islands, 10, small_regions::islands).mask == rle{1, 6, {3, 3}});
    // Equal areas: pixel (row 1, column 0) shares the first 2 x 2 block, before (row 0, column 2).
    bitmap tie(2, 3);
    tie(1, 0) = 1;
    tie(0, 2) = 1;
    const bitmap kept = decode(remove_small_regions(encode(tie), 5, small_regions::islands).mask);
    CHECK(kept(1, 0) == 1);
    CHECK(kept(0, 2) == 0);
}

TEST_CASE("thresholds that remove nothing") {
    const rle mask{2, 2, {0, 1, 2, 1}};
    for (const double t : {0.0, -1.0, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(!remove_small_regions(mask, t, small_regions::islands).changed);
        CHECK(remove_small_regions(mask, t, small_regions::holes).mask == mask);
    }
    CHECK(remove_small_regions(rle{}, 5, small_regions::islands).mask == rle{});
}

} // namespace
