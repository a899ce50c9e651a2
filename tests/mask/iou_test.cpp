#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

double dense_iou(const bitmap& a, const bitmap& b, bool crowd) {
    double both = 0;
    double either = 0;
    double in_a = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        both += a.pixels[i] != 0 && b.pixels[i] != 0 ? 1 : 0;
        either += a.pixels[i] != 0 || b.pixels[i] != 0 ? 1 : 0;
        in_a += a.pixels[i] != 0 ? 1 : 0;
    }
    return both == 0 ? 0.0 : both / (crowd ? in_a : either);
}

TEST_CASE("golden: rleiou, to the last bit") {
    for (const auto& one : golden_cases("rleiou")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& want = one["expected_values"];
        const auto dt = read_rles(one["params"]["dt"]);
        const auto gt = read_rles(one["params"]["gt"]);
        const auto crowd = one["params"]["iscrowd"].get<std::vector<std::uint8_t>>();
        const auto with_crowd = iou_matrix(dt, gt, crowd);
        const auto plain = iou_matrix(dt, gt);
        for (std::size_t d = 0; d < dt.size(); ++d) {
            const coco_box box = to_coco_box(dt[d]);
            const auto box_want = want["bbox_dt"][d].get<std::vector<double>>();
            CHECK(box == coco_box{box_want[0], box_want[1], box_want[2], box_want[3]});
            for (std::size_t g = 0; g < gt.size(); ++g) {
                const auto i = static_cast<index>(d);
                const auto j = static_cast<index>(g);
                CHECK(with_crowd(i, j) == want["iou"][d][g].get<double>());
                CHECK(plain(i, j) == want["iou_nocrowd"][d][g].get<double>());
                CHECK(iou(dt[d], gt[g], crowd[g] != 0) == with_crowd(i, j));
                CHECK(box_iou(box, to_coco_box(gt[g]), crowd[g] != 0) ==
                      want["bbox_iou"][d][g].get<double>());
            }
        }
        for (std::size_t g = 0; g < gt.size(); ++g) {
            const auto box_want = want["bbox_gt"][g].get<std::vector<double>>();
            CHECK(to_coco_box(gt[g]) == coco_box{box_want[0], box_want[1], box_want[2], box_want[3]});
        }
        CHECK(unite(std::span<const rle>(dt).first(4)) == read_rle(want["union"]));
        CHECK(intersect(std::vector<rle>{dt[0], dt[1], gt[0]}) == read_rle(want["intersection"]));
    }
}

TEST_CASE("pairs and matrices equal the pixels' counts") {
    std::mt19937 random(21);
    for (int round = 0; round < 120; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        std::vector<bitmap> dense;
        std::vector<rle> masks;
        std::vector<std::uint8_t> crowd;
        for (int i = 0; i < 5; ++i) {
            dense.push_back(random_mask(random, h, w));
            masks.push_back(encode(dense.back()));
            crowd.push_back(random() % 2);
        }
        const auto got = iou_matrix(masks, masks, crowd);
        for (std::size_t a = 0; a < 5; ++a) {
            for (std::size_t b = 0; b < 5; ++b) {
                REQUIRE(got(static_cast<index>(a), static_cast<index>(b)) ==
                        dense_iou(dense[a], dense[b], crowd[b] != 0));
                REQUIRE(iou(masks[a], masks[b]) == dense_iou(dense[a], dense[b], false));
                const overlap o = count_overlap(masks[a], masks[b]);
                REQUIRE(o.common == area(intersect(masks[a], masks[b])));
                REQUIRE(o.united() == area(unite(masks[a], masks[b])));
            }
        }
    }
}

TEST_CASE("boxes") {
    CHECK(box_iou({0, 0, 2, 2}, {1, 1, 2, 2}) == 1.0 / 7.0);
    CHECK(box_iou({0, 0, 2, 2}, {1, 1, 2, 2}, true) == 0.25);
    CHECK(box_iou({0, 0, 2, 2}, {2, 0, 2, 2}) == 0.0);
    CHECK(box_iou({0, 0, 0, 0}, {0, 0, 0, 0}) == 0.0);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(box_iou({0, 0, nan, 2}, {0, 0, 1, 1}) >= 0.0); // no trap, no NaN from the overlap test
    // A fused multiply-add would give another last bit here.
    const coco_box a{0.1, 0.2, 0.7, 1.1};
    const coco_box b{0.3, 0.1, 0.9, 0.77};
    const volatile double w = 0.1 + 0.7 - 0.3;
    const volatile double h = 0.1 + 0.77 - 0.2;
    const volatile double common = w * h;
    const volatile double area_a = 0.7 * 1.1;
    const volatile double area_b = 0.9 * 0.77;
    const volatile double both = area_a + area_b;
    CHECK(box_iou(a, b) == common / (both - common));
}

TEST_CASE("empty lists and misuse") {
    const std::vector<rle> one{rle{2, 3, {6}}};
    const std::vector<rle> other{rle{3, 2, {6}}};
    CHECK(iou_matrix(one, {}).rows() == 1);
    CHECK(iou_matrix(one, {}).columns() == 0);
    CHECK(iou_matrix({}, one).columns() == 1);
    CHECK_EXPECTS(iou_matrix(one, other), "masks of 2 x 3 and 3 x 2");
    CHECK_EXPECTS(iou_matrix(one, one, std::vector<std::uint8_t>{1, 0}), "2 crowd flags for 1 masks");
    CHECK_EXPECTS(iou(one[0], other[0]), "masks of");
}

} // namespace
