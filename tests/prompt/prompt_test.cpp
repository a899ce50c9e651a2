// Points, boxes, mask logits, SAM's frame and proposals: golden tables, oracles by hand, refusals.
#include "ostend/geometry/llava.hpp"
#include "ostend/prompt/prompt.hpp"
#include "ostend/prompt/proposal.hpp"
#include "ostend/prompt/sam_frame.hpp"

#include "support/expects.hpp"
#include "support/npy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index;
using ostend_test::golden_cases;
using ostend_test::read_golden;

TEST_CASE("a point prompt is the centre of the peak's pixel") {
    const prompt asked = point_prompt({.at = {3, 5}, .value = 1, .confidence = 1});
    REQUIRE(asked.points.size() == 1);
    CHECK(asked.points[0] == labelled_point{{3.5, 5.5}, true});
    CHECK(!asked.box);
    CHECK(!asked.mask);
    CHECK(prompt{}.empty());
    CHECK(box_prompt(std::nullopt).empty());
    CHECK(box_prompt(box_in<original_frame>{0, 0, 1, 1}).box->area() == 1);
}

TEST_CASE(
    "SAM's frame: continuous coordinates keep the image's corners; the published form has no half pixel") {
    const sam_frame frame = make_sam_frame({640, 480});
    CHECK(frame.resized == image_size{1024, 768});
    const auto corner = to_segmenter(frame, point_in<original_frame>{640, 480});
    CHECK(corner == point_in<segmenter_frame>{1024, 768});
    CHECK(to_original(frame, corner) == point_in<original_frame>{640, 480});
    CHECK(sam_index_point(frame, {10, 20}) == point_in<segmenter_frame>{16, 32});
    const auto centre = to_segmenter(frame, pixel{10, 20}.centre());
    CHECK(centre.x == doctest::Approx(16.8));
    CHECK(centre.y == doctest::Approx(32.8));
    CHECK(make_sam_frame({1, 1}).resized == image_size{1024, 1024});
    const sam_frame thin = make_sam_frame({1, 4096});
    CHECK(thin.resized.width == 0); // as published
    CHECK_EXPECTS(to_original(thin, point_in<segmenter_frame>{}), "no pixels");
    CHECK_EXPECTS(make_sam_frame({0, 3}), "0 x 3");
}

TEST_CASE("golden samcoords") {
    int checked = 0;
    for (const auto& c : golden_cases("samcoords")) {
        const double rtol = c.at("tolerance").at("rtol");
        const auto close = [rtol](double got, double want) {
            return std::abs(got - want) <= rtol * std::abs(want);
        };
        for (const auto& row : c.at("expected_values").at("cases")) {
            const sam_frame frame =
                make_sam_frame({row.at("hw").at(1).get<index>(), row.at("hw").at(0).get<index>()});
            CHECK(frame.resized.height == row.at("sam_hw").at(0).get<index>());
            CHECK(frame.resized.width == row.at("sam_hw").at(1).get<index>());
            for (std::size_t i = 0; i < row.at("points").size(); ++i) {
                const auto& p = row.at("points").at(i);
                const auto got = sam_index_point(frame, {p.at(0).get<index>(), p.at(1).get<index>()});
                CHECK(close(got.x, row.at("points_sam").at(i).at(0)));
                CHECK(close(got.y, row.at("points_sam").at(i).at(1)));
                ++checked;
            }
            for (std::size_t i = 0; i < row.at("boxes").size(); ++i) {
                const auto& b = row.at("boxes").at(i);
                const auto got =
                    to_segmenter(frame, box_in<original_frame>{b.at(0), b.at(1), b.at(2), b.at(3)});
                const auto& want = row.at("boxes_sam").at(i);
                CHECK(close(got.x0, want.at(0)));
                CHECK(close(got.y0, want.at(1)));
                CHECK(close(got.x1, want.at(2)));
                CHECK(close(got.y1, want.at(3)));
                ++checked;
            }
        }
    }
    CHECK(checked > 10);
}

TEST_CASE("golden upsample: points in SAM's frame") {
    for (const auto& c : golden_cases("upsample")) {
        const auto& values = c.at("expected_values");
        if (!values.contains("point_sam")) {
            continue;
        }
        const auto& params = c.at("params");
        const sam_frame frame =
            make_sam_frame({params.at("image_w").get<index>(), params.at("image_h").get<index>()});
        for (std::size_t i = 0; i < values.at("point_xy").size(); ++i) {
            const auto& p = values.at("point_xy").at(i);
            const auto got = sam_index_point(frame, {p.at(0).get<index>(), p.at(1).get<index>()});
            CHECK(got.x == doctest::Approx(values.at("point_sam").at(i).at(0).get<double>()).epsilon(1e-12));
            CHECK(got.y == doctest::Approx(values.at("point_sam").at(i).at(1).get<double>()).epsilon(1e-12));
        }
    }
}

TEST_CASE("a box around what is above the threshold") {
    matrix<float> map(4, 6);
    CHECK(!box_from_map(map.view()));
    map(1, 2) = 0.75F; // not above
    CHECK(!box_from_map(map.view()));
    map(1, 2) = 0.76F;
    CHECK(box_from_map(map.view()) == box_in<original_frame>{2, 1, 3, 2});
    map(3, 0) = 2.0F;
    map(0, 5) = std::numeric_limits<float>::quiet_NaN();
    CHECK(box_from_map(map.view()) == box_in<original_frame>{0, 1, 3, 4});
    CHECK(!box_from_map(map.view(), {.temperature = 4.0F}));
    CHECK(box_from_map(map.view(), {.temperature = 2.0F}) == box_in<original_frame>{0, 3, 1, 4});
    CHECK(!box_from_map(matrix<float>(0, 3).view()));
    CHECK_EXPECTS(box_from_map(map.view(), {.temperature = 0}), "temperature 0");
}

TEST_CASE("golden maskprompt") {
    for (const auto& c : golden_cases("maskprompt")) {
        const std::string name = c.at("name");
        CAPTURE(name);
        const auto file = read_golden(c.at("inputs").at("map"));
        REQUIRE(file.shape.size() == 3);
        const tensor_view<const float, 2> map(file.values.data(), {file.shape[1], file.shape[2]});
        const auto& params = c.at("params");
        const auto& values = c.at("expected_values");
        const auto logits = mask_logits_from_map(
            map, {.edge = params.at("edge").get<index>(), .epsilon = params.at("eps").get<float>()});
        REQUIRE(logits);
        CHECK(logits->content.height == values.at("content_hw").at(0).get<index>());
        CHECK(logits->content.width == values.at("content_hw").at(1).get<index>());
        const double atol = c.at("tolerance").at("atol");
        const double rtol = c.at("tolerance").at("rtol");
        const auto probes = read_golden(c.at("expected").at("probes"));
        bool same = true;
        for (std::size_t k = 0; k < probes.values.size(); ++k) {
            const float got = logits->values(params.at("probe_y").at(k).get<index>(),
                                             params.at("probe_x").at(k).get<index>());
            same = same && std::abs(got - probes.values[k]) <= atol + rtol * std::abs(probes.values[k]);
        }
        CHECK(same);
        double mean = 0;
        for (const float v : logits->values.values()) {
            mean += v;
        }
        mean /= static_cast<double>(logits->values.values().size());
        CHECK(std::abs(mean - values.at("mean").get<double>()) <= atol + rtol * std::abs(mean));
        // The boxes of the map, of zeros and of ones; the reference writes "none" as four zeros.
        const matrix<float> zeros(file.shape[1], file.shape[2]);
        const matrix<float> ones(file.shape[1], file.shape[2], 1.0F);
        const map_box_options above{.threshold = params.at("thresh").get<float>()};
        const std::optional<box_in<original_frame>> boxes[] = {
            box_from_map(map, above), box_from_map(zeros.view(), above), box_from_map(ones.view(), above)};
        for (std::size_t i = 0; i < 3; ++i) {
            const auto& want = values.at("box_xyxy_map_zero_one").at(i);
            const auto got = boxes[i].value_or(box_in<original_frame>{});
            CHECK(got == box_in<original_frame>{want.at(0), want.at(1), want.at(2), want.at(3)});
        }
        CHECK(!boxes[1]);
    }
}

TEST_CASE("mask logits: clipped, in the upper left, zeros beyond; extreme shapes keep one pixel") {
    const matrix<float> ones(2, 4, 1.0F);
    const auto logits = mask_logits_from_map(ones.view(), {.edge = 8});
    REQUIRE(logits);
    CHECK(logits->content == image_size{8, 4});
    CHECK(logits->values.rows() == 8);
    const float most = std::log(0.999F / (1.0F - 0.999F));
    CHECK(logits->values(3, 7) == doctest::Approx(most));
    CHECK(logits->values(4, 0) == 0.0F);
    const matrix<float> thin(2000, 1, 0.0F);
    const auto narrow = mask_logits_from_map(thin.view());
    REQUIRE(narrow);
    CHECK(narrow->content == image_size{1, 256});
    CHECK(narrow->values(255, 0) < 0);
    CHECK(narrow->values(255, 1) == 0);
    matrix<float> bad(3, 3);
    bad(1, 2) = std::numeric_limits<float>::quiet_NaN();
    CHECK(mask_logits_from_map(bad.view()).error().at == 5U);
    bad(1, 2) = std::numeric_limits<float>::infinity();
    CHECK(mask_logits_from_map(bad.view()));
    CHECK(mask_logits_from_map(matrix<float>(0, 0).view()).error().what == "the map has no values");
    CHECK_EXPECTS(mask_logits_from_map(ones.view(), {.epsilon = 0.5F}), "epsilon 0.5");
}

TEST_CASE("mask logits of a map of the grid's own size are the logits of its values, within rounding") {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> exponent(-12, 1);
    matrix<float> map(64, 64);
    for (float& value : map.values()) {
        value = std::exp(exponent(random)) - (random() % 8 == 0 ? 0.2F : 0.0F);
    }
    for (const float temperature : {1.0F, 2e-4F, 3.0F}) {
        const auto logits = mask_logits_from_map(map.view(), {.edge = 64, .temperature = temperature});
        REQUIRE(logits);
        for (std::size_t i = 0; i < map.values().size(); ++i) {
            const float p = std::clamp(map.values()[i] / temperature, 1e-3F, 1.0F - 1e-3F);
            const double odds = static_cast<double>(p / (1.0F - p));
            const double expected = std::log(odds);
            CHECK(std::abs(static_cast<double>(logits->values.values()[i]) - expected) <=
                  3e-7 * std::max(1.0, std::abs(expected)));
        }
    }
}

TEST_CASE("mask and box together") {
    matrix<float> map(6, 6);
    map(2, 3) = 0.9F;
    const auto both = map_prompt(map.view());
    REQUIRE(both);
    CHECK(both->box == box_in<original_frame>{3, 2, 4, 3});
    REQUIRE(both->mask);
    CHECK(both->mask->values.rows() == 256);
    CHECK(both->points.empty());
    map(2, 3) = 0.1F;
    CHECK(!map_prompt(map.view())->box);
    map(0, 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK(map_prompt(map.view()).error().at == 1U);
}

TEST_CASE("the first of scored proposals that contains the point") {
    const std::vector<scored_box> boxes{{{0, 0, 10, 10}, 0.2F},
                                        {{20, 20, 30, 30}, 0.9F},
                                        {{5, 5, 15, 15}, 0.7F},
                                        {{5, 5, 15, 15}, 0.7F},
                                        {{0, 0, 99, 99}, std::numeric_limits<float>::quiet_NaN()}};
    CHECK(first_proposal_containing(boxes, {6, 6}) == 2); // of equal scores the first
    CHECK(first_proposal_containing(boxes, {2, 2}) == 0);
    CHECK(first_proposal_containing(boxes, {29, 29}) == 1);
    CHECK(first_proposal_containing(boxes, {30, 30}) == 4); // a NaN comes last
    CHECK(!first_proposal_containing(boxes, {99, 99}));
    CHECK(!first_proposal_containing(std::span<const scored_box>{}, {0, 0}));
    // A callable for masks, asked best first and no further than the first yes.
    const std::vector<float> scores{0.1F, 0.5F, 0.9F};
    std::vector<index> asked;
    const auto found = first_proposal_containing(scores, {1, 2}, [&](index i, pixel at) {
        asked.push_back(i);
        CHECK(at == pixel{1, 2});
        return i == 1;
    });
    CHECK(found == 1);
    CHECK(asked == std::vector<index>{2, 1});
}

} // namespace
