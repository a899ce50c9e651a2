#include "ostend/report/overlay.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

namespace {

using ostend::bitmap;
using ostend::index;
using ostend::matrix;
using ostend::picture;

std::mt19937& randomness() {
    static std::mt19937 random(17);
    return random;
}

std::vector<std::uint8_t> random_bytes(index count) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
    for (auto& b : bytes) {
        b = static_cast<std::uint8_t>(randomness()() & 0xFFU);
    }
    return bytes;
}

bitmap random_mask(index height, index width) {
    bitmap mask(height, width);
    for (auto& p : mask.pixels) {
        p = randomness()() % 3 == 0 ? 0 : 1;
    }
    return mask;
}

struct rgba {
    int r, g, b, a;
    friend bool operator==(const rgba&, const rgba&) = default;
};
rgba pixel(const picture& p, index y, index x) {
    const auto* v = p.at(y, x);
    return {v[0], v[1], v[2], v[3]};
}

TEST_CASE("fit_into keeps proportions, never enlarges and never loses a side") {
    using ostend::fit_into;
    using ostend::image_size;
    CHECK(fit_into({144, 96}, 640) == image_size{144, 96});
    CHECK(fit_into({640, 640}, 640) == image_size{640, 640});
    CHECK(fit_into({1280, 641}, 640) == image_size{640, 321}); // 320.5 rounds up
    CHECK(fit_into({1, 2000}, 640) == image_size{1, 640});
    CHECK(fit_into({2000, 1}, 7) == image_size{7, 1});
    CHECK(fit_into({1, 1}, 1) == image_size{1, 1});
    CHECK_EXPECTS(fit_into({0, 3}, 5), "without pixels");
    CHECK_EXPECTS(fit_into({3, 3}, 0), "without pixels");
}

TEST_CASE("shrink: a small image is copied, whatever its strides") {
    const index height = 5;
    const index width = 7;
    const auto bytes = random_bytes(height * width * 3);
    const ostend::image_view view(bytes.data(), {height, width, 3});
    const picture copy = ostend::shrink(view, 7);
    CHECK(copy.bytes == bytes);

    // From the last row upwards: a negative stride.
    const ostend::image_view flipped(bytes.data() + (height - 1) * width * 3, {height, width, 3},
                                     {-width * 3, 3, 1});
    const picture upside_down = ostend::shrink(flipped, 7);
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            for (int c = 0; c < 3; ++c) {
                CHECK(upside_down.at(y, x)[c] == copy.at(height - 1 - y, x)[c]);
            }
        }
    }
}

TEST_CASE("shrink: each pixel is the rounded mean of those it covers") {
    for (const auto& [height, width, side] :
         {std::array<index, 3>{12, 8, 6}, {100, 37, 20}, {1, 2000, 640}, {2000, 1, 640}, {9, 9, 1}}) {
        const auto bytes = random_bytes(height * width * 3);
        const picture small = ostend::shrink({bytes.data(), {height, width, 3}}, side);
        CHECK(std::max(small.height, small.width) == side);
        std::vector<double> sums(static_cast<std::size_t>(small.height * small.width * 3), 0.0);
        std::vector<int> counts(sums.size(), 0);
        // The plain way: hand every source pixel to the target pixels whose range of rows and columns holds
        // it.
        const auto covers = [](index target, index targets, index source, index sources) {
            const index from = target * sources / targets;
            const index to = std::max(from + 1, (target + 1) * sources / targets);
            return source >= from && source < to;
        };
        for (index y = 0; y < height; ++y) {
            for (index r = 0; r < small.height; ++r) {
                for (index x = 0; covers(r, small.height, y, height) && x < width; ++x) {
                    for (index c = 0; c < small.width; ++c) {
                        for (index k = 0; covers(c, small.width, x, width) && k < 3; ++k) {
                            const auto at = static_cast<std::size_t>((r * small.width + c) * 3 + k);
                            sums[at] += bytes[static_cast<std::size_t>((y * width + x) * 3 + k)];
                            ++counts[at];
                        }
                    }
                }
            }
        }
        for (std::size_t i = 0; i < sums.size(); ++i) {
            REQUIRE(std::abs(small.bytes[i] - sums[i] / counts[i]) <= 0.5);
        }
    }
    const std::uint8_t four[4] = {1, 2, 3, 4};
    CHECK_EXPECTS(ostend::shrink({four, {1, 1, 4}}, 5), "three channels");
    CHECK_EXPECTS(ostend::shrink({four, {0, 1, 3}}, 5), "without pixels");
}

TEST_CASE("a mask is read at the centres of another size's pixels") {
    const bitmap mask = random_mask(13, 9);
    const auto runs = ostend::encode(mask);
    CHECK(ostend::resampled(runs, 13, 9) == mask);
    for (const auto& [height, width] : {std::pair<index, index>{26, 18}, {5, 4}, {1, 1}, {13, 100}}) {
        const bitmap other = ostend::resampled(runs, height, width);
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                const auto source_y = static_cast<index>(std::floor((double(y) + 0.5) * 13 / double(height)));
                const auto source_x = static_cast<index>(std::floor((double(x) + 0.5) * 9 / double(width)));
                CHECK(other(y, x) == mask(source_y, source_x));
            }
        }
    }
    CHECK_EXPECTS(ostend::resampled(ostend::rle{0, 4, {0}}, 2, 2), "without pixels");
}

TEST_CASE("heat spans the map's own range; opacity and lightness rise with the value") {
    matrix<float> map(3, 4);
    for (std::size_t i = 0; i < 12; ++i) {
        map.values()[i] = -5.0F + 2.0F * static_cast<float>(i);
    }
    const picture heat = ostend::heat_layer(map);
    CHECK(heat.channels == 4);
    CHECK(pixel(heat, 0, 0) == rgba{16, 8, 40, 40});
    CHECK(pixel(heat, 2, 3) == rgba{252, 248, 170, 225});
    for (std::size_t i = 1; i < 12; ++i) {
        CHECK(heat.bytes[4 * i + 3] > heat.bytes[4 * i - 1]);
    }
    // The same map in other units is the same picture.
    matrix<float> scaled(3, 4);
    for (std::size_t i = 0; i < 12; ++i) {
        scaled.values()[i] = 0.25F * map.values()[i] + 8.0F;
    }
    CHECK(ostend::heat_layer(scaled).bytes == heat.bytes);
}

TEST_CASE("heat of a constant map is transparent; a value that is not finite is refused") {
    CHECK(ostend::heat_layer(matrix<float>(2, 3, 4.0F)).bytes == std::vector<std::uint8_t>(24, 0));
    CHECK(ostend::heat_layer(matrix<float>(1, 1, -1.0F)).bytes == std::vector<std::uint8_t>(4, 0));
    CHECK(ostend::heat_layer(matrix<float>()).bytes.empty());
    constexpr float huge = std::numeric_limits<float>::max();
    matrix<float> widest(1, 2);
    widest(0, 0) = -huge;
    widest(0, 1) = huge; // the range overflows f32
    CHECK(pixel(ostend::heat_layer(widest), 0, 1).a == 225);
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
        matrix<float> map(2, 2, 1.0F);
        map(1, 0) = bad;
        CHECK_EXPECTS(ostend::heat_layer(map), "not finite");
        map(0, 0) = 2;
        CHECK_EXPECTS(ostend::heat_layer(map), "not finite");
    }
}

TEST_CASE("a mask's layer: colour inside, full on the outline, nothing outside") {
    const ostend::rgb colour{10, 20, 30};
    for (const index outline : {0, 1, 2}) {
        for (int round = 0; round < 20; ++round) {
            const index height = 1 + static_cast<index>(randomness()() % 12);
            const index width = 1 + static_cast<index>(randomness()() % 12);
            const bitmap mask = random_mask(height, width);
            const picture layer = ostend::mask_layer(ostend::encode(mask), colour, height, width,
                                                     {.fill = 90, .outline = outline});
            for (index y = 0; y < height; ++y) {
                for (index x = 0; x < width; ++x) {
                    // On the outline: within `outline` steps along an axis lies a pixel outside, or the
                    // border.
                    bool edge = false;
                    for (index d = -outline; d <= outline; ++d) {
                        const bool row_out = y + d < 0 || y + d >= height || mask(y + d, x) == 0;
                        const bool column_out = x + d < 0 || x + d >= width || mask(y, x + d) == 0;
                        edge = edge || (d != 0 && (row_out || column_out));
                    }
                    const rgba expected =
                        mask(y, x) == 0 ? rgba{0, 0, 0, 0} : rgba{10, 20, 30, edge ? 255 : 90};
                    REQUIRE(pixel(layer, y, x) == expected);
                }
            }
        }
    }
}

TEST_CASE("compose mixes by opacity") {
    picture below(1, 4, 3);
    picture layer(1, 4, 4);
    const int under[4] = {0, 255, 100, 7};
    const int over[4] = {255, 0, 200, 90};
    const int alpha[4] = {128, 128, 0, 255};
    for (index x = 0; x < 4; ++x) {
        for (int c = 0; c < 3; ++c) {
            below.at(0, x)[c] = static_cast<std::uint8_t>(under[x]);
            layer.at(0, x)[c] = static_cast<std::uint8_t>(over[x]);
        }
        layer.at(0, x)[3] = static_cast<std::uint8_t>(alpha[x]);
    }
    ostend::compose(below, layer);
    for (index x = 0; x < 4; ++x) {
        const double mixed = (over[x] * alpha[x] + under[x] * (255.0 - alpha[x])) / 255;
        CHECK(std::abs(below.at(0, x)[1] - mixed) <= 0.5);
    }
    CHECK_EXPECTS(ostend::compose(below, picture(1, 3, 4)), "same size");
    CHECK_EXPECTS(ostend::compose(below, picture(1, 4, 3)), "same size");
    CHECK_EXPECTS(ostend::compose(layer, picture(1, 4, 4)), "same size");
}

TEST_CASE("a peak is drawn around its point and nowhere else") {
    for (const int channels : {3, 4}) {
        picture p(60, 80, channels);
        ostend::draw_peak(p, 20.5, 30.5);
        CHECK(p.at(30, 20)[0] == 255); // the dot
        CHECK(p.at(30, 24)[0] == 255); // the ring, radius 4
        CHECK(p.at(34, 20)[2] == 255);
        CHECK(p.at(30, 22)[0] == 20); // the rim of the dot
        double sum_x = 0;
        double sum_y = 0;
        int drawn = 0;
        for (index y = 0; y < 60; ++y) {
            for (index x = 0; x < 80; ++x) {
                if (p.at(y, x)[1] != 0) {
                    CHECK(std::hypot(double(x) - 20, double(y) - 30) <= 6.0);
                    CHECK((channels == 3 || p.at(y, x)[3] == 255));
                    sum_x += double(x) + 0.5;
                    sum_y += double(y) + 0.5;
                    ++drawn;
                }
            }
        }
        CHECK(sum_x / drawn == doctest::Approx(20.5));
        CHECK(sum_y / drawn == doctest::Approx(30.5));
    }
}

TEST_CASE("a peak at or beyond the border is cut off") {
    for (const auto& [height, width] : {std::pair<index, index>{1, 1}, {1, 2000}, {2000, 1}, {3, 3}}) {
        for (const double y : {-4000.0, -1.0, 0.5, double(height) - 0.5, double(height) + 3, 1e300}) {
            for (const double x : {-1e300, -2.0, 0.5, double(width) - 0.5, double(width) + 3000}) {
                picture p(height, width, 3);
                ostend::draw_peak(p, x, y);
                CHECK(p.bytes.size() == static_cast<std::size_t>(height * width * 3));
            }
        }
    }
    picture p(4, 4, 3);
    CHECK_EXPECTS(ostend::draw_peak(p, std::nan(""), 1), "not finite");
    CHECK_EXPECTS(ostend::draw_peak(p, 1, HUGE_VAL), "not finite");
    picture none;
    ostend::draw_peak(none, 0, 0);
    CHECK(none.bytes.empty());
}

} // namespace
