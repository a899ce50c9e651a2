// Hints: coordinates and probabilities at a level against their definition, anchors, forbidden pixels.
#include "ostend/host/graph_cut_hints.hpp"

#include <doctest/doctest.h>

#include <random>

namespace {

using namespace ostend;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

double distance(const inner::place& a, const inner::place& b) { return std::hypot(a.x - b.x, a.y - b.y); }

TEST_CASE("places and pixels") {
    CHECK(inner::squared_distance(2, 1, {1.5, 2.5}) == 0);
    CHECK(inner::squared_distance(0, 0, {3.5, 4.5}) == 25);
    const image_size image{7, 5};
    CHECK(inner::pixel_of({0, 0}, image) == pixel{0, 0});
    CHECK(inner::pixel_of({6.99, 4.01}, image) == pixel{6, 4});
    CHECK(inner::pixel_of({7, 5}, image) == pixel{6, 4});
}

TEST_CASE("points and boxes scale with the level; the first inside point anchors, then the box, then what is "
          "given") {
    prompt asked;
    const image_size image{200, 100};
    const image_size level{50, 25};
    CHECK(distance(inner::point_hints(asked, image, level, {3, 4}).anchor, {3, 4}) == 0);
    asked.box = {40, 20, 80, 60};
    CHECK(distance(inner::point_hints(asked, image, level, {3, 4}).anchor, {15, 10}) == 0);
    asked.points = {{{50, 50}, false}, {{60, 40}, true}, {{70, 30}, true}};
    const auto h = inner::point_hints(asked, image, level);
    CHECK(distance(h.anchor, {15, 10}) == 0);
    REQUIRE(h.inside.size() == 2);
    REQUIRE(h.outside.size() == 1);
    CHECK(distance(h.inside[1], {17.5, 7.5}) == 0);
    CHECK(distance(h.outside[0], {12.5, 12.5}) == 0);
    CHECK(h.size == level);
    CHECK(h.prior.empty());
}

TEST_CASE("forbidden pixels: beyond the box by their centre, and around outside points") {
    std::mt19937 draw(1);
    const auto number = [&](double most) { return std::uniform_real_distribution<double>(0, most)(draw); };
    for (int round = 0; round < 200; ++round) {
        const image_size image{1 + static_cast<index>(draw() % 40), 1 + static_cast<index>(draw() % 40)};
        const image_size level{(image.width + 1) / (1 + round % 2), (image.height + 1) / (1 + round % 2)};
        const auto w = static_cast<double>(image.width);
        const auto h = static_cast<double>(image.height);
        prompt asked;
        if (round % 3 != 0) {
            const double x = number(w * 0.9);
            const double y = number(h * 0.9);
            asked.box = {x, y, x + number(w - x) + 1e-9, y + number(h - y) + 1e-9};
        }
        for (int i = 0; i < round % 4; ++i) {
            asked.points.push_back({{number(w), number(h)}, false});
        }
        const auto hints = inner::point_hints(asked, image, level);
        const double sx = static_cast<double>(level.width) / w;
        const double sy = static_cast<double>(level.height) / h;
        for (index y = 0; y < level.height; ++y) {
            for (index x = 0; x < level.width; ++x) {
                const double u = static_cast<double>(x) + 0.5;
                const double v = static_cast<double>(y) + 0.5;
                bool wanted = false;
                if (asked.box) {
                    const auto& b = *asked.box;
                    wanted = u < b.x0 * sx || u > b.x1 * sx || v < b.y0 * sy || v > b.y1 * sy;
                    const double mx = (b.x0 + b.x1) / 2 * sx;
                    const double my = (b.y0 + b.y1) / 2 * sy;
                    wanted = wanted && !(std::floor(mx) == u - 0.5 && std::floor(my) == v - 0.5);
                }
                for (const auto& p : asked.points) {
                    wanted = wanted || std::hypot(u - p.at.x * sx, v - p.at.y * sy) < std::sqrt(2.5);
                }
                CHECK(hints.forbids(y, x) == wanted);
            }
        }
    }
}

TEST_CASE("the prior is the logits' probability under each pixel's centre") {
    std::mt19937 draw(2);
    for (int round = 0; round < 60; ++round) {
        const image_size image{20 + static_cast<index>(draw() % 300), 20 + static_cast<index>(draw() % 300)};
        const image_size level{1 + static_cast<index>(draw() % 40), 1 + static_cast<index>(draw() % 40)};
        mask_logits mask{matrix<float>(24, 30),
                         {1 + static_cast<index>(draw() % 30), 1 + static_cast<index>(draw() % 24)}};
        for (float& v : mask.values.values()) {
            v = std::normal_distribution<float>(0, 3)(draw);
        }
        prompt asked;
        asked.mask = mask;
        const auto h = inner::hints_of(asked, image, level);
        REQUIRE(h.prior.size() == static_cast<std::size_t>(level.area()));
        double sum = 0;
        float most = -1;
        pixel brightest;
        for (index y = 0; y < level.height; ++y) {
            for (index x = 0; x < level.width; ++x) {
                const double u = (static_cast<double>(x) + 0.5) * static_cast<double>(mask.content.width) /
                                 static_cast<double>(level.width);
                const double v = (static_cast<double>(y) + 0.5) * static_cast<double>(mask.content.height) /
                                 static_cast<double>(level.height);
                const float logit = mask.values(static_cast<index>(v), static_cast<index>(u));
                const float p = h.prior[static_cast<std::size_t>(y * level.width + x)];
                CHECK(static_cast<double>(p) ==
                      doctest::Approx(1 / (1 + std::exp(-static_cast<double>(logit)))).epsilon(1e-5));
                sum += static_cast<double>(p);
                brightest = p > most ? pixel{x, y} : brightest;
                most = std::max(most, p);
            }
        }
        CHECK(static_cast<double>(h.prior_mean) ==
              doctest::Approx(sum / static_cast<double>(level.area())).epsilon(1e-5));
        CHECK(inner::pixel_of(h.anchor, level) == brightest);

        // A finer level has no prior and the same anchor, in its own pixels.
        const image_size finer{2 * level.width, 2 * level.height};
        const auto f = inner::finer_hints(asked, image, finer, h);
        CHECK(f.prior.empty());
        CHECK(distance(f.anchor, {2 * h.anchor.x, 2 * h.anchor.y}) < 1e-9);
        // A point or a box anchors before the mask does.
        asked.points.push_back({{7, 9}, true});
        CHECK(distance(inner::hints_of(asked, image, image).anchor, {7, 9}) == 0);
    }
}

TEST_CASE("the nearest pixel that is allowed") {
    prompt asked;
    asked.points = {{{5.5, 5.5}, true}};
    const image_size image{12, 12};
    CHECK(*inner::nearest_allowed(inner::point_hints(asked, image, image)) == pixel{5, 5});
    asked.points = {{{5.5, 5.5}, false}};
    asked.box = {4, 4, 7, 7};
    CHECK(!inner::nearest_allowed(inner::point_hints(asked, image, image)));
    asked.box = {3, 5, 8, 6}; // one row, of which the middle three pixels are taken
    CHECK(*inner::nearest_allowed(inner::point_hints(asked, image, image)) == pixel{3, 5});
    asked.box = {4, 5, 8, 6};
    CHECK(*inner::nearest_allowed(inner::point_hints(asked, image, image)) == pixel{7, 5});
}

} // namespace
