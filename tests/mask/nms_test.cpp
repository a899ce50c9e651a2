#include "ostend/mask/encode.hpp"
#include "ostend/mask/nms.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"
#include "support/expects.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("golden: masknms") {
    for (const auto& one : golden_cases("masknms")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& want = one["expected_values"];
        const byte_array stack = read_npy_bytes(one["inputs"]["masks"]);
        const index n = stack.shape[0];
        std::vector<rle> masks;
        for (index i = 0; i < n; ++i) {
            masks.push_back(encode(
                tensor_view<const std::uint8_t, 2>(stack.values.data() + i * stack.shape[1] * stack.shape[2],
                                                   {stack.shape[1], stack.shape[2]})));
        }
        const nms_options options{.iou_threshold = one["params"]["iou_thresh"].get<double>()};
        const auto ious = duplicate_iou_matrix(masks);
        for (index a = 0; a < n; ++a) {
            for (index b = 0; b < n; ++b) {
                const auto theirs =
                    want["iou"][static_cast<std::size_t>(a)][static_cast<std::size_t>(b)].get<double>();
                CHECK(std::abs(ious(a, b) - theirs) <= 1e-9 * theirs);
            }
        }
        std::vector<bool> keep(static_cast<std::size_t>(n), false);
        for (const index i : nms(masks, options)) {
            keep[static_cast<std::size_t>(i)] = true;
        }
        CHECK(keep == want["keep"].get<std::vector<bool>>());
        const auto scores = one["params"]["scores"].get<std::vector<double>>();
        const auto order = want["keep_idx_scored"].get<std::vector<index>>();
        CHECK(*nms(masks, scores, options) == order);
        CHECK(*nms(masks, std::vector<float>(scores.begin(), scores.end()), options) == order);
        CHECK(merge_duplicates(masks, options) == want["merge"].get<std::vector<index>>());
    }
}

TEST_CASE("greedy by definition: no two that stay overlap, each that goes has one that stays before it") {
    std::mt19937 random(51);
    for (int round = 0; round < 60; ++round) {
        const index h = 1 + random() % 12;
        const index w = 1 + random() % 12;
        std::vector<rle> masks;
        std::vector<double> scores;
        for (int i = 0; i < 12; ++i) {
            masks.push_back(i > 0 && random() % 3 == 0 ? masks[random() % masks.size()]
                                                       : encode(random_mask(random, h, w)));
            scores.push_back(static_cast<double>(random() % 6)); // many ties
        }
        nms_options options;
        options.iou_threshold = 0.3;
        options.last_of_ties_first = random() % 2 == 0;
        const auto kept = *nms(masks, scores, options);
        const auto ious = duplicate_iou_matrix(masks, options.denominator_epsilon);
        const auto before = [&](index a, index b) {
            const double sa = scores[static_cast<std::size_t>(a)];
            const double sb = scores[static_cast<std::size_t>(b)];
            return sa != sb ? sa > sb : (options.last_of_ties_first ? a > b : a < b);
        };
        for (std::size_t i = 0; i + 1 < kept.size(); ++i) {
            REQUIRE(before(kept[i], kept[i + 1]));
        }
        for (index a = 0; a < 12; ++a) {
            const bool stays = std::find(kept.begin(), kept.end(), a) != kept.end();
            bool dropped_by = false;
            for (const index k : kept) {
                dropped_by = dropped_by || (k != a && before(k, a) && ious(k, a) > options.iou_threshold);
            }
            REQUIRE(stays != dropped_by);
        }
        const auto groups = merge_duplicates(masks, options);
        const auto first = nms(masks, options);
        for (index a = 0; a < 12; ++a) {
            const index g = groups[static_cast<std::size_t>(a)];
            REQUIRE(g <= a);
            REQUIRE(groups[static_cast<std::size_t>(g)] == g);
            REQUIRE((g == a) == (std::find(first.begin(), first.end(), a) != first.end()));
        }
    }
}

TEST_CASE("epsilon, edges and misuse") {
    const std::vector<rle> same{rle{1, 2, {0, 2}}, rle{1, 2, {0, 2}}};
    CHECK(duplicate_iou_matrix(same)(0, 1) < 1.0);
    CHECK(duplicate_iou_matrix(same, 0)(0, 1) == 1.0);
    const std::vector<rle> empty{rle{1, 2, {2}}, rle{1, 2, {2}}};
    CHECK(duplicate_iou_matrix(empty, 0)(0, 1) == 0.0);
    CHECK(nms(empty).size() == 2);
    CHECK(nms(std::span<const rle>{}).empty());
    CHECK(nms(std::span<const rle>{}, std::span<const double>{})->empty());
    // At the threshold is not above it.
    CHECK(nms(same, {.iou_threshold = 1.0, .denominator_epsilon = 0}).size() == 2);
    const std::vector<double> bad{0.5, std::numeric_limits<double>::quiet_NaN()};
    CHECK(nms(same, bad).error().message() == "scores: a score is not a number (at 1)");
    CHECK_EXPECTS((void)nms(same, std::vector<double>{1.0}), "1 scores for 2 masks");
    CHECK_EXPECTS(nms(std::vector<rle>{same[0], rle{2, 1, {2}}}), "masks of 2 x 1 and 1 x 2");
}

} // namespace
