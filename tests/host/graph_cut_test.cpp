// The built-in segmenter: known shapes, prompts of every kind, images of any size, and what it refuses.
#include "host/shapes.hpp"
#include "ostend/host/graph_cut.hpp"

#include "support/expects.hpp"

#include <limits>
#include <thread>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;

prompt at_point(double x, double y) {
    prompt asked;
    asked.points.push_back({{x, y}, true});
    return asked;
}

std::vector<mask_candidate> candidates_of(const painting& image, const prompt& asked,
                                          const graph_cut_segmenter& segmenter = {}) {
    const auto found = segmenter.segment(image.view(), std::span<const prompt>(&asked, 1));
    REQUIRE_MESSAGE(found, found.error().message());
    REQUIRE(found->size() == 1);
    return found->front();
}

bitmap best_of(const std::vector<mask_candidate>& candidates) {
    const auto best = std::max_element(candidates.begin(), candidates.end(),
                                       [](const auto& a, const auto& b) { return a.score < b.score; });
    return decode(best->mask);
}

bitmap mask_of(const painting& image, const prompt& asked) { return best_of(candidates_of(image, asked)); }

/// The map of a disc as mask logits over the whole image.
mask_logits logits_of(const bitmap& mask, float on = 4, float off = -4) {
    mask_logits out{matrix<float>(mask.height, mask.width), {mask.width, mask.height}};
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
        out.values.values()[i] = mask.pixels[i] != 0 ? on : off;
    }
    return out;
}

TEST_CASE("a point inside a flat shape gives the shape") {
    std::mt19937 draw(1);
    const auto number = [&](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(draw);
    };
    double least = 1;
    for (int round = 0; round < 60; ++round) {
        const auto height = static_cast<index>(number(60, 300));
        const auto width = static_cast<index>(number(60, 300));
        const double side = static_cast<double>(std::max(height, width));
        const double r =
            std::min(number(0.09, 0.22) * side, 0.45 * static_cast<double>(std::min(height, width)));
        const double cx = number(r, static_cast<double>(width) - r);
        const double cy = number(r, static_cast<double>(height) - r);
        bitmap shape;
        switch (round % 3) {
        case 0:
            shape = draw_disc(height, width, cx, cy, r);
            break;
        case 1:
            shape = draw_rectangle(height, width, cx - r, cy - 0.7 * r, cx + r, cy + 0.7 * r);
            break;
        default:
            shape = draw_shape(height, width, [=](double x, double y) { // a triangle
                return y < cy + 0.8 * r && y - cy > 1.8 * std::abs(x - cx) - 0.9 * r;
            });
        }
        painting image(height, width, {40, 90, 160});
        image.paint(shape, {220, 120, 30});
        if (round % 2 == 1) {
            image.add_noise(12, static_cast<unsigned>(round));
        }
        const double iou = overlap(mask_of(image, at_point(cx + 0.3 * r, cy + 0.2 * r)), shape);
        CAPTURE(round);
        CHECK(iou > 0.98);
        least = std::min(least, iou);
    }
    MESSAGE("least IoU " << least);
}

TEST_CASE("of two shapes of one colour the one under the point") {
    painting image(120, 160, {30, 30, 30});
    const bitmap left = draw_disc(120, 160, 45, 60, 18);
    const bitmap right = draw_disc(120, 160, 110, 60, 22);
    image.paint(left, {200, 200, 60});
    image.paint(right, {200, 200, 60});
    CHECK(overlap(mask_of(image, at_point(40, 55)), left) > 0.95);
    CHECK(overlap(mask_of(image, at_point(115, 70)), right) > 0.95);
}

TEST_CASE("a box anchors, and nothing beyond it is object") {
    std::mt19937 draw(2);
    for (int round = 0; round < 40; ++round) {
        const index height = 50 + static_cast<index>(draw() % 250);
        const index width = 50 + static_cast<index>(draw() % 250);
        painting image(height, width, {200, 60, 60});
        image.paint(draw_rectangle(height, width, 10, 12, 44, 40), {60, 60, 200});
        prompt asked;
        const double x0 = static_cast<double>(draw() % 30) + 0.25;
        const double y0 = static_cast<double>(draw() % 30) + 0.5;
        asked.box = {x0, y0, x0 + 1 + static_cast<double>(draw() % 18),
                     y0 + 0.125 + static_cast<double>(draw() % 18)};
        for (const mask_candidate& c : candidates_of(image, asked)) {
            const bitmap mask = decode(c.mask);
            CHECK(count(mask) > 0);
            const auto middle = pixel{static_cast<index>((asked.box->x0 + asked.box->x1) / 2),
                                      static_cast<index>((asked.box->y0 + asked.box->y1) / 2)};
            for (index y = 0; y < height; ++y) {
                for (index x = 0; x < width; ++x) {
                    const double u = static_cast<double>(x) + 0.5;
                    const double v = static_cast<double>(y) + 0.5;
                    const bool inside =
                        u >= asked.box->x0 && u <= asked.box->x1 && v >= asked.box->y0 && v <= asked.box->y1;
                    if (mask(y, x) != 0 && !inside) {
                        CHECK(pixel{x, y} == middle); // a box without a pixel's centre
                    }
                }
            }
        }
    }
    painting image(200, 200, {200, 60, 60});
    const bitmap shape = draw_disc(200, 200, 100, 90, 30);
    image.paint(shape, {60, 60, 200});
    prompt box;
    box.box = {65, 55, 135, 125};
    CHECK(overlap(mask_of(image, box), shape) > 0.95);
}

TEST_CASE("an outside point takes away what it lies on") {
    // Two halves of one round thing, in two colours: with a point on the left alone the answer may have both.
    for (const index scale : {1, 3}) {
        const index side = 120 * scale;
        const auto s = static_cast<double>(scale);
        painting image(side, side, {30, 30, 30});
        const bitmap disc = draw_disc(side, side, 60 * s, 60 * s, 24 * s);
        const bitmap left = draw_shape(side, side, [&](double x, double y) {
            return x < 60 * s && std::hypot(x - 60 * s, y - 60 * s) < 24 * s;
        });
        image.paint(disc, {210, 170, 60});
        image.paint(left, {210, 60, 60});
        prompt asked = at_point(48 * s, 60 * s);
        asked.points.push_back({{72 * s, 60 * s}, false});
        const bitmap mask = mask_of(image, asked);
        CHECK(mask(60 * scale, 72 * scale) == 0);
        CHECK(overlap(mask, left) > 0.9);
    }
}

TEST_CASE("an outside point's pixels stay out, also in the middle of a flat shape") {
    for (const index side : {60, 150, 400}) {
        const auto s = static_cast<double>(side);
        painting image(side, side, {30, 30, 30});
        image.paint(draw_disc(side, side, s / 2, s / 2, s / 5), {210, 60, 60});
        prompt asked = at_point(s / 2 - s / 10, s / 2);
        asked.points.push_back({{s / 2 + 0.5, s / 2 + 0.5}, false});
        for (const mask_candidate& c : candidates_of(image, asked)) {
            const bitmap mask = decode(c.mask);
            CHECK(count(mask) > 0);
            CHECK(pieces(mask, 1) == 1);
            for (index y = side / 2 - 1; y <= side / 2 + 1; ++y) {
                for (index x = side / 2 - 1; x <= side / 2 + 1; ++x) {
                    CHECK(mask(y, x) == 0);
                }
            }
        }
    }
}

TEST_CASE("a mask prompt alone anchors at its greatest value; beside a point it says where to look") {
    painting image(150, 200, {90, 140, 90});
    const bitmap disc = draw_disc(150, 200, 60, 70, 20);
    image.paint(disc, {230, 230, 230});
    image.paint(draw_disc(150, 200, 150, 70, 20), {230, 230, 230});
    prompt asked;
    asked.mask = logits_of(draw_disc(150, 200, 60, 72, 15));
    CHECK(overlap(mask_of(image, asked), disc) > 0.9);
    // A point on the background beside the object, as a quarter of a model's misses are.
    prompt beside = at_point(83, 70);
    beside.mask = asked.mask;
    CHECK(overlap(mask_of(image, beside), disc) > 0.9);
    // A constant mask and infinite logits are as good as none.
    prompt flat = at_point(60, 70);
    flat.mask = logits_of(disc, 0, 0);
    CHECK(overlap(mask_of(image, flat), disc) > 0.9);
    const float inf = std::numeric_limits<float>::infinity();
    flat.mask = logits_of(disc, inf, -inf);
    CHECK(overlap(mask_of(image, flat), disc) > 0.9);
}

TEST_CASE("images of any size: every candidate is one piece without holes, and never empty") {
    std::mt19937 draw(3);
    std::vector<image_size> sizes{{1, 1},    {1, 2},    {2, 1},   {3, 3},   {1, 40}, {40, 1},
                                  {700, 40}, {40, 700}, {96, 96}, {97, 97}, {5, 193}};
    for (int i = 0; i < 60; ++i) {
        sizes.push_back({1 + static_cast<index>(draw() % 40), 1 + static_cast<index>(draw() % 40)});
    }
    const graph_cut_segmenter segmenter;
    for (const image_size size : sizes) {
        CAPTURE(size.width);
        CAPTURE(size.height);
        painting image(size.height, size.width, {120, 120, 120});
        if (draw() % 3 != 0) {
            image.add_noise(static_cast<int>(1 + draw() % 120), static_cast<unsigned>(draw()));
        }
        const auto w = static_cast<double>(size.width);
        const auto h = static_cast<double>(size.height);
        std::vector<prompt> asked{at_point(0, 0),    at_point(w, h), at_point(w / 2, h / 3), {}, {},
                                  at_point(w / 2, h)};
        asked[3].box = {0, 0, w, h};
        asked[4].mask = logits_of(draw_disc(size.height, size.width, w / 2, h / 2, 3));
        asked[5].mask = asked[4].mask;
        const auto found = segmenter.segment(image.view(), asked);
        REQUIRE_MESSAGE(found, found.error().message());
        REQUIRE(found->size() == asked.size());
        for (const auto& candidates : *found) {
            CHECK(candidates.size() == 3);
            for (const mask_candidate& c : candidates) {
                REQUIRE(check(c.mask));
                CHECK(c.mask.width == size.width);
                CHECK(c.mask.height == size.height);
                CHECK((c.score >= 0 && c.score <= 1));
                const bitmap mask = decode(c.mask);
                CHECK(pieces(mask, 1) == 1);
                CHECK(holes(mask) == 0);
            }
        }
    }
}

TEST_CASE(
    "the same question has the same answer: again, among others, from two threads, from a strided view") {
    painting image(130, 170, {50, 80, 110});
    image.paint(draw_disc(130, 170, 80, 60, 25), {180, 160, 40});
    image.add_noise(40, 9);
    const graph_cut_segmenter segmenter;
    std::vector<prompt> asked{at_point(80, 60), at_point(10, 100), at_point(75, 70)};
    asked[2].mask = logits_of(draw_disc(130, 170, 80, 60, 20));
    const auto flat = [](const std::vector<std::vector<mask_candidate>>& all) {
        std::vector<std::pair<rle, float>> out;
        for (const auto& candidates : all) {
            for (const auto& c : candidates) {
                out.emplace_back(c.mask, c.score);
            }
        }
        return out;
    };
    const auto first = flat(*segmenter.segment(image.view(), asked));
    CHECK(flat(*segmenter.segment(image.view(), asked)) == first);
    std::vector<std::vector<mask_candidate>> one_by_one;
    for (const prompt& p : asked) {
        one_by_one.push_back(candidates_of(image, p, segmenter));
    }
    CHECK(flat(one_by_one) == first);

    std::array<std::vector<std::pair<rle, float>>, 2> others;
    std::vector<std::thread> threads;
    for (auto& other : others) {
        threads.emplace_back([&] { other = flat(*segmenter.segment(image.view(), asked)); });
    }
    for (auto& t : threads) {
        t.join();
    }
    CHECK(others[0] == first);
    CHECK(others[1] == first);

    std::vector<std::uint8_t> planes(image.bytes.size()); // channels first
    for (std::size_t i = 0; i < planes.size(); ++i) {
        planes[i % 3 * planes.size() / 3 + i / 3] = image.bytes[i];
    }
    const image_view strided(planes.data(), {130, 170, 3}, {170, 1, 130 * 170});
    CHECK(flat(*segmenter.segment(strided, asked)) == first);
}

TEST_CASE("radii and their order are the caller's") {
    painting image(100, 100, {0, 0, 0});
    image.paint(draw_disc(100, 100, 50, 50, 15), {255, 255, 255});
    const graph_cut_segmenter one({.radii = {0.15}});
    const graph_cut_segmenter two({.radii = {0.2, 0.15}});
    const auto single = candidates_of(image, at_point(50, 50), one);
    const auto both = candidates_of(image, at_point(50, 50), two);
    REQUIRE(single.size() == 1);
    REQUIRE(both.size() == 2);
    CHECK(both[1].mask == single[0].mask);
    CHECK(both[1].score == single[0].score);
    // A radius that dwarfs the image: no background is left to learn from; still a mask.
    CHECK(area(candidates_of(image, at_point(50, 50), graph_cut_segmenter({.radii = {1e6}}))[0].mask) > 0);
    CHECK(area(candidates_of(image, at_point(50, 50), graph_cut_segmenter({.radii = {1e-6}}))[0].mask) > 0);
}

TEST_CASE("options that no segmenter can be made of") {
    CHECK(graph_cut_options{}.usable());
    const double inf = std::numeric_limits<double>::infinity();
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    const auto make = [](const graph_cut_options& o) { return graph_cut_segmenter(o); };
    CHECK_EXPECTS(make({.work_side = 7}), "work_side below 8");
    CHECK_EXPECTS(make({.radii = {}}), "radius");
    CHECK_EXPECTS(make({.radii = {0.1, 0.0}}), "radius");
    CHECK_EXPECTS(make({.radii = {0.1, static_cast<double>(nan)}}), "radius");
    CHECK_EXPECTS(make({.radii = {inf}}), "radius");
    CHECK_EXPECTS(make({.iterations = 0}), "no iteration");
    CHECK_EXPECTS(make({.object_components = 0}), "components outside");
    CHECK_EXPECTS(make({.background_components = 65}), "components outside");
    CHECK_EXPECTS(make({.smoothness = nan}), "not finite");
    CHECK_EXPECTS(make({.smoothness = -1}), "graph_cut_segmenter");
    CHECK_EXPECTS(make({.colour_limit = 0}), "graph_cut_segmenter");
    CHECK_EXPECTS(make({.prior = std::numeric_limits<float>::infinity()}), "not finite");
    CHECK_EXPECTS(make({.background_decay = 0}), "length");
}

TEST_CASE("images and prompts that are refused, by name") {
    const painting image(40, 60, {1, 2, 3});
    const graph_cut_segmenter segmenter;
    const auto message = [&](const image_view& view, std::vector<prompt> asked) {
        const auto found = segmenter.segment(view, asked);
        return found ? std::string("no error") : found.error().message();
    };
    CHECK(message({}, {}).find("image: the image has 0 x 0 pixels") == 0);
    CHECK(message({image.bytes.data(), {40, 60, 1}}, {at_point(1, 1)}).find("of 1 channels") !=
          std::string::npos);
    const image_view vast(image.bytes.data(), {1 << 20, 1 << 20, 3}, {0, 0, 0});
    CHECK(message(vast, {at_point(1, 1)}).find("more pixels than a run can count") != std::string::npos);
    CHECK(segmenter.segment(image.view(), {})->empty());
    CHECK(message(image.view(), {at_point(1, 1), {}}) ==
          "prompts[1]: the prompt has no point on the object, no box and no mask");
    CHECK(message(image.view(), {at_point(60.5, 1)}).find("prompts[0]: points: the point (60.5") == 0);
    prompt surrounded;
    surrounded.box = {10, 10, 11, 11};
    surrounded.points.push_back({{10.5, 10.5}, false});
    CHECK(message(image.view(), {surrounded}) ==
          "prompts[0]: points: the outside points leave no pixel for the object");
}

} // namespace
