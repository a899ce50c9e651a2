#include "ostend/mask/encode.hpp"
#include "ostend/mask/polygon.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"

#include <cmath>
#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

/// Draws the outline five times enlarged, point by point; each step between the points 5 k + 2 and 5 k + 3
/// flips column k from there to its lower end.
rle dense_fill(const std::vector<double>& xy, index h, index w) {
    bitmap out(h, w);
    const std::size_t n = xy.size() / 2;
    std::vector<std::array<long, 2>> corners;
    for (std::size_t i = 0; i < n; ++i) {
        const volatile double x = 5 * xy[2 * i];
        const volatile double y = 5 * xy[2 * i + 1];
        corners.push_back({static_cast<long>(x + 0.5), static_cast<long>(y + 0.5)});
    }
    std::vector<std::array<long, 2>> points;
    for (std::size_t i = 0; i < n; ++i) {
        auto a = corners[i];
        auto b = corners[(i + 1) % n];
        const std::size_t along = std::abs(b[0] - a[0]) >= std::abs(b[1] - a[1]) ? 0 : 1;
        const bool turned = a[along] > b[along];
        if (turned) {
            std::swap(a, b);
        }
        const long length = b[along] - a[along];
        std::vector<std::array<long, 2>> edge;
        for (long t = 0; t <= length; ++t) {
            std::array<long, 2> p{};
            const double slope =
                length == 0 ? 0.0 : static_cast<double>(b[1 - along] - a[1 - along]) / double(length);
            const volatile double rise = slope * static_cast<double>(t);
            p[along] = a[along] + t;
            p[1 - along] = static_cast<long>(static_cast<double>(a[1 - along]) + rise + 0.5);
            edge.push_back(p);
        }
        if (turned) {
            std::reverse(edge.begin(), edge.end());
        }
        points.insert(points.end(), edge.begin(), edge.end());
    }
    for (std::size_t i = 1; i < points.size(); ++i) {
        const long u = std::min(points[i][0], points[i - 1][0]);
        if (points[i][0] == points[i - 1][0] || u < 0 || u % 5 != 2 || u / 5 >= w) {
            continue;
        }
        const double v = (static_cast<double>(std::min(points[i][1], points[i - 1][1])) + 0.5) / 5 - 0.5;
        for (auto y = static_cast<index>(std::ceil(std::clamp(v, 0.0, double(h)))); y < h; ++y) {
            out(y, u / 5) ^= 1;
        }
    }
    return encode(out);
}

TEST_CASE("golden: poly") {
    for (const auto& one : golden_cases("poly")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& want = one["expected_values"];
        const index h = one["params"]["h"].get<index>();
        const index w = one["params"]["w"].get<index>();
        const auto rings = one["params"]["polygons"].get<std::vector<std::vector<double>>>();
        for (std::size_t i = 0; i < rings.size(); ++i) {
            CHECK(to_coco_string(*from_polygon(rings[i], h, w)) == want["rles"][i].get<std::string>());
        }
        const rle merged = *from_polygons(rings, h, w);
        CHECK(to_coco_string(merged) == want["merged"].get<std::string>());
        CHECK(area(merged) == want["area"].get<std::uint64_t>());
        const auto box = want["bbox"].get<std::vector<double>>();
        CHECK(to_coco_box(merged) == coco_box{box[0], box[1], box[2], box[3]});
        for (std::size_t i = 0; i < want["bbox_rle"].size(); ++i) {
            const auto b = one["params"]["bbox_xywh"][i].get<std::vector<double>>();
            CHECK(to_coco_string(*from_coco_box({b[0], b[1], b[2], b[3]}, h, w)) ==
                  want["bbox_rle"][i].get<std::string>());
        }
    }
}

TEST_CASE("polygons equal an outline drawn point by point") {
    std::mt19937 random(71);
    for (int round = 0; round < 3000; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const double side = static_cast<double>(std::max(h, w));
        std::vector<double> xy;
        const int kind = static_cast<int>(random() % 4);
        const std::size_t numbers = 2 * (3 + random() % 8);
        for (std::size_t i = 0; i < numbers; ++i) {
            const double unit = std::uniform_real_distribution<double>(-0.4, 1.4)(random);
            const double v = side * unit;
            xy.push_back(kind == 0   ? v
                         : kind == 1 ? std::round(v)
                         : kind == 2 ? std::round(v * 10) / 10
                                     : v * 20);
        }
        if (random() % 4 == 0) { // a closed ring: its first point again
            xy.push_back(xy[0]);
            xy.push_back(xy[1]);
        }
        CAPTURE(round);
        REQUIRE(*from_polygon(xy, h, w) == dense_fill(xy, h, w));
    }
}

TEST_CASE("boxes of whole pixels, and beyond the image") {
    CHECK(encode(decode(*from_coco_box({1, 2, 3, 2}, 6, 5))) == *from_coco_box({1, 2, 3, 2}, 6, 5));
    CHECK(area(*from_coco_box({1, 2, 3, 2}, 6, 5)) == 6);
    CHECK(to_coco_box(*from_coco_box({1, 2, 3, 2}, 6, 5)) == coco_box{1, 2, 3, 2});
    CHECK(area(*from_coco_box({-10, -10, 100, 100}, 6, 5)) == 30);
    CHECK(area(*from_coco_box({2, 2, 0, 4}, 6, 5)) == 0);
    CHECK(area(*from_coco_box({20, 2, 4, 4}, 6, 5)) == 0);
}

TEST_CASE("rings of an object are united, not flipped") {
    const std::vector<std::vector<double>> twice{{0, 0, 4, 0, 4, 4, 0, 4}, {0, 0, 4, 0, 4, 4, 0, 4}};
    CHECK(area(*from_polygons(twice, 8, 8)) == 16);
    CHECK(from_polygons(std::vector<std::vector<double>>{twice[0]}, 8, 8)->counts.size() == 9);
}

TEST_CASE("images without pixels, and large coordinates") {
    const std::vector<double> xy{0, 0, 4, 0, 4, 4};
    CHECK(from_polygon(xy, 0, 5)->counts == std::vector<std::uint32_t>{0});
    CHECK(from_polygon(xy, 5, 0)->counts == std::vector<std::uint32_t>{0});
    const std::vector<double> whole{-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8};
    CHECK(area(*from_polygon(whole, 30, 40)) == 1200);
    // A mask of nearly 2^32 pixels costs what its outline costs.
    CHECK(area(*from_polygon(std::vector<double>{1, 1, 4, 1, 4, 3, 1, 3}, 65535, 65537)) == 6);
}

TEST_CASE("what is not a polygon is an error with its place") {
    const auto message = [](const std::vector<double>& xy) {
        const auto mask = from_polygon(xy, 10, 10);
        return mask ? std::string() : mask.error().message();
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double inf = std::numeric_limits<double>::infinity();
    CHECK(message({}) == "polygon: a polygon of 0 points (at 0)");
    CHECK(message({1, 2}) == "polygon: a polygon of 1 points (at 2)");
    CHECK(message({1, 2, 3, 4}) == "polygon: a polygon of 2 points (at 4)");
    CHECK(message({1, 2, 3, 4, 5}) == "polygon: an odd count of numbers: 5 (at 5)");
    CHECK(message({1, 2, 3, nan, 5, 6}) == "polygon: a coordinate is not finite (at 3)");
    CHECK(message({1, 2, 3, 4, -inf, 6}) == "polygon: a coordinate is not finite (at 4)");
    CHECK(message({1, 2, 3, 4, 5, 1.1e8}) == "polygon: a coordinate beyond 1e8 pixels (at 5)");
    CHECK(message({1, 2, 3, 4, 5, -1e300}) == "polygon: a coordinate beyond 1e8 pixels (at 5)");
    const std::vector<double> good{0, 0, 4, 0, 4, 4};
    CHECK(from_polygon(good, -1, 4).error().field == "size");
    CHECK(from_polygon(good, 1 << 20, 1 << 20).error().field == "size");
    CHECK(from_polygons({}, 4, 4).error().message() == "polygons: an object without polygons");
    CHECK(from_polygons(std::vector<std::vector<double>>{good, {1, 2}}, 4, 4).error().message() ==
          "polygons[1]: polygon: a polygon of 1 points (at 2)");
    CHECK(from_coco_box({0, nan, 1, 1}, 4, 4).error().message() == "bbox: a coordinate is not finite (at 1)");
    CHECK(from_coco_box({0, 0, 1, -1}, 4, 4).error().message() == "bbox: a negative side (at 3)");
    CHECK(from_coco_box({1e9, 0, 1, 1}, 4, 4).error().message() ==
          "bbox: a coordinate beyond 1e8 pixels (at 0)");
    // Every edge steps over every column of a very wide image.
    std::vector<double> zigzag;
    for (int i = 0; i < 40; ++i) {
        zigzag.push_back(i % 2 == 0 ? 0 : 1e8);
        zigzag.push_back(i);
    }
    CHECK(from_polygon(zigzag, 40, 100000000).error().what.find("steps over columns") != std::string::npos);
}

} // namespace
