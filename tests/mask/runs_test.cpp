#include "ostend/mask/encode.hpp"
#include "ostend/mask/runs.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("area, boxes and contains agree with the pixels") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        const bitmap mask = random_mask(random, random_side(random), random_side(random));
        const rle runs = encode(mask);
        std::uint64_t pixels = 0;
        index x0 = mask.width;
        index x1 = -1;
        index y0 = mask.height;
        index y1 = -1;
        for (index y = 0; y < mask.height; ++y) {
            for (index x = 0; x < mask.width; ++x) {
                REQUIRE(contains(runs, {x, y}) == (mask(y, x) != 0));
                if (mask(y, x) != 0) {
                    ++pixels;
                    x0 = std::min(x0, x);
                    x1 = std::max(x1, x);
                    y0 = std::min(y0, y);
                    y1 = std::max(y1, y);
                }
            }
        }
        REQUIRE(area(runs) == pixels);
        if (pixels == 0) {
            REQUIRE(bounding_box(runs) == box_in<original_frame>{});
            REQUIRE(to_coco_box(runs) == coco_box{});
            REQUIRE(to_inclusive_box(runs) == inclusive_box{});
        } else {
            REQUIRE(to_inclusive_box(runs) == inclusive_box{x0, y0, x1, y1});
            REQUIRE(bounding_box(runs) ==
                    box_in<original_frame>{double(x0), double(y0), double(x1 + 1), double(y1 + 1)});
            REQUIRE(to_coco_box(runs) ==
                    coco_box{double(x0), double(y0), double(x1 + 1 - x0), double(y1 + 1 - y0)});
        }
        for (const pixel outside :
             {pixel{-1, 0}, pixel{0, -1}, pixel{mask.width, 0}, pixel{0, mask.height}}) {
            REQUIRE(!contains(runs, outside));
        }
    }
}

TEST_CASE("for_each_run joins runs that only an empty one parts, and skips empty ones") {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    const auto collect = [&](std::uint64_t first, std::uint64_t last) { seen.emplace_back(first, last); };
    for_each_run(rle{3, 4, {0, 2, 0, 1, 2, 0, 1, 3, 1, 0, 0, 2}}, collect);
    CHECK(seen == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 3}, {6, 9}, {10, 12}});
    seen.clear();
    for_each_run(rle{3, 4, {12}}, collect);
    for_each_run(rle{}, collect);
    CHECK(seen.empty());
}

TEST_CASE("an empty inner run does not widen a box") {
    CHECK(to_coco_box(rle{3, 3, {0, 0, 5, 1, 3, 0, 0}}) == coco_box{1, 2, 1, 1});
}

} // namespace
