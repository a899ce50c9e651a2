// The rules that choose among candidates.
#include "ostend/adapt/sam_score.hpp"
#include "ostend/mask/encode.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

namespace {

using namespace ostend;
using ostend::index; // not the one of <strings.h>

double plain_mass(const bitmap& mask, const mask_logits& map) {
    const auto value = [&](index y, index x) {
        const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(mask.height);
        const double u = (static_cast<double>(x) + 0.5) / static_cast<double>(mask.width);
        const auto row = static_cast<index>(v * static_cast<double>(map.content.height));
        const auto column = static_cast<index>(u * static_cast<double>(map.content.width));
        return 1.0 / (1.0 + std::exp(-static_cast<double>(map.values(row, column))));
    };
    double mean = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            mean += value(y, x) / static_cast<double>(mask.height * mask.width);
        }
    }
    double inside = 0;
    double outside = 0;
    double sizes = 0;
    for (index y = 0; y < mask.height; ++y) {
        for (index x = 0; x < mask.width; ++x) {
            (mask(y, x) != 0 ? inside : outside) += value(y, x) - mean;
            sizes += std::abs(value(y, x) - mean);
        }
    }
    return sizes > 0 ? (inside - outside) / sizes : 0.0;
}

TEST_CASE("attention inside less outside, images and maps of any size and shape") {
    std::mt19937 draw(3);
    std::normal_distribution<float> logit(0, 2);
    for (int round = 0; round < 40; ++round) {
        const auto side = [&draw](int most) {
            return static_cast<index>(1 + draw() % static_cast<unsigned>(most));
        };
        bitmap mask(side(33), side(40));
        for (auto& p : mask.pixels) {
            p = draw() % 3 == 0 ? 1 : 0;
        }
        mask_logits map{matrix<float>(24, 24), {side(24), side(24)}};
        for (float& v : map.values.values()) {
            v = logit(draw);
        }
        CHECK(attention_mass(encode(mask), map) == doctest::Approx(plain_mass(mask, map)).epsilon(1e-5));
    }
}

TEST_CASE("the mask that holds the attention scores 1, its complement -1, any mask of a constant map 0") {
    mask_logits map{matrix<float>(4, 4), {4, 4}};
    bitmap mask(8, 8);
    for (index y = 0; y < 4; ++y) {
        for (index x = 0; x < 4; ++x) {
            map.values(y, x) = x < 2 ? 3.0F : -3.0F;
        }
    }
    for (index y = 0; y < 8; ++y) {
        for (index x = 0; x < 4; ++x) {
            mask(y, x) = 1;
        }
    }
    CHECK(attention_mass(encode(mask), map) == doctest::Approx(1.0));
    for (auto& p : mask.pixels) {
        p = static_cast<std::uint8_t>(1 - p);
    }
    CHECK(attention_mass(encode(mask), map) == doctest::Approx(-1.0));
    CHECK(attention_mass(encode(mask), {matrix<float>(2, 2), {2, 2}}) == 0.0F);
    CHECK_EXPECTS(attention_mass(encode(mask), {matrix<float>(2, 2), {3, 2}}), "content");
    CHECK_EXPECTS(attention_mass(encode(mask), {}), "content");
}

TEST_CASE("rules by name, and what each scores") {
    for (std::size_t i = 0; i < sam_rule_names.size(); ++i) {
        const auto found = find_sam_rule(sam_rule_names[i]);
        REQUIRE(found);
        CHECK(*found == static_cast<sam_rule>(i));
    }
    CHECK(find_sam_rule("largest").error().message() ==
          "rule: there is no rule 'largest'; known are predicted_iou, stability, last, attention_mass");
    logits_mask found;
    found.stability = 0.5;
    CHECK(sam_score(sam_rule::predicted_iou, found, 0.25F, 0, 3, nullptr) == 0.25F);
    CHECK(sam_score(sam_rule::stability, found, 0.25F, 0, 3, nullptr) == 0.5F);
    CHECK(sam_score(sam_rule::last, found, 0.25F, 1, 3, nullptr) == 0.0F);
    CHECK(sam_score(sam_rule::last, found, 0.25F, 2, 3, nullptr) == 1.0F);
    found.stability = std::numeric_limits<double>::quiet_NaN();
    CHECK(sam_score(sam_rule::stability, found, 0.25F, 0, 3, nullptr) == 0.0F);
    CHECK_EXPECTS(sam_score(sam_rule::attention_mass, found, 0, 0, 3, nullptr), "without a map");
}

TEST_CASE("a prompt's candidates keep their masks and their order under every rule") {
    std::vector<sam_proposal> proposals(3);
    for (index k = 0; k < 3; ++k) {
        bitmap mask(2, 3);
        mask(k % 2, k) = 1;
        const auto i = static_cast<std::size_t>(k);
        proposals[i] = {{encode(mask), 1, {}, 0.125 * static_cast<double>(k)}, 0.5F - static_cast<float>(k)};
    }
    mask_logits map{matrix<float>(2, 3), {3, 2}};
    map.values(1, 1) = 4;
    const std::array<std::array<float, 3>, 3> scores{
        {{0.5F, -0.5F, -1.5F}, {0.0F, 0.125F, 0.25F}, {0.0F, 0.0F, 1.0F}}};
    for (std::size_t r = 0; r < sam_rule_names.size(); ++r) {
        const auto rule = static_cast<sam_rule>(r);
        const auto found = sam_candidates(rule, proposals, &map);
        REQUIRE(found.size() == 3);
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(found[k].mask == proposals[k].found.mask);
            CHECK(found[k].score == (rule == sam_rule::attention_mass
                                         ? attention_mass(proposals[k].found.mask, map)
                                         : scores.at(r).at(k)));
        }
    }
    CHECK(sam_candidates(sam_rule::last, {}, nullptr).empty());
    CHECK_EXPECTS(sam_candidates(sam_rule::attention_mass, proposals, nullptr), "without a map");
}

} // namespace
