#include "ostend/mask/check.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;

TEST_CASE("counts must cover the mask, no more and no less") {
    CHECK(check(rle{2, 3, {6}}));
    CHECK(check(rle{2, 3, {0, 6}}));
    CHECK(check(rle{2, 3, {1, 0, 5}}));
    CHECK(check(rle{}));
    CHECK(check(rle{0, 4, {0}}));
    CHECK(check(rle{2, 3, {4, 3}}).error().at == 1U);
    CHECK(check(rle{2, 3, {4, 1}}).error().message() == "counts: the runs cover 5 of 6 pixels (at 2)");
    CHECK(check(rle{2, 3, {}}).error().at == 0U);
    CHECK(check(rle{2, 3, {4294967295U, 7}}).error().at == 0U); // no wrap-around back to 6
}

TEST_CASE("sizes") {
    CHECK(*mask_pixels(65535, 65537) == max_mask_pixels);
    CHECK(!mask_pixels(65536, 65536));
    CHECK(!mask_pixels(-1, 0));
    CHECK(!mask_pixels(std::ptrdiff_t{1} << 62, 0));
    CHECK(check(rle{-2, -3, {6}}).error().field == "size");
}

} // namespace
