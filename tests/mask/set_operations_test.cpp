#include "ostend/mask/encode.hpp"
#include "ostend/mask/set_operations.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

template <class F>
rle dense(const bitmap& a, const bitmap& b, F f) {
    bitmap out(a.height, a.width);
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        out.pixels[i] = f(a.pixels[i] != 0, b.pixels[i] != 0) ? 1 : 0;
    }
    return encode(out);
}

TEST_CASE("every operation equals the one on pixels, in canonical form") {
    std::mt19937 random(8);
    for (int round = 0; round < 400; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const bitmap a = random_mask(random, h, w);
        const bitmap b = random_mask(random, h, w);
        const bitmap c = random_mask(random, h, w);
        const rle ra = encode(a);
        const rle rb = encode(b);
        REQUIRE(unite(ra, rb) == dense(a, b, [](bool x, bool y) { return x || y; }));
        REQUIRE(intersect(ra, rb) == dense(a, b, [](bool x, bool y) { return x && y; }));
        REQUIRE(subtract(ra, rb) == dense(a, b, [](bool x, bool y) { return x && !y; }));
        REQUIRE(complement(ra) == dense(a, a, [](bool x, bool) { return !x; }));
        REQUIRE(complement(complement(ra)) == ra);
        const std::vector<rle> all{ra, rb, encode(c)};
        REQUIRE(unite(all) == unite(ra, unite(rb, all[2])));
        REQUIRE(intersect(all) == subtract(ra, unite(complement(rb), complement(all[2]))));
        REQUIRE(unite(std::span<const rle>(all).first(1)) == ra);
    }
}

TEST_CASE("of any number of masks, as one after the other") {
    std::mt19937 random(9);
    for (int round = 0; round < 150; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const std::size_t n = 1 + random() % (round % 10 == 0 ? 100 : 9);
        const bool sparse = random() % 2 == 0; // nothing in common sooner or later, or much
        std::vector<rle> masks;
        bitmap any(h, w);
        bitmap all(h, w, true);
        for (std::size_t i = 0; i < n; ++i) {
            bitmap mask = random_mask(random, h, w);
            for (std::uint8_t& pixel : mask.pixels) {
                pixel = sparse ? pixel : pixel | (random() % 16 != 0 ? 1 : 0);
            }
            for (std::size_t k = 0; k < mask.pixels.size(); ++k) {
                any.pixels[k] |= mask.pixels[k];
                all.pixels[k] &= mask.pixels[k];
            }
            masks.push_back(encode(mask));
        }
        CAPTURE(n);
        REQUIRE(unite(masks) == encode(any));
        REQUIRE(intersect(masks) == encode(all));
    }
}

TEST_CASE("one mask comes back in canonical form") {
    const std::vector<rle> one{rle{2, 3, {0, 1, 0, 2, 1, 0, 0, 2, 0, 0}}};
    CHECK(unite(one) == rle{2, 3, {0, 3, 1, 2}});
    CHECK(intersect(one) == rle{2, 3, {0, 3, 1, 2}});
}

TEST_CASE("masks without pixels") {
    CHECK(unite(rle{}, rle{}).counts == std::vector<std::uint32_t>{0});
    CHECK(complement(rle{0, 3, {0}}).counts == std::vector<std::uint32_t>{0});
}

TEST_CASE("different sizes are refused") {
    CHECK_EXPECTS(unite(rle{2, 3, {6}}, rle{3, 2, {6}}), "unite: masks of 2 x 3 and 3 x 2");
    CHECK_EXPECTS(intersect(rle{2, 3, {6}}, rle{3, 2, {6}}), "intersect: masks of");
    CHECK_EXPECTS(subtract(rle{2, 3, {6}}, rle{3, 2, {6}}), "subtract: masks of");
    CHECK_EXPECTS(unite(std::span<const rle>{}), "no masks");
    const std::vector<rle> mixed{rle{2, 3, {6}}, rle{2, 3, {6}}, rle{3, 2, {6}}};
    CHECK_EXPECTS(unite(mixed), "unite: masks of 2 x 3 and 3 x 2");
    CHECK_EXPECTS(intersect(mixed), "intersect: masks of 2 x 3 and 3 x 2"); // although nothing is in common
}

} // namespace
