#include "ostend/mask/encode.hpp"
#include "ostend/metrics/referring.hpp"

#include "mask/random_masks.hpp"
#include "metrics/any_split.hpp"

#include <cmath>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct sample {
    std::string name;
    bitmap truth;
    bitmap prediction;
    referring_flags flags;
};

std::vector<sample> random_samples(std::mt19937& random, int count, bool with_flags) {
    std::vector<sample> out;
    for (int i = 0; i < count; ++i) {
        const index h = random_side(random);
        const index w = random_side(random);
        sample one{std::to_string(i), random_mask(random, h, w), random_mask(random, h, w), {}};
        if (random() % 3 == 0) {
            one.prediction = one.truth;
            one.prediction.pixels[random() % one.prediction.pixels.size()] ^= 1;
        }
        if (with_flags && random() % 2 == 0) {
            one.flags.predicts_nothing = random() % 2 == 0;
        }
        out.push_back(std::move(one));
    }
    return out;
}

/// gRefCOCO's rules, pixel by pixel.
referring_result plain(const std::vector<sample>& samples, const referring_options& options) {
    double sum_iou = 0, n = 0, sum_i = 0, sum_u = 0, targets = 0;
    double tp = 0, tn = 0, fp = 0, fn = 0;
    std::vector<double> reached(options.precision_at.size(), 0.0);
    for (const sample& one : samples) {
        double i = 0, u = 0, area_t = 0, area_p = 0;
        for (std::size_t k = 0; k < one.truth.pixels.size(); ++k) {
            const bool t = one.truth.pixels[k] != 0;
            const bool p = one.prediction.pixels[k] != 0;
            i += t && p ? 1 : 0;
            u += t || p ? 1 : 0;
            area_t += t ? 1 : 0;
            area_p += p ? 1 : 0;
        }
        const bool nothing = one.flags.predicts_nothing.value_or(area_p == 0);
        if (area_t == 0) {
            nothing ? ++tp : ++fn;
            if (nothing) {
                sum_iou += options.empty_pair == both_empty::one ? 1 : 0;
                n += options.empty_pair == both_empty::leave_out ? 0 : 1;
            } else {
                sum_u += u;
                ++n;
            }
            continue;
        }
        nothing ? ++fp : ++tn;
        i = nothing ? 0 : i;
        const double iou = i / (u + options.union_epsilon);
        sum_iou += iou;
        sum_i += i;
        sum_u += u;
        ++n;
        ++targets;
        for (std::size_t k = 0; k < reached.size(); ++k) {
            reached[k] += (options.above ? iou > options.precision_at[k] : iou >= options.precision_at[k]);
        }
    }
    referring_result out;
    out.giou = {sum_iou, n + options.count_epsilon};
    out.ciou = {sum_i, sum_u + options.sum_epsilon};
    for (const double hits : reached) {
        out.precision.push_back({hits, targets});
    }
    out.n_acc = {tp, tp + fn};
    out.t_acc = {tn, tn + fp};
    return out;
}

std::vector<double> figures(const referring_result& r) {
    std::vector<double> out;
    for (const ratio& one : {r.giou, r.ciou, r.n_acc, r.t_acc}) {
        out.push_back(one.numerator);
        out.push_back(one.denominator);
    }
    for (const ratio& one : r.precision) {
        out.push_back(one.numerator);
        out.push_back(one.denominator);
    }
    return out;
}

status add(referring_accumulator& to, const sample& one) {
    return to.update(one.name, encode(one.truth), encode(one.prediction), one.flags);
}

TEST_CASE("random samples against the rules pixel by pixel, every option") {
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        referring_options options = round % 3 == 0 ? referring_options::lisa() : referring_options{};
        options.empty_pair = static_cast<both_empty>(random() % 3);
        options.above = random() % 2 == 0;
        options.precision_at = {0.0, 0.5, 0.9, 1.0};
        const auto samples = random_samples(random, 20, round % 2 == 0);
        referring_accumulator metric(options);
        for (const sample& one : samples) {
            REQUIRE(add(metric, one));
        }
        const auto got = figures(metric.compute());
        const auto want = figures(plain(samples, options));
        REQUIRE(got.size() == want.size());
        CHECK(got[0] == doctest::Approx(want[0]).epsilon(1e-12)); // the order of the sum is another
        for (std::size_t i = 1; i < got.size(); ++i) {
            CAPTURE(i);
            CHECK(got[i] == want[i]);
        }
    }
}

// Four pixels in a row: counts are 0s, 1s, 0s, ...
const rle none{1, 4, {4}};
const rle left{1, 4, {0, 2, 2}};
const rle right{1, 4, {2, 2}};
const rle middle{1, 4, {1, 2, 1}};
const rle all{1, 4, {0, 4}};

TEST_CASE("by hand: gRefCOCO's four cases") {
    referring_accumulator metric;
    REQUIRE(metric.update("exact", left, left));                      // I 2, U 2, IoU 1
    REQUIRE(metric.update("shifted", left, middle));                  // I 1, U 3, IoU 1/3
    REQUIRE(metric.update("three quarters", all, rle{1, 4, {1, 3}})); // I 3, U 4, IoU 0.75
    REQUIRE(metric.update("missed", right, none));                    // I 0, U 2, IoU 0
    REQUIRE(metric.update("rightly none", none, none));               // IoU 1, U + 0
    REQUIRE(metric.update("wrongly some", none, all));                // IoU 0, U + 4
    const referring_result got = metric.compute();
    CHECK(got.ciou == ratio{6, 15});
    CHECK(got.giou.denominator == 6);
    CHECK(got.giou.value() == doctest::Approx((1 + 1.0 / 3 + 0.75 + 0 + 1 + 0) / 6).epsilon(1e-15));
    CHECK(got.precision == std::vector<ratio>{{2, 4}, {1, 4}, {1, 4}});
    CHECK(got.n_acc == ratio{1, 2});
    CHECK(got.t_acc == ratio{3, 4});
}

TEST_CASE("a head that predicts no target overrules the mask") {
    referring_accumulator metric;
    REQUIRE(metric.update("a", none, all, {.predicts_nothing = true}));   // right: IoU 1, no union
    REQUIRE(metric.update("b", none, none, {.predicts_nothing = false})); // wrong, though empty
    REQUIRE(metric.update("c", left, left, {.predicts_nothing = true}));  // wrong: I 0, U 2
    const referring_result got = metric.compute();
    CHECK(got.n_acc == ratio{1, 2});
    CHECK(got.t_acc == ratio{0, 1});
    CHECK(got.giou == ratio{1, 3});
    CHECK(got.ciou == ratio{0, 2});
    // An annotated target whose mask has no pixel is a target that cannot be found.
    referring_accumulator vanished;
    REQUIRE(vanished.update("tiny", none, none, {.no_target = false}));
    CHECK(vanished.compute().t_acc == ratio{0, 1});
    CHECK(vanished.compute().giou == ratio{0, 1});
    CHECK(vanished.compute().precision[0] == ratio{0, 1});
}

TEST_CASE("LISA's denominators") {
    referring_accumulator metric(referring_options::lisa());
    REQUIRE(metric.update("a", left, middle));
    REQUIRE(metric.update("b", none, none));
    const referring_result got = metric.compute();
    CHECK(got.giou == ratio{1 / (3 + 1e-5) + 1, 2 + 1e-5});
    CHECK(got.ciou == ratio{1, 3 + 1e-10});
    CHECK(referring_accumulator(referring_options::lisa()).compute().giou.value() == 0.0);
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(12);
    check_any_split(referring_accumulator(referring_options::lisa()), random_samples(random, 40, true),
                    random, add, [](const referring_accumulator& of) { return figures(of.compute()); });
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    referring_accumulator metric;
    const rle liar{1, 4, {5}};
    CHECK(metric.update("s", liar, none).error().field == "s: truth: counts");
    CHECK(metric.update("s", none, liar).error().field == "s: prediction: counts");
    CHECK(metric.update("s", none, rle{2, 2, {4}}).error().message() ==
          "s: prediction: a mask of 2 x 2 beside one of 1 x 4");
    CHECK(metric.update("s", left, left, {.no_target = true}).error().message() ==
          "s: truth: said to have no target, but its mask has 2 pixels");
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("s", left, left));
    CHECK(metric.update("s", left, left).error().message() == "s: this image was added before");
}

} // namespace
