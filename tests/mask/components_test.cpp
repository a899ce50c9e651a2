#include "ostend/mask/components.hpp"
#include "ostend/mask/encode.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// Flood fill over pixels; components in the order of their first pixels down the columns.
std::vector<component> flood(const bitmap& mask, connectivity neighbours, std::vector<int>& label) {
    std::vector<component> out;
    label.assign(mask.pixels.size(), -1);
    for (index x = 0; x < mask.width; ++x) {
        for (index y = 0; y < mask.height; ++y) {
            if (mask(y, x) == 0 || label[static_cast<std::size_t>(y * mask.width + x)] >= 0) {
                continue;
            }
            component c{0, {double(x), double(y), double(x + 1), double(y + 1)}, {x, y}};
            std::vector<pixel> open{{x, y}};
            label[static_cast<std::size_t>(y * mask.width + x)] = static_cast<int>(out.size());
            while (!open.empty()) {
                const pixel p = open.back();
                open.pop_back();
                ++c.area;
                c.box = {std::min(c.box.x0, double(p.x)), std::min(c.box.y0, double(p.y)),
                         std::max(c.box.x1, double(p.x + 1)), std::max(c.box.y1, double(p.y + 1))};
                for (index dy = -1; dy <= 1; ++dy) {
                    for (index dx = -1; dx <= 1; ++dx) {
                        if (neighbours == connectivity::four && dx != 0 && dy != 0) {
                            continue;
                        }
                        const pixel q{p.x + dx, p.y + dy};
                        if (q.x < 0 || q.y < 0 || q.x >= mask.width || q.y >= mask.height) {
                            continue;
                        }
                        int& mine = label[static_cast<std::size_t>(q.y * mask.width + q.x)];
                        if (mask(q.y, q.x) != 0 && mine < 0) {
                            mine = static_cast<int>(out.size());
                            open.push_back(q);
                        }
                    }
                }
            }
            out.push_back(c);
        }
    }
    return out;
}

TEST_CASE("components equal a flood fill: areas, boxes, order and pixels") {
    std::mt19937 random(31);
    for (int round = 0; round < 300; ++round) {
        const bitmap mask = random_mask(random, random_side(random), random_side(random));
        const rle runs = encode(mask);
        for (const connectivity neighbours : {connectivity::four, connectivity::eight}) {
            std::vector<int> label;
            const auto want = flood(mask, neighbours, label);
            const auto got = components(runs, neighbours);
            REQUIRE(got.found == want);
            REQUIRE(select_components(runs, got, [](std::size_t) { return true; }) == runs);
            for (std::size_t c = 0; c < std::min<std::size_t>(want.size(), 5); ++c) {
                const bitmap part =
                    decode(select_components(runs, got, [&](std::size_t k) { return k == c; }));
                for (std::size_t i = 0; i < label.size(); ++i) {
                    REQUIRE((part.pixels[i] != 0) == (label[i] == static_cast<int>(c)));
                }
            }
        }
    }
}

TEST_CASE("small shapes by hand") {
    const auto count = [](const rle& mask, connectivity n) { return components(mask, n).found.size(); };
    const rle diagonal{2, 2, {0, 1, 2, 1}};
    CHECK(count(diagonal, connectivity::four) == 2);
    CHECK(count(diagonal, connectivity::eight) == 1);
    // A run over the end of a column: the column's last and the next one's first pixel do not touch.
    const rle wrapped{3, 2, {2, 2, 2}};
    CHECK(count(wrapped, connectivity::four) == 2);
    CHECK(count(wrapped, connectivity::eight) == 2);
    CHECK(count(rle{2, 2, {1, 2, 1}}, connectivity::eight) == 1);
    CHECK(count(rle{5, 4, {20}}, connectivity::eight) == 0);
    CHECK(count(rle{5, 4, {0, 20}}, connectivity::four) == 1);
    CHECK(count(rle{0, 4, {0}}, connectivity::four) == 0);
    CHECK(count(rle{}, connectivity::four) == 0);
}

} // namespace
