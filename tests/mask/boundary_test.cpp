#include "ostend/mask/boundary.hpp"
#include "ostend/mask/encode.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"
#include "support/expects.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

TEST_CASE("golden: boundary") {
    for (const auto& one : golden_cases("boundary")) {
        CAPTURE(one["name"].get<std::string>());
        const rle a = encode(read_npy_mask(one["inputs"]["mask"]));
        const rle b = encode(read_npy_mask(one["inputs"]["mask2"]));
        const boundary_options options{.dilation_ratio = one["params"]["dilation_ratio"].get<double>()};
        const auto& want = one["expected_values"];
        CHECK(boundary_distance(a.height, a.width, options.dilation_ratio) == want["dilation"].get<index>());
        CHECK(boundary(a, options) == encode(read_npy_mask(one["expected"]["boundary"])));
        CHECK(boundary(b, options) == encode(read_npy_mask(one["expected"]["boundary2"])));
        CHECK(boundary_iou(a, b, false, options) == want["boundary_iou"].get<double>());
        CHECK(iou(a, b) == want["mask_iou"].get<double>());
    }
}

TEST_CASE("the band is every pixel near the outside, and pairs are matrices") {
    std::mt19937 random(95);
    for (int round = 0; round < 60; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        const index d = 1 + static_cast<index>(random() % 5);
        std::vector<rle> masks;
        std::vector<bitmap> bands;
        for (int i = 0; i < 3; ++i) {
            const bitmap mask = random_mask(random, h, w);
            bitmap band(h, w);
            for (index y = 0; y < h; ++y) {
                for (index x = 0; x < w; ++x) {
                    bool near = false;
                    for (index v = y - d; v <= y + d; ++v) {
                        for (index u = x - d; u <= x + d; ++u) {
                            near = near || v < 0 || u < 0 || v >= h || u >= w || mask(v, u) == 0;
                        }
                    }
                    band(y, x) = near ? mask(y, x) : std::uint8_t{0};
                }
            }
            masks.push_back(encode(mask));
            bands.push_back(band);
            REQUIRE(boundary(masks.back(), {.distance = d}) == encode(band));
        }
        const std::vector<std::uint8_t> crowd{0, 1, 0};
        const auto matrix = boundary_iou_matrix(masks, masks, crowd, {.distance = d});
        for (std::size_t a = 0; a < 3; ++a) {
            for (std::size_t b = 0; b < 3; ++b) {
                const double want = iou(encode(bands[a]), encode(bands[b]), crowd[b] != 0);
                REQUIRE(matrix(static_cast<index>(a), static_cast<index>(b)) == want);
                REQUIRE(boundary_iou(masks[a], masks[b], crowd[b] != 0, {.distance = d}) == want);
            }
        }
    }
}

TEST_CASE("the distance is rounded half to even") {
    CHECK(boundary_distance(30, 40, 0.05) == 2); // 2.5
    CHECK(boundary_distance(30, 40, 0.07) == 4); // 3.5
    CHECK(boundary_distance(1, 1) == 1);
    CHECK(boundary_distance(1024, 1024) == 29);
    CHECK(boundary_distance(1000, 1000, 1e9) == 2001);
}

TEST_CASE("edges and misuse") {
    CHECK(boundary_iou(encode(bitmap(4, 4)), encode(bitmap(4, 4))) == 0.0);
    CHECK(area(boundary(encode(bitmap(0, 4)))) == 0);
    CHECK_EXPECTS(boundary_iou(encode(bitmap(4, 4)), encode(bitmap(4, 5))), "masks of 4 x 4 and 4 x 5");
    CHECK_EXPECTS(boundary(encode(bitmap(4, 4)), {.distance = -1}), "distance -1");
    CHECK_EXPECTS(boundary_distance(4, 4, std::numeric_limits<double>::quiet_NaN()), "not finite");
}

} // namespace
