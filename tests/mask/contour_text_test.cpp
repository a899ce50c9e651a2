#include "ostend/mask/contour_text.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/polygon.hpp"

#include "mask/random_masks.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one
using ring = std::vector<pixel>;

/// Even-odd at the pixels' centres.
bitmap fill(const std::vector<ring>& rings, index h, index w) {
    bitmap out(h, w);
    for (const ring& corners : rings) {
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

std::vector<ring> read_svg(const std::string& path) {
    std::vector<ring> rings;
    const char* at = path.c_str();
    const auto number = [&at] {
        char* next = nullptr;
        const long v = std::strtol(at, &next, 10);
        REQUIRE(next != at);
        at = next;
        return static_cast<index>(v);
    };
    while (*at != '\0') {
        const char command = *at++;
        if (command == 'M') {
            const index x = number();
            rings.push_back({{x, number()}});
        } else if (command == 'h') {
            rings.back().push_back({rings.back().back().x + number(), rings.back().back().y});
        } else if (command == 'v') {
            rings.back().push_back({rings.back().back().x, rings.back().back().y + number()});
        } else {
            REQUIRE(command == 'z');
        }
    }
    return rings;
}

std::vector<ring> read_geojson(const std::string& text, std::size_t outer) {
    const auto json = nlohmann::json::parse(text);
    const bool one = json["type"] == "Polygon";
    REQUIRE(one == (outer == 1));
    REQUIRE((one || json["type"] == "MultiPolygon"));
    const nlohmann::json polygons = one ? nlohmann::json::array({json["coordinates"]}) : json["coordinates"];
    REQUIRE(polygons.size() == outer);
    std::vector<ring> rings;
    for (const auto& polygon : polygons) {
        for (std::size_t i = 0; i < polygon.size(); ++i) {
            REQUIRE(polygon[i].front() == polygon[i].back());
            rings.emplace_back();
            index area = 0;
            for (std::size_t k = 0; k + 1 < polygon[i].size(); ++k) {
                const pixel a{polygon[i][k][0].get<index>(), polygon[i][k][1].get<index>()};
                const pixel b{polygon[i][k + 1][0].get<index>(), polygon[i][k + 1][1].get<index>()};
                area += a.x * b.y - b.x * a.y;
                rings.back().push_back(a);
            }
            REQUIRE((area > 0) == (i == 0)); // the outer ring first, counterclockwise; holes the other way
        }
    }
    return rings;
}

TEST_CASE("every form gives the mask back") {
    std::mt19937 random(121);
    for (int round = 0; round < 500; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const bitmap mask = random_mask(random, h, w);
        const rle runs = encode(mask);
        for (const connectivity neighbours : {connectivity::four, connectivity::eight}) {
            const contours_of_mask outlines = contours(runs, neighbours);
            REQUIRE(fill(read_svg(to_svg_path(outlines)), h, w) == mask);
            const std::size_t outer = components(runs, neighbours).found.size();
            REQUIRE(fill(read_geojson(to_geojson(outlines), outer), h, w) == mask);
            const auto polygons = to_coco_polygons(outlines);
            REQUIRE(polygons.size() == outer);
            if (outer != 0) {
                REQUIRE(*from_polygons(polygons, h, w) == runs);
            }
        }
    }
}

TEST_CASE("by hand: a ring of pixels") {
    const auto outlines = contours(rle{3, 3, {0, 4, 1, 4}});
    CHECK(to_svg_path(outlines) == "M0 0h3v3h-3zM1 1v1h1v-1z");
    CHECK(
        to_geojson(outlines) ==
        R"({"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,3],[0,0]],[[1,1],[1,2],[2,2],[2,1],[1,1]]]})");
    CHECK(to_coco_polygons(outlines) ==
          std::vector<std::vector<double>>{{0, 0, 3, 0, 3, 3, 0, 3, 0, 0, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1}});
    const auto none = contours(rle{3, 3, {9}});
    CHECK(to_svg_path(none).empty());
    CHECK(to_geojson(none) == R"({"type":"MultiPolygon","coordinates":[]})");
    CHECK(to_coco_polygons(none).empty());
}

} // namespace
