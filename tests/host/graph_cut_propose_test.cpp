// Proposals: the cut is the labelling of least energy (all labellings tried), models learn what they should,
// the first centre is the prior's, and small or flat images give a mask too.
#include "host/shapes.hpp"
#include "ostend/host/graph_cut_propose.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

image_level level_of(const painting& image) { return image_pyramid(image.view(), 1000).back(); }

inner::hints hints_at(const image_level& level, double x, double y) {
    prompt asked;
    asked.points.push_back({{x, y}, true});
    return inner::hints_of(asked, level.size(), level.size());
}

TEST_CASE("the cut has the least energy of all labellings") {
    std::mt19937 draw(1);
    const graph_cut_options o;
    for (int round = 0; round < 60; ++round) {
        painting image(3, 4, {120, 120, 120});
        image.add_noise(90, static_cast<unsigned>(round));
        const auto level = level_of(image);
        inner::proposal p;
        p.mask = bitmap(3, 4);
        std::vector<colour_sample> some{{level.colours[draw() % 12], 1}, {level.colours[draw() % 12], 1}};
        std::vector<colour_sample> others{{level.colours[draw() % 12], 1}, {level.colours[draw() % 12], 1}};
        p.models.object.fit(some, 2);
        p.models.background.fit(others, 2);
        prompt asked;
        asked.points.push_back({{1.5, 1.5}, true});
        if (round % 3 == 1) {
            asked.points.push_back({{3.9, 2.9}, false});
        }
        if (round % 3 == 2) {
            asked.mask = mask_logits{matrix<float>(3, 4), {4, 3}};
            for (float& v : asked.mask->values.values()) {
                v = static_cast<float>(draw() % 600) / 100 - 3;
            }
        }
        const auto hints = inner::hints_of(asked, level.size(), level.size());
        const inner::disc around{{2.2, 1.3}, round % 2 == 0 ? 4.0 : 1.1};

        // Costs in 64ths, [pixel]{as background, as object}.
        std::vector<std::array<int, 2>> costs(12);
        const auto as_int = [](float energy) { return static_cast<int>(std::max(0.0F, energy) * 64); };
        for (index y = 0; y < 3; ++y) {
            for (index x = 0; x < 4; ++x) {
                const std::size_t i = level.at(y, x);
                const double d2 = (std::pow(static_cast<double>(x) + 0.5 - 2.2, 2) +
                                   std::pow(static_cast<double>(y) + 0.5 - 1.3, 2)) /
                                  (around.radius * around.radius);
                float vote = -1000;
                if (d2 < o.reach * o.reach) {
                    vote = p.models.vote(level.colours[i], o.colour_limit) +
                           o.place * static_cast<float>(std::max(1 - d2, -3.0));
                    vote += hints.prior.empty() ? 0 : o.prior * (hints.prior[i] - o.prior_middle);
                }
                const auto near = [&](double px, double py) {
                    return std::hypot(static_cast<double>(x) + 0.5 - px, static_cast<double>(y) + 0.5 - py) <
                           std::sqrt(2.5);
                };
                vote += near(1.5, 1.5) ? o.seed : 0.0F;
                vote = round % 3 == 1 && near(3.9, 2.9) ? -1000.0F : vote;
                costs[i] = {as_int(vote), as_int(-vote)};
            }
        }
        const auto energy = [&](unsigned labels) {
            std::array<int, 16>
                on_at{}; // bits taken apart first: GCC 12.2 at -O1 compares them wrongly in the loop
            for (std::size_t i = 0; i < 16; ++i) {
                on_at[i] = static_cast<int>(labels >> i & 1U);
            }
            const auto on = [&](index y, index x) { return on_at[static_cast<std::size_t>(4 * y + x)]; };
            long long sum = 0;
            for (index y = 0; y < 3; ++y) {
                for (index x = 0; x < 4; ++x) {
                    sum += costs[level.at(y, x)][static_cast<std::size_t>(on(y, x))];
                    for (std::size_t d = 0; d < 4; ++d) {
                        const index v = y + (d > 0 ? 1 : 0);
                        const index u = x + (d == 0 || d == 2 ? 1 : d == 3 ? -1 : 0);
                        if (v < 3 && u >= 0 && u < 4 && on(y, x) != on(v, u)) {
                            sum += as_int(o.smoothness * likeness(level, level.at(y, x), level.at(v, u)) *
                                              (d < 2 ? 1.0F : 0.70710678F) +
                                          o.smoothness_floor);
                        }
                    }
                }
            }
            return sum;
        };
        long long least = energy(0);
        for (unsigned labels = 1; labels < 1U << 12; ++labels) {
            least = std::min(least, energy(labels));
        }
        grid_cut cut;
        inner::cut_around(level, hints, around, o, cut, p);
        unsigned found = 0;
        for (std::size_t i = 0; i < 12; ++i) {
            found |= p.mask.pixels[i] != 0 ? 1U << i : 0U;
        }
        CHECK(energy(found) == least);
    }
}

TEST_CASE("the first centre: the anchor without a prior, the middle of the prior around it with one") {
    const painting image(40, 60, {0, 0, 0});
    const auto level = level_of(image);
    auto hints = hints_at(level, 20, 15);
    const graph_cut_options o;
    CHECK(inner::first_centre(hints, o).x == 20);
    hints.prior.assign(40 * 60, 0.1F);
    hints.prior_mean = 0.1F;
    CHECK(inner::first_centre(hints, o).y == 15); // a constant one says nothing
    hints.prior_mean = 0.12F;
    const auto light = [&](index y, index x, float p) {
        hints.prior[static_cast<std::size_t>(y * 60 + x)] = p;
    };
    light(16, 22, 0.5F);
    auto centre = inner::first_centre(hints, o);
    CHECK(centre.x == doctest::Approx(22.5));
    CHECK(centre.y == doctest::Approx(16.5));
    light(10, 12, 0.9F);
    // Weights: the square of the excess, faded by distance over 0.21 of the longer side (12.6 pixels).
    const double reach = 0.21 * 60;
    const auto weight = [&](double excess, double x, double y) {
        return excess * excess * std::exp(-2 * (std::pow(x - 20, 2) + std::pow(y - 15, 2)) / (reach * reach));
    };
    const double a = weight(0.5 - 0.12, 22.5, 16.5);
    const double b = weight(0.9 - 0.12, 12.5, 10.5);
    centre = inner::first_centre(hints, o);
    CHECK(centre.x == doctest::Approx((22.5 * a + 12.5 * b) / (a + b)).epsilon(1e-4));
    CHECK(centre.y == doctest::Approx((16.5 * a + 10.5 * b) / (a + b)).epsilon(1e-4));
    const graph_cut_options half{.prior_pull = 0.5F};
    CHECK(inner::first_centre(hints, half).x == doctest::Approx((20 + centre.x) / 2));
    light(39, 59, 1); // farther than three reaches: nothing
    CHECK(inner::first_centre(hints, o).x == doctest::Approx(centre.x));
}

TEST_CASE("models learn the disc and its surroundings first, the labels afterwards") {
    painting image(60, 60, {20, 20, 20});
    image.paint(draw_disc(60, 60, 30, 30, 12), {250, 20, 20});
    image.paint(draw_rectangle(60, 60, 0, 0, 10, 60), {20, 20, 250});
    const auto level = level_of(image);
    const auto hints = hints_at(level, 30, 30);
    inner::proposal p;
    p.mask = bitmap(60, 60);
    const graph_cut_options o;
    REQUIRE(inner::fit_models(level, hints, {{30, 30}, 10}, true, o, p));
    CHECK(p.models.vote({250, 20, 20}, 6) == 6);
    CHECK(p.models.vote({20, 20, 250}, 6) == -6);
    p.mask = draw_rectangle(60, 60, 0, 0, 10, 60); // now the bar is said to be the object
    REQUIRE(inner::fit_models(level, hints, {{5, 30}, 10}, false, o, p));
    CHECK(p.models.vote({250, 20, 20}, 6) == -6);
    CHECK(p.models.vote({20, 20, 250}, 6) == 6);
    p.mask = bitmap(60, 60);
    CHECK(!inner::fit_models(level, hints, {{30, 30}, 10}, false, o, p)); // no object
    p.mask = bitmap(60, 60, true);
    CHECK(!inner::fit_models(level, hints, {{30, 30}, 10}, false, o, p)); // no background

    prompt asked; // what an outside point lies on is background, though the disc holds it
    asked.points = {{{30, 24}, true}, {{30, 36}, false}};
    image.paint(draw_rectangle(60, 60, 18, 32, 42, 42), {20, 250, 20});
    const auto green = level_of(image);
    p.mask = bitmap(60, 60);
    REQUIRE(inner::fit_models(green, inner::hints_of(asked, green.size(), green.size()), {{30, 28}, 14}, true,
                              o, p));
    CHECK(p.models.vote({20, 250, 20}, 6) < 1);
    CHECK(p.models.vote({250, 20, 20}, 6) > 3);
}

TEST_CASE("a disc of the assumed size is found; tiny and flat images give at least the anchor's pixel") {
    painting image(96, 80, {60, 90, 60});
    const bitmap disc = draw_disc(96, 80, 40, 50, 14);
    image.paint(disc, {230, 220, 60});
    const auto level = level_of(image);
    grid_cut cut;
    const auto found = inner::propose(level, hints_at(level, 45, 48), 0.155, {}, cut);
    CHECK(overlap(found.mask, disc) > 0.97);
    CHECK(found.evidence.radius == doctest::Approx(0.155));
    CHECK(found.models.vote({230, 220, 60}, 6) == 6);
    for (const auto& [h, w] : {std::array<index, 2>{1, 1}, {1, 2}, {2, 2}, {1, 60}, {16, 16}}) {
        const painting flat(h, w, {9, 9, 9});
        const auto small = level_of(flat);
        const auto p = inner::propose(small, hints_at(small, 0.5, 0.5), 0.1, {}, cut);
        CHECK(count(p.mask) >= 1);
        CHECK(p.models.object.fitted());
        CHECK(p.models.background.fitted());
        CHECK(std::isfinite(inner::score(p.evidence)));
    }
}

} // namespace
