// Images and prompts as SAM reads them, against the plainest arithmetic there is.
#include "ostend/adapt/sam_inputs.hpp"
#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // not the one of <strings.h>

/// One value of a resized image: the mean of the source's pixels, weighted by a triangle around the place.
double plain_value(const image_view& image, image_size size, index y, index x, index c) {
    const auto weight = [](index i, index from, index to, index j) {
        const double scale = static_cast<double>(from) / static_cast<double>(to);
        const double away = std::abs(static_cast<double>(j) + 0.5 - (static_cast<double>(i) + 0.5) * scale);
        return std::max(0.0, 1.0 - away / std::max(1.0, scale));
    };
    double sum = 0;
    double weights = 0;
    for (index v = 0; v < image.extent(0); ++v) {
        for (index u = 0; u < image.extent(1); ++u) {
            const double w =
                weight(y, image.extent(0), size.height, v) * weight(x, image.extent(1), size.width, u);
            sum += w * image(v, u, c);
            weights += w;
        }
    }
    return sum / weights;
}

TEST_CASE("an image enlarged and shrunk, scaled, and padded with zeros") {
    std::mt19937 draw(7);
    struct sizes {
        index height, width;
        image_size size;
        index side;
    };
    for (const auto& [height, width, size, side] : {sizes{9, 14, {32, 21}, 32},
                                                    {40, 23, {9, 16}, 16},
                                                    {5, 5, {5, 5}, 5},
                                                    {1, 3, {12, 4}, 12},
                                                    {30, 7, {16, 16}, 16}}) {
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(height * width * 3));
        for (auto& b : bytes) {
            b = static_cast<std::uint8_t>(draw() % 256);
        }
        const image_view image(bytes.data(), {height, width, 3});
        const pixel_scale scale;
        const auto planes = sam_image(image, size, {side, side}, scale);
        REQUIRE(planes.size() == static_cast<std::size_t>(3 * side * side));
        for (index c = 0; c < 3; ++c) {
            for (index y = 0; y < side; ++y) {
                for (index x = 0; x < side; ++x) {
                    const double got = planes[static_cast<std::size_t>((c * side + y) * side + x)];
                    const auto k = static_cast<std::size_t>(c);
                    const bool inside = y < size.height && x < size.width;
                    const double mean = scale.mean[k];
                    const double expected =
                        inside ? (plain_value(image, size, y, x, c) - mean) / scale.deviation[k] : 0.0;
                    CHECK(got == doctest::Approx(expected).epsilon(1e-5));
                }
            }
        }
    }
}

TEST_CASE("images that cannot be resized") {
    const std::vector<std::uint8_t> bytes(4 * 4 * 4, 1);
    const image_view image(bytes.data(), {4, 4, 3});
    CHECK_EXPECTS(sam_image({bytes.data(), {4, 4, 4}}, {4, 4}, {4, 4}), "sam_image");
    CHECK_EXPECTS(sam_image({}, {4, 4}, {4, 4}), "0 x 0 pixels");
    CHECK_EXPECTS(sam_image(image, {0, 4}, {4, 4}), "to 0 x 4");
    CHECK_EXPECTS(sam_image(image, {5, 4}, {4, 4}), "in 4 x 4");
}

TEST_CASE("points by pixel index in the square, corners of a box, padding") {
    prompt asked;
    asked.points = {{{150.5, 30.5}, true}, {{0.0, 0.0}, false}};
    const sam_frame frame = make_sam_frame({300, 200}, 1024);
    const auto alone = make_sam_points(asked, frame, true);
    CHECK(alone.labels == std::vector<float>{1, 0, -1});
    REQUIRE(alone.coordinates.size() == 6);
    CHECK(alone.coordinates[0] == doctest::Approx(150.5 * 1024 / 300 - 0.5));
    CHECK(alone.coordinates[1] ==
          doctest::Approx(30.5 * 683 / 200 - 0.5)); // int(200 * 1024 / 300 + 0.5) = 683
    CHECK(alone.coordinates[2] == doctest::Approx(-0.5));
    CHECK(alone.coordinates[4] == 0.0F);
    CHECK(make_sam_points(asked, frame, false).labels == std::vector<float>{1, 0});
    asked.box = {10, 20, 30, 40};
    const auto boxed = make_sam_points(asked, frame, true);
    CHECK(boxed.labels == std::vector<float>{1, 0, 2, 3});
    CHECK(boxed.coordinates[6] == doctest::Approx(30.0 * 1024 / 300 - 0.5));
}

TEST_CASE("a mask prompt as it is for a padded square, stretched for one that the image fills") {
    mask_logits given{matrix<float>(8, 8), {8, 4}};
    for (index y = 0; y < 4; ++y) {
        for (index x = 0; x < 8; ++x) {
            given.values(y, x) = static_cast<float>(x + 1);
        }
    }
    CHECK(sam_mask_input(given, false) == given.values);
    const auto stretched = sam_mask_input(given, true);
    CHECK(stretched.rows() == 8);
    for (index y = 0; y < 8; ++y) {
        for (index x = 0; x < 8; ++x) {
            CHECK(stretched(y, x) == doctest::Approx(static_cast<double>(x + 1)));
        }
    }
    given.content = {8, 8};
    CHECK(sam_mask_input(given, true) == given.values);
}

} // namespace
