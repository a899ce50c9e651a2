#include "ostend/mask/encode.hpp"
#include "ostend/mask/transform.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// A mask of another size whose pixel (y, x) is source(y, x).
template <class Source>
rle made_of(index h, index w, Source source) {
    bitmap out(h, w);
    for (index y = 0; y < h; ++y) {
        for (index x = 0; x < w; ++x) {
            out(y, x) = source(y, x);
        }
    }
    return encode(out);
}

TEST_CASE("windows, margins and flips equal the pixels'") {
    std::mt19937 random(101);
    for (int round = 0; round < 600; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const bitmap mask = random_mask(random, h, w);
        const rle runs = encode(mask);
        const auto at = [&](index y, index x) -> std::uint8_t {
            return y >= 0 && x >= 0 && y < h && x < w ? mask(y, x) : std::uint8_t{0};
        };
        const mask_window window{static_cast<index>(random() % 40) - 20,
                                 static_cast<index>(random() % 40) - 20, static_cast<index>(random() % 60),
                                 static_cast<index>(random() % 60)};
        REQUIRE(crop(runs, window) == made_of(window.height, window.width, [&](index y, index x) {
                    return at(y + window.y, x + window.x);
                }));
        REQUIRE(crop(runs, {0, 0, h, w}) == runs);
        const mask_margins m{static_cast<index>(random() % 9), static_cast<index>(random() % 9),
                             static_cast<index>(random() % 9), static_cast<index>(random() % 9)};
        REQUIRE(pad(runs, m) == made_of(h + m.top + m.bottom, w + m.left + m.right,
                                        [&](index y, index x) { return at(y - m.top, x - m.left); }));
        REQUIRE(flip_vertically(runs) == made_of(h, w, [&](index y, index x) { return mask(h - 1 - y, x); }));
        REQUIRE(flip_horizontally(runs) ==
                made_of(h, w, [&](index y, index x) { return mask(y, w - 1 - x); }));
    }
}

TEST_CASE("resizing reads the stated pixel") {
    std::mt19937 random(102);
    for (int round = 0; round < 600; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const index to_h = random_side(random);
        const index to_w = random_side(random);
        const bitmap mask = random_mask(random, h, w);
        CAPTURE(h);
        CAPTURE(w);
        CAPTURE(to_h);
        CAPTURE(to_w);
        REQUIRE(resize(encode(mask), to_h, to_w) == made_of(to_h, to_w, [&](index y, index x) {
                    return mask((2 * y + 1) * h / (2 * to_h), (2 * x + 1) * w / (2 * to_w));
                }));
        REQUIRE(resize(encode(mask), to_h, to_w, nearest_rule::corner) ==
                made_of(to_h, to_w, [&](index y, index x) { return mask(y * h / to_h, x * w / to_w); }));
    }
}

TEST_CASE("a full mask of nearly 2^32 pixels is one run throughout") {
    const rle full{65535, 65537, {0, 65535U * 65537U}};
    CHECK(flip_vertically(full) == full);
    CHECK(flip_horizontally(full) == full);
    CHECK(resize(full, 65536, 65535).counts == std::vector<std::uint32_t>{0, 65536U * 65535U});
    CHECK(crop(full, {100, 0, 65535, 1000}).counts == std::vector<std::uint32_t>{0, 65535000});
    CHECK(crop(full, {-1, -1, 2, 2}).counts == std::vector<std::uint32_t>{3, 1});
    CHECK(area(resize(rle{1, 4, {1, 2, 1}}, 1, 4000000000)) == 2000000000);
}

TEST_CASE("masks without pixels, and misuse") {
    const rle none{0, 5, {0}};
    CHECK(flip_vertically(none) == none);
    CHECK(flip_horizontally(none) == none);
    CHECK(pad(none, {.top = 2}) == encode(bitmap(2, 5)));
    CHECK(resize(none, 4, 0) == rle{4, 0, {0}});
    CHECK(resize(encode(bitmap(3, 3, true)), 0, 7) == rle{0, 7, {0}});
    CHECK(crop(encode(bitmap(3, 3, true)), {}) == rle{0, 0, {0}});
    CHECK_EXPECTS(resize(none, 4, 4), "a mask without pixels to 4 x 4");
    CHECK_EXPECTS(crop(none, {0, 0, -1, 4}), "negative");
    CHECK_EXPECTS(crop(none, {index{1} << 40, 0, 1, 4}), "a window at");
    CHECK_EXPECTS(pad(none, {.left = -1}), "a negative margin");
    CHECK_EXPECTS(pad(encode(bitmap(3, 3)), {.bottom = index{1} << 31}), "more pixels than a run can count");
    CHECK_EXPECTS(flip_vertically(rle{2, 2, {5}}), "beyond the 4 pixels");
    CHECK_EXPECTS(resize(rle{2, 2, {3}}, 1, 1), "cover 3 of 4");
}

} // namespace
