#include "ostend/mask/box_nms.hpp"

#include "support/expects.hpp"

#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index; // strings.h has another one

TEST_CASE("greedy by definition, for corners and for COCO's boxes") {
    std::mt19937 random(131);
    for (int round = 0; round < 200; ++round) {
        const auto n = static_cast<index>(random() % 12);
        std::vector<coco_box> boxes;
        std::vector<box_in<original_frame>> corners;
        std::vector<double> scores;
        for (index i = 0; i < n; ++i) {
            const auto number = [&random] { return static_cast<double>(random() % 8); };
            boxes.push_back({number(), number(), number(), number()});
            corners.push_back({boxes.back().x, boxes.back().y, boxes.back().x + boxes.back().width,
                               boxes.back().y + boxes.back().height});
            scores.push_back(static_cast<double>(random() % 5));
        }
        const box_nms_options options{.iou_threshold = 0.25, .last_of_ties_first = random() % 2 == 0};
        const auto kept = *nms(boxes, scores, options);
        CHECK(*nms(corners, scores, options) == kept);
        const auto before = [&](index a, index b) {
            const double sa = scores[static_cast<std::size_t>(a)];
            const double sb = scores[static_cast<std::size_t>(b)];
            return sa != sb ? sa > sb : (options.last_of_ties_first ? a > b : a < b);
        };
        for (std::size_t i = 0; i + 1 < kept.size(); ++i) {
            REQUIRE(before(kept[i], kept[i + 1]));
        }
        for (index a = 0; a < n; ++a) {
            bool dropped = false;
            for (const index k : kept) {
                dropped = dropped || (k != a && before(k, a) &&
                                      box_iou(boxes[static_cast<std::size_t>(k)],
                                              boxes[static_cast<std::size_t>(a)]) > options.iou_threshold);
            }
            REQUIRE((std::find(kept.begin(), kept.end(), a) == kept.end()) == dropped);
        }
    }
}

TEST_CASE("IoU of corners") {
    using box = box_in<original_frame>;
    CHECK(box_iou(box{0, 0, 2, 2}, box{1, 1, 3, 3}) == 1.0 / 7.0);
    CHECK(box_iou(box{0, 0, 2, 2}, box{2, 0, 4, 2}) == 0.0);
    CHECK(box_iou(box{0, 0, 0, 0}, box{0, 0, 0, 0}) == 0.0);
    CHECK(box_iou(box{2, 2, 0, 0}, box{0, 0, 2, 2}) == 0.0); // turned inside out
}

TEST_CASE("bad numbers are errors, bad counts are misuse") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<coco_box> boxes{{0, 0, 1, 1}, {0, 0, 1, nan}};
    CHECK(nms(boxes, std::vector<double>{1, 2}).error().message() == "boxes: a box is not finite (at 1)");
    CHECK(nms(std::span(boxes).first(1), std::vector<double>{nan}).error().message() ==
          "scores: a score is not a number (at 0)");
    CHECK_EXPECTS((void)nms(std::span(boxes).first(1), std::vector<double>{1, 2}), "2 scores for 1");
}

} // namespace
