#include "ostend/mask/encode.hpp"
#include "ostend/metrics/narrative.hpp"

#include "mask/random_masks.hpp"
#include "metrics/any_split.hpp"
#include "support/expects.hpp"

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one
namespace inner = ostend::OSTEND_KERNELS::detail;

/// The published script, a loop over thresholds and phrases.
double published(const std::vector<double>& ious, double step) {
    std::vector<double> thresholds;
    for (int i = 0; i < static_cast<int>(std::ceil(1 / step)); ++i) {
        thresholds.push_back(i * step);
    }
    double sum = 0;
    for (std::size_t i = 0; i + 1 < thresholds.size(); ++i) {
        double reach = 0;
        for (const double iou : ious) {
            reach += iou >= thresholds[i] ? 1 : 0;
        }
        sum += std::abs(thresholds[i + 1] - thresholds[i]) * (reach / static_cast<double>(ious.size()));
    }
    return sum;
}

TEST_CASE("the sampled form in closed form equals the published loop") {
    std::mt19937 random(21);
    std::uniform_real_distribution<double> unit(0, 1);
    const auto closed = [](const std::vector<double>& ious, double step) {
        double sum = 0;
        for (const double iou : ious) {
            sum += inner::sampled_area(iou, step);
        }
        return sum / static_cast<double>(ious.size());
    };
    // Each IoU that small masks can have, on every threshold and between them.
    for (const double step : {0.5, 0.25, 0.1, 0.05, 0.01, 0.3, 1.0 / 3, 0.7, 1e-3}) {
        for (int united = 1; united <= 40; ++united) {
            for (int common = 0; common <= united; ++common) {
                const std::vector<double> one{static_cast<double>(common) / united};
                CAPTURE(step);
                CAPTURE(one[0]);
                CHECK(closed(one, step) == doctest::Approx(published(one, step)).epsilon(1e-12));
            }
        }
        for (int i = 0; i * step <= 1; ++i) {
            for (const double iou :
                 {i * step, std::nextafter(i * step, 0.0), std::nextafter(i * step, 1.0)}) {
                const std::vector<double> one{iou};
                CHECK(closed(one, step) == doctest::Approx(published(one, step)).epsilon(1e-12));
            }
        }
    }
    // At the published step.
    std::vector<double> many{0.0, 1.0, 0.5, 0.99999, 0.00001, 0.29, 0.57};
    for (int i = 0; i < 30; ++i) {
        many.push_back(unit(random));
    }
    CHECK(closed(many, 1e-5) == doctest::Approx(published(many, 1e-5)).epsilon(1e-11));
    CHECK(closed({1.0}, 1e-5) == doctest::Approx(0.99999).epsilon(1e-12));
    CHECK(closed({0.0}, 1e-5) == 1e-5);
}

struct narrative {
    std::string name;
    std::vector<narrative_phrase> phrases;
};

std::vector<narrative> random_narratives(std::mt19937& random, int count) {
    std::vector<narrative> out;
    for (int i = 0; i < count; ++i) {
        narrative one{"narrative " + std::to_string(i), {}};
        const index h = random_side(random);
        const index w = random_side(random);
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            narrative_phrase phrase;
            phrase.thing = random() % 2 == 0;
            phrase.plural = random() % 2 == 0;
            for (std::uint32_t m = phrase.plural ? 1 + random() % 3 : 1; m-- > 0;) {
                phrase.truth.push_back(encode(random_mask(random, h, w)));
            }
            for (std::uint32_t m = random() % 3; m-- > 0;) {
                phrase.prediction.push_back(encode(random_mask(random, h, w)));
            }
            one.phrases.push_back(std::move(phrase));
        }
        out.push_back(std::move(one));
    }
    return out;
}

/// Union and intersection by pixel; NaN for a pair of empty masks.
double dense_iou(const narrative_phrase& phrase) {
    double common = 0;
    double united = 0;
    const rle& size = phrase.truth.front();
    for (index y = 0; y < size.height; ++y) {
        for (index x = 0; x < size.width; ++x) {
            bool t = false;
            bool p = false;
            for (const rle& mask : phrase.truth) {
                t = t || decode(mask)(y, x) != 0;
            }
            for (const rle& mask : phrase.prediction) {
                p = p || decode(mask)(y, x) != 0;
            }
            common += t && p ? 1 : 0;
            united += t || p ? 1 : 0;
        }
    }
    return common / united;
}

status add(narrative_accumulator& to, const narrative& one) { return to.update(one.name, one.phrases); }

TEST_CASE("random narratives against pixels and the published loop, in each split and for each policy") {
    std::mt19937 random(22);
    for (int round = 0; round < 9; ++round) {
        const narrative_options options{.empty_pair = static_cast<both_empty>(round % 3), .step = 1e-3};
        std::vector<narrative> narratives = random_narratives(random, 6);
        for (narrative& one : narratives) { // small ones: the oracle decodes at every pixel
            one.phrases.resize(
                one.phrases.empty() || one.phrases[0].truth[0].counts.size() > 400 ? 0 : one.phrases.size());
        }
        narrative_accumulator metric(options);
        std::vector<std::vector<double>> want(5); // all, things, stuff, singulars, plurals
        for (const narrative& one : narratives) {
            REQUIRE(add(metric, one));
            for (const narrative_phrase& phrase : one.phrases) {
                double iou = dense_iou(phrase);
                if (std::isnan(iou) && options.empty_pair == both_empty::leave_out) {
                    continue;
                }
                iou = std::isnan(iou) && options.empty_pair == both_empty::one ? 1 : iou;
                want[0].push_back(iou);
                want[phrase.thing ? 1 : 2].push_back(iou);
                want[phrase.plural ? 4 : 3].push_back(iou);
            }
        }
        const narrative_result got = metric.compute();
        const narrative_split* splits[] = {&got.all, &got.things, &got.stuff, &got.singulars, &got.plurals};
        for (std::size_t s = 0; s < 5; ++s) {
            CAPTURE(s);
            const auto n = static_cast<double>(want[s].size());
            CHECK(splits[s]->average_recall.denominator == n);
            CHECK(splits[s]->sampled_recall.denominator == n);
            CHECK(splits[s]->ious.size() == want[s].size());
            if (n == 0) {
                CHECK(splits[s]->average_recall.value() == 0.0);
                continue;
            }
            double mean = 0;
            double above = 0;
            double at_least = 0;
            for (const double iou : want[s]) {
                mean += std::isnan(iou) ? 0 : iou / n;
                above += iou > 0.5 ? 1 : 0;
                at_least += iou >= 0.5 ? 1 : 0;
            }
            CHECK(splits[s]->average_recall.value() == doctest::Approx(mean).epsilon(1e-12));
            CHECK(splits[s]->sampled_recall.value() ==
                  doctest::Approx(published(want[s], 1e-3)).epsilon(1e-11));
            CHECK(splits[s]->recall_above(0.5) == ratio{above, n});
            CHECK(splits[s]->recall_at(0.5) == ratio{at_least, n});
        }
    }
}

TEST_CASE("by hand: a plural truth is a union, nothing predicted is nothing") {
    const rle left{1, 4, {0, 2, 2}};
    const rle third{1, 4, {2, 1, 1}};
    const rle last{1, 4, {3, 1}};
    narrative_accumulator metric;
    const std::vector<narrative_phrase> phrases{
        {.truth = {left, third}, .prediction = {left}, .thing = true, .plural = true}, // 2 / 3
        {.truth = {left}, .prediction = {left}, .thing = false},                       // 1
        {.truth = {last}, .prediction = {}},                                           // 0
        {.truth = {left}, .prediction = {third, left}}};                               // 2 / 3
    REQUIRE(metric.update("n", phrases));
    const narrative_result got = metric.compute();
    CHECK(got.all.average_recall.value() == doctest::Approx((2.0 / 3 + 1 + 0 + 2.0 / 3) / 4).epsilon(1e-15));
    CHECK(got.all.ious == std::vector<double>{0, 2.0 / 3, 2.0 / 3, 1});
    CHECK(got.things.average_recall.denominator == 3);
    CHECK(got.stuff.average_recall == ratio{1, 1});
    CHECK(got.plurals.average_recall == ratio{2.0 / 3, 1});
    CHECK(got.singulars.average_recall.denominator == 3);
    CHECK(got.all.recall_at(1.0) == ratio{1, 4});
    CHECK(got.all.recall_at(0.0) == ratio{4, 4});
    CHECK(got.all.recall_above(2.0 / 3) == ratio{1, 4});
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(23);
    check_any_split(narrative_accumulator(), random_narratives(random, 30), random, add,
                    [](const narrative_accumulator& of) {
                        const narrative_result r = of.compute();
                        std::vector<double> out;
                        for (const auto* split : {&r.all, &r.things, &r.stuff, &r.singulars, &r.plurals}) {
                            out.push_back(split->average_recall.numerator);
                            out.push_back(split->average_recall.denominator);
                            out.push_back(split->sampled_recall.numerator);
                            out.insert(out.end(), split->ious.begin(), split->ious.end());
                        }
                        return out;
                    });
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    const rle good{1, 4, {4}};
    const rle liar{1, 4, {5}};
    const rle turned{2, 2, {4}};
    narrative_accumulator metric;
    const auto refused = [&](const narrative_phrase& second) {
        const std::vector<narrative_phrase> phrases{{.truth = {good}, .prediction = {}}, second};
        const status outcome = metric.update("n", phrases);
        REQUIRE(!outcome);
        return outcome.error().message();
    };
    CHECK(refused({}) == "n: phrase 1: truth: there is no mask");
    CHECK(refused({.truth = {good, liar}, .prediction = {}}).find("n: phrase 1: truth 1: counts: ") == 0);
    CHECK(refused({.truth = {good}, .prediction = {liar}}).find("n: phrase 1: prediction 0: counts: ") == 0);
    CHECK(refused({.truth = {good, turned}, .prediction = {}}) ==
          "n: phrase 1: truth 1: a mask of 2 x 2 beside one of 1 x 4");
    CHECK(refused({.truth = {good}, .prediction = {turned}}) ==
          "n: phrase 1: prediction 0: a mask of 2 x 2 beside one of 1 x 4");
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("n", {}));
    CHECK(metric.update("n", {}).error().message() == "n: this image was added before");
    CHECK_EXPECTS(narrative_accumulator({.step = 0}), "the step lies between 0 and 1");
    CHECK_EXPECTS(narrative_accumulator({.step = 1}), "the step lies between 0 and 1");
}

} // namespace
