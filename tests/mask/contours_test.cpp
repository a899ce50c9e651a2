#include "ostend/mask/contours.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/transform.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// Even-odd at the pixels' centres: how many edges of the rings lie to the left of each.
bitmap fill(const contours_of_mask& outlines, std::span<const contour_ring> rings, index h, index w) {
    bitmap out(h, w);
    for (const contour_ring& ring : rings) {
        const auto corners = outlines.corners_of(ring);
        for (std::size_t i = 0; i < corners.size(); ++i) {
            const pixel a = corners[i];
            const pixel b = corners[(i + 1) % corners.size()];
            for (index y = std::min(a.y, b.y); a.x == b.x && y < std::max(a.y, b.y); ++y) {
                for (index x = a.x; x < w; ++x) {
                    out(y, x) ^= 1;
                }
            }
        }
    }
    return out;
}

/// Twice the area, above zero where the ring runs clockwise on the screen.
index area_of(std::span<const pixel> corners) {
    index sum = 0;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        const pixel a = corners[i];
        const pixel b = corners[(i + 1) % corners.size()];
        sum += a.x * b.y - b.x * a.y;
    }
    return sum;
}

TEST_CASE("rings fill to the mask, one a component and one a hole") {
    std::mt19937 random(111);
    for (int round = 0; round < 1000; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const bitmap mask = random_mask(random, h, w);
        const rle runs = encode(mask);
        for (const connectivity neighbours : {connectivity::four, connectivity::eight}) {
            CAPTURE(h);
            CAPTURE(w);
            CAPTURE(static_cast<int>(neighbours));
            const contours_of_mask got = contours(runs, neighbours);
            REQUIRE(fill(got, got.rings, h, w) == mask);

            const auto parts = components(runs, neighbours);
            // Background pixels are neighbours the other way; the one around everything is no hole.
            const auto background =
                components(complement(pad(runs, {1, 1, 1, 1})),
                           neighbours == connectivity::four ? connectivity::eight : connectivity::four);
            std::size_t outer = 0;
            std::size_t used = 0;
            for (std::size_t i = 0; i < got.rings.size(); ++i) {
                const contour_ring& ring = got.rings[i];
                REQUIRE(ring.first == used);
                used += ring.count;
                REQUIRE(ring.count >= 4);
                REQUIRE(ring.count % 2 == 0);
                const auto corners = got.corners_of(ring);
                for (std::size_t c = 0; c < corners.size(); ++c) {
                    const pixel a = corners[c];
                    const pixel b = corners[(c + 1) % corners.size()];
                    const bool row = a.y == b.y && a.x != b.x;
                    REQUIRE((row || (a.x == b.x && a.y != b.y)));
                    REQUIRE(row == ((c % 2 == 0) != ring.hole)); // rows and columns in turn
                }
                REQUIRE((area_of(corners) < 0) == ring.hole);
                REQUIRE(ring.outer <= i);
                REQUIRE((ring.outer == i) == !ring.hole);
                REQUIRE(!got.rings[ring.outer].hole);
                if (!ring.hole) {
                    REQUIRE(corners.front() == parts.found[outer].first);
                    ++outer;
                }
            }
            REQUIRE(used == got.corners.size());
            REQUIRE(outer == parts.found.size());
            REQUIRE(got.rings.size() - outer + 1 == std::max<std::size_t>(1, background.found.size()));
            // A ring and its holes have the area of their component.
            std::vector<index> areas(got.rings.size());
            for (const contour_ring& ring : got.rings) {
                areas[ring.outer] += area_of(got.corners_of(ring));
            }
            std::erase(areas, 0);
            REQUIRE(areas.size() == parts.found.size());
            for (std::size_t i = 0; i < areas.size(); ++i) {
                REQUIRE(areas[i] == 2 * static_cast<index>(parts.found[i].area));
            }
        }
    }
}

TEST_CASE("by hand: one pixel, two that touch at a corner, a ring of pixels") {
    const rle one{3, 3, {4, 1, 4}};
    const auto pixel_ring = contours(one);
    CHECK(pixel_ring.corners == std::vector<pixel>{{1, 1}, {2, 1}, {2, 2}, {1, 2}});
    const rle diagonal{2, 2, {0, 1, 2, 1}};
    CHECK(contours(diagonal, connectivity::four).rings.size() == 2);
    const auto joined = contours(diagonal, connectivity::eight);
    CHECK(joined.rings.size() == 1);
    CHECK(joined.corners ==
          std::vector<pixel>{{0, 0}, {1, 0}, {1, 1}, {2, 1}, {2, 2}, {1, 2}, {1, 1}, {0, 1}});
    const rle ring{3, 3, {0, 4, 1, 4}};
    const auto two = contours(ring);
    REQUIRE(two.rings.size() == 2);
    CHECK(two.rings[1].hole);
    CHECK(two.rings[1].outer == 0);
    CHECK(two.corners_of(two.rings[1]).front() == pixel{1, 1});
}

TEST_CASE("no pixels, and nearly 2^32 of them") {
    CHECK(contours(rle{0, 4, {0}}).rings.empty());
    CHECK(contours(rle{4, 4, {16}}).rings.empty());
    const auto full = contours(rle{65535, 65537, {0, 65535U * 65537U}});
    CHECK(full.corners == std::vector<pixel>{{0, 0}, {65537, 0}, {65537, 65535}, {0, 65535}});
    // A run that begins and ends inside columns, with full ones between.
    const auto steps = contours(rle{65535, 65537, {100, 65535U * 65537U - 300, 200}});
    CHECK(steps.corners.size() == 8);
}

} // namespace
