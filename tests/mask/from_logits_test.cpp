#include "ostend/mask/encode.hpp"
#include "ostend/mask/from_logits.hpp"

#include "mask/random_masks.hpp"
#include "support/expects.hpp"
#include "support/npy.hpp"

#include <cmath>

namespace {

using namespace ostend;
using ostend::index; // strings.h has another one
using ostend_test::random_side;

TEST_CASE("golden: stability") {
    for (const auto& one : ostend_test::golden_cases("stability")) {
        CAPTURE(one["name"].get<std::string>());
        const auto logits = ostend_test::read_golden(one["inputs"]["logits"]);
        const auto& want = one["expected_values"]["score"];
        const logits_options options{.threshold = one["params"]["mask_threshold"].get<double>(),
                                     .stability_offset = one["params"]["offset"].get<double>()};
        REQUIRE(want.size() == static_cast<std::size_t>(logits.shape[0]));
        for (std::size_t i = 0; i < want.size(); ++i) {
            const tensor_view<const float, 2> one_mask(logits.slice(static_cast<index>(i)).data(),
                                                       {logits.shape[1], logits.shape[2]});
            const double score = from_logits(one_mask, options).stability;
            if (want[i].is_null()) {
                CHECK(std::isnan(score));
            } else {
                CHECK(std::abs(score - want[i].get<double>()) <= 1e-7 + 1e-6 * want[i].get<double>());
            }
        }
    }
}

/// Logits like T's values; some are exactly at a threshold, some are no numbers.
template <class T>
std::vector<T> random_logits(std::mt19937& random, std::size_t n) {
    std::vector<T> out;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t kind = random() % 12;
        const float v = kind == 0   ? std::numeric_limits<float>::quiet_NaN()
                        : kind == 1 ? std::numeric_limits<float>::infinity()
                        : kind == 2 ? -std::numeric_limits<float>::infinity()
                        : kind < 6  ? static_cast<float>(static_cast<int>(random() % 5) - 2) / 2
                                    : static_cast<float>(random() % 4000) / 1000 - 2;
        if constexpr (std::is_same_v<T, double>) {
            out.push_back(static_cast<double>(v) * (random() % 2 == 0 ? 1 : 1 + 1e-12));
        } else {
            out.push_back(from_float<T>(v));
        }
    }
    return out;
}

template <class T>
void compare_with_pixels(std::uint32_t seed) {
    std::mt19937 random(seed);
    for (int round = 0; round < 60; ++round) {
        const index h = random_side(random);
        const index w = random_side(random) + (round % 8 == 0 ? 250 : 0);
        const auto values = random_logits<T>(random, static_cast<std::size_t>(3 * h * w));
        const std::array<tensor_view<const T, 2>, 3> views{
            tensor_view<const T, 2>(values.data(), {h, w}),
            tensor_view<const T, 2>(values.data(), {h, w}, {1, h}),
            tensor_view<const T, 2>(values.data() + 3 * (w - 1), {h, w}, {3 * w, -3})};
        const logits_options options{.threshold = random() % 2 == 0 ? 0.0 : 0.5,
                                     .stability_offset = random() % 2 == 0 ? 1.0 : 0.25};
        for (const auto& view : views) {
            bitmap dense(h, w);
            double low = 0;
            double high = 0;
            std::uint64_t inside = 0;
            for (index y = 0; y < h; ++y) {
                for (index x = 0; x < w; ++x) {
                    double v = 0;
                    if constexpr (std::is_same_v<T, double>) {
                        v = view.load(y, x);
                    } else {
                        v = static_cast<double>(to_float(view.load(y, x)));
                    }
                    dense(y, x) = v > options.threshold ? 1 : 0;
                    inside += dense(y, x);
                    low += v > options.threshold - options.stability_offset ? 1 : 0;
                    high += v > options.threshold + options.stability_offset ? 1 : 0;
                }
            }
            const logits_mask got = from_logits(view, options);
            REQUIRE(got.mask == encode(dense));
            REQUIRE(got.area == inside);
            REQUIRE(got.box == bounding_box(got.mask));
            REQUIRE((got.stability == high / low || (low == 0 && std::isnan(got.stability))));
        }
    }
}

TEST_CASE("masks, areas, boxes and scores equal the pixels' for every element type and stride") {
    compare_with_pixels<float>(1);
    compare_with_pixels<double>(2);
    compare_with_pixels<f16>(3);
    compare_with_pixels<bf16>(4);
}

TEST_CASE("no pixels, a mutable view, and too many pixels") {
    const logits_mask none = from_logits(tensor_view<const float, 2>(nullptr, {0, 7}));
    CHECK(none.mask == rle{0, 7, {0}});
    CHECK(none.area == 0);
    CHECK(std::isnan(none.stability));
    std::vector<float> one{3};
    CHECK(from_logits(tensor_view<float, 2>(one.data(), {1, 1})).mask == rle{1, 1, {0, 1}});
    CHECK(from_logits(tensor_view<float, 2>(one.data(), {1, 1})).box == box_in<original_frame>{0, 0, 1, 1});
    CHECK_EXPECTS(from_logits(tensor_view<const float, 2>(one.data(), {1 << 20, 1 << 20}, {0, 0})),
                  "more pixels than a run can count");
}

} // namespace
