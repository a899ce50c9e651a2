#include "ostend/report/picture.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <set>

namespace {

/// Relative luminance of sRGB (WCAG 2.2).
double luminance(ostend::rgb c) {
    const auto linear = [](std::uint8_t v) {
        const double s = v / 255.0;
        return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
}

} // namespace

TEST_CASE("a picture begins black and transparent, its rows from top to bottom") {
    ostend::picture p(2, 3, 4);
    CHECK(p.bytes == std::vector<std::uint8_t>(24, 0));
    p.at(1, 2)[3] = 7;
    CHECK(p.bytes.back() == 7);
    p.at(0, 1)[0] = 9;
    CHECK(p.bytes[4] == 9);
    CHECK(std::as_const(p).at(0, 1)[0] == 9);

    CHECK(ostend::picture(0, 5, 3).bytes.empty());
    CHECK(ostend::picture(1, 1, 3).bytes.size() == 3);
    CHECK_EXPECTS(ostend::picture(-1, 2, 3), "must not be negative");
    CHECK_EXPECTS(ostend::picture(1, -2, 3), "must not be negative");
    CHECK_EXPECTS(ostend::picture(1, 1, 1), "channels must be 3 or 4");
}

TEST_CASE("phrases take the eight colours in turn, all different") {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < 8; ++i) {
        seen.insert(ostend::css(ostend::phrase_colour(i)));
        CHECK(ostend::css(ostend::phrase_colour(i + 8)) == ostend::css(ostend::phrase_colour(i)));
    }
    CHECK(seen.size() == 8);
}

TEST_CASE("css writes two digits a channel") {
    CHECK(ostend::css({0, 15, 255}) == "#000fff");
    CHECK(ostend::css({16, 171, 9}) == "#10ab09");
}

TEST_CASE("the heat ramp grows lighter all the way and is clamped at its ends") {
    double before = -1;
    for (int i = 0; i <= 1000; ++i) {
        const double now = luminance(ostend::heat_colour(static_cast<float>(i) / 1000.0F));
        CHECK(now >= before - 1e-3); // a step of one in a byte may go back
        before = std::max(before, now);
    }
    CHECK(ostend::css(ostend::heat_colour(-3)) == ostend::css(ostend::heat_colour(0)));
    CHECK(ostend::css(ostend::heat_colour(9)) == ostend::css(ostend::heat_colour(1)));
    CHECK(ostend::css(ostend::heat_colour(0)) == "#100828");
    CHECK(ostend::css(ostend::heat_colour(0.2F)) == "#540f6d");
    CHECK(ostend::css(ostend::heat_colour(1)) == "#fcf8aa");
}
