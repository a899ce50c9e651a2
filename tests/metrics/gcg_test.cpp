#include "ostend/mask/encode.hpp"
#include "ostend/metrics/gcg.hpp"

#include "mask/golden_cases.hpp"
#include "mask/random_masks.hpp"
#include "support/expects.hpp"

#include <cstring>
#include <limits>
#include <set>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

bool same_bits(const ratio& a, const ratio& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST_CASE("golden: gcg") {
    for (const auto& one : golden_cases("gcg")) {
        CAPTURE(one["name"].get<std::string>());
        const auto& want = one["expected_values"];
        const auto gt = read_rles(one["params"]["gt"]);
        const auto dt = read_rles(one["params"]["dt"]);
        const auto& sims = one["params"]["text_sim_gt_dt"];
        const gcg_options options{.iou_threshold = one["params"]["iou_thresh"].get<double>(),
                                  .text_threshold = one["params"]["sim_thresh"].get<double>()};
        const auto ious = gcg_iou(dt, gt);
        for (std::size_t d = 0; d < dt.size(); ++d) {
            for (std::size_t g = 0; g < gt.size(); ++g) {
                const double ours = ious(static_cast<index>(d), static_cast<index>(g));
                const auto& theirs = want["iou_dt_gt"][d][g];
                CHECK((theirs.is_null() ? std::isnan(ours) : ours == theirs.get<double>()));
            }
        }
        gcg_accumulator metric(options);
        REQUIRE(metric.update("image", gt, dt, [&](index g, index d) {
            return sims[static_cast<std::size_t>(g)][static_cast<std::size_t>(d)].get<double>();
        }));
        const gcg_result got = metric.compute();
        const double miou = want["miou"].get<double>();
        CHECK(std::abs(got.miou.value() - miou) <= 1e-12 * miou);
        CHECK(got.recall == ratio{want["tp"].get<double>(), want["n_gt"].get<double>()});
        const auto& matches = metric.records().begin()->second.matches;
        const auto& pairs = want["recall_matches_gt_dt"];
        REQUIRE(matches.size() == pairs.size());
        for (std::size_t i = 0; i < matches.size(); ++i) {
            CHECK(matches[i].truth == pairs[i][0].get<index>());
            CHECK(matches[i].prediction == pairs[i][1].get<index>());
        }
    }
}

matrix<double> table(index rows, index columns, std::initializer_list<double> values) {
    matrix<double> out(rows, columns);
    std::copy(values.begin(), values.end(), out.values().begin());
    return out;
}

TEST_CASE("a text that fails stops the published recall and is passed over by the clean one") {
    const auto iou = table(2, 2, {0.9, 0.0, 0.0, 0.8});
    const auto text = table(2, 2, {0.1, 0.9, 0.9, 0.9});
    CHECK(gcg_matches(iou, text).empty());
    const auto clean = gcg_matches(iou, text, gcg_options::clean());
    REQUIRE(clean.size() == 1);
    CHECK(clean[0].truth == 1);
    CHECK(clean[0].prediction == 1);
    CHECK(clean[0].iou == 0.8);
    // The clean one may also give a mask its second best partner.
    const auto second = gcg_matches(table(1, 2, {0.9, 0.6}), table(1, 2, {0.1, 0.7}), gcg_options::clean());
    REQUIRE(second.size() == 1);
    CHECK(second[0].prediction == 1);
}

TEST_CASE("the first NaN is taken before any number, and ends mIoU") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto taken = gcg_matches(table(2, 2, {1.0, 0.0, 0.0, nan}), table(2, 2, {1, 1, 1, 1}));
    REQUIRE(taken.size() == 2);
    CHECK(taken[0].truth == 1);
    CHECK(std::isnan(taken[0].iou));
    CHECK(taken[1].truth == 0);
    CHECK(gcg_paired_iou(table(2, 2, {1.0, 0.0, 0.0, nan})) == ratio{0, 0});
    CHECK(gcg_paired_iou(table(2, 2, {1.0, 0.5, 0.5, 0.25})) == ratio{1.25, 2});
    CHECK(gcg_paired_iou(table(2, 2, {1.0, 0.5, 0.5, 0.0})) == ratio{1.0, 1});
    CHECK(gcg_paired_iou(matrix<double>(3, 0)) == ratio{0, 0});
}

TEST_CASE("two empty masks") {
    const std::vector<rle> empty{rle{2, 2, {4}}};
    CHECK(std::isnan(gcg_iou(empty, empty)(0, 0)));
    CHECK(gcg_iou(empty, empty, gcg_empty_pair::zero)(0, 0) == 0.0);
    CHECK(gcg_iou(empty, empty, gcg_empty_pair::one)(0, 0) == 1.0);
    const std::vector<rle> full{rle{2, 2, {0, 4}}};
    CHECK(gcg_iou(empty, full)(0, 0) == 0.0);
    const auto recall = [&](const gcg_options& options) {
        gcg_accumulator metric(options);
        REQUIRE(metric.update("i", empty, empty, table(1, 1, {1})));
        return metric.compute().recall.numerator;
    };
    CHECK(recall({}) == 1);
    CHECK(recall(gcg_options::clean()) == 0);
}

/// Ten random images and how they come out however they are split.
TEST_CASE("any split of the images gives the same bits") {
    std::mt19937 random(61);
    struct image {
        std::string name;
        std::vector<rle> gt;
        std::vector<rle> dt;
        matrix<double> text;
    };
    std::vector<image> images;
    for (int i = 0; i < 10; ++i) {
        image one;
        one.name = "image " + std::to_string(i);
        const index h = 2 + random() % 20;
        const index w = 2 + random() % 20;
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            one.gt.push_back(encode(random_mask(random, h, w)));
        }
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            one.dt.push_back(!one.gt.empty() && random() % 2 == 0 ? one.gt[random() % one.gt.size()]
                                                                  : encode(random_mask(random, h, w)));
        }
        one.text = matrix<double>(static_cast<index>(one.gt.size()), static_cast<index>(one.dt.size()));
        for (double& v : one.text.values()) {
            v = static_cast<double>(random() % 100) / 100;
        }
        images.push_back(std::move(one));
    }
    gcg_accumulator whole;
    for (const image& one : images) {
        REQUIRE(whole.update(one.name, one.gt, one.dt, one.text));
    }
    const gcg_result want = whole.compute();
    CHECK(want.recall.denominator > 0);
    CHECK(want.recall.numerator > 0);
    CHECK(want.miou.denominator == 10);
    for (int round = 0; round < 20; ++round) {
        std::vector<gcg_accumulator> parts(3);
        std::shuffle(images.begin(), images.end(), random);
        for (const image& one : images) {
            REQUIRE(parts[random() % 3].update(one.name, one.gt, one.dt, one.text));
        }
        REQUIRE(parts[2].merge(parts[0]));
        REQUIRE(parts[2].merge(parts[1]));
        const gcg_result got = parts[2].compute();
        REQUIRE(same_bits(got.recall, want.recall));
        REQUIRE(same_bits(got.miou, want.miou));
        if (parts[0].records().size() > 0) {
            REQUIRE(!parts[2].merge(parts[0]));
        }
    }
}

/// The published loops over dense masks: rows and columns are deleted for mIoU and set to 0 for recall.
struct plain_gcg {
    std::vector<std::vector<double>> iou; // [truths][predictions]

    static std::pair<std::size_t, std::size_t> argmax(const std::vector<std::vector<double>>& values) {
        std::pair<std::size_t, std::size_t> best{0, 0};
        for (std::size_t i = 0; i < values.size(); ++i) {
            for (std::size_t j = 0; j < values[i].size(); ++j) {
                const double at_best = values[best.first][best.second];
                if (!std::isnan(at_best) && (std::isnan(values[i][j]) || values[i][j] > at_best)) {
                    best = {i, j};
                }
            }
        }
        return best;
    }

    [[nodiscard]] double miou() const {
        std::vector<std::vector<double>> left(iou.empty() ? 0 : iou[0].size()); // [predictions][truths]
        for (const auto& row : iou) {
            for (std::size_t p = 0; p < row.size(); ++p) {
                left[p].push_back(row[p]);
            }
        }
        double sum = 0;
        double pairs = 0;
        while (!left.empty() && !left[0].empty()) {
            const auto [p, t] = argmax(left);
            if (!(left[p][t] > 0)) {
                break;
            }
            sum += left[p][t];
            pairs += 1;
            left.erase(left.begin() + static_cast<std::ptrdiff_t>(p));
            for (auto& row : left) {
                row.erase(row.begin() + static_cast<std::ptrdiff_t>(t));
            }
        }
        return pairs == 0 ? 0 : sum / pairs;
    }

    [[nodiscard]] double recalled(const matrix<double>& text) const {
        std::vector<std::vector<double>> left = iou;
        double found = 0;
        while (!left.empty() && !left[0].empty()) {
            const auto [t, p] = argmax(left);
            if (left[t][p] < 0.5 || text(static_cast<index>(t), static_cast<index>(p)) < 0.5) {
                break;
            }
            found += 1;
            left[t].assign(left[t].size(), 0);
            for (auto& row : left) {
                row[p] = 0;
            }
        }
        return found;
    }
};

TEST_CASE("random images against the published loops over dense masks") {
    std::mt19937 random(62);
    double all_found = 0;
    int with_nan = 0;
    for (int round = 0; round < 300; ++round) {
        const index h = 1 + random() % 12;
        const index w = 1 + random() % 12;
        std::vector<bitmap> gt;
        std::vector<bitmap> dt;
        for (std::uint32_t k = random() % 6; k-- > 0;) {
            gt.push_back(random_mask(random, h, w));
        }
        for (std::uint32_t k = random() % 6; k-- > 0;) {
            dt.push_back(!gt.empty() && random() % 3 != 0 ? gt[random() % gt.size()]
                                                          : random_mask(random, h, w));
        }
        plain_gcg oracle;
        std::vector<rle> truths;
        std::vector<rle> predictions;
        for (const bitmap& mask : dt) {
            predictions.push_back(encode(mask));
        }
        for (const bitmap& mask : gt) {
            truths.push_back(encode(mask));
            oracle.iou.emplace_back();
            for (const bitmap& other : dt) {
                double common = 0;
                double united = 0;
                for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
                    common += mask.pixels[i] != 0 && other.pixels[i] != 0 ? 1 : 0;
                    united += mask.pixels[i] != 0 || other.pixels[i] != 0 ? 1 : 0;
                }
                oracle.iou.back().push_back(common / united);
                with_nan += united == 0 ? 1 : 0;
            }
        }
        matrix<double> text(static_cast<index>(gt.size()), static_cast<index>(dt.size()));
        for (double& v : text.values()) {
            v = random() % 5 == 0 ? 0.499 : 0.5;
        }
        gcg_accumulator metric;
        REQUIRE(metric.update("i", truths, predictions, text));
        const gcg_result got = metric.compute();
        const double found = oracle.recalled(text);
        CHECK(got.recall == ratio{found, static_cast<double>(gt.size())});
        CHECK(got.miou.value() == oracle.miou());
        all_found += found;
    }
    CHECK(all_found > 100);
    CHECK(with_nan > 20);
}

TEST_CASE("images without truths, without predictions, and that failed") {
    const std::vector<rle> one{rle{2, 2, {0, 4}}};
    gcg_accumulator metric;
    CHECK(metric.update("no predictions", one, {}, matrix<double>(1, 0)));
    CHECK(metric.update("no truths", {}, one, matrix<double>()));
    CHECK(metric.update("neither", {}, {}, matrix<double>()));
    CHECK(metric.add_failed("failed", 3));
    const gcg_result got = metric.compute();
    CHECK(got.recall == ratio{0, 4});
    CHECK(got.miou == ratio{0, 4});
    CHECK(gcg_accumulator().compute().recall.value() == 0.0);
}

TEST_CASE("labels as text test") {
    const std::vector<std::string> gt{"cat", "dog"};
    const std::vector<std::string> dt{"dog", "bird", "cat"};
    CHECK(label_equality(gt, dt) == table(2, 3, {0, 0, 1, 1, 0, 0}));
}

TEST_CASE("bad input is an error that names it, and adds nothing") {
    const std::vector<rle> good{rle{2, 2, {0, 4}}};
    const std::vector<rle> liar{rle{2, 2, {0, 5}}};
    const std::vector<rle> turned{rle{1, 4, {0, 4}}};
    gcg_accumulator metric;
    const auto one = table(1, 1, {1});
    CHECK(metric.update("a", good, liar, one).error().field == "a: prediction 0: counts");
    CHECK(metric.update("a", liar, good, one).error().field == "a: truth 0: counts");
    CHECK(metric.update("a", good, turned, one).error().message() ==
          "a: prediction 0: a mask of 1 x 4 beside one of 2 x 2");
    CHECK(metric.update("a", good, good, matrix<double>(1, 2)).error().field == "a: text similarity");
    matrix<double> variable(1, 2); // callable with two indices too, but its shape must be looked at
    CHECK(metric.update("a", good, good, variable).error().field == "a: text similarity");
    const auto nan = table(1, 1, {std::numeric_limits<double>::quiet_NaN()});
    CHECK(metric.update("a", good, good, nan).error().at == 0U);
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("a", good, good, one));
    CHECK(metric.update("a", good, good, one).error().what == "this image was added before");
    CHECK_EXPECTS((void)gcg_matches(matrix<double>(1, 2), one), "IoU is 1 x 2");
    CHECK_EXPECTS((void)metric.add_failed("b", -1), "negative number");
}

} // namespace
