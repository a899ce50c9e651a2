#include "ostend/report/outline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace {

using ostend::bitmap;
using ostend::index;

/// Fills a path of "M x y", h, v and z as a browser does: a pixel is inside by the vertical edges left of its
/// centre, even-odd or by winding.
bitmap filled(const std::string& path, index height, index width, bool even_odd) {
    std::vector<int> winding(static_cast<std::size_t>(height * width), 0);
    const char* at = path.c_str();
    const auto number = [&] {
        char* end = nullptr;
        const long v = std::strtol(at, &end, 10);
        REQUIRE(end != at);
        at = end;
        return static_cast<index>(v);
    };
    index x = 0;
    index y = 0;
    index start_x = 0;
    index start_y = 0;
    while (*at != '\0') {
        switch (*at++) {
        case 'M':
            start_x = x = number();
            start_y = y = number();
            break;
        case 'h':
            x += number();
            break;
        case 'v': {
            const index to = y + number();
            for (index row = std::min(y, to); row < std::max(y, to); ++row) {
                for (index column = x; column < width; ++column) {
                    winding[static_cast<std::size_t>(row * width + column)] += to > y ? 1 : -1;
                }
            }
            y = to;
            break;
        }
        default:
            REQUIRE(at[-1] == 'z');
            CHECK(x == start_x); // closed by its own edges, not by a slanted one
            CHECK(y == start_y);
        }
    }
    bitmap out(height, width);
    for (std::size_t i = 0; i < winding.size(); ++i) {
        out.pixels[i] = (even_odd ? winding[i] % 2 != 0 : winding[i] != 0) ? 1 : 0;
    }
    return out;
}

bitmap of(index height, index width, const std::string& cells) {
    bitmap out(height, width);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out.pixels[i] = cells[i] == '#' ? 1 : 0;
    }
    return out;
}

std::ptrdiff_t loops(const std::string& path) { return std::count(path.begin(), path.end(), 'M'); }

TEST_CASE("the outlines of small masks") {
    CHECK(ostend::outline_path(bitmap()).empty());
    CHECK(ostend::outline_path(bitmap(3, 4)).empty());
    CHECK(ostend::outline_path(bitmap(1, 1, true)) == "M0 0h1v1h-1v-1z");
    CHECK(ostend::outline_path(bitmap(3, 2, true)) == "M0 0h2v3h-2v-3z");
    CHECK(ostend::outline_path(of(2, 2, "## #")) == "M0 0h2v2h-1v-1h-1v-1z");
}

TEST_CASE("a hole is a loop of its own, pixels that touch at a corner are two") {
    CHECK(loops(ostend::outline_path(of(3, 3, "#### ####"))) == 2);
    CHECK(loops(ostend::outline_path(of(2, 2, "#  #"))) == 2);
    CHECK(loops(ostend::outline_path(of(2, 2, " ## "))) == 2);
}

TEST_CASE("a filled outline is the mask again, by either rule") {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        const index height = 1 + static_cast<index>(random() % 20);
        const index width = 1 + static_cast<index>(random() % 20);
        bitmap mask(height, width);
        const unsigned density = 1 + random() % 9;
        for (auto& p : mask.pixels) {
            p = random() % 10 < density ? 1 : 0;
        }
        const std::string path = ostend::outline_path(mask);
        CHECK(filled(path, height, width, true) == mask);
        CHECK(filled(path, height, width, false) == mask);
    }
    for (const auto& [height, width] : {std::pair<index, index>{1, 2000}, {2000, 1}}) {
        bitmap mask(height, width);
        for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
            mask.pixels[i] = i % 7 < 3 ? 1 : 0;
        }
        CHECK(filled(ostend::outline_path(mask), height, width, true) == mask);
    }
}

} // namespace
