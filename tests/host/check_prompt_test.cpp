// check_prompt: every wrong or contradictory prompt by part and position, and prompts on the edge of wrong.
#include "ostend/host/check_prompt.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace ostend;
namespace inner = ostend::OSTEND_KERNELS::detail;

constexpr image_size image{.width = 60, .height = 40};
const double nan = std::numeric_limits<double>::quiet_NaN();
const double inf = std::numeric_limits<double>::infinity();

std::string refusal(const prompt& asked) {
    const status good = inner::check_prompt(asked, image);
    return good ? "" : good.error().message();
}
prompt of_points(std::vector<labelled_point> points) {
    prompt asked;
    asked.points = std::move(points);
    return asked;
}
prompt of_box(const box_in<original_frame>& box, std::vector<labelled_point> points = {}) {
    prompt asked = of_points(std::move(points));
    asked.box = box;
    return asked;
}
prompt of_mask(mask_logits mask) {
    prompt asked;
    asked.mask = std::move(mask);
    return asked;
}

TEST_CASE("points lie in the image, its border included") {
    CHECK(refusal(of_points({{{0, 0}}, {{60, 40}}, {{60, 0}}, {{0.5, 39.999}}})).empty());
    for (const point_in<original_frame> bad : {point_in<original_frame>{-0.001, 1},
                                               {1, -1},
                                               {60.001, 1},
                                               {1, 40.001},
                                               {nan, 1},
                                               {1, nan},
                                               {inf, 1},
                                               {1, -inf},
                                               {1e300, 1e300}}) {
        for (const bool inside : {true, false}) {
            const std::string said = refusal(of_points({{{1, 1}}, {{2, 2}}, {bad, inside}}));
            CHECK_MESSAGE(said.find("points: the point (") == 0, said);
            CHECK_MESSAGE(said.find("is outside the image of 60 x 40 (at 2)") != std::string::npos, said);
        }
    }
}

TEST_CASE("a prompt says something about the object") {
    CHECK(refusal({}) == "the prompt has no point on the object, no box and no mask");
    CHECK(refusal(of_points({{{5, 5}, false}})) ==
          "the prompt has no point on the object, no box and no mask");
    CHECK(refusal(of_box({0, 0, 60, 40}, {{{5, 5}, false}})).empty());
}

TEST_CASE("a point on the object and one off it are not in the same pixel") {
    CHECK(refusal(of_points({{{5.9, 5}}, {{6.0, 5}, false}})).empty());
    CHECK(refusal(of_points({{{9, 9}}, {{5.1, 5}, false}, {{5.9, 5.9}}})) ==
          "points: the point is said to be on the object and off it (at 2)");
    // On the far border the last pixel.
    CHECK(refusal(of_points({{{60, 40}}, {{59.5, 39.5}, false}})).find("(at 0)") != std::string::npos);
}

TEST_CASE("boxes are in the image and not empty, and hold the points on the object") {
    CHECK(refusal(of_box({0, 0, 60, 40})).empty());
    CHECK(refusal(of_box({3, 3, 3.001, 3.001})).empty());
    for (const auto& bad : {box_in<original_frame>{0, 0, 60.1, 40},
                            {-1, 0, 5, 5},
                            {0, 0, 5, 41},
                            {0, -0.1, 5, 5},
                            {5, 5, 5, 9},
                            {5, 5, 9, 5},
                            {9, 9, 5, 5},
                            {nan, 0, 5, 5},
                            {0, 0, 5, nan},
                            {0, 0, inf, 5}}) {
        CHECK(refusal(of_box(bad)) == "box: the box is empty or leaves the image");
    }
    CHECK(refusal(of_box({5, 5, 9, 9}, {{{5, 9}}, {{50, 30}, false}})).empty());
    CHECK(refusal(of_box({5, 5, 9, 9}, {{{6, 6}}, {{9.5, 9}}})) ==
          "points: the point on the object lies beyond the box (at 1)");
}

TEST_CASE("masks have a content that they hold, and no NaN") {
    CHECK(refusal(of_mask({matrix<float>(4, 6), {6, 4}})).empty());
    CHECK(refusal(of_mask({matrix<float>(4, 6), {1, 1}})).empty());
    CHECK(refusal(of_mask({matrix<float>(1, 1, std::numeric_limits<float>::infinity()), {1, 1}})).empty());
    for (const image_size content : {image_size{0, 4}, image_size{6, 0}, image_size{7, 4}, image_size{6, 5},
                                     image_size{-1, 4}, image_size{6, -3}}) {
        CHECK(refusal(of_mask({matrix<float>(4, 6), content})) ==
              "mask: the mask's content is empty or larger than its logits");
    }
    CHECK(refusal(of_mask({})).find("mask: ") == 0);
    mask_logits bad{matrix<float>(4, 6), {6, 4}};
    bad.values(2, 3) = std::numeric_limits<float>::quiet_NaN();
    CHECK(refusal(of_mask(bad)) == "mask: the mask's logits hold a NaN (at 15)");
}

} // namespace
