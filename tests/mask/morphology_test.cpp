#include "ostend/mask/encode.hpp"
#include "ostend/mask/morphology.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// Pixel by pixel over the rectangle, once.
bitmap dense_step(const bitmap& mask, index rows, index columns, bool erosion, bool border_ignored) {
    bitmap out(mask.height, mask.width);
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            bool all = true;
            bool any = false;
            for (index v = y - rows / 2; v < y - rows / 2 + rows; ++v) {
                for (index u = x - columns / 2; u < x - columns / 2 + columns; ++u) {
                    const bool within = v >= 0 && u >= 0 && v < mask.height && u < mask.width;
                    all = all && (within ? mask(v, u) != 0 : border_ignored);
                    any = any || (within && mask(v, u) != 0);
                }
            }
            out(y, x) = (erosion ? all : any) ? 1 : 0;
        }
    }
    return out;
}

TEST_CASE("erosion and dilation equal the pixels' rectangles") {
    std::mt19937 random(91);
    for (int round = 0; round < 1500; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        bitmap mask = random_mask(random, h, w);
        if (random() % 2 == 0) { // thick enough to survive
            mask = dense_step(mask, 1 + random() % 9, 1 + random() % 9, false, true);
        }
        morphology_options options;
        options.rows = 1 + static_cast<index>(random() % 6);
        options.columns = 1 + static_cast<index>(random() % 6);
        options.iterations = static_cast<index>(random() % 4);
        options.border = random() % 2 == 0 ? mask_border::outside : mask_border::ignored;
        CAPTURE(h);
        CAPTURE(w);
        CAPTURE(options.rows);
        CAPTURE(options.columns);
        CAPTURE(options.iterations);
        bitmap eroded = mask;
        bitmap dilated = mask;
        for (index i = 0; i < options.iterations; ++i) {
            eroded = dense_step(eroded, options.rows, options.columns, true,
                                options.border == mask_border::ignored);
            dilated = dense_step(dilated, options.rows, options.columns, false, true);
        }
        REQUIRE(erode(encode(mask), options) == encode(eroded));
        REQUIRE(dilate(encode(mask), options) == encode(dilated));
    }
}

/// Empty runs between those of a mask, and at its ends.
rle with_empty_runs(std::mt19937& random, const rle& mask) {
    rle out{mask.height, mask.width, {}};
    for (std::uint32_t count : mask.counts) {
        while (random() % 4 == 0) {
            const std::uint32_t part = count == 0 ? 0 : random() % count;
            out.counts.insert(out.counts.end(), {part, 0});
            count -= part;
        }
        out.counts.push_back(count);
    }
    for (std::uint32_t i = random() % 3; i-- > 0;) {
        out.counts.push_back(0);
    }
    return out;
}

TEST_CASE("few runs or many, in any part of the image, in any form") {
    std::mt19937 random(92);
    const auto below = [&random](index n) {
        return static_cast<index>(random() % static_cast<std::uint32_t>(n));
    };
    for (int round = 0; round < 300; ++round) {
        const index h = 1 + below(round % 3 == 0 ? 20 : 200);
        const index w = 1 + below(round % 3 == 1 ? 20 : 200);
        bitmap mask(h, w);
        const index x0 = below(w);
        const index x1 = x0 + 1 + below(w - x0);
        const index y0 = below(h);
        const index y1 = y0 + 1 + below(h - y0);
        const std::uint32_t thousandth = 1 + random() % (round % 2 == 0 ? 1000 : 40);
        for (index y = y0; y < y1; ++y) {
            for (index x = x0; x < x1; ++x) {
                mask(y, x) = (random() % 1000 < thousandth) != (round % 5 == 0) ? 1 : 0;
            }
        }
        const morphology_options options{.rows = 1 + below(4),
                                         .columns = 1 + below(4),
                                         .border =
                                             below(2) == 0 ? mask_border::outside : mask_border::ignored};
        const bool ignored = options.border == mask_border::ignored;
        CAPTURE(round);
        const rle runs = with_empty_runs(random, encode(mask));
        REQUIRE(erode(runs, options) ==
                encode(dense_step(mask, options.rows, options.columns, true, ignored)));
        REQUIRE(dilate(runs, options) ==
                encode(dense_step(mask, options.rows, options.columns, false, true)));
    }
}

TEST_CASE("rectangles larger than the image") {
    const rle full = encode(bitmap(70, 5, true));
    bitmap dot(70, 5);
    dot(69, 0) = 1;
    const morphology_options huge{.rows = 1001, .columns = 1000001, .iterations = 1000000000};
    CHECK(erode(full, huge) == full);
    CHECK(area(erode(full, {.rows = 1001, .border = mask_border::outside})) == 0);
    CHECK(dilate(encode(dot), huge) == full);
    CHECK(area(erode(encode(dot), huge)) == 0);
    // 140 rows: the run goes over the end of a column and over words.
    CHECK(to_coco_box(dilate(encode(dot), {.rows = 5, .columns = 3})) == coco_box{0, 67, 2, 3});
}

TEST_CASE("masks without pixels inside, or without pixels") {
    CHECK(erode(encode(bitmap(4, 6))) == encode(bitmap(4, 6)));
    CHECK(dilate(encode(bitmap(4, 6))) == encode(bitmap(4, 6)));
    CHECK(dilate(encode(bitmap(0, 6))) == encode(bitmap(0, 6)));
    CHECK(erode(encode(bitmap(6, 0))) == encode(bitmap(6, 0)));
}

TEST_CASE("a few runs in a mask of nearly 2^32 pixels cost what their box costs") {
    rle mask{65535, 65535, {}};
    const std::uint32_t column = 65535;
    mask.counts = {30000 * column + 100, 10, column - 10, 10, column - 10, 10};
    std::uint32_t sum = 0;
    for (const std::uint32_t c : mask.counts) {
        sum += c;
    }
    mask.counts.push_back(65535U * 65535U - sum);
    CHECK(area(erode(mask)) == 8);
    CHECK(area(dilate(mask)) == 60);
}

TEST_CASE("an empty run is no gap") {
    CHECK(erode(rle{5, 5, {0, 12, 0, 13}}) == rle{5, 5, {0, 25}});
    CHECK(dilate(rle{5, 5, {0, 0, 12, 1, 0, 0, 12}}) == dilate(rle{5, 5, {12, 1, 12}}));
}

TEST_CASE("misuse") {
    const rle mask = encode(bitmap(4, 6));
    CHECK_EXPECTS(erode(mask, {.rows = 0}), "a rectangle of 0 x 3 pixels");
    CHECK_EXPECTS(dilate(mask, {.iterations = -1}), "-1 times");
    CHECK_EXPECTS(erode(rle{4, 6, {25}}), "beyond the 24 pixels");
}

} // namespace
