#include "ostend/metrics/calibration.hpp"

#include "metrics/any_split.hpp"
#include "support/expects.hpp"

#include <limits>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct image {
    std::string name;
    std::vector<scored_hit> predictions;
};

/// Confidences of a few levels, so that many are tied, or of all values.
std::vector<image> random_images(std::mt19937& random, int count, std::uint32_t levels) {
    std::uniform_real_distribution<double> unit(0, 1);
    std::vector<image> out;
    for (int i = 0; i < count; ++i) {
        image one{"image " + std::to_string(i), {}};
        for (std::uint32_t k = random() % 6; k-- > 0;) {
            const double confidence =
                levels == 0 ? unit(random) : static_cast<double>(random() % (levels + 1)) / levels;
            one.predictions.push_back({confidence, unit(random) < 0.2 + 0.6 * confidence});
        }
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<scored_hit> all_of(std::vector<image> images) {
    std::sort(images.begin(), images.end(), [](const image& a, const image& b) { return a.name < b.name; });
    std::vector<scored_hit> out;
    for (const image& one : images) {
        out.insert(out.end(), one.predictions.begin(), one.predictions.end());
    }
    return out;
}

status add(calibration_accumulator& to, const image& one) { return to.update(one.name, one.predictions); }

calibration_result computed(const std::vector<image>& images, calibration_options options = {}) {
    calibration_accumulator metric(options);
    for (const image& one : images) {
        REQUIRE(add(metric, one));
    }
    return metric.compute();
}

TEST_CASE("AUROC against every pair") {
    std::mt19937 random(51);
    for (const std::uint32_t levels : {0U, 1U, 2U, 5U, 50U}) {
        for (int round = 0; round < 20; ++round) {
            const auto images = random_images(random, static_cast<int>(random() % 30), levels);
            const auto predictions = all_of(images);
            ratio want;
            for (const scored_hit& hit : predictions) {
                for (const scored_hit& miss : predictions) {
                    if (hit.hit && !miss.hit) {
                        want.denominator += 1;
                        want.numerator += hit.confidence > miss.confidence    ? 1
                                          : hit.confidence == miss.confidence ? 0.5
                                                                              : 0;
                    }
                }
            }
            CHECK(computed(images).auroc == want);
        }
    }
}

TEST_CASE("calibration errors against their definitions") {
    std::mt19937 random(52);
    for (const std::uint32_t levels : {0U, 3U, 15U, 30U, 7U}) {
        for (const index n : {1, 3, 10, 15, 49}) {
            const auto images = random_images(random, 40, levels);
            auto predictions = all_of(images);
            const auto total = static_cast<double>(predictions.size());
            const auto got = computed(images, {.bins = n});
            const auto error_of = [&](const std::vector<scored_hit>& bin) {
                double hits = 0;
                double confidence = 0;
                for (const scored_hit& one : bin) {
                    hits += one.hit ? 1 : 0;
                    confidence += one.confidence;
                }
                const auto size = static_cast<double>(bin.size());
                return bin.empty() ? 0 : size / total * std::abs(hits / size - confidence / size);
            };
            double width = 0;
            REQUIRE(got.equal_width.size() == static_cast<std::size_t>(n));
            for (index b = 0; b < n; ++b) {
                std::vector<scored_hit> bin;
                for (const scored_hit& one : predictions) {
                    const double low = static_cast<double>(b) / static_cast<double>(n);
                    const double high = static_cast<double>(b + 1) / static_cast<double>(n);
                    if ((one.confidence > low && one.confidence <= high) || (b == 0 && one.confidence == 0)) {
                        bin.push_back(one);
                    }
                }
                CHECK(got.equal_width[static_cast<std::size_t>(b)].count ==
                      static_cast<std::int64_t>(bin.size()));
                width += error_of(bin);
            }
            CHECK(got.ece_equal_width.value() == doctest::Approx(width).epsilon(1e-12));
            CHECK(got.ece_equal_width.denominator == total);

            std::stable_sort(predictions.begin(), predictions.end(),
                             [](const auto& a, const auto& b) { return a.confidence < b.confidence; });
            double mass = 0;
            std::size_t next = 0;
            for (index b = 0; b < n; ++b) { // NumPy's array_split
                const std::size_t size =
                    predictions.size() / static_cast<std::size_t>(n) +
                    (static_cast<std::size_t>(b) < predictions.size() % static_cast<std::size_t>(n) ? 1 : 0);
                mass += error_of({predictions.begin() + static_cast<std::ptrdiff_t>(next),
                                  predictions.begin() + static_cast<std::ptrdiff_t>(next + size)});
                next += size;
            }
            REQUIRE(next == predictions.size());
            CHECK(got.ece_equal_mass.value() == doctest::Approx(mass).epsilon(1e-12));
        }
    }
}

TEST_CASE("risk and coverage of distinct confidences against the sorted list") {
    std::mt19937 random(53);
    for (int round = 0; round < 20; ++round) {
        const auto images = random_images(random, 1 + static_cast<int>(random() % 30), 0);
        auto predictions = all_of(images);
        std::sort(predictions.begin(), predictions.end(),
                  [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
        const calibration_result got = computed(images);
        REQUIRE(got.risk_coverage.size() == predictions.size());
        double misses = 0;
        double sum = 0;
        for (std::size_t k = 1; k <= predictions.size(); ++k) {
            misses += predictions[k - 1].hit ? 0 : 1;
            sum += misses / static_cast<double>(k);
            const risk_point& point = got.risk_coverage[k - 1];
            CHECK(point.risk == misses / static_cast<double>(k));
            CHECK(point.coverage == static_cast<double>(k) / static_cast<double>(predictions.size()));
            CHECK(point.threshold == predictions[k - 1].confidence);
        }
        CHECK(got.aurc.numerator == doctest::Approx(sum).epsilon(1e-12));
        std::stable_sort(predictions.begin(), predictions.end(),
                         [](const auto& a, const auto& b) { return a.hit && !b.hit; });
        double best = 0;
        misses = 0;
        for (std::size_t k = 1; k <= predictions.size(); ++k) {
            misses += predictions[k - 1].hit ? 0 : 1;
            best += misses / static_cast<double>(k);
        }
        CHECK(got.excess_aurc.numerator == doctest::Approx(sum - best).epsilon(1e-9));
        CHECK(got.excess_aurc.numerator >= -1e-12);
    }
}

TEST_CASE("tied confidences enter at the mean of all their orders") {
    // Every order of a few predictions of which some are tied; AURC is the mean over the orders.
    std::mt19937 random(54);
    for (int round = 0; round < 20; ++round) {
        std::vector<scored_hit> predictions;
        for (std::uint32_t k = 1 + random() % 6; k-- > 0;) {
            predictions.push_back({static_cast<double>(random() % 3) / 2, random() % 2 == 0});
        }
        std::vector<std::size_t> order(predictions.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            order[i] = i;
        }
        double sum = 0;
        double orders = 0;
        do {
            double misses = 0;
            double area = 0;
            bool descending = true;
            for (std::size_t k = 0; k < order.size(); ++k) {
                descending = descending && (k == 0 || predictions[order[k - 1]].confidence >=
                                                          predictions[order[k]].confidence);
                misses += predictions[order[k]].hit ? 0 : 1;
                area += misses / static_cast<double>(k + 1);
            }
            sum += descending ? area : 0;
            orders += descending ? 1 : 0;
        } while (std::next_permutation(order.begin(), order.end()));
        CHECK(computed({{"i", predictions}}).aurc.numerator == doctest::Approx(sum / orders).epsilon(1e-12));
    }
}

TEST_CASE("by hand") {
    const std::vector<image> images{{"i", {{0.9, true}, {0.8, false}, {0.8, true}, {0.3, false}}}};
    const calibration_result got = computed(images, {.bins = 2});
    CHECK(got.accuracy == ratio{2, 4});
    CHECK(got.auroc == ratio{3.5, 4}); // 0.9 beats both, 0.8 ties with one and beats the other
    // (0, 0.5] holds 0.3, a miss; (0.5, 1] the rest: 2 hits, confidences 2.5.
    CHECK(got.ece_equal_width.value() == doctest::Approx((0.3 + 0.5) / 4).epsilon(1e-15));
    CHECK(got.equal_mass[0].hits + got.equal_mass[1].hits == 2);
    REQUIRE(got.risk_coverage.size() == 3);
    CHECK(got.risk_coverage[1].risk == 1.0 / 3);
    CHECK(got.risk_coverage[1].coverage == 0.75);
    CHECK(got.aurc.value() == doctest::Approx((0 + 0.5 / 2 + 1.0 / 3 + 2.0 / 4) / 4).epsilon(1e-15));
    CHECK(got.excess_aurc.value() ==
          doctest::Approx((0.5 / 2 + 1.0 / 3 + 0.5 - 1.0 / 3 - 0.5) / 4).epsilon(1e-12));
    // A confidence on a bound is in the bin below it; 0 is in the first.
    const auto edges = computed({{"i", {{0, true}, {0.5, true}, {1, true}}}}, {.bins = 2});
    CHECK(edges.equal_width[0].count == 2);
    CHECK(edges.equal_width[1].count == 1);
}

TEST_CASE("nothing, only hits, only misses") {
    const calibration_result none = computed({});
    CHECK(none.auroc == ratio{});
    CHECK(none.aurc.value() == 0.0);
    CHECK(none.ece_equal_width.value() == 0.0);
    CHECK(none.risk_coverage.empty());
    const auto hits = computed({{"i", {{0.5, true}, {1, true}}}});
    CHECK(hits.auroc == ratio{0, 0});
    CHECK(hits.aurc.value() == 0.0);
    CHECK(hits.excess_aurc.numerator == 0.0);
    const auto misses = computed({{"i", {{0.5, false}, {1, false}}}});
    CHECK(misses.auroc == ratio{0, 0});
    CHECK(misses.aurc == ratio{2, 2});
    CHECK(misses.excess_aurc.numerator == 0.0);
}

TEST_CASE("a confidence that only ranks") {
    const std::vector<image> images{{"i", {{-3, false}, {7, true}, {1e300, true}}}};
    const auto got = computed(images, {.scale = confidence_scale::any});
    CHECK(got.auroc == ratio{2, 2});
    CHECK(got.equal_width.empty());
    CHECK(got.ece_equal_mass == ratio{});
    CHECK(got.risk_coverage.size() == 3);
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(55);
    for (const std::uint32_t levels : {0U, 4U}) {
        check_any_split(calibration_accumulator({.bins = 7}), random_images(random, 40, levels), random, add,
                        [](const calibration_accumulator& of) {
                            const calibration_result r = of.compute();
                            std::vector<double> out;
                            for (const ratio& one : {r.accuracy, r.auroc, r.ece_equal_width, r.ece_equal_mass,
                                                     r.aurc, r.excess_aurc}) {
                                out.push_back(one.numerator);
                                out.push_back(one.denominator);
                            }
                            for (const risk_point& one : r.risk_coverage) {
                                out.push_back(one.risk);
                            }
                            for (const calibration_bin& one : r.equal_mass) {
                                out.push_back(one.confidence);
                            }
                            return out;
                        });
    }
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    calibration_accumulator metric;
    for (const double bad :
         {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        const std::vector<scored_hit> predictions{{0.5, true}, {bad, true}};
        const status refused = metric.update("i", predictions);
        REQUIRE(!refused);
        CHECK(refused.error().field == "i: predictions");
        CHECK(refused.error().at == 1U);
        CHECK(
            calibration_accumulator({.scale = confidence_scale::any}).update("i", predictions).has_value() ==
            std::isfinite(bad));
    }
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("i", {}));
    CHECK(metric.update("i", {}).error().message() == "i: this image was added before");
    CHECK_EXPECTS(calibration_accumulator({.bins = 0}), "0 bins");
    const std::vector<scored_hit> outside{{2, true}};
    CHECK_EXPECTS((void)equal_width_bins(outside, 3), "a confidence of 2");
    CHECK_EXPECTS((void)equal_mass_bins(outside, 0), "0 bins");
}

} // namespace
