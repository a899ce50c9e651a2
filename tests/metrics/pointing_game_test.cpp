#include "ostend/mask/encode.hpp"
#include "ostend/metrics/pointing_game.hpp"

#include "mask/random_masks.hpp"
#include "metrics/any_split.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct image {
    std::string name;
    std::vector<std::pair<std::int64_t, bitmap>> objects;
    std::vector<category_point> points;
};

image random_image(std::mt19937& random, int number) {
    image out{"image " + std::to_string(number), {}, {}};
    const index h = random_side(random);
    const index w = random_side(random);
    for (std::uint32_t k = random() % 4; k-- > 0;) {
        bitmap mask = random_mask(random, h, w);
        if (random() % 2 == 0) { // a lone pixel or two: distances matter
            mask = bitmap(h, w);
            mask.pixels[random() % mask.pixels.size()] = 1;
            mask.pixels[random() % mask.pixels.size()] = 1;
        }
        out.objects.emplace_back(random() % 4, std::move(mask));
    }
    for (std::uint32_t k = random() % 5; k-- > 0;) {
        const auto anywhere = [&](index side) {
            return static_cast<index>(random() % static_cast<std::uint32_t>(side + 20)) - 10;
        };
        out.points.push_back({static_cast<std::int64_t>(random() % 4), {anywhere(w), anywhere(h)}});
    }
    return out;
}

status add(pointing_game_accumulator& to, const image& one) {
    std::vector<object_mask> truths;
    for (const auto& [category, mask] : one.objects) {
        truths.push_back({category, encode(mask)});
    }
    return to.update(one.name, truths, one.points);
}

TEST_CASE("random images against the acceptance disc, pixel by pixel") {
    std::mt19937 random(41);
    for (const index tolerance : {0, 1, 2, 5, 15, 40}) {
        for (const bool inclusive : {false, true}) {
            pointing_game_accumulator metric({.tolerance = tolerance, .inclusive = inclusive, .classes = 6});
            std::map<std::int64_t, ratio> want;
            for (int i = 0; i < 60; ++i) {
                const image one = random_image(random, i);
                REQUIRE(add(metric, one));
                for (const category_point& point : one.points) {
                    bool hit = false;
                    for (const auto& [category, mask] : one.objects) {
                        for (index y = 0; y < mask.height; ++y) {
                            for (index x = 0; x < mask.width; ++x) {
                                const index d =
                                    (x - point.at.x) * (x - point.at.x) + (y - point.at.y) * (y - point.at.y);
                                const bool accepted =
                                    d < tolerance * tolerance || (inclusive && d == tolerance * tolerance);
                                hit = hit || (category == point.category && mask(y, x) != 0 && accepted);
                            }
                        }
                    }
                    want[point.category].numerator += hit ? 1 : 0;
                    want[point.category].denominator += 1;
                }
            }
            const pointing_game_result got = metric.compute();
            CHECK(got.by_category == want);
            double mean = 0;
            double hits = 0;
            for (const auto& [category, mine] : want) {
                mean += mine.numerator / mine.denominator;
                hits += mine.numerator;
            }
            CHECK(got.accuracy == ratio{mean, 6});
            CHECK(got.pooled.numerator == hits);
            CHECK((tolerance == 0 && !inclusive ? hits == 0 : hits > 0));
        }
    }
}

TEST_CASE("by hand: 15 pixels are too far, fewer are not") {
    bitmap mask(40, 60);
    mask(20, 30) = 1;
    const std::vector<object_mask> truths{{3, encode(mask)}};
    const auto accuracy = [&](pixel at, pointing_game_options options = {}) {
        pointing_game_accumulator metric(options);
        const std::vector<category_point> points{{3, at}};
        REQUIRE(metric.update("i", truths, points));
        return metric.compute().accuracy.value();
    };
    CHECK(accuracy({30, 20}) == 1);
    CHECK(accuracy({44, 20}) == 1);
    CHECK(accuracy({45, 20}) == 0);
    CHECK(accuracy({45, 20}, {.inclusive = true}) == 1);
    CHECK(accuracy({30 + 9, 20 + 12}) == 0);  // 9^2 + 12^2 = 15^2
    CHECK(accuracy({30 + 10, 20 - 11}) == 1); // 221 < 225
    CHECK(accuracy({30, 20}, {.tolerance = 0}) == 0);
    CHECK(accuracy({30, 20}, {.tolerance = 0, .inclusive = true}) == 1);
}

TEST_CASE("the mean is over classes, not over points") {
    const std::vector<object_mask> truths{{1, rle{1, 2, {0, 1, 1}}}};
    const std::vector<category_point> points{{1, {0, 0}}, {1, {0, 0}}, {1, {0, 0}}, {2, {0, 0}}};
    pointing_game_accumulator metric;
    REQUIRE(metric.update("i", truths, points));
    CHECK(metric.compute().accuracy == ratio{1, 2});
    CHECK(metric.compute().pooled == ratio{3, 4});
    pointing_game_accumulator of_voc({.classes = 20});
    REQUIRE(of_voc.update("i", truths, points));
    CHECK(of_voc.compute().accuracy == ratio{1, 20});
    CHECK(pointing_game_accumulator().compute().accuracy.value() == 0.0);
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(42);
    std::vector<image> images;
    for (int i = 0; i < 40; ++i) {
        images.push_back(random_image(random, i));
    }
    check_any_split(
        pointing_game_accumulator(), images, random, add, [](const pointing_game_accumulator& of) {
            const pointing_game_result r = of.compute();
            std::vector<double> out{r.accuracy.numerator, r.accuracy.denominator, r.pooled.numerator};
            for (const auto& [category, mine] : r.by_category) {
                out.push_back(mine.numerator);
            }
            return out;
        });
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    pointing_game_accumulator metric;
    const std::vector<object_mask> liar{{1, rle{2, 2, {9}}}};
    const std::vector<object_mask> sizes{{1, rle{2, 2, {4}}}, {1, rle{1, 4, {4}}}};
    const std::vector<category_point> far{{1, {0, 0}}, {1, {0, -(index{1} << 31U)}}};
    CHECK(metric.update("i", liar, {}).error().field == "i: truth 0: counts");
    CHECK(metric.update("i", sizes, {}).error().message() ==
          "i: truth 1: a mask of 1 x 4 beside one of 2 x 2");
    CHECK(metric.update("i", {}, far).error().message() == "i: points: a coordinate lies beyond 2^30 (at 1)");
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("i", {}, {}));
    CHECK(metric.update("i", {}, {}).error().message() == "i: this image was added before");
    CHECK_EXPECTS(pointing_game_accumulator({.tolerance = -1}), "a tolerance of -1 pixels");
    CHECK_EXPECTS(pointing_game_accumulator({.classes = -1}), "-1 classes");
}

} // namespace
