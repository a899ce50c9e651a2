#include "ostend/mask/encode.hpp"
#include "ostend/mask/measured_mask.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one
namespace inner = ostend::OSTEND_KERNELS::detail;

TEST_CASE("area, box and shared pixels equal the pixels' in both forms") {
    std::mt19937 random(161);
    int ragged = 0;
    int by_columns = 0;
    for (int round = 0; round < 400; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const bitmap da = random_mask(random, h, w);
        const bitmap db = random_mask(random, h, w);
        const inner::measured_mask a(encode(da));
        const inner::measured_mask b(encode(db));
        CAPTURE(h);
        CAPTURE(w);
        REQUIRE(a.area == area(encode(da)));
        REQUIRE(a.box == bounding_box(encode(da)));
        std::uint64_t want = 0;
        for (std::size_t i = 0; i < da.pixels.size(); ++i) {
            want += da.pixels[i] & db.pixels[i];
        }
        REQUIRE(inner::common_pixels(a, b) == want);
        if (inner::boxes_overlap(a.box, b.box)) {
            REQUIRE(inner::common_of_runs(a, b) == want);
            const bool both = !a.rows.empty() && !b.rows.empty();
            ragged += both ? 0 : 1;
            by_columns += both ? 1 : 0;
        }
    }
    CHECK(ragged > 20);
    CHECK(by_columns > 100);
}

TEST_CASE("columns too high, too many or too ragged for rows by column") {
    const inner::measured_mask high(rle{40000, 2, {10, 39000, 40990}});
    CHECK(high.rows.empty());
    CHECK(high.box == box_in<original_frame>{0, 10, 1, 39010});
    const inner::measured_mask wide(rle{1, 100000000, {5, 99999990, 5}});
    CHECK(wide.rows.empty());
    CHECK(wide.box == box_in<original_frame>{5, 0, 99999995, 1});
    CHECK(inner::common_pixels(wide, wide) == 99999990);
    const inner::measured_mask ragged(rle{11, 1, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}});
    CHECK(ragged.rows.empty());
    CHECK(ragged.area == 5);
    const inner::measured_mask four(rle{9, 1, {1, 1, 1, 1, 1, 1, 1, 1, 1}});
    CHECK(four.layers() == 4);
    CHECK(inner::common_pixels(four, four) == 4);
    const inner::measured_mask full(rle{32767, 60, {0, 1966020}});
    CHECK(full.layers() == 1);
    CHECK(inner::common_pixels(full, full) == 1966020);
    const inner::measured_mask lying(rle{2, 2, {1, 4000000000, 1, 4000000000}});
    CHECK(lying.rows.empty());
    CHECK(inner::common_pixels(lying, lying) >= 0);
}

} // namespace
