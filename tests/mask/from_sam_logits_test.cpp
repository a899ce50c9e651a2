#include "ostend/mask/encode.hpp"
#include "ostend/mask/from_sam_logits.hpp"

#include "support/expects.hpp"
#include "support/npy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>

namespace {

using namespace ostend;
using ostend::index; // strings.h has another one

std::vector<std::uint8_t> read_bytes(const std::string& name) {
    std::ifstream file(OSTEND_TEST_DATA "/golden/" + name, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE(all.find("|u1") != std::string::npos);
    const auto start = 10 + static_cast<std::ptrdiff_t>(static_cast<unsigned char>(all.at(8))) +
                       256 * static_cast<std::ptrdiff_t>(static_cast<unsigned char>(all.at(9)));
    return {all.begin() + start, all.end()};
}

TEST_CASE("golden: sampost") {
    for (const auto& one : ostend_test::golden_cases("sampost")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& params = one["params"];
        const auto coarse = ostend_test::read_golden(one["inputs"]["lowres64"]);
        const auto repeat = params["repeat"].get<index>();
        const index side = coarse.shape[1] * repeat;
        matrix<float> logits(side, side);
        for (index y = 0; y < side; ++y) {
            for (index x = 0; x < side; ++x) {
                logits(y, x) =
                    coarse.values[static_cast<std::size_t>(y / repeat * coarse.shape[2] + x / repeat)];
            }
        }
        const image_size image{params["image_hw"][1].get<index>(), params["image_hw"][0].get<index>()};
        const sam_frame frame = make_sam_frame(image);
        CHECK(frame.resized ==
              image_size{params["input_hw"][1].get<index>(), params["input_hw"][0].get<index>()});
        const matrix<float> full = sam_upsampled(std::as_const(logits).view(), frame);
        const auto probes = ostend_test::read_golden(one["expected"]["probes"]);
        for (std::size_t i = 0; i < probes.values.size(); ++i) {
            const float ours = full(params["probe_y"][i].get<index>(), params["probe_x"][i].get<index>());
            CHECK(std::abs(ours - probes.values[i]) <= 2e-5F + 2e-5F * std::abs(probes.values[i]));
        }
        const logits_mask got = from_sam_logits(std::as_const(logits).view(), frame);
        const bitmap ours = decode(got.mask);
        const auto theirs = read_bytes(one["expected"]["mask"]);
        REQUIRE(theirs.size() == ours.pixels.size());
        for (std::size_t i = 0; i < theirs.size(); ++i) {
            CHECK((ours.pixels[i] == theirs[i] || std::abs(full.values()[i]) < 1e-4F));
        }
        CHECK(got.stability ==
              doctest::Approx(one["expected_values"]["stability"][0].get<double>()).epsilon(2e-5));
    }
}

/// PyTorch's interpolate(mode="bilinear", align_corners=False), in f64.
std::vector<std::vector<double>> bilinear(const std::vector<std::vector<double>>& from, index rows,
                                          index columns) {
    const auto h = static_cast<index>(from.size());
    const auto w = static_cast<index>(from[0].size());
    const auto cells = [](index pixel, index pixels, index count) {
        const double source = std::max(
            0.0, (static_cast<double>(pixel) + 0.5) * static_cast<double>(count) / double(pixels) - 0.5);
        const index first = std::min(static_cast<index>(source), count - 1);
        return std::tuple(static_cast<std::size_t>(first),
                          static_cast<std::size_t>(std::min(first + 1, count - 1)),
                          source - static_cast<double>(first));
    };
    std::vector<std::vector<double>> out(static_cast<std::size_t>(rows));
    for (index y = 0; y < rows; ++y) {
        const auto [y0, y1, ty] = cells(y, rows, h);
        for (index x = 0; x < columns; ++x) {
            const auto [x0, x1, tx] = cells(x, columns, w);
            out[static_cast<std::size_t>(y)].push_back((1 - ty) *
                                                           ((1 - tx) * from[y0][x0] + tx * from[y0][x1]) +
                                                       ty * ((1 - tx) * from[y1][x0] + tx * from[y1][x1]));
        }
    }
    return out;
}

struct question {
    matrix<float> logits;
    sam_frame frame;
};

question random_question(std::mt19937& random, int kind) {
    const auto below = [&random](index n) {
        return static_cast<index>(random() % static_cast<std::uint32_t>(n));
    };
    question q{matrix<float>(1 + below(50), 1 + below(50)), {}};
    do {
        q.frame = make_sam_frame({1 + below(300), 1 + below(300)}, 25 + below(250));
    } while (q.frame.resized.width < 1 || q.frame.resized.height < 1);
    std::normal_distribution<float> normal(0, 4);
    for (index y = 0; y < q.logits.rows(); ++y) {
        for (index x = 0; x < q.logits.columns(); ++x) {
            const auto dy = static_cast<float>(y) - static_cast<float>(q.logits.rows()) * 0.4F;
            const auto dx = static_cast<float>(x) - static_cast<float>(q.logits.columns()) * 0.6F;
            q.logits(y, x) = kind == 0   ? normal(random)
                             : kind == 1 ? 6 - 0.5F * std::sqrt(dx * dx + dy * dy)
                                         : static_cast<float>(below(3)) - 1; // often exactly at a threshold
            if (kind == 3 && random() % 30 == 0) {
                q.logits(y, x) = std::array<float, 4>{
                    std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity(), -1e30F}[random() % 4];
            }
        }
    }
    return q;
}

TEST_CASE("the upsampled logits are those of two resizes and a crop") {
    std::mt19937 random(81);
    for (int round = 0; round < 60; ++round) {
        const question q = random_question(random, round % 3);
        std::vector<std::vector<double>> cells;
        for (index y = 0; y < q.logits.rows(); ++y) {
            cells.emplace_back(q.logits.row(y).begin(), q.logits.row(y).end());
        }
        auto square = bilinear(cells, q.frame.side, q.frame.side);
        square.resize(static_cast<std::size_t>(q.frame.resized.height));
        for (auto& row : square) {
            row.resize(static_cast<std::size_t>(q.frame.resized.width));
        }
        const auto want = bilinear(square, q.frame.original.height, q.frame.original.width);
        const matrix<float> got = sam_upsampled(q.logits.view(), q.frame);
        for (index y = 0; y < got.rows(); ++y) {
            for (index x = 0; x < got.columns(); ++x) {
                // f32 positions: a cell's difference times 2^-24 of the position.
                REQUIRE(std::abs(static_cast<double>(got(y, x)) -
                                 want[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)]) < 2e-4);
            }
        }
    }
}

TEST_CASE("upsampled logits are sums over taps in their order, in any view") {
    std::mt19937 random(84);
    namespace detail = ostend::OSTEND_KERNELS::detail;
    for (int round = 0; round < 60; ++round) {
        const question q = random_question(random, round % 4);
        const auto columns = detail::make_sam_axis(q.logits.columns(), q.frame.side, q.frame.resized.width,
                                                   q.frame.original.width);
        const auto rows = detail::make_sam_axis(q.logits.rows(), q.frame.side, q.frame.resized.height,
                                                q.frame.original.height);
        const auto sum = [](const detail::sam_axis& axis, index i, const auto& cell) {
            double out = 0;
            for (std::size_t k = 0; k < axis.taps; ++k) {
                const auto at = static_cast<std::size_t>(i);
                out +=
                    static_cast<double>(axis.weights[k][at]) * static_cast<double>(cell(axis.cells[k][at]));
            }
            return static_cast<float>(out);
        };
        matrix<float> wide(q.logits.rows(), q.frame.original.width);
        for (index y = 0; y < wide.rows(); ++y) {
            for (index x = 0; x < wide.columns(); ++x) {
                wide(y, x) = sum(columns, x, [&](index cell) { return q.logits(y, cell); });
            }
        }
        const index h = q.frame.original.height;
        const index w = q.frame.original.width;
        const matrix<float> got = sam_upsampled(q.logits.view(), q.frame);
        const float none = 12345;
        std::vector<float> apart(static_cast<std::size_t>(3 * h * (w + 1)), none);
        const index between = round % 2 == 0 ? 1 : 3;
        sam_upsampled(q.logits.view(), q.frame,
                      tensor_view<float, 2>(apart.data(), {h, w}, {between * (w + 1), between}));
        std::size_t written = 0;
        for (index y = 0; y < h; ++y) {
            for (index x = 0; x < w; ++x) {
                const float want = sum(rows, y, [&](index cell) { return wide(cell, x); });
                const float viewed = apart[static_cast<std::size_t>(between * (y * (w + 1) + x))];
                REQUIRE((got(y, x) == want || (std::isnan(got(y, x)) && std::isnan(want))));
                REQUIRE((viewed == want || (std::isnan(viewed) && std::isnan(want))));
                ++written;
            }
        }
        REQUIRE(std::count(apart.begin(), apart.end(), none) == static_cast<index>(apart.size() - written));
    }
}

TEST_CASE("the mask is that of the upsampled logits, bit for bit") {
    std::mt19937 random(82);
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        const question q = random_question(random, round % 4);
        const logits_options options{.threshold = round % 5 == 0 ? 0.3 : 0.0,
                                     .stability_offset = round % 7 == 0 ? 0.25 : 1.0};
        const logits_mask got = from_sam_logits(q.logits.view(), q.frame, options);
        const logits_mask want = from_logits(sam_upsampled(q.logits.view(), q.frame).view(), options);
        REQUIRE(got.mask == want.mask);
        REQUIRE(got.area == want.area);
        REQUIRE(got.box == want.box);
        REQUIRE((got.stability == want.stability || std::isnan(want.stability)));
        REQUIRE(std::isnan(got.stability) == std::isnan(want.stability));
    }
}

TEST_CASE("a wide image, two-byte logits, a strided view") {
    std::mt19937 random(83);
    matrix<float> logits(64, 64);
    std::vector<f16> halves;
    std::vector<float> apart(64 * 64 * 3);
    std::normal_distribution<float> normal(0, 4);
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        halves.push_back(to_f16(normal(random)));
        logits.values()[i] = to_float(halves.back());
        apart[3 * i] = logits.values()[i];
    }
    const sam_frame frame = make_sam_frame({900, 300}, 256);
    const logits_mask want = from_logits(sam_upsampled(logits.view(), frame).view());
    CHECK(from_sam_logits(logits.view(), frame).mask == want.mask);
    CHECK(from_sam_logits(tensor_view<const f16, 2>(halves.data(), {64, 64}), frame).mask == want.mask);
    CHECK(from_sam_logits(tensor_view<const float, 2>(apart.data(), {64, 64}, {192, 3}), frame).mask ==
          want.mask);
}

TEST_CASE("misuse") {
    const matrix<float> logits(8, 8);
    CHECK_EXPECTS(from_sam_logits(logits.view(), sam_frame{}), "an image of 0 x 0");
    CHECK_EXPECTS(from_sam_logits(logits.view(), sam_frame{{9, 9}, {0, 9}, 16}), "resized to 0 x 9");
    CHECK_EXPECTS(from_sam_logits(logits.view(), sam_frame{{9, 9}, {17, 9}, 16}), "resized to 17 x 9");
    CHECK_EXPECTS(sam_upsampled(logits.view(), make_sam_frame({9, 9}, 3)),
                  "logits of 8 x 8 over a square of 3");
    matrix<float> small(8, 9);
    CHECK_EXPECTS(sam_upsampled(logits.view(), make_sam_frame({9, 9}), small.view()),
                  "an image of 9 x 9 into a view of 8 rows and 9 columns");
    CHECK_EXPECTS(sam_upsampled(matrix<float>().view(), make_sam_frame({9, 9})), "logits of 0 x 0");
    CHECK_EXPECTS(from_sam_logits(logits.view(), sam_frame{{1 << 20, 1 << 20}, {9, 9}, 16}),
                  "more pixels than a run can count");
}

} // namespace
