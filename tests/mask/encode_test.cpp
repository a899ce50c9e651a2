#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"
#include "support/expects.hpp"

#include <memory>

using namespace ostend;
using namespace ostend_test;

namespace {

using ostend::index; // strings.h has another one

/// Pixel by pixel, down the columns.
rle dense_encode(const bitmap& mask) {
    rle out{mask.height, mask.width, {}};
    std::uint8_t now = 0;
    std::uint32_t length = 0;
    for (index x = 0; x < mask.width; ++x) {
        for (index y = 0; y < mask.height; ++y) {
            if (mask(y, x) != now) {
                out.counts.push_back(length);
                length = 0;
                now = mask(y, x);
            }
            ++length;
        }
    }
    out.counts.push_back(length);
    return out;
}

TEST_CASE("golden: rle") {
    for (const auto& one : golden_cases("rle")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& want = one["expected_values"];
        const bitmap mask = read_npy_mask(one["inputs"]["mask"]);
        const rle got = encode(mask);
        CHECK(got.height == want["size"][0].get<index>());
        CHECK(got.width == want["size"][1].get<index>());
        CHECK(to_coco_string(got) == want["counts"].get<std::string>());
        CHECK(area(got) == want["area"].get<std::uint64_t>());
        if (!want["uncompressed"].is_null()) {
            CHECK(got.counts == want["uncompressed"].get<std::vector<std::uint32_t>>());
        }
        const auto xywh = want["bbox_xywh"].get<std::vector<double>>();
        CHECK(to_coco_box(got) == coco_box{xywh[0], xywh[1], xywh[2], xywh[3]});
        const auto xyxy = want["box_xyxy_inclusive_sam"].get<std::vector<index>>();
        CHECK(to_inclusive_box(got) == inclusive_box{xyxy[0], xyxy[1], xyxy[2], xyxy[3]});
        CHECK(decode(read_rle(want)) == mask);
    }
}

TEST_CASE("encode and decode agree with the pixel-by-pixel oracle for every order of bytes") {
    std::mt19937 random(11);
    for (int round = 0; round < 400; ++round) {
        const index h = random_side(random);
        const index w = random_side(random) + (round % 10 == 0 ? 250 : 0); // over a strip of columns
        CAPTURE(h);
        CAPTURE(w);
        const bitmap mask = random_mask(random, h, w);
        const rle want = dense_encode(mask);
        REQUIRE(encode(mask) == want);
        REQUIRE(decode(want) == mask);

        std::vector<std::uint8_t> columns(static_cast<std::size_t>(h * w));
        const tensor_view<std::uint8_t, 2> down(columns.data(), {h, w}, {1, h});
        decode(want, down);
        REQUIRE(encode(down) == want);

        // Gaps between pixels, rows from the last to the first, another value than 1 for inside.
        std::vector<std::uint8_t> sparse(static_cast<std::size_t>(h * w * 6), 9);
        const tensor_view<std::uint8_t, 2> flipped(sparse.data() + (h - 1) * w * 6, {h, w}, {-6 * w, 3});
        decode(want, flipped);
        for (index y = 0; y < h; ++y) {
            for (index x = 0; x < w; ++x) {
                REQUIRE(flipped(y, x) == mask(y, x));
                flipped(y, x) = mask(y, x) != 0 ? static_cast<std::uint8_t>(128 >> (x % 8)) : std::uint8_t{0};
            }
        }
        REQUIRE(encode(flipped) == want);

        const std::unique_ptr<bool[]> flags(new bool[static_cast<std::size_t>(h * w)]);
        for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
            flags[i] = mask.pixels[i] != 0;
        }
        REQUIRE(encode(tensor_view<const bool, 2>(flags.get(), {h, w})) == want);
    }
}

TEST_CASE("decode writes only its own pixels") {
    std::vector<std::uint8_t> room(20 * 20, 7);
    const tensor_view<std::uint8_t, 2> window(room.data() + 20 * 3 + 4, {13, 11}, {20, 1});
    decode(encode(bitmap(13, 11, true)), window);
    std::size_t ones = 0;
    std::size_t sevens = 0;
    for (const std::uint8_t v : room) {
        ones += v == 1 ? 1U : 0U;
        sevens += v == 7 ? 1U : 0U;
    }
    CHECK(ones == 13U * 11U);
    CHECK(sevens == 400U - 13U * 11U);
}

TEST_CASE("a zero stride repeats a row") {
    const std::vector<std::uint8_t> row{0, 1, 1, 0};
    const rle got = encode(tensor_view<const std::uint8_t, 2>(row.data(), {3, 4}, {0, 1}));
    CHECK(got.counts == std::vector<std::uint32_t>{3, 6, 3});
}

TEST_CASE("masks without pixels") {
    CHECK(encode(bitmap(0, 5)).counts == std::vector<std::uint32_t>{0});
    CHECK(encode(bitmap(5, 0)).counts == std::vector<std::uint32_t>{0});
    CHECK(decode(rle{0, 5, {0}}) == bitmap(0, 5));
    CHECK(decode(rle{}) == bitmap());
}

TEST_CASE("decode reads counts with empty inner runs") {
    // 2 outside, 0 inside, 1 outside, 3 inside, 0 outside, 1 inside, 2 outside
    const rle loose{3, 3, {2, 0, 1, 3, 0, 1, 2}};
    CHECK(encode(decode(loose)).counts == std::vector<std::uint32_t>{3, 4, 2});
}

TEST_CASE("decode refuses counts that lie and views of another size") {
    CHECK_EXPECTS(decode(rle{2, 2, {5}}), "beyond the 4 pixels");
    CHECK_EXPECTS(decode(rle{2, 2, {3}}), "cover 3 of 4");
    CHECK_EXPECTS(decode(rle{-1, 2, {}}), "negative");
    bitmap small(2, 3);
    CHECK_EXPECTS(decode(rle{3, 2, {6}}, small.view()), "into a view of 2 x 3");
}

} // namespace
