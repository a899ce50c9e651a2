// preprocess: equal to PIL's square and bicubic filter; images of odd shapes and strides.
#include "reference.hpp"
#include "tiny_llava/preprocess.hpp"

#include <random>

using namespace ostend_test;
using ostend_hosts::fit_to_square;
using bytes = std::vector<std::uint8_t>;

TEST_CASE("padded and resized as PIL does it, to the byte") {
    int compared = 0;
    for (const auto& c : reference_cases("tiny-llava")) {
        const auto square = fit_to_square(c.image.view(), 144, {});
        REQUIRE(square);
        const auto file = reference_folder("tiny-llava") / (c.name + ".square.png");
        if (!std::filesystem::exists(file)) {
            CHECK(*square == c.image.bytes); // a square of the right size is not touched
            continue;
        }
        CHECK(*square == read_picture(file).bytes);
        ++compared;
    }
    CHECK(compared == 3); // shrunk by 2/3 and by 0.36, enlarged by 1.6
}

TEST_CASE("the image lies in the middle, rounded down, and the rest is grey") {
    // 5 wide, 2 high: one row above and two below.
    const bytes image(5 * 2 * 3, 200);
    const auto square = fit_to_square({image.data(), {2, 5, 3}}, 5, {});
    REQUIRE(square);
    for (std::size_t row = 0; row < 5; ++row) {
        for (std::size_t i = 0; i < 15; ++i) {
            CHECK(int((*square)[row * 15 + i]) == (row == 1 || row == 2 ? 200 : 127));
        }
    }
}

TEST_CASE("a uniform image stays uniform at any size, strides do not matter") {
    std::mt19937 draw(11);
    for (int round = 0; round < 60; ++round) {
        const ostend::index side = 1 + ostend::index(draw() % 40);
        const ostend::index target = 1 + ostend::index(draw() % 40);
        if (side == 1) {
            continue;
        }
        const auto grey = static_cast<std::uint8_t>(draw() % 256);
        const bytes image(std::size_t(side * side * 3), grey);
        const auto square = fit_to_square({image.data(), {side, side, 3}}, target, {});
        REQUIRE(square);
        CHECK(*square == bytes(std::size_t(target * target * 3), grey));
    }
    // Blue, green, red with a gap after each row, seen as red, green, blue.
    const ostend::index width = 7;
    const ostend::index height = 9;
    bytes stored(std::size_t(height * (width * 3 + 5)));
    for (auto& b : stored) {
        b = static_cast<std::uint8_t>(draw());
    }
    const ostend::image_view view(stored.data() + 2, {height, width, 3}, {width * 3 + 5, 3, -1});
    bytes plain;
    for (ostend::index y = 0; y < height; ++y) {
        for (ostend::index x = 0; x < width; ++x) {
            for (ostend::index c = 0; c < 3; ++c) {
                plain.push_back(view(y, x, c));
            }
        }
    }
    CHECK(*fit_to_square(view, 24, {}) == *fit_to_square({plain.data(), {height, width, 3}}, 24, {}));
}

TEST_CASE("images that cannot be seen") {
    const bytes image(64, 1);
    const auto fit = [&](ostend::index height, ostend::index width, ostend::index channels) {
        return fit_to_square({image.data(), {height, width, channels}, {0, 0, 0}}, 144, {});
    };
    CHECK(fit(1, 2, 3));
    CHECK(fit(40, 2, 3));
    CHECK_ERROR(fit(1, 1, 3), "image", "1 x 1 pixels leaves nothing to point at");
    CHECK_ERROR(fit(0, 5, 3), "image", "5 x 0 pixels is empty");
    CHECK_ERROR(fit(5, 0, 3), "image", "is empty");
    CHECK_ERROR(fit(4, 4, 4), "image", "three channels");
    CHECK_ERROR(fit(2, 40000, 3), "image", "above 32768");
}

TEST_CASE("patches are cut row by row, each with its channels apart") {
    ostend_hosts::vision_config vision;
    vision.image_size = 4;
    vision.patch_size = 2;
    bytes square(4 * 4 * 3);
    for (std::size_t i = 0; i < square.size(); ++i) {
        square[i] = static_cast<std::uint8_t>(i * 5);
    }
    const auto patches = ostend_hosts::cut_patches(square, vision, {});
    REQUIRE(patches.rows() == 4);
    REQUIRE(patches.cols() == 12);
    for (int patch = 0; patch < 4; ++patch) {
        for (int column = 0; column < 12; ++column) {
            const int y = patch / 2 * 2 + column % 4 / 2;
            const int x = patch % 2 * 2 + column % 2;
            const float value = float(square[std::size_t((y * 4 + x) * 3 + column / 4)]);
            CHECK(patches(patch, column) == doctest::Approx((value / 255.0F - 0.5F) / 0.5F));
        }
    }
}
