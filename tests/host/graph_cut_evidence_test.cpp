// The evidence of a mask against its definitions, and what the score makes of it.
#include "host/shapes.hpp"
#include "ostend/host/graph_cut_evidence.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

inner::colour_models models_of(const image_level& level, const bitmap& mask) {
    std::vector<colour_sample> on;
    std::vector<colour_sample> off;
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
        (mask.pixels[i] != 0 ? on : off).push_back({level.colours[i], 1});
    }
    inner::colour_models models;
    models.object.fit(on, 3);
    models.background.fit(off.empty() ? on : off, 3);
    return models;
}

TEST_CASE("every part equals its definition") {
    std::mt19937 draw(1);
    for (int round = 0; round < 80; ++round) {
        painting image(2 + static_cast<index>(draw() % 30), 2 + static_cast<index>(draw() % 30),
                       {120, 100, 80});
        image.add_noise(100, static_cast<unsigned>(round));
        const auto level = image_pyramid(image.view(), 100).back();
        const auto w = static_cast<double>(level.width);
        const auto h = static_cast<double>(level.height);
        bitmap mask(level.height, level.width);
        for (auto& v : mask.pixels) {
            v = draw() % 3 == 0 ? 1 : 0;
        }
        mask.pixels[draw() % mask.pixels.size()] = 1;
        const auto models = models_of(level, mask);
        inner::hints hints;
        hints.size = level.size();
        hints.anchor = {w * 0.3, h * 0.8};
        double prior_mean = 0;
        for (std::size_t i = 0; i < mask.pixels.size() && round % 4 != 0; ++i) {
            hints.prior.push_back(static_cast<float>(draw() % 1000) / 1000);
            prior_mean += static_cast<double>(hints.prior.back()) / static_cast<double>(mask.pixels.size());
        }
        hints.prior_mean = static_cast<float>(prior_mean);
        const double side = std::max(w, h);
        const auto e = inner::measure(level, hints, 0.2 * side, mask, models);

        const auto area = static_cast<double>(count(mask));
        double x_mean = 0;
        double y_mean = 0;
        double border = 0;
        double separation = 0;
        double prior_in = 0;
        double prior_all = 0;
        double outline = 0;
        double unlike = 0;
        for (index y = 0; y < level.height; ++y) {
            for (index x = 0; x < level.width; ++x) {
                const std::size_t i = level.at(y, x);
                const double above = hints.prior.empty()
                                         ? 0
                                         : std::max(0.0, static_cast<double>(hints.prior[i]) -
                                                             static_cast<double>(hints.prior_mean));
                prior_all += above;
                for (index v = y - 1; v <= y + 1; ++v) { // each pair from both ends
                    for (index u = x - 1; u <= x + 1; ++u) {
                        if (v < 0 || u < 0 || v >= level.height || u >= level.width ||
                            mask(v, u) == mask(y, x)) {
                            continue;
                        }
                        const double length = v == y || u == x ? 1 : std::sqrt(0.5);
                        outline += length;
                        unlike += length * (1 - static_cast<double>(likeness(level, i, level.at(v, u))));
                    }
                }
                if (mask(y, x) == 0) {
                    continue;
                }
                x_mean += (static_cast<double>(x) + 0.5) / area;
                y_mean += (static_cast<double>(y) + 0.5) / area;
                border += x == 0 || y == 0 || x + 1 == level.width || y + 1 == level.height ? 1 : 0;
                separation += static_cast<double>(models.vote(level.colours[i], 6)) / area;
                prior_in += above;
            }
        }
        double spread = 0;
        for (index y = 0; y < level.height; ++y) {
            for (index x = 0; x < level.width; ++x) {
                spread += mask(y, x) == 0 ? 0
                                          : std::hypot(static_cast<double>(x) + 0.5 - x_mean,
                                                       static_cast<double>(y) + 0.5 - y_mean) /
                                                area;
            }
        }
        CHECK(e.area == doctest::Approx(area / (side * side)));
        CHECK(e.edge == doctest::Approx(outline > 0 ? unlike / outline : 0).epsilon(1e-5));
        CHECK(e.prior_share == doctest::Approx(prior_all > 0 ? prior_in / prior_all : 0).epsilon(1e-5));
        CHECK(e.separation == doctest::Approx(separation).epsilon(1e-5));
        CHECK(e.border == doctest::Approx(border / std::sqrt(area)));
        CHECK(e.spread == doctest::Approx(spread / std::sqrt(area)));
        CHECK(e.shift == doctest::Approx(std::hypot(x_mean - w * 0.3, y_mean - h * 0.8) / side));
        CHECK(e.radius == doctest::Approx(0.2));
        const float score = inner::score(e);
        CHECK((score >= 0 && score <= 1));
    }
}

TEST_CASE("a disc's spread is 2 / (3 root pi) = 0.376, the least of all shapes") {
    painting image(90, 90, {10, 10, 10});
    const bitmap disc = draw_disc(90, 90, 45, 45, 30);
    image.paint(disc, {200, 200, 200});
    const auto level = image_pyramid(image.view(), 96).back();
    inner::hints hints;
    hints.size = level.size();
    hints.anchor = {45, 45};
    const auto models = models_of(level, disc);
    const auto e = inner::measure(level, hints, 30, disc, models);
    CHECK(e.spread == doctest::Approx(0.376).epsilon(0.01));
    CHECK(e.edge > 0.95);
    CHECK(e.separation == doctest::Approx(6));
    CHECK(e.shift < 0.001);
    const bitmap bar = draw_rectangle(90, 90, 5, 40, 85, 50);
    CHECK(inner::measure(level, hints, 30, bar, models).spread > 0.5);
    CHECK(inner::score(e) > inner::score(inner::measure(level, hints, 30, bar, models)));
}

TEST_CASE("the score rises with a sharp outline, the prior's share and distinct colours") {
    inner::evidence e{.area = 0.06,
                      .edge = 0.5,
                      .prior_share = 0.4,
                      .separation = 2,
                      .border = 0,
                      .shift = 0.05,
                      .spread = 0.4,
                      .radius = 0.155};
    const float base = inner::score(e);
    const auto with = [&](auto member, double value) {
        inner::evidence changed = e;
        changed.*member = value;
        return inner::score(changed);
    };
    CHECK(with(&inner::evidence::edge, 0.9) > base);
    CHECK(with(&inner::evidence::prior_share, 0.9) > base);
    CHECK(with(&inner::evidence::separation, 4) > base);
    CHECK(with(&inner::evidence::border, 2) < base);
    CHECK(with(&inner::evidence::spread, 0.8) < base);
    CHECK(with(&inner::evidence::area, 1e-4) < base);
    CHECK(with(&inner::evidence::area, 0.9) < base);
}

} // namespace
