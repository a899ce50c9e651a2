// keep_one_piece against a labelling of every pixel, holes, open holes; centres; settle().
#include "host/shapes.hpp"
#include "ostend/host/one_piece.hpp"

#include "support/expects.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index;
namespace inner = ostend::OSTEND_KERNELS::detail;

bitmap random_mask(std::mt19937& draw) {
    bitmap mask(1 + static_cast<index>(draw() % 14), 1 + static_cast<index>(draw() % 14));
    const unsigned share = 1 + draw() % 9;
    for (auto& v : mask.pixels) {
        v = draw() % 10 < share ? 1 : 0;
    }
    return mask;
}

/// The pixels reached from a start over pixels of its value.
bitmap reached(const bitmap& mask, index start, bool diagonal) {
    bitmap out(mask.height, mask.width);
    out.pixels[static_cast<std::size_t>(start)] = 1;
    for (bool grew = true; grew;) {
        grew = false;
        for (index y = 0; y < mask.height; ++y) {
            for (index x = 0; x < mask.width; ++x) {
                for (index v = std::max<index>(0, y - 1); v < std::min(mask.height, y + 2); ++v) {
                    for (index u = std::max<index>(0, x - 1); u < std::min(mask.width, x + 2); ++u) {
                        if (out(y, x) != 0 && out(v, u) == 0 && mask(v, u) == mask(y, x) &&
                            (diagonal || v == y || u == x)) {
                            out(v, u) = 1;
                            grew = true;
                        }
                    }
                }
            }
        }
    }
    return out;
}

/// The piece of least (distance to the anchor - root of its area), its holes filled unless one of `open` is
/// in them.
bitmap plain_piece(const bitmap& mask, const inner::place& anchor, const std::vector<inner::place>& open) {
    bitmap best(mask.height, mask.width);
    double least = std::numeric_limits<double>::infinity();
    for (index start = 0; start < mask.height * mask.width; ++start) {
        if (mask.pixels[static_cast<std::size_t>(start)] == 0) {
            continue;
        }
        const bitmap piece = reached(mask, start, true);
        double nearest = std::numeric_limits<double>::infinity();
        for (index y = 0; y < mask.height; ++y) {
            for (index x = 0; x < mask.width; ++x) {
                if (piece(y, x) != 0) {
                    nearest = std::min(nearest, std::hypot(static_cast<double>(x) + 0.5 - anchor.x,
                                                           static_cast<double>(y) + 0.5 - anchor.y));
                }
            }
        }
        const double cost = nearest - std::sqrt(static_cast<double>(count(piece)));
        if (cost < least - 1e-12) {
            least = cost;
            best = piece;
        }
    }
    bitmap filled = best;
    for (index start = 0; start < mask.height * mask.width && count(best) > 0; ++start) {
        if (best.pixels[static_cast<std::size_t>(start)] != 0) {
            continue;
        }
        const bitmap hole = reached(best, start, false);
        bool closed = true;
        for (index y = 0; y < mask.height; ++y) {
            for (index x = 0; x < mask.width; ++x) {
                const bool border = x == 0 || y == 0 || x + 1 == mask.width || y + 1 == mask.height;
                closed = closed && !(hole(y, x) != 0 && border);
            }
        }
        for (const inner::place& p : open) {
            const pixel at = inner::pixel_of(p, {mask.width, mask.height});
            closed = closed && hole(at.y, at.x) == 0;
        }
        filled.pixels[static_cast<std::size_t>(start)] = closed ? 1 : 0;
    }
    return filled;
}

TEST_CASE("the piece and its holes equal a labelling of every pixel") {
    std::mt19937 draw(1);
    const auto place_in = [&](const bitmap& mask) {
        return inner::place{static_cast<double>(draw() % static_cast<unsigned>(8 * mask.width + 1)) / 8.0,
                            static_cast<double>(draw() % static_cast<unsigned>(8 * mask.height + 1)) / 8.0};
    };
    for (int round = 0; round < 1500; ++round) {
        const bitmap mask = random_mask(draw);
        // An odd anchor, so that no two pieces are equally near.
        inner::place anchor = place_in(mask);
        anchor.x = std::max(0.0, anchor.x - 0.0123);
        anchor.y = std::max(0.0, anchor.y - 0.00371);
        std::vector<inner::place> open;
        for (int i = 0; i < round % 3; ++i) {
            open.push_back(place_in(mask));
        }
        bitmap kept = mask;
        inner::keep_one_piece(kept, anchor, open);
        REQUIRE(kept == plain_piece(mask, anchor, open));
    }
}

TEST_CASE("a large piece may lie farther off than a speckle") {
    bitmap mask = draw_disc(40, 40, 28, 20, 8);
    mask(20, 10) = 1;
    inner::keep_one_piece(mask, {12, 20});
    CHECK(mask == draw_disc(40, 40, 28, 20, 8));
    mask(20, 2) = 1;
    inner::keep_one_piece(mask, {2, 20});
    CHECK(count(mask) == 1);
}

TEST_CASE("a ring is filled, and opened by a place in it; empty and full masks stay") {
    const bitmap disc = draw_disc(30, 30, 15, 15, 10);
    bitmap ring = disc;
    for (std::size_t i = 0; i < ring.pixels.size(); ++i) {
        ring.pixels[i] = static_cast<std::uint8_t>(ring.pixels[i] - draw_disc(30, 30, 15, 15, 5).pixels[i]);
    }
    bitmap filled = ring;
    inner::keep_one_piece(filled, {15, 15});
    CHECK(filled == disc);
    bitmap open = ring;
    const inner::place inside{13, 14};
    inner::keep_one_piece(open, {15, 15}, std::span(&inside, 1));
    CHECK(open == ring);
    bitmap empty(5, 7);
    inner::keep_one_piece(empty, {1, 1});
    CHECK(count(empty) == 0);
    bitmap full(5, 7, true);
    inner::keep_one_piece(full, {1, 1}, std::span(&inside, 0));
    CHECK(count(full) == 35);
    bitmap one(1, 1, true);
    inner::keep_one_piece(one, {1, 1});
    CHECK(count(one) == 1);
}

TEST_CASE("centres") {
    const auto middle = inner::centre_of(draw_rectangle(20, 30, 3, 5, 9, 15), {0, 0});
    CHECK(middle.x == doctest::Approx(6));
    CHECK(middle.y == doctest::Approx(10));
    const auto none = inner::centre_of(bitmap(4, 4), {2, 3});
    CHECK(none.x == 2);
    CHECK(none.y == 3);
}

TEST_CASE("settle: what is forbidden goes, one piece stays, and something always does") {
    prompt asked;
    asked.points = {{{8.5, 8.5}, true}, {{12.5, 8.5}, false}};
    asked.box = {4, 4, 16, 12};
    const image_size size{20, 20};
    const auto hints = inner::point_hints(asked, size, size);
    bitmap mask(20, 20, true);
    inner::settle(mask, hints);
    CHECK(pieces(mask, 1) == 1);
    CHECK(count(mask) == 12 * 8 - 9);
    CHECK(mask(8, 12) == 0);
    CHECK(mask(3, 8) == 0);
    bitmap empty(20, 20);
    inner::settle(empty, hints);
    CHECK(count(empty) == 1);
    CHECK(empty(8, 8) == 1);

    bitmap beyond = draw_rectangle(20, 20, 17, 17, 20, 20);
    inner::settle(beyond, hints);
    CHECK(count(beyond) == 1);
    CHECK(beyond(8, 8) == 1);

    prompt impossible;
    impossible.points = {{{8.5, 8.5}, false}};
    impossible.box = {8, 8, 9, 9};
    CHECK_EXPECTS(inner::settle(empty, inner::point_hints(impossible, size, size)),
                  "every pixel is forbidden");
}

} // namespace
