#include "ostend/metrics/panoptic.hpp"

#include "mask/random_masks.hpp"
#include "metrics/any_split.hpp"

#include <set>

namespace {

using namespace ostend;
using namespace ostend_test;
using ostend::index; // strings.h has another one

struct side {
    std::vector<std::uint32_t> map; ///< row-major
    std::vector<panoptic_info> listed;
};
struct image {
    std::string name;
    index height = 0;
    index width = 0;
    side truth;
    side prediction;
};

const std::map<std::int64_t, bool> categories{{1, true}, {2, true}, {3, false}, {7, false}, {9, true}};

/// Rectangles over each other on void; identifiers are large and in no order.
side random_side_of(std::mt19937& random, index height, index width, bool crowds) {
    side out;
    out.map.assign(static_cast<std::size_t>(height * width), 0);
    std::vector<panoptic_info> drawn;
    for (std::uint32_t k = random() % 7; k-- > 0;) {
        const std::int64_t known[] = {1, 2, 3, 7};
        const panoptic_info info{static_cast<std::uint32_t>(1 + (random() % 97) * 65537 + k),
                                 known[random() % 4], crowds && random() % 3 == 0};
        drawn.push_back(info);
        const index y0 = static_cast<index>(random() % static_cast<std::uint32_t>(height));
        const index x0 = static_cast<index>(random() % static_cast<std::uint32_t>(width));
        for (index y = y0; y < std::min(height, y0 + 1 + static_cast<index>(random() % 12)); ++y) {
            for (index x = x0; x < std::min(width, x0 + 1 + static_cast<index>(random() % 12)); ++x) {
                out.map[static_cast<std::size_t>(y * width + x)] = info.id;
            }
        }
    }
    std::set<std::uint32_t> listed;
    for (const panoptic_info& info : drawn) { // what is wholly covered has no line
        if (std::count(out.map.begin(), out.map.end(), info.id) != 0 && listed.insert(info.id).second) {
            out.listed.push_back(info);
        }
    }
    return out;
}

image random_image(std::mt19937& random, int number) {
    image out{"image " + std::to_string(number),
              3 + static_cast<index>(random() % 20),
              3 + static_cast<index>(random() % 20),
              {},
              {}};
    out.truth = random_side_of(random, out.height, out.width, true);
    if (random() % 3 != 0) { // near the truth: some categories and pixels are others
        out.prediction = out.truth;
        for (panoptic_info& info : out.prediction.listed) {
            info.crowd = false;
            info.category = random() % 6 == 0 ? 9 : info.category;
        }
        for (std::uint32_t k = random() % 60; k-- > 0 && !out.prediction.listed.empty();) {
            auto& pixel = out.prediction.map[random() % out.prediction.map.size()];
            pixel = random() % 2 == 0 ? 0 : out.prediction.listed[random() % out.prediction.listed.size()].id;
        }
        std::erase_if(out.prediction.listed, [&](const panoptic_info& info) {
            return std::count(out.prediction.map.begin(), out.prediction.map.end(), info.id) == 0;
        });
    } else {
        out.prediction = random_side_of(random, out.height, out.width, false);
    }
    return out;
}

std::vector<panoptic_segment> segments(const image& of, const side& from) {
    return panoptic_segments({from.map.data(), {of.height, of.width}}, from.listed).value();
}

status add(panoptic_accumulator& to, const image& one) {
    return to.update(one.name, segments(one, one.truth), segments(one, one.prediction));
}

/// panopticapi's steps over pixels and dictionaries of identifiers.
std::map<std::int64_t, panoptic_counts> plain(const std::vector<image>& images, panoptic_crowds rule) {
    std::map<std::int64_t, panoptic_counts> out;
    for (const image& one : images) {
        std::map<std::pair<std::uint32_t, std::uint32_t>, double> shared;
        std::map<std::uint32_t, double> area_t;
        std::map<std::uint32_t, double> area_p;
        for (std::size_t i = 0; i < one.truth.map.size(); ++i) {
            shared[{one.truth.map[i], one.prediction.map[i]}] += 1;
            area_t[one.truth.map[i]] += 1;
            area_p[one.prediction.map[i]] += 1;
        }
        std::set<std::uint32_t> matched_t;
        std::set<std::uint32_t> matched_p;
        for (const auto& t : one.truth.listed) {
            for (const auto& p : one.prediction.listed) {
                if (t.crowd || t.category != p.category) {
                    continue;
                }
                const double i = shared[{t.id, p.id}];
                const double iou = i / (area_t[t.id] + area_p[p.id] - i - shared[{0, p.id}]);
                if (iou > 0.5) {
                    out[t.category].iou += iou;
                    ++out[t.category].matched;
                    REQUIRE(matched_t.insert(t.id).second);
                    REQUIRE(matched_p.insert(p.id).second);
                }
            }
        }
        std::map<std::int64_t, std::set<std::uint32_t>> crowds;
        for (const auto& t : one.truth.listed) {
            if (t.crowd) {
                if (rule == panoptic_crowds::last) {
                    crowds[t.category].clear();
                }
                crowds[t.category].insert(t.id);
            } else if (matched_t.count(t.id) == 0) {
                ++out[t.category].missed;
            }
        }
        for (const auto& p : one.prediction.listed) {
            double ignored = shared[{0, p.id}];
            for (const std::uint32_t crowd : crowds[p.category]) {
                ignored += shared[{crowd, p.id}];
            }
            if (matched_p.count(p.id) == 0 && !(ignored / area_p[p.id] > 0.5)) {
                ++out[p.category].false_predictions;
            }
        }
    }
    return out;
}

TEST_CASE("random images against an implementation by pixel, both crowd rules") {
    std::mt19937 random(31);
    std::int64_t matched = 0;
    bool rules_differ = false;
    for (int round = 0; round < 60; ++round) {
        std::vector<image> images;
        for (int i = 0; i < 8; ++i) {
            images.push_back(random_image(random, i));
        }
        std::map<std::int64_t, panoptic_counts> last;
        for (const panoptic_crowds rule : {panoptic_crowds::last, panoptic_crowds::all}) {
            panoptic_accumulator metric({.is_thing = categories, .crowds = rule});
            for (const image& one : images) {
                REQUIRE(add(metric, one));
            }
            const panoptic_result got = metric.compute();
            auto want = plain(images, rule);
            double pq[3] = {0, 0, 0};
            double n[3] = {0, 0, 0};
            REQUIRE(got.by_category.size() == categories.size());
            for (const auto& [category, counts] : got.by_category) {
                CHECK(counts.matched == want[category].matched);
                CHECK(counts.missed == want[category].missed);
                CHECK(counts.false_predictions == want[category].false_predictions);
                CHECK(counts.iou == doctest::Approx(want[category].iou).epsilon(1e-12));
                matched += counts.matched;
                const auto tp = static_cast<double>(want[category].matched);
                const double all = tp + 0.5 * static_cast<double>(want[category].missed) +
                                   0.5 * static_cast<double>(want[category].false_predictions);
                if (all > 0) {
                    for (const int k : {0, categories.at(category) ? 1 : 2}) {
                        pq[k] += want[category].iou / all;
                        n[k] += 1;
                    }
                    CHECK(counts.pq().value() == doctest::Approx(counts.sq().value() * counts.rq().value()));
                }
            }
            const panoptic_average* averages[] = {&got.all, &got.things, &got.stuff};
            for (int k = 0; k < 3; ++k) {
                CHECK(averages[k]->pq.numerator == doctest::Approx(pq[k]).epsilon(1e-12));
                CHECK(averages[k]->pq.denominator == n[k]);
                CHECK(averages[k]->rq.denominator == n[k]);
            }
            for (const auto& [category, counts] : want) {
                rules_differ = rules_differ || (rule == panoptic_crowds::all &&
                                                counts.false_predictions != last[category].false_predictions);
            }
            last = want;
        }
    }
    CHECK(matched > 200);
    CHECK(rules_differ);
}

// Ten pixels in a row, as identifiers.
side row(std::vector<std::uint32_t> map, std::vector<panoptic_info> listed) {
    return {std::move(map), std::move(listed)};
}
panoptic_result of_row(const side& truth, const side& prediction) {
    panoptic_accumulator metric({.is_thing = categories});
    const image one{"i", 1, static_cast<index>(truth.map.size()), truth, prediction};
    REQUIRE(add(metric, one));
    return metric.compute();
}

TEST_CASE("by hand") {
    // Truth: 4 pixels of category 1, 3 of category 3, 3 void. Prediction: 3 of the 4, and the rest of its
    // 5 pixels in void; the stuff is found as a thing.
    const side truth = row({5, 5, 5, 5, 6, 6, 6, 0, 0, 0}, {{5, 1}, {6, 3}});
    const side prediction = row({8, 8, 8, 0, 9, 9, 9, 0, 8, 8}, {{8, 1}, {9, 2}});
    const panoptic_result got = of_row(truth, prediction);
    CHECK(got.by_category.at(1).iou == 3.0 / 4); // void leaves the union: 5 + 4 - 3 - 2
    CHECK(got.by_category.at(1).matched == 1);
    CHECK(got.by_category.at(2).false_predictions == 1);
    CHECK(got.by_category.at(3).missed == 1);
    CHECK(got.all.pq == ratio{0.75, 3});
    CHECK(got.things.pq == ratio{0.75, 2});
    CHECK(got.things.rq == ratio{1, 2});
    CHECK(got.things.sq == ratio{0.75, 2});
    CHECK(got.stuff.pq == ratio{0, 1});
    CHECK(!got.by_category.at(9).seen());

    // An IoU of one half is no match: a miss and a false prediction.
    const panoptic_result half = of_row(row({5, 5, 7, 7}, {{5, 1}, {7, 2}}), row({8, 0, 0, 0}, {{8, 1}}));
    CHECK(half.by_category.at(1).missed == 1);
    CHECK(half.by_category.at(1).false_predictions == 1);
    CHECK(half.by_category.at(1).pq() == ratio{0, 1});

    // Half of a prediction in void counts as false; more than half does not.
    CHECK(of_row(row({5, 0, 5, 5}, {{5, 1}}), row({8, 8, 0, 0}, {{8, 2}})).by_category.at(2).seen());
    CHECK(!of_row(row({5, 0, 0, 5}, {{5, 1}}), row({8, 8, 8, 0}, {{8, 2}})).by_category.at(2).seen());
    // So does a crowd of the category; a crowd of another does not. Crowds are never missed.
    CHECK(!of_row(row({5, 5, 5, 5}, {{5, 2, true}}), row({8, 8, 0, 0}, {{8, 2}})).by_category.at(2).seen());
    const panoptic_result other = of_row(row({5, 5, 5, 5}, {{5, 1, true}}), row({8, 8, 0, 0}, {{8, 2}}));
    CHECK(other.by_category.at(2).false_predictions == 1);
    CHECK(!other.by_category.at(1).seen());
}

TEST_CASE("of two crowds of a category the published rule knows the last") {
    const side truth = row({5, 5, 5, 6}, {{5, 2, true}, {6, 2, true}});
    const side prediction = row({8, 8, 8, 8}, {{8, 2}});
    CHECK(of_row(truth, prediction).by_category.at(2).false_predictions == 1);
    panoptic_accumulator metric({.is_thing = categories, .crowds = panoptic_crowds::all});
    REQUIRE(add(metric, {"i", 1, 4, truth, prediction}));
    CHECK(metric.compute().by_category.at(2).false_predictions == 0);
}

TEST_CASE("any split gives the same bits") {
    std::mt19937 random(32);
    std::vector<image> images;
    for (int i = 0; i < 40; ++i) {
        images.push_back(random_image(random, i));
    }
    check_any_split(
        panoptic_accumulator({.is_thing = categories}), images, random, add,
        [](const panoptic_accumulator& of) {
            std::vector<double> out;
            const panoptic_result r = of.compute();
            for (const panoptic_average* a : {&r.all, &r.things, &r.stuff}) {
                out.insert(out.end(), {a->pq.numerator, a->pq.denominator, a->sq.numerator, a->rq.numerator});
            }
            for (const auto& [category, counts] : r.by_category) {
                out.push_back(counts.iou);
                out.push_back(static_cast<double>(counts.missed));
            }
            return out;
        });
}

TEST_CASE("segments of a map with any strides") {
    std::mt19937 random(33);
    const image one = random_image(random, 0);
    std::vector<std::uint32_t> columns(one.truth.map.size());
    for (index y = 0; y < one.height; ++y) {
        for (index x = 0; x < one.width; ++x) {
            columns[static_cast<std::size_t>(x * one.height + y)] =
                one.truth.map[static_cast<std::size_t>(y * one.width + x)];
        }
    }
    const tensor_view<const std::uint32_t, 2> down(columns.data(), {one.height, one.width}, {1, one.height});
    const auto a = panoptic_segments(down, one.truth.listed).value();
    const auto b = segments(one, one.truth);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].mask == b[i].mask);
        CHECK(check(a[i].mask));
    }
    CHECK(panoptic_segments({nullptr, {0, 5}}, {})->empty());
    const std::vector<std::uint32_t> map{4, 4, 9};
    const std::vector<panoptic_info> listed{{4, 1}};
    const auto with_void = panoptic_segments({map.data(), {1, 3}}, listed, 9).value();
    REQUIRE(with_void.size() == 1);
    CHECK(with_void[0].mask.counts == std::vector<std::uint32_t>{0, 2, 1});
}

TEST_CASE("bad maps and bad segments are errors that name them") {
    const std::vector<std::uint32_t> map{4, 4, 0, 9};
    const auto refused = [&](const std::vector<panoptic_info>& listed) {
        return panoptic_segments({map.data(), {2, 2}}, listed).error().message();
    };
    CHECK(refused({{4, 1}}) == "segments: the identifier 9 is in the map and not listed");
    CHECK(refused({{9, 1}}) == "segments: the identifier 4 is in the map and not listed");
    CHECK(refused({{4, 1}, {9, 1}, {2, 1}}) ==
          "segments: the identifier 2 is listed and not in the map (at 2)");
    CHECK(refused({{4, 1}, {9, 1}, {4, 2}}) == "segments: the identifier 4 is listed before (at 2)");
    CHECK(refused({{0, 1}}) == "segments: the identifier 0 stands for void (at 0)");

    panoptic_accumulator metric({.is_thing = categories});
    const panoptic_segment left{1, rle{1, 4, {0, 2, 2}}};
    const panoptic_segment middle{2, rle{1, 4, {1, 2, 1}}};
    const panoptic_segment empty{1, rle{1, 4, {4}}};
    const panoptic_segment liar{1, rle{1, 4, {9}}};
    const panoptic_segment turned{1, rle{2, 2, {0, 4}}};
    const panoptic_segment unknown{4, left.mask};
    using list = std::vector<panoptic_segment>;
    const auto error_of = [&](const list& truths, const list& predictions) {
        return metric.update("i", truths, predictions).error().message();
    };
    CHECK(error_of({left, middle}, {}) == "i: truth 1: shares a pixel with truth 0");
    CHECK(error_of({}, {middle, left}) == "i: prediction 0: shares a pixel with prediction 1");
    CHECK(error_of({left}, {empty}) == "i: prediction 0: has no pixels");
    CHECK(error_of({liar}, {}).find("i: truth 0: counts") == 0);
    CHECK(error_of({left}, {turned}) == "i: prediction 0: a mask of 2 x 2 beside one of 1 x 4");
    CHECK(error_of({}, {unknown}) == "i: prediction 0: category 4 is not known");
    CHECK(metric.records().size() == 0);
    CHECK(metric.update("i", list{left}, list{left}));
    CHECK(error_of({left}, {left}) == "i: this image was added before");
    CHECK(metric.update("j", list{empty}, list{})); // a truth whose pixels are gone is missed
    CHECK(metric.compute().by_category.at(1).missed == 1);
}

} // namespace
