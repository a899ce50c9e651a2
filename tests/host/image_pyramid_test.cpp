// image_pyramid: every level against area averages of the original, contrast against its definition.
#include "ostend/host/image_pyramid.hpp"

#include "support/expects.hpp"

#include <random>

namespace {

using namespace ostend;
using ostend::index;

struct picture {
    index height;
    index width;
    std::vector<std::uint8_t> bytes;

    picture(index h, index w, unsigned seed)
        : height(h), width(w), bytes(static_cast<std::size_t>(h * w * 3)) {
        std::mt19937 draw(seed);
        for (auto& b : bytes) {
            b = static_cast<std::uint8_t>(draw());
        }
    }
    [[nodiscard]] image_view view() const { return {bytes.data(), {height, width, 3}}; }
};

/// The mean of the original's pixels in a block, each counted once.
colour block_mean(const picture& p, index y, index x, index size) {
    colour out{};
    for (std::size_t c = 0; c < 3; ++c) {
        double sum = 0;
        double n = 0;
        for (index v = y * size; v < std::min(p.height, (y + 1) * size); ++v) {
            for (index u = x * size; u < std::min(p.width, (x + 1) * size); ++u) {
                sum += p.bytes[static_cast<std::size_t>(v * p.width + u) * 3 + c];
                n += 1;
            }
        }
        out[c] = static_cast<float>(sum / n);
    }
    return out;
}

double squared(const colour& a, const colour& b) {
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) {
        const double d = static_cast<double>(a[c]) - static_cast<double>(b[c]);
        sum += d * d;
    }
    return sum;
}

TEST_CASE("levels are halves, rounded up, until none is longer than asked") {
    for (const auto& [height, width, longest] : {std::array<index, 3>{1, 1, 1},
                                                 {144, 144, 96},
                                                 {96, 96, 96},
                                                 {97, 5, 96},
                                                 {700, 40, 96},
                                                 {40, 700, 96},
                                                 {3, 1000, 1},
                                                 {5, 7, 2}}) {
        const auto levels = image_pyramid(picture(height, width, 1).view(), longest);
        index h = height;
        index w = width;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            CHECK(levels[i].size() == image_size{w, h});
            CHECK(levels[i].colours.size() == static_cast<std::size_t>(h * w));
            CHECK((std::max(h, w) > longest) == (i + 1 < levels.size()));
            CHECK(levels[i].alike.empty() == (i + 1 < levels.size()));
            h = (h + 1) / 2;
            w = (w + 1) / 2;
        }
    }
}

TEST_CASE("a level's colour is the mean of the area that it stands for") {
    for (const auto& [height, width] : {std::array<index, 2>{64, 48}, {32, 8}, {8, 128}}) {
        const picture p(height, width, 2);
        const auto levels = image_pyramid(p.view(), 4);
        index size = 1;
        for (const image_level& level : levels) {
            for (index y = 0; y < level.height; ++y) {
                for (index x = 0; x < level.width; ++x) {
                    CHECK(squared(level.colours[level.at(y, x)], block_mean(p, y, x, size)) < 1e-6);
                }
            }
            // Sides that are divided down to 1 stay there; then a level is no mean of a square.
            if (level.height == 1 || level.width == 1) {
                break;
            }
            size *= 2;
        }
    }
}

TEST_CASE("odd sides: the first half is the mean of the pixels that exist") {
    for (unsigned seed = 0; seed < 30; ++seed) {
        const picture p(1 + seed % 9, 1 + seed * 7 % 11, seed);
        const auto levels = image_pyramid(p.view(), 1);
        if (levels.size() < 2) {
            continue;
        }
        for (index y = 0; y < levels[1].height; ++y) {
            for (index x = 0; x < levels[1].width; ++x) {
                CHECK(squared(levels[1].colours[levels[1].at(y, x)], block_mean(p, y, x, 2)) < 1e-6);
            }
        }
    }
}

TEST_CASE("sharpness and likeness as defined: 1 / (2 mean squared difference), exp(-sharpness difference)") {
    for (const auto& [height, width] : {std::array<index, 2>{1, 9}, {9, 1}, {6, 5}, {12, 13}}) {
        const picture p(height, width, 4);
        const auto levels = image_pyramid(p.view(), 100);
        const image_level& level = levels.back();
        double sum = 0;
        double pairs = 0;
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                for (const auto& [v, u] : {std::array<index, 2>{y, x + 1}, {y + 1, x}}) {
                    if (v < height && u < width) {
                        sum += squared(level.colours[level.at(y, x)], level.colours[level.at(v, u)]);
                        pairs += 1;
                    }
                }
            }
        }
        CHECK(static_cast<double>(level.sharpness) == doctest::Approx(pairs / (2 * sum)));
        constexpr index rows[] = {0, 1, 1, 1};
        constexpr index columns[] = {1, 0, 1, -1};
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                for (std::size_t d = 0; d < 4; ++d) {
                    const index v = y + rows[d];
                    const index u = x + columns[d];
                    const bool exists = v < height && u >= 0 && u < width;
                    const double wanted =
                        exists
                            ? std::exp(-static_cast<double>(level.sharpness) *
                                       squared(level.colours[level.at(y, x)], level.colours[level.at(v, u)]))
                            : 0.0;
                    CHECK(static_cast<double>(level.alike[level.at(y, x)][d]) ==
                          doctest::Approx(wanted).epsilon(1e-4));
                }
            }
        }
    }
}

TEST_CASE("a flat image has no contrast: sharpness 0, every pair alike") {
    picture p(10, 12, 5);
    std::fill(p.bytes.begin(), p.bytes.end(), std::uint8_t{77});
    for (const image_level& level : image_pyramid(p.view(), 3)) {
        CHECK(level.sharpness == 0.0F);
        CHECK(level.colours[0] == colour{77, 77, 77});
    }
    CHECK(image_pyramid(p.view(), 100).back().alike[0] == std::array<float, 4>{1, 1, 1, 0});
    CHECK(image_pyramid(picture(1, 1, 6).view(), 1)[0].alike[0] == std::array<float, 4>{});
}

TEST_CASE("strided views: flipped rows, columns first, channels reversed") {
    const picture p(7, 9, 7);
    const image_view flipped(p.bytes.data() + 6 * 9 * 3, {7, 9, 3}, {-9 * 3, 3, 1});
    const image_view turned(p.bytes.data() + 2, {9, 7, 3}, {3, 9 * 3, -1});
    const auto plain = image_pyramid(p.view(), 100).back();
    const auto down = image_pyramid(flipped, 100).back();
    const auto across = image_pyramid(turned, 100).back();
    for (index y = 0; y < 7; ++y) {
        for (index x = 0; x < 9; ++x) {
            const colour c = plain.colours[plain.at(y, x)];
            CHECK(down.colours[down.at(6 - y, x)] == c);
            CHECK(across.colours[across.at(x, y)] == colour{c[2], c[1], c[0]});
        }
    }
}

TEST_CASE("refusals") {
    const picture p(4, 4, 8);
    CHECK_EXPECTS(image_pyramid({}, 4), "an image of 0 x 0 x 0");
    CHECK_EXPECTS(image_pyramid({p.bytes.data(), {4, 4, 1}}, 4), "4 x 4 x 1");
    CHECK_EXPECTS(image_pyramid(p.view(), 0), "longest side 0");
}

} // namespace
