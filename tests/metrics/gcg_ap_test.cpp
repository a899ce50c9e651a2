#include "ostend/mask/encode.hpp"
#include "ostend/metrics/gcg_ap.hpp"

#include "mask/random_masks.hpp"
#include "metrics/any_split.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct image {
    std::int64_t number = 0;
    std::vector<bitmap> truths;
    std::vector<bitmap> predictions;
};

image random_image(std::mt19937& random, std::int64_t number) {
    image out{number, {}, {}};
    const index h = random_side(random);
    const index w = random_side(random);
    for (std::uint32_t k = random() % 5; k-- > 0;) {
        out.truths.push_back(random_mask(random, h, w));
    }
    for (std::uint32_t k = random() % 6; k-- > 0;) {
        bitmap mask = random_mask(random, h, w);
        if (!out.truths.empty() && random() % 3 != 0) {
            mask = out.truths[random() % out.truths.size()];
            for (std::uint32_t flips = random() % 30; flips-- > 0;) {
                mask.pixels[random() % mask.pixels.size()] ^= 1;
            }
        }
        out.predictions.push_back(std::move(mask));
    }
    return out;
}

std::vector<rle> encoded(const std::vector<bitmap>& masks) {
    std::vector<rle> out;
    for (const bitmap& mask : masks) {
        out.push_back(encode(mask));
    }
    return out;
}

status add(gcg_ap_accumulator& to, const image& one) {
    return to.update(one.number, encoded(one.truths), encoded(one.predictions));
}

double dense_iou(const bitmap& a, const bitmap& b) {
    double common = 0;
    double united = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        common += a.pixels[i] != 0 && b.pixels[i] != 0 ? 1 : 0;
        united += a.pixels[i] != 0 || b.pixels[i] != 0 ? 1 : 0;
    }
    return common == 0 ? 0 : common / united;
}

/// Average precision at one IoU: predictions in order take the best free truth; precision, made monotone
/// from the right, read at 101 recalls. Images in the order of their numbers.
double plain_ap(std::vector<image> images, double threshold) {
    std::sort(images.begin(), images.end(),
              [](const image& a, const image& b) { return a.number < b.number; });
    double truths = 0;
    std::vector<bool> hits;
    for (const image& one : images) {
        truths += static_cast<double>(one.truths.size());
        std::vector<bool> taken(one.truths.size(), false);
        for (const bitmap& prediction : one.predictions) {
            double best = threshold;
            std::size_t found = taken.size();
            for (std::size_t t = 0; t < taken.size(); ++t) {
                const double iou = dense_iou(prediction, one.truths[t]);
                if (!taken[t] && iou >= best) {
                    best = iou;
                    found = t;
                }
            }
            hits.push_back(found < taken.size());
            if (found < taken.size()) {
                taken[found] = true;
            }
        }
    }
    std::vector<double> recall;
    std::vector<double> precision;
    double hit = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        hit += hits[i] ? 1 : 0;
        recall.push_back(hit / truths);
        precision.push_back(hit / static_cast<double>(i + 1));
    }
    double sum = 0;
    for (int r = 0; r <= 100; ++r) {
        double best = 0; // the greatest precision at this recall or more
        for (std::size_t i = 0; i < hits.size(); ++i) {
            best = recall[i] >= r * 0.01 ? std::max(best, precision[i]) : best;
        }
        sum += best;
    }
    return sum / 101;
}

TEST_CASE("random images against average precision by its definition") {
    std::mt19937 random(81);
    for (int round = 0; round < 20; ++round) {
        std::vector<image> images;
        gcg_ap_accumulator metric;
        std::size_t truths = 0;
        for (std::int64_t number : {40, 3, 200, 7, 11, -5}) {
            images.push_back(random_image(random, number));
            truths += images.back().truths.size();
            REQUIRE(add(metric, images.back()));
        }
        const gcg_ap_result got = metric.compute();
        if (truths == 0) {
            CHECK(got.ap == -1);
            continue;
        }
        double ap = 0;
        for (int t = 0; t < 10; ++t) {
            ap += plain_ap(images, 0.5 + 0.05 * t) / 10;
        }
        CHECK(got.ap50 == doctest::Approx(plain_ap(images, 0.5)).epsilon(1e-12));
        CHECK(got.ap == doctest::Approx(ap).epsilon(1e-12));
    }
}

const std::vector<rle> left{rle{1, 4, {0, 2, 2}}};
const std::vector<rle> right{rle{1, 4, {2, 2}}};

TEST_CASE("equal scores: the order of the images and of the masks decides") {
    const std::vector<rle> wrong_first{right[0], left[0]};
    const std::vector<rle> right_first{left[0], right[0]};
    const auto ap50 = [](const std::vector<rle>& predictions) {
        gcg_ap_accumulator metric;
        REQUIRE(metric.update(1, left, predictions));
        return metric.compute().ap50;
    };
    CHECK(ap50(right_first) == doctest::Approx(1).epsilon(1e-12));
    CHECK(ap50(wrong_first) == doctest::Approx(0.5).epsilon(1e-12));
}

TEST_CASE("annotations: crowds, other categories") {
    gcg_ap_accumulator metric;
    const std::vector<rle> truths{left[0], right[0]};
    const std::vector<coco_truth> annotations{{.id = 1, .category = 1, .area = 2},
                                              {.id = 2, .category = 2, .area = 2}};
    REQUIRE(metric.update(1, truths, left, annotations));
    CHECK(metric.compute().ap50 == doctest::Approx(1).epsilon(1e-12)); // the second does not count
    gcg_ap_accumulator crowds;
    const std::vector<coco_truth> second_is_crowd{{.id = 1, .category = 1, .area = 2},
                                                  {.id = 2, .category = 1, .area = 2, .crowd = true}};
    const std::vector<rle> both{right[0], left[0]};
    REQUIRE(crowds.update(1, truths, both, second_is_crowd));
    CHECK(crowds.compute().ap50 == doctest::Approx(1).epsilon(1e-12)); // a mask on a crowd is ignored
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(82);
    std::vector<image> images;
    for (std::int64_t i = 0; i < 30; ++i) {
        images.push_back(random_image(random, 1000 - 7 * i));
    }
    check_any_split(gcg_ap_accumulator(), images, random, add, [](const gcg_ap_accumulator& of) {
        return std::vector<double>{of.compute().ap, of.compute().ap50};
    });
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    gcg_ap_accumulator metric;
    const std::vector<rle> liar{rle{1, 4, {9}}};
    const std::vector<rle> turned{rle{2, 2, {4}}};
    CHECK(metric.update(5, liar, left).error().field == "image 5: truth 0: counts");
    CHECK(metric.update(5, left, liar).error().field == "image 5: prediction 0: counts");
    CHECK(metric.update(5, {}, liar).error().field == "image 5: prediction 0: counts");
    CHECK(metric.update(5, left, turned).error().message() ==
          "image 5: prediction 0: a mask of 2 x 2 beside one of 1 x 4");
    const std::vector<coco_truth> two(2);
    CHECK(metric.update(5, left, left, two).error().message() == "image 5: 2 annotations of 1 truths");
    CHECK(metric.compute().ap == -1);
    CHECK(metric.update(5, {}, {}));
    CHECK(metric.update(5, {}, {}).error().message() == "image 5: this image was added before");
}

} // namespace
