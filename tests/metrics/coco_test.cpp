#include "ostend/mask/encode.hpp"
#include "ostend/metrics/coco.hpp"
#include "ostend/metrics/coco_overlap.hpp"

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

/// One image with what its objects overlap in: masks, or boxes.
struct image {
    std::int64_t id = 0;
    std::vector<coco_truth> truths;
    std::vector<coco_detection> detections;
    std::vector<rle> truth_masks;
    std::vector<rle> detection_masks;
    std::vector<coco_box> truth_boxes;
    std::vector<coco_box> detection_boxes;
};

status add(coco_accumulator& metric, const image& one, bool boxes) {
    if (boxes) {
        return metric.update(one.id, one.truths, one.detections,
                             coco_box_overlap(one.detection_boxes, one.truth_boxes));
    }
    return metric.update(one.id, one.truths, one.detections,
                         coco_mask_overlap(one.detection_masks, one.truth_masks));
}

std::vector<image> read_golden_images(const std::string& file) {
    std::ifstream in(golden_path(file));
    const auto all = nlohmann::json::parse(in);
    std::map<std::int64_t, image> images;
    for (const auto& one : all["gt"]["images"]) {
        images[one["id"].get<std::int64_t>()].id = one["id"].get<std::int64_t>();
    }
    for (const auto& a : all["gt"]["annotations"]) {
        image& to = images.at(a["image_id"].get<std::int64_t>());
        to.truths.push_back({.id = a["id"].get<std::int64_t>(),
                             .category = a["category_id"].get<std::int64_t>(),
                             .area = a["area"].get<double>(),
                             .crowd = a["iscrowd"].get<int>() != 0});
        to.truth_masks.push_back(read_rle(a["segmentation"]));
        to.truth_boxes.push_back({a["bbox"][0], a["bbox"][1], a["bbox"][2], a["bbox"][3]});
    }
    for (const auto& d : all["dt"]) {
        image& to = images.at(d["image_id"].get<std::int64_t>());
        to.detection_masks.push_back(read_rle(d["segmentation"]));
        to.detection_boxes.push_back(to_coco_box(to.detection_masks.back()));
        to.detections.push_back({.category = d["category_id"].get<std::int64_t>(),
                                 .score = d["score"].get<double>(),
                                 .area = static_cast<double>(area(to.detection_masks.back()))});
    }
    std::vector<image> out;
    for (auto& [id, one] : images) {
        out.push_back(std::move(one));
    }
    return out;
}

TEST_CASE("golden: the twelve numbers of masks, boxes and of all classes as one") {
    for (const auto& one : golden_cases("cocoeval")) {
        CAPTURE(one["name"].get<std::string>());
        const auto images = read_golden_images(one["params"]["data"].get<std::string>());
        const auto& want = one["expected_values"];
        for (const char* kind : {"segm", "bbox", "segm_class_agnostic"}) {
            CAPTURE(kind);
            coco_options options;
            options.by_category = std::string(kind) != "segm_class_agnostic";
            coco_accumulator metric(options);
            for (const image& i : images) {
                REQUIRE(add(metric, i, std::string(kind) == "bbox"));
            }
            const coco_result got = metric.compute();
            CHECK(got.images == images.size());
            for (std::size_t i = 0; i < got.stats.size(); ++i) {
                CAPTURE(coco_stat_names[i]);
                CHECK(std::abs(got.stats[i] - want[kind][i].get<double>()) <= 1e-15);
            }
            if (std::string(kind) ==
                "segm") { // ids 1, 2, ...; one that no image has is -1 there, absent here
                std::map<std::int64_t, double> by_id;
                for (const auto& c : got.categories) {
                    by_id[c.category] = c.stats[0];
                }
                const auto& theirs = want["per_category_AP"];
                for (std::size_t k = 0; k < theirs.size(); ++k) {
                    const auto found = by_id.find(static_cast<std::int64_t>(k) + 1);
                    CHECK(std::abs((found == by_id.end() ? -1 : found->second) - theirs[k].get<double>()) <=
                          1e-15);
                }
            }
        }
    }
}

/// Objects of an image with everything that makes ties: few scores, equal boxes, areas at the limits.
image random_image(std::mt19937& random, std::int64_t id) {
    image out;
    out.id = id;
    const auto some = [&](std::initializer_list<double> values) {
        return *(values.begin() + random() % values.size());
    };
    const auto box = [&] {
        return coco_box{some({0, 1, 2, 30}), some({0, 2, 5}), some({4, 10, 32, 96, 200}),
                        some({5, 10, 32, 96})};
    };
    const std::uint32_t crowd = random() % 3;
    for (std::uint32_t k = random() % 8; k-- > 0;) {
        out.truth_boxes.push_back(box());
        out.truths.push_back({.id = random() % 40 == 0 ? 0 : static_cast<std::int64_t>(random() % 1000) + 1,
                              .category = static_cast<std::int64_t>(random() % 3),
                              .area = some({10, 1023, 1024, 1025, 9215, 9216, 9217, 1e10, 2e10}),
                              .crowd = random() % 4 < crowd,
                              .ignore = random() % 5 == 0});
    }
    for (std::uint32_t k = random() % (random() % 8 == 0 ? 150 : 12); k-- > 0;) {
        out.detection_boxes.push_back(!out.truths.empty() && random() % 2 == 0
                                          ? out.truth_boxes[random() % out.truth_boxes.size()]
                                          : box());
        out.detections.push_back({.category = static_cast<std::int64_t>(random() % 4),
                                  .score = some({-0.0, 0, 0.1, 0.5, 0.5, 0.9, 1e-300, -2}),
                                  .area = some({10, 1023, 1024, 1025, 9215, 9216, 9217, 1e10, 2e10})});
    }
    return out;
}

/// The published evaluation in its own words: tables of every image, category and area range, then curves.
struct oracle {
    coco_options options;
    bool boxes = true;

    struct entry {
        std::vector<double> scores;
        std::vector<std::vector<bool>> matched; // [thresholds][detections]
        std::vector<std::vector<bool>> ignored;
        std::vector<bool> truth_ignored;
    };

    entry evaluate(const image& one, std::int64_t category, coco_area_range range) const {
        std::vector<std::size_t> gt;
        std::vector<std::size_t> dt;
        std::set<std::int64_t> classes;
        for (const auto& g : one.truths) {
            classes.insert(g.category);
        }
        for (const auto& d : one.detections) {
            classes.insert(d.category);
        }
        for (const std::int64_t k : classes) {
            if (options.by_category && k != category) {
                continue;
            }
            for (std::size_t i = 0; i < one.truths.size(); ++i) {
                if (one.truths[i].category == k) {
                    gt.push_back(i);
                }
            }
            for (std::size_t i = 0; i < one.detections.size(); ++i) {
                if (one.detections[i].category == k) {
                    dt.push_back(i);
                }
            }
        }
        const auto is_ignored = [&](std::size_t g) {
            const coco_truth& t = one.truths[g];
            return t.crowd || (options.honour_ignore && t.ignore) || t.area < range.low ||
                   t.area > range.high;
        };
        std::stable_sort(gt.begin(), gt.end(),
                         [&](std::size_t a, std::size_t b) { return !is_ignored(a) && is_ignored(b); });
        std::stable_sort(dt.begin(), dt.end(), [&](std::size_t a, std::size_t b) {
            return -one.detections[a].score < -one.detections[b].score;
        });
        if (dt.size() > static_cast<std::size_t>(options.max_detections.back())) {
            dt.resize(static_cast<std::size_t>(options.max_detections.back()));
        }
        entry out;
        for (const std::size_t d : dt) {
            out.scores.push_back(one.detections[d].score);
        }
        for (const std::size_t g : gt) {
            out.truth_ignored.push_back(is_ignored(g));
        }
        for (const double threshold : options.iou_thresholds) {
            std::vector<bool> taken(gt.size());
            std::vector<bool> matched(dt.size());
            std::vector<bool> ignored(dt.size());
            for (std::size_t d = 0; d < dt.size(); ++d) {
                double best = std::min(threshold, 1 - 1e-10);
                std::ptrdiff_t m = -1;
                for (std::size_t g = 0; g < gt.size(); ++g) {
                    const bool crowd = one.truths[gt[g]].crowd;
                    if (taken[g] && !crowd) {
                        continue;
                    }
                    if (m > -1 && !out.truth_ignored[static_cast<std::size_t>(m)] && out.truth_ignored[g]) {
                        break;
                    }
                    const double iou =
                        boxes ? box_iou(one.detection_boxes[dt[d]], one.truth_boxes[gt[g]], crowd)
                              : ostend::iou(one.detection_masks[dt[d]], one.truth_masks[gt[g]], crowd);
                    if (iou < best) {
                        continue;
                    }
                    best = iou;
                    m = static_cast<std::ptrdiff_t>(g);
                }
                if (m == -1) {
                    continue;
                }
                const auto g = static_cast<std::size_t>(m);
                ignored[d] = out.truth_ignored[g];
                matched[d] = one.truths[gt[g]].id != 0 || !options.zero_id_never_matches;
                taken[g] = true;
            }
            for (std::size_t d = 0; d < dt.size(); ++d) {
                const double area = one.detections[dt[d]].area;
                if (!matched[d] && (area < range.low || area > range.high)) {
                    ignored[d] = true;
                }
            }
            out.matched.push_back(matched);
            out.ignored.push_back(ignored);
        }
        return out;
    }

    coco_curve curve(const std::vector<image>& images, std::int64_t category, std::size_t area,
                     std::size_t limit) const {
        coco_curve out;
        std::vector<entry> entries;
        std::vector<std::array<std::size_t, 2>> order; // entry, detection
        for (const image& one : images) {
            entries.push_back(evaluate(one, category, options.areas[area]));
            const entry& e = entries.back();
            for (std::size_t d = 0; d < e.scores.size(); ++d) {
                if (static_cast<index>(d) < options.max_detections[limit]) {
                    order.push_back({entries.size() - 1, d});
                }
            }
            out.truths += std::count(e.truth_ignored.begin(), e.truth_ignored.end(), false);
        }
        if (out.truths == 0) {
            return out;
        }
        std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
            return -entries[a[0]].scores[a[1]] < -entries[b[0]].scores[b[1]];
        });
        out.precision = matrix<double>(static_cast<index>(options.iou_thresholds.size()), coco_recalls);
        out.score = out.precision;
        for (std::size_t t = 0; t < options.iou_thresholds.size(); ++t) {
            double tp = 0;
            double fp = 0;
            std::vector<double> recall;
            std::vector<double> precision;
            for (const auto& [e, d] : order) {
                const bool hit = entries[e].matched[t][d];
                const bool ignored = entries[e].ignored[t][d];
                tp += hit && !ignored ? 1 : 0;
                fp += !hit && !ignored ? 1 : 0;
                recall.push_back(tp / static_cast<double>(out.truths));
                precision.push_back(tp / (fp + tp + std::numeric_limits<double>::epsilon()));
            }
            out.recall.push_back(recall.empty() ? 0 : recall.back());
            for (std::size_t i = precision.size(); i-- > 1;) {
                precision[i - 1] = std::max(precision[i - 1], precision[i]);
            }
            for (std::size_t r = 0; r < coco_recalls; ++r) {
                const auto found =
                    std::lower_bound(recall.begin(), recall.end(), 0.01 * static_cast<double>(r));
                if (found == recall.end()) {
                    break;
                }
                const auto at = static_cast<std::size_t>(found - recall.begin());
                out.precision(static_cast<index>(t), static_cast<index>(r)) = precision[at];
                out.score(static_cast<index>(t), static_cast<index>(r)) =
                    entries[order[at][0]].scores[order[at][1]];
            }
        }
        return out;
    }
};

TEST_CASE("curves equal a plain evaluation: ties, crowds, areas at the limits, ids of 0, many detections") {
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        std::vector<image> images;
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            images.push_back(random_image(random, static_cast<std::int64_t>(images.size()) * 3 - 4));
        }
        oracle plain;
        plain.options = random() % 2 == 0 ? coco_options{} : coco_options::clean();
        plain.options.by_category = random() % 3 != 0;
        if (random() % 3 == 0) {
            plain.options.iou_thresholds = {0.9, 0.2, 0.5, 1.0};
            plain.options.max_detections = {2, 3, 5};
        }
        coco_accumulator metric(plain.options);
        for (const image& one : images) {
            REQUIRE(add(metric, one, true));
        }
        std::array<std::vector<double>, coco_areas> precision; // all curves, for the means
        for (std::int64_t category = plain.options.by_category ? 0 : -1;
             category < (plain.options.by_category ? 5 : 0); ++category) {
            for (std::size_t a = 0; a < coco_areas; ++a) {
                for (std::size_t m = 0; m < coco_limits; ++m) {
                    const coco_curve want = plain.curve(images, category, a, m);
                    const coco_curve got = metric.curve(category, a, m);
                    CHECK(got.truths == want.truths);
                    CHECK(got.recall == want.recall);
                    CHECK(got.precision == want.precision);
                    CHECK(got.score == want.score);
                    if (m + 1 == coco_limits && want.truths != 0) {
                        const auto values = want.precision.values();
                        precision[a].insert(precision[a].end(), values.begin(), values.end());
                    }
                }
            }
        }
        const coco_result result = metric.compute();
        const std::array<std::size_t, coco_areas> at{0, 3, 4, 5};
        for (std::size_t a = 0; a < coco_areas; ++a) {
            double sum = 0;
            for (const double p : precision[a]) {
                sum += p;
            }
            const double mean = precision[a].empty() ? -1 : sum / static_cast<double>(precision[a].size());
            CHECK(std::abs(result.stats[at[a]] - mean) <= 1e-12);
        }
        for (const auto& c : result.categories) {
            const coco_curve whole = metric.curve(c.category, 0, coco_limits - 1);
            CHECK(c.curve.precision == whole.precision);
            CHECK(c.truths[0] == whole.truths);
            CHECK(c.truths[3] == metric.curve(c.category, 3, coco_limits - 1).truths);
            double sum = 0;
            for (const double p : whole.precision.values()) {
                sum += p;
            }
            CHECK(std::abs(c.stats[0] - (whole.truths == 0
                                             ? -1.0
                                             : sum / static_cast<double>(whole.precision.values().size()))) <=
                  1e-12);
        }
    }
}

TEST_CASE("masks: overlaps equal iou, whatever is asked first") {
    std::mt19937 random(8);
    for (int round = 0; round < 40; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        std::vector<rle> dt;
        std::vector<rle> gt;
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            dt.push_back(encode(random_mask(random, h, w)));
        }
        for (std::uint32_t k = random() % 5; k-- > 0;) {
            gt.push_back(encode(random_mask(random, h, w)));
        }
        coco_mask_overlap overlap(dt, gt);
        for (std::size_t k = 0; k < 3 * dt.size() * gt.size(); ++k) {
            const std::size_t d = random() % dt.size();
            const std::size_t g = random() % gt.size();
            const bool crowd = random() % 2 == 0;
            CHECK(overlap(static_cast<index>(d), static_cast<index>(g), crowd) == iou(dt[d], gt[g], crowd));
        }
    }
}

TEST_CASE("boundaries: the lesser of two IoUs, of a crowd the masks' alone") {
    std::mt19937 random(9);
    for (int round = 0; round < 40; ++round) {
        const index h = random_side(random);
        const index w = random_side(random);
        std::vector<rle> dt;
        std::vector<rle> gt;
        for (std::uint32_t k = 0; k < 3; ++k) {
            dt.push_back(encode(random_mask(random, h, w)));
            gt.push_back(encode(random_mask(random, h, w)));
        }
        gt.push_back(dt.front());
        const boundary_options options{.distance = static_cast<index>(random() % 3)};
        coco_boundary_overlap exact(dt, gt, options);
        coco_boundary_overlap above(dt, gt, options, 0.5);
        for (std::size_t k = 0; k < 30; ++k) {
            const std::size_t d = random() % dt.size();
            const std::size_t g = random() % gt.size();
            const auto di = static_cast<index>(d);
            const auto gi = static_cast<index>(g);
            const double lesser = std::min(iou(dt[d], gt[g]), boundary_iou(dt[d], gt[g], false, options));
            CHECK(exact(di, gi, false) == lesser);
            CHECK(exact(di, gi, true) == iou(dt[d], gt[g], true));
            CHECK((lesser < 0.5 ? above(di, gi, false) < 0.5 || iou(dt[d], gt[g]) >= 0.5
                                : above(di, gi, false) == lesser));
        }
    }
}

bool same_bits(const coco_result& a, const coco_result& b) {
    bool same = std::memcmp(&a.stats, &b.stats, sizeof a.stats) == 0 &&
                a.categories.size() == b.categories.size() && a.images == b.images;
    for (std::size_t k = 0; same && k < a.categories.size(); ++k) {
        const auto& x = a.categories[k];
        const auto& y = b.categories[k];
        same = x.category == y.category && x.truths == y.truths && x.curve.recall == y.curve.recall &&
               x.curve.precision == y.curve.precision && x.curve.score == y.curve.score &&
               std::memcmp(&x.stats, &y.stats, sizeof x.stats) == 0;
    }
    return same;
}

TEST_CASE("any split of the images gives the same bits") {
    std::mt19937 random(13);
    std::vector<image> images;
    for (std::int64_t i = 0; i < 30; ++i) {
        images.push_back(random_image(random, 7 * i % 31 - 9));
    }
    coco_accumulator whole;
    for (const image& one : images) {
        REQUIRE(add(whole, one, true));
    }
    const coco_result want = whole.compute();
    CHECK(want.stats[0] > 0);
    for (std::size_t parts = 1; parts <= 5; ++parts) {
        std::shuffle(images.begin(), images.end(), random);
        std::vector<coco_accumulator> split(parts);
        for (const image& one : images) {
            REQUIRE(add(split[random() % parts], one, true));
        }
        std::shuffle(split.begin(), split.end(), random);
        coco_accumulator merged;
        for (const auto& part : split) {
            REQUIRE(merged.merge(part));
        }
        CHECK(same_bits(merged.compute(), want));
    }
}

TEST_CASE("figures without their curves are the same figures") {
    std::mt19937 random(14);
    coco_accumulator metric;
    for (std::int64_t i = 0; i < 20; ++i) {
        REQUIRE(add(metric, random_image(random, i), true));
    }
    coco_result want = metric.compute();
    CHECK(std::any_of(want.categories.begin(), want.categories.end(),
                      [](const auto& c) { return c.curve.precision.rows() == 10; }));
    for (auto& category : want.categories) {
        category.curve = {};
    }
    CHECK(same_bits(metric.compute({.curves = false}), want));
}

TEST_CASE("nothing, nothing to find, nothing found") {
    coco_accumulator metric;
    coco_stats none{};
    none.fill(-1);
    CHECK(metric.compute().stats == none);
    CHECK(metric.compute().categories.empty());
    const auto full = [](index, index, bool) { return 1.0; };
    REQUIRE(metric.update(1, {}, {}, full));
    CHECK(metric.compute().stats == none);
    const std::vector<coco_detection> dt{{.score = 0.5, .area = 10}};
    REQUIRE(metric.update(2, {}, dt, full));
    CHECK(metric.compute().stats == none);
    const std::vector<coco_truth> gt{{.area = 10}};
    REQUIRE(metric.update(3, gt, {}, full));
    coco_stats zero = none;
    for (const std::size_t i : {0, 1, 2, 3, 6, 7, 8, 9}) {
        zero[i] = 0;
    }
    CHECK(metric.compute().stats == zero);
    CHECK(metric.curve(1, 0, 2).truths == 1);
    CHECK(metric.curve(99, 0, 2).truths == 0);
    REQUIRE(metric.update(4, gt, dt, full));
    CHECK(metric.compute().stats[8] == 0.5);
}

TEST_CASE("quirks of the published code have names") {
    const auto full = [](index, index, bool) { return 1.0; };
    const std::vector<coco_detection> dt{{.score = 0.5, .area = 10}};
    std::vector<coco_truth> gt{{.id = 0, .area = 10}};
    const auto ap = [&](const coco_options& options) {
        coco_accumulator metric(options);
        REQUIRE(metric.update(1, gt, dt, full));
        return metric.compute().stats[0];
    };
    CHECK(ap({}) == 0);
    CHECK(std::abs(ap(coco_options::clean()) - 1) < 1e-12);
    gt[0] = {.id = 1, .area = 10, .ignore = true};
    CHECK(std::abs(ap({}) - 1) < 1e-12);
    CHECK(ap(coco_options::clean()) == -1);
}

TEST_CASE("refusals name the image and the detection, and change nothing") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto full = [](index, index, bool) { return 1.0; };
    coco_accumulator metric;
    std::vector<coco_detection> dt{{.score = 0.5, .area = 10}, {.score = nan, .area = 10}};
    std::vector<coco_truth> gt{{.area = nan}};
    CHECK(metric.update(7, {}, dt, full).error().message() ==
          "image 7: detections: the score or the area is not finite (at 1)");
    CHECK(metric.update(7, gt, {}, full).error().message() ==
          "image 7: truths: the area is not finite (at 0)");
    dt[1] = {.score = 1, .area = std::numeric_limits<double>::infinity()};
    CHECK(!metric.update(7, {}, dt, full));
    CHECK(metric.records().size() == 0);
    dt.pop_back();
    CHECK(metric.update(7, {}, dt, full));
    CHECK(metric.update(7, {}, dt, full).error().message() == "image 7: this image was added before");
    coco_accumulator same;
    REQUIRE(same.update(7, {}, {}, full));
    CHECK(metric.merge(same).error().message() == "image 7: this image is in both parts");
    CHECK(metric.merge(coco_accumulator(coco_options::clean())).error().what ==
          "the parts were made with different options");
    CHECK(metric.records().size() == 1);

    coco_options bad;
    bad.iou_thresholds.clear();
    CHECK_EXPECTS(coco_accumulator(bad), "0 IoU thresholds; a record has room for 1 to 16");
    bad.iou_thresholds.assign(17, 0.5);
    CHECK_EXPECTS(coco_accumulator(bad), "17 IoU thresholds");
    bad = {};
    bad.max_detections = {10, 1, 100};
    CHECK_EXPECTS(coco_accumulator(bad), "must ascend");
    bad.max_detections = {0, 1, 100};
    CHECK_EXPECTS(coco_accumulator(bad), "must ascend and be positive");
    CHECK_EXPECTS(metric.curve(1, 4, 0), "no such area range");
}

TEST_CASE("memory of an image is its detections within the limits") {
    coco_accumulator metric;
    const std::vector<coco_detection> dt(1000, {.score = 0.5, .area = 10});
    REQUIRE(metric.update(1, {}, dt, [](index, index, bool) { return 0.0; }));
    const coco_record& record = metric.records().begin()->second;
    CHECK(record.detections.size() == 100);
    CHECK(record.detections.capacity() == 100);
    CHECK(sizeof(coco_scored) == 24);
    CHECK(sizeof(coco_group) <= 40);
}

} // namespace
