// Refinement: the band of pixels that are cut anew is the best labelling of all, the rest keeps its label,
// and outlines come out sharper than the doubled mask's.
#include "host/shapes.hpp"
#include "ostend/host/graph_cut_refine.hpp"
#include "ostend/host/image_pyramid.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

inner::colour_models models_of(std::vector<colour_sample> object, std::vector<colour_sample> background) {
    inner::colour_models models;
    models.object.fit(object, 2);
    models.background.fit(background, 2);
    return models;
}

inner::hints no_hints(const image_level& level) {
    inner::hints h;
    h.size = level.size();
    return h;
}

bitmap halved(const bitmap& mask) {
    bitmap half((mask.height + 1) / 2, (mask.width + 1) / 2);
    for (index y = 0; y < half.height; ++y) {
        for (index x = 0; x < half.width; ++x) {
            half(y, x) = mask(std::min(2 * y + 1, mask.height - 1), std::min(2 * x + 1, mask.width - 1));
        }
    }
    return half;
}

bitmap twice(const bitmap& half, index height, index width) {
    bitmap mask(height, width);
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            mask(y, x) = half(y / 2, x / 2);
        }
    }
    return mask;
}

TEST_CASE("the band is within two pixels of the outline, the window has room for it") {
    std::mt19937 draw(1);
    for (int round = 0; round < 100; ++round) {
        bitmap half(1 + static_cast<index>(draw() % 8), 1 + static_cast<index>(draw() % 8));
        for (auto& v : half.pixels) {
            v = draw() % 4 == 0 ? 1 : 0;
        }
        half.pixels[draw() % half.pixels.size()] = 1;
        bitmap mask(2 * half.height - static_cast<index>(draw() % 2),
                    2 * half.width - static_cast<index>(draw() % 2));
        const auto w = inner::doubled(half, mask);
        REQUIRE(mask == twice(half, mask.height, mask.width));
        const bitmap band = inner::outline_band(mask, w);
        for (index y = 0; y < mask.height; ++y) {
            for (index x = 0; x < mask.width; ++x) {
                // Some pair of neighbours, of which at least one lies within [-1, 2] of here, differs.
                bool near = false;
                for (index v = std::max<index>(0, y - 2); v < std::min(mask.height, y + 2); ++v) {
                    for (index u = std::max<index>(0, x - 2); u < std::min(mask.width, x + 2); ++u) {
                        near = near || (u + 1 < mask.width && mask(v, u) != mask(v, u + 1)) ||
                               (v + 1 < mask.height && mask(v, u) != mask(v + 1, u));
                    }
                }
                const bool in_window = y >= w.y0 && y < w.y1 && x >= w.x0 && x < w.x1;
                REQUIRE((in_window && band(y - w.y0, x - w.x0) != 0) == near);
            }
        }
    }
}

TEST_CASE("the labels of the band are those of least energy") {
    const graph_cut_options o;
    for (int round = 0; round < 12; ++round) {
        painting image(4, 4, {120, 120, 120});
        image.add_noise(100, static_cast<unsigned>(round));
        const auto level = image_pyramid(image.view(), 100).front();
        bitmap half(2, 2);
        half.pixels[static_cast<std::size_t>(round % 4)] = 1;
        const auto models = models_of({{level.colours[0], 1}, {level.colours[5], 1}},
                                      {{level.colours[15], 1}, {level.colours[10], 1}});
        auto hints = no_hints(level);
        if (round % 3 == 2) {
            prompt asked;
            asked.points = {{{4, 0}, false}};
            hints = inner::point_hints(asked, level.size(), level.size());
        }
        const auto as_int = [](float energy) { return static_cast<int>(std::max(0.0F, energy) * 64); };
        const auto energy = [&](unsigned labels) { // every pixel of 4 x 4 is within two of the outline
            std::array<int, 16>
                on_at{}; // bits taken apart first: GCC 12.2 at -O1 compares them wrongly in the loop
            for (std::size_t i = 0; i < 16; ++i) {
                on_at[i] = static_cast<int>(labels >> i & 1U);
            }
            const auto on = [&](index y, index x) { return on_at[static_cast<std::size_t>(4 * y + x)]; };
            long long sum = 0;
            for (index y = 0; y < 4; ++y) {
                for (index x = 0; x < 4; ++x) {
                    const float vote = hints.forbids(y, x)
                                           ? -1000.0F
                                           : models.vote(level.colours[level.at(y, x)], o.colour_limit);
                    sum += on(y, x) == 1 ? as_int(-vote) : as_int(vote);
                    for (std::size_t d = 0; d < 4; ++d) {
                        const index v = y + (d > 0 ? 1 : 0);
                        const index u = x + (d == 0 || d == 2 ? 1 : d == 3 ? -1 : 0);
                        if (v < 4 && u >= 0 && u < 4 && on(y, x) != on(v, u)) {
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
        unsigned best = 0;
        for (unsigned labels = 1; labels < 1U << 16; ++labels) {
            const long long e = energy(labels);
            best = e < least ? labels : best;
            least = std::min(least, e);
        }
        grid_cut cut;
        const bitmap found = inner::refined(level, hints, half, models, o, cut);
        if (best == 0) { // nothing is left of the object: the coarse mask stands
            CHECK(found == twice(half, 4, 4));
            continue;
        }
        unsigned labels = 0;
        for (std::size_t i = 0; i < 16; ++i) {
            labels |= found.pixels[i] != 0 ? 1U << i : 0U;
        }
        CHECK(energy(labels) == least);
    }
}

TEST_CASE("a disc's outline comes out at the finer level; what is far from it stays") {
    for (const auto& [height, width] : {std::array<index, 2>{80, 100}, {81, 99}, {60, 60}}) {
        const auto w = static_cast<double>(width);
        const auto h = static_cast<double>(height);
        painting image(height, width, {40, 60, 90});
        const bitmap disc = draw_disc(height, width, w / 2, h / 2, 21.3);
        image.paint(disc, {220, 190, 60});
        image.paint(draw_disc(height, width, w / 2, h / 2, 6), {40, 60, 90}); // inside: not near the outline
        const auto level = image_pyramid(image.view(), 1000).front();
        const auto models = models_of({{{220, 190, 60}, 1}}, {{{40, 60, 90}, 1}});
        grid_cut cut;
        const bitmap coarse = halved(disc);
        const bitmap fine = inner::refined(level, no_hints(level), coarse, models, {}, cut);
        CHECK(overlap(fine, disc) > 0.995);
        CHECK(overlap(fine, disc) > overlap(twice(coarse, height, width), disc));
        CHECK(fine(height / 2, width / 2) == 1);
        CHECK(fine(0, 0) == 0);
    }
}

TEST_CASE("forbidden pixels are cleared wherever they are") {
    const painting image(40, 40, {200, 0, 0});
    const auto level = image_pyramid(image.view(), 1000).front();
    prompt asked;
    asked.points = {{{20, 20}, false}};
    asked.box = {10, 10, 30, 30};
    const auto hints = inner::point_hints(asked, level.size(), level.size());
    const auto models = models_of({{{200, 0, 0}, 1}}, {{{0, 0, 200}, 1}});
    grid_cut cut;
    const bitmap fine = inner::refined(level, hints, bitmap(20, 20, true), models, {}, cut);
    CHECK(fine(20, 20) == 0);
    CHECK(fine(19, 19) == 0);
    CHECK(fine(9, 20) == 0);
    CHECK(fine(15, 15) == 1);
}

} // namespace
