#include "ostend/mask/encode.hpp"
#include "ostend/metrics/pointing.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("golden: pacc") {
    for (const auto& one : golden_cases("pacc")) {
        CAPTURE(one["name"].get<std::string>());
        pointing_accumulator metric;
        for (const auto& [image, annotations] : one["params"]["gt"].items()) {
            std::vector<object_mask> truths;
            for (const auto& annotation : annotations) {
                truths.push_back(
                    {annotation["category_id"].get<std::int64_t>(), read_rle(annotation["segmentation"])});
            }
            std::vector<category_point> points;
            for (const auto& point : one["params"]["dt"][image]) {
                points.push_back({point["category_id"].get<std::int64_t>(),
                                  {point["point"][0].get<index>(), point["point"][1].get<index>()}});
            }
            REQUIRE(metric.update(image, truths, points));
        }
        const auto& want = one["expected_values"];
        CHECK(metric.compute().accuracy == ratio{want["correct"].get<double>(), want["total"].get<double>()});
    }
}

const std::vector<object_mask> two_squares{
    {1, rle{1, 4, {0, 1, 3}}}, {1, rle{1, 4, {1, 1, 2}}}, {2, rle{1, 4, {3, 1}}}};

TEST_CASE("a point hits the union of its category, and nothing outside the image") {
    pointing_accumulator metric;
    const std::vector<category_point> points{{1, {0, 0}}, {1, {1, 0}}, {1, {3, 0}},
                                             {2, {3, 0}}, {2, {4, 0}}, {2, {-1, 0}}};
    REQUIRE(metric.update("i", two_squares, points));
    const pointing_result got = metric.compute();
    CHECK(got.accuracy == ratio{3, 6});
    CHECK(got.by_category.at(1) == ratio{2, 3});
    CHECK(got.by_category.at(2) == ratio{1, 3});
    CHECK(got.category_mean == ratio{2.0 / 3 + 1.0 / 3, 2});
}

TEST_CASE("an image without the predicted category") {
    const std::vector<category_point> points{{7, {0, 0}}, {1, {0, 0}}};
    const auto with = [&](absent_category what) {
        pointing_accumulator metric({what});
        REQUIRE(metric.update("i", two_squares, points));
        return metric.compute();
    };
    CHECK(with(absent_category::miss).accuracy == ratio{1, 2});
    CHECK(with(absent_category::miss).left_out == 0);
    CHECK(with(absent_category::leave_out).accuracy == ratio{1, 1});
    CHECK(with(absent_category::leave_out).left_out == 1);
    CHECK(with(absent_category::leave_out).by_category.count(7) == 0);
    pointing_accumulator strict({absent_category::refuse});
    const status refused = strict.update("i", two_squares, points);
    REQUIRE(!refused);
    CHECK(refused.error().message() == "i: points: the image has no object of category 7 (at 0)");
    CHECK(strict.records().size() == 0);
}

TEST_CASE("a point whose masks are empty leaves the denominator; with more masks each of them counts") {
    // Three phrases through SAM: three masks, one, none. Then one that misses with two.
    const std::vector<category_point> points{{1, {0, 0}, 3}, {1, {1, 0}, 1}, {2, {0, 0}, 0}, {2, {0, 0}, 2}};
    const auto with = [&](pointing_options options) {
        pointing_accumulator metric(options);
        REQUIRE(metric.update("i", two_squares, points));
        return metric.compute();
    };
    CHECK(with({}).accuracy == ratio{2, 3});
    CHECK(with({}).without_mask == 1);
    CHECK(with({}).left_out == 0);
    const pointing_result more = with({.weight = point_weight::each_mask});
    CHECK(more.accuracy == ratio{4, 6});
    CHECK(more.by_category.at(1) == ratio{4, 4});
    CHECK(more.by_category.at(2) == ratio{0, 2});
    CHECK(more.without_mask == 1);
    // The published script never sees an empty mask, so an absent category does not stop it there.
    const std::vector<category_point> absent{{7, {0, 0}, 0}};
    pointing_accumulator strict({.absent = absent_category::refuse});
    CHECK(strict.update("i", two_squares, absent));
    CHECK(strict.compute().accuracy == ratio{});
    const std::vector<category_point> negative{{1, {0, 0}, 1}, {1, {0, 0}, -1}};
    CHECK(strict.update("j", two_squares, negative).error().message() ==
          "j: points: a point with -1 masks (at 1)");
}

/// The published script over dense masks: the union of a category's masks, indexed by the point.
TEST_CASE("random images against the script's steps") {
    std::mt19937 random(72);
    for (const bool more : {false, true}) {
        pointing_accumulator metric({.weight = more ? point_weight::each_mask : point_weight::once});
        double correct = 0;
        double total = 0;
        for (int i = 0; i < 60; ++i) {
            const index h = random_side(random);
            const index w = random_side(random);
            std::vector<object_mask> truths;
            std::map<std::int64_t, bitmap> united;
            for (std::uint32_t k = 1 + random() % 4; k-- > 0;) {
                const std::int64_t category = random() % 3;
                const bitmap mask = random_mask(random, h, w);
                truths.push_back({category, encode(mask)});
                auto& all = united.try_emplace(category, h, w).first->second;
                for (std::size_t p = 0; p < mask.pixels.size(); ++p) {
                    all.pixels[p] |= mask.pixels[p];
                }
            }
            std::vector<category_point> points;
            for (std::uint32_t k = random() % 6; k-- > 0;) {
                const auto x = static_cast<index>(random() % static_cast<std::uint32_t>(w));
                const auto y = static_cast<index>(random() % static_cast<std::uint32_t>(h));
                points.push_back({truths[random() % truths.size()].category,
                                  {x, y},
                                  static_cast<index>(random() % (more ? 4 : 2))});
                for (index m = 0; m < points.back().masks; ++m) { // the lines of the predictions' file
                    correct += united.at(points.back().category)(y, x);
                    total += 1;
                }
            }
            REQUIRE(metric.update(std::to_string(i), truths, points));
        }
        CHECK(metric.compute().accuracy == ratio{correct, total});
        CHECK(correct > 0);
        CHECK(correct < total);
    }
}

TEST_CASE("parts add up to the whole, and an image counts once") {
    std::mt19937 random(71);
    std::vector<pointing_accumulator> parts(3);
    pointing_accumulator whole;
    for (int i = 0; i < 30; ++i) {
        std::vector<object_mask> truths;
        std::vector<category_point> points;
        for (int k = 0; k < 3; ++k) {
            truths.push_back({static_cast<std::int64_t>(random() % 4), encode(random_mask(random, 9, 7))});
            points.push_back({static_cast<std::int64_t>(random() % 4),
                              {static_cast<index>(random() % 7), static_cast<index>(random() % 9)}});
        }
        const std::string name = std::to_string(i);
        REQUIRE(whole.update(name, truths, points));
        REQUIRE(parts[random() % 3].update(name, truths, points));
    }
    REQUIRE(parts[1].merge(parts[2]));
    REQUIRE(parts[1].merge(parts[0]));
    const pointing_result want = whole.compute();
    const pointing_result got = parts[1].compute();
    CHECK(got.accuracy == want.accuracy);
    CHECK(got.by_category == want.by_category);
    CHECK(got.category_mean == want.category_mean);
    CHECK(want.accuracy.denominator == 90);
    CHECK(!parts[1].merge(whole));
    CHECK(!whole.update("3", {}, {}));
}

TEST_CASE("a mask that lies is an error that names it") {
    pointing_accumulator metric;
    const std::vector<object_mask> liar{{1, rle{2, 2, {9}}}};
    CHECK(metric.update("i", liar, {}).error().field == "i: truth 0: counts");
    CHECK(metric.compute().accuracy == ratio{});
}

} // namespace
