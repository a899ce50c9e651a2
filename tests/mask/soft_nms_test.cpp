#include "ostend/mask/encode.hpp"
#include "ostend/mask/soft_nms.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"

#include <cmath>
#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct question {
    std::vector<rle> masks;
    std::vector<double> scores;
    std::vector<std::vector<double>> iou;
};

question random_question(std::mt19937& random) {
    question q;
    const std::size_t n = random() % 10;
    for (std::size_t i = 0; i < n; ++i) {
        bitmap mask(6, 7);
        const index x = static_cast<index>(random() % 4);
        const index y = static_cast<index>(random() % 4);
        for (index v = y; v < y + 3; ++v) {
            for (index u = x; u < x + 3; ++u) {
                mask(v, u) = 1;
            }
        }
        q.masks.push_back(encode(mask));
        q.scores.push_back(static_cast<double>(random() % 10) / 10);
    }
    q.iou.assign(n, std::vector<double>(n));
    for (std::size_t a = 0; a < n; ++a) {
        for (std::size_t b = 0; b < n; ++b) {
            q.iou[a][b] = iou(q.masks[a], q.masks[b]);
        }
    }
    return q;
}

TEST_CASE("soft-NMS by definition: take the best, lower the others") {
    std::mt19937 random(141);
    for (int round = 0; round < 200; ++round) {
        const question q = random_question(random);
        for (const score_decay decay : {score_decay::linear, score_decay::gaussian}) {
            const soft_nms_options options{
                .decay = decay, .iou_threshold = 0.3, .sigma = 0.5, .score_threshold = 0.2};
            std::vector<double> scores = q.scores;
            const std::vector<scored_index> got = *soft_nms(q.masks, q.scores, options);
            std::vector<bool> taken(q.masks.size(), false);
            for (const scored_index& one : got) {
                const auto at = static_cast<std::size_t>(one.which);
                REQUIRE(!taken[at]);
                REQUIRE(one.score == doctest::Approx(scores[at]).epsilon(1e-12));
                REQUIRE(one.score >= options.score_threshold);
                taken[at] = true;
                for (std::size_t i = 0; i < scores.size(); ++i) {
                    REQUIRE((taken[i] || scores[i] <= one.score + 1e-12));
                    const double v = q.iou[at][i];
                    scores[i] *= taken[i]                         ? 1
                                 : decay == score_decay::gaussian ? std::exp(-v * v / options.sigma)
                                 : v > options.iou_threshold      ? 1 - v
                                                                  : 1;
                }
            }
            for (std::size_t i = 0; i < scores.size(); ++i) {
                REQUIRE((taken[i] || scores[i] < options.score_threshold));
            }
        }
    }
}

TEST_CASE("matrix NMS by definition") {
    std::mt19937 random(142);
    for (int round = 0; round < 200; ++round) {
        const question q = random_question(random);
        const std::size_t n = q.masks.size();
        for (const score_decay decay : {score_decay::linear, score_decay::gaussian}) {
            const auto f = [&](double v) {
                return decay == score_decay::gaussian ? std::exp(-2 * v * v) : 1 - v;
            };
            const auto better = [&](std::size_t a, std::size_t b) {
                return q.scores[a] != q.scores[b] ? q.scores[a] > q.scores[b] : a < b;
            };
            const auto suppression = [&](std::size_t i) {
                double most = 0;
                for (std::size_t k = 0; k < n; ++k) {
                    most = better(k, i) ? std::max(most, q.iou[k][i]) : most;
                }
                return most;
            };
            const auto got = *matrix_nms(q.masks, q.scores, {.decay = decay});
            REQUIRE(got.size() == n);
            for (std::size_t g = 0; g < n; ++g) {
                const auto j = static_cast<std::size_t>(got[g].which);
                double factor = 1;
                for (std::size_t i = 0; i < n; ++i) {
                    if (better(i, j) && f(suppression(i)) > 0) {
                        factor = std::min(factor, f(q.iou[i][j]) / f(suppression(i)));
                    }
                }
                REQUIRE(got[g].score == doctest::Approx(q.scores[j] * factor).epsilon(1e-12));
                REQUIRE((g == 0 || got[g - 1].score >= got[g].score));
            }
            const auto fewer = *matrix_nms(q.masks, q.scores, {.decay = decay, .score_threshold = 0.3});
            REQUIRE(std::equal(fewer.begin(), fewer.end(), got.begin()));
            REQUIRE((fewer.size() == n || got[fewer.size()].score < 0.3));
        }
    }
}

TEST_CASE("boxes that are masks' boxes give the same") {
    const std::vector<coco_box> boxes{{0, 0, 4, 4}, {1, 0, 4, 4}, {8, 8, 2, 2}};
    std::vector<box_in<original_frame>> corners;
    std::vector<rle> masks;
    for (const coco_box& b : boxes) {
        corners.push_back({b.x, b.y, b.x + b.width, b.y + b.height});
        bitmap mask(12, 12);
        for (auto y = static_cast<index>(b.y); static_cast<double>(y) < b.y + b.height; ++y) {
            for (auto x = static_cast<index>(b.x); static_cast<double>(x) < b.x + b.width; ++x) {
                mask(y, x) = 1;
            }
        }
        masks.push_back(encode(mask));
    }
    const std::vector<double> scores{0.9, 0.8, 0.7};
    CHECK(*soft_nms(boxes, scores) == *soft_nms(masks, scores));
    CHECK(*soft_nms(corners, scores) == *soft_nms(masks, scores));
    CHECK(*matrix_nms(boxes, scores) == *matrix_nms(masks, scores));
    CHECK(*matrix_nms(corners, scores) == *matrix_nms(masks, scores));
    // IoU 12 / 20.
    CHECK((*soft_nms(boxes, scores))[1].which == 2);
    CHECK((*soft_nms(boxes, scores))[2].score == doctest::Approx(0.8 * 0.4));
    CHECK((*matrix_nms(boxes, scores))[2].score == doctest::Approx(0.8 * std::exp(-2 * 0.36)));
}

TEST_CASE("one that is suppressed altogether suppresses nothing") {
    const rle mask{1, 4, {0, 2, 2}};
    const rle wider{1, 4, {0, 3, 1}};
    const auto got = *matrix_nms(std::vector<rle>{mask, mask, wider}, std::vector<double>{0.9, 0.8, 0.6},
                                 {.decay = score_decay::linear});
    CHECK(got[1] == scored_index{2, 0.6 * (1 - 2.0 / 3)});
    CHECK(got[2] == scored_index{1, 0});
}

TEST_CASE("bad numbers are errors, bad options are misuse") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<rle> masks{rle{1, 2, {2}}};
    const std::vector<coco_box> boxes{{nan, 0, 1, 1}};
    const std::vector<double> one{1};
    CHECK(soft_nms(masks, std::vector<double>{nan}).error().field == "scores");
    CHECK(matrix_nms(boxes, one).error().message() == "boxes: a box is not finite (at 0)");
    CHECK(soft_nms(std::span<const rle>{}, std::span<const double>{})->empty());
    CHECK_EXPECTS((void)soft_nms(masks, std::vector<double>{1, 2}), "soft_nms: 2 scores for 1 masks");
    CHECK_EXPECTS((void)soft_nms(masks, one, {.sigma = 0}), "soft_nms: sigma");
    CHECK_EXPECTS((void)matrix_nms(masks, one, {.sigma = -1}), "matrix_nms: sigma");
}

} // namespace
