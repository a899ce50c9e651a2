// Golden categories of mask/ and metrics/: rle, rleiou, regions, masknms, gcg, pacc.
#include "golden/golden.hpp"

#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/components.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/nms.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"
#include "ostend/mask/small_regions.hpp"
#include "ostend/metrics/gcg.hpp"
#include "ostend/metrics/pointing.hpp"

#include <algorithm>

namespace ostend_tools {

using ostend::index;
using ostend::rle;

namespace {

/// A .npy mask [height, width], dense.
ostend::bitmap bitmap_of(golden_case& c, const npy_array& file) {
    if (file.shape.size() != 2) {
        c.fail("a mask must have 2 axes");
        return {};
    }
    ostend::bitmap mask(file.shape[0], file.shape[1]);
    mask.pixels = file.as_bytes();
    return mask;
}

rle mask_of(golden_case& c, const json& value) { return c.take(rle_from_json(value), "mask"); }

std::vector<rle> masks_of(golden_case& c, const json& list) {
    std::vector<rle> masks;
    for (const json& value : list) {
        masks.push_back(mask_of(c, value));
    }
    return masks;
}

std::vector<double> numbers(const ostend::coco_box& b) { return {b.x, b.y, b.width, b.height}; }

} // namespace

void check_rle(golden_case& c) {
    const ostend::bitmap dense = bitmap_of(c, c.input("mask"));
    const json& theirs = c.expected_value("counts");
    if (!c.why().empty()) {
        return;
    }
    const rle mask = ostend::encode(dense);
    const std::string ours = ostend::to_coco_string(mask);
    c.require(ours == theirs.get<std::string>(), "counts: " + ours);
    const rle read =
        c.take(ostend::from_coco_string(theirs.get<std::string>(), dense.height, dense.width), "counts");
    c.require(read == mask, "the string does not read back as the mask");
    c.compare_bytes(ostend::decode(mask).pixels, dense.pixels, "decode");
    c.compare(static_cast<double>(ostend::area(mask)), c.expected_value("area").get<double>(), "area");
    c.compare(numbers(ostend::to_coco_box(mask)), c.expected_value("bbox_xywh"), "bbox_xywh");
    const ostend::inclusive_box box = ostend::to_inclusive_box(mask);
    c.compare(std::vector<double>{double(box.x0), double(box.y0), double(box.x1), double(box.y1)},
              c.expected_value("box_xyxy_inclusive_sam"), "box_xyxy_inclusive_sam");
    const json& uncompressed = c.expected_value("uncompressed");
    if (!uncompressed.is_null()) { // the reference program cannot do masks of one pixel
        c.compare(std::vector<double>(mask.counts.begin(), mask.counts.end()), uncompressed, "uncompressed");
    }
}

void check_rleiou(golden_case& c) {
    const std::vector<rle> dt = masks_of(c, c.param("dt"));
    const std::vector<rle> gt = masks_of(c, c.param("gt"));
    if (!c.why().empty()) {
        return;
    }
    std::vector<std::uint8_t> crowd;
    for (const json& flag : c.param("iscrowd")) {
        crowd.push_back(flag.get<int>() != 0 ? 1 : 0);
    }
    if (crowd.size() != gt.size()) {
        return c.fail("iscrowd has another length than gt");
    }
    c.compare(ostend::iou_matrix(dt, gt, crowd).values(), c.expected_value("iou"), "iou");
    c.compare(ostend::iou_matrix(dt, gt).values(), c.expected_value("iou_nocrowd"), "iou_nocrowd");

    std::vector<double> boxes_dt;
    std::vector<double> boxes_gt;
    std::vector<double> box_ious;
    const auto append = [](std::vector<double>& to, const std::vector<double>& more) {
        to.insert(to.end(), more.begin(), more.end());
    };
    for (const rle& d : dt) {
        append(boxes_dt, numbers(ostend::to_coco_box(d)));
        for (std::size_t g = 0; g < gt.size(); ++g) {
            box_ious.push_back(
                ostend::box_iou(ostend::to_coco_box(d), ostend::to_coco_box(gt[g]), crowd[g] != 0));
        }
    }
    for (const rle& g : gt) {
        append(boxes_gt, numbers(ostend::to_coco_box(g)));
    }
    c.compare(boxes_dt, c.expected_value("bbox_dt"), "bbox_dt");
    c.compare(boxes_gt, c.expected_value("bbox_gt"), "bbox_gt");
    c.compare(box_ious, c.expected_value("bbox_iou"), "bbox_iou");

    const auto first_four = std::span(dt).first(std::min<std::size_t>(4, dt.size()));
    c.require(ostend::to_coco_string(ostend::unite(first_four)) ==
                  c.expected_value("union").at("counts").get<std::string>(),
              "union");
    const std::vector<rle> three{dt.at(0), dt.at(1), gt.at(0)};
    c.require(ostend::to_coco_string(ostend::intersect(std::span<const rle>(three))) ==
                  c.expected_value("intersection").at("counts").get<std::string>(),
              "intersection");
}

void check_regions(golden_case& c) {
    const ostend::bitmap dense = bitmap_of(c, c.input("mask"));
    const double threshold = c.param("area_thresh").get<double>();
    if (!c.why().empty()) {
        return;
    }
    const rle mask = ostend::encode(dense);
    const auto holes = ostend::remove_small_regions(mask, threshold, ostend::small_regions::holes);
    const auto islands = ostend::remove_small_regions(mask, threshold, ostend::small_regions::islands);
    const auto both = ostend::remove_small_regions(holes.mask, threshold, ostend::small_regions::islands);
    const auto compare = [&](const rle& ours, const char* key) {
        c.compare_bytes(ostend::decode(ours).pixels, c.expected(key).as_bytes(), key);
    };
    compare(holes.mask, "holes");
    compare(islands.mask, "islands");
    compare(both.mask, "holes_then_islands");
    c.require(holes.changed == c.expected_value("holes_changed").get<bool>(), "holes_changed");
    c.require(islands.changed == c.expected_value("islands_changed").get<bool>(), "islands_changed");
    const auto eight = ostend::components(mask, ostend::connectivity::eight).found;
    const auto four = ostend::components(mask, ostend::connectivity::four).found;
    c.compare(static_cast<double>(eight.size()), c.expected_value("n_components8").get<double>(),
              "n_components8");
    c.compare(static_cast<double>(four.size()), c.expected_value("n_components4").get<double>(),
              "n_components4");
    std::vector<double> areas;
    for (const auto& part : eight) {
        areas.push_back(static_cast<double>(part.area));
    }
    std::sort(areas.begin(), areas.end());
    c.compare(areas, c.expected_value("areas8_sorted"), "areas8_sorted");
}

void check_masknms(golden_case& c) {
    const npy_array file = c.input("masks");
    if (file.shape.size() != 3) {
        return c.fail("masks: expected 3 axes");
    }
    const std::vector<std::uint8_t> pixels = file.as_bytes();
    std::vector<rle> masks;
    for (index i = 0; i < file.shape[0]; ++i) {
        const ostend::tensor_view<const std::uint8_t, 2> one(
            pixels.data() + i * file.shape[1] * file.shape[2], {file.shape[1], file.shape[2]});
        masks.push_back(ostend::encode(one));
    }
    // The published code: +1e-6 in the denominator; scores sorted ascending and reversed.
    ostend::nms_options options{.iou_threshold = c.param("iou_thresh").get<double>(),
                                .denominator_epsilon = 1e-6};
    c.compare(ostend::duplicate_iou_matrix(masks, 1e-6).values(), c.expected_value("iou"), "iou");
    const std::vector<index> kept = ostend::nms(masks, options);
    const json& keep = c.expected_value("keep");
    std::vector<index> theirs;
    for (std::size_t i = 0; i < keep.size(); ++i) {
        if (keep[i].get<bool>()) {
            theirs.push_back(static_cast<index>(i));
        }
    }
    c.require(kept == theirs, "keep");
    options.last_of_ties_first = true;
    const auto scored =
        c.take(ostend::nms(masks, c.param("scores").get<std::vector<float>>(), options), "nms");
    c.require(scored == c.expected_value("keep_idx_scored").get<std::vector<index>>(), "keep_idx_scored");
    options.last_of_ties_first = false;
    c.require(ostend::merge_duplicates(masks, options) == c.expected_value("merge").get<std::vector<index>>(),
              "merge");
}

void check_gcg(golden_case& c) {
    const std::vector<rle> gt = masks_of(c, c.param("gt"));
    const std::vector<rle> dt = masks_of(c, c.param("dt"));
    const json& text = c.param("text_sim_gt_dt");
    if (!c.why().empty()) {
        return;
    }
    ostend::matrix<double> similarity(static_cast<index>(gt.size()), static_cast<index>(dt.size()));
    for (std::size_t g = 0; g < gt.size(); ++g) {
        for (std::size_t d = 0; d < dt.size(); ++d) {
            similarity(static_cast<index>(g), static_cast<index>(d)) = text.at(g).at(d).get<double>();
        }
    }
    c.compare(ostend::gcg_iou(dt, gt).values(), c.expected_value("iou_dt_gt"), "iou_dt_gt");
    ostend::gcg_accumulator metric(
        {.iou_threshold = c.param("iou_thresh", 0.5), .text_threshold = c.param("sim_thresh", 0.5)});
    if (const auto added = metric.update("image", gt, dt, similarity); !added) {
        return c.fail(added.error().message());
    }
    const ostend::gcg_result figures = metric.compute();
    c.compare(figures.miou.value(), c.expected_value("miou").get<double>(), "miou");
    c.compare(figures.recall.numerator, c.expected_value("tp").get<double>(), "tp");
    c.compare(figures.recall.denominator, c.expected_value("n_gt").get<double>(), "n_gt");
    std::vector<double> matches;
    for (const auto& match : metric.records().begin()->second.matches) {
        matches.push_back(static_cast<double>(match.truth));
        matches.push_back(static_cast<double>(match.prediction));
    }
    c.compare(matches, c.expected_value("recall_matches_gt_dt"), "recall_matches_gt_dt");
}

void check_pacc(golden_case& c) {
    const json& gt = c.param("gt");
    const json& dt = c.param("dt");
    if (!c.why().empty()) {
        return;
    }
    ostend::pointing_accumulator metric;
    for (const auto& [image, points] : dt.items()) {
        std::vector<ostend::object_mask> truths;
        if (gt.contains(image)) {
            for (const json& object : gt[image]) {
                truths.push_back(
                    {object.at("category_id").get<std::int64_t>(), mask_of(c, object.at("segmentation"))});
            }
        }
        std::vector<ostend::category_point> ours;
        for (const json& p : points) {
            ours.push_back({p.at("category_id").get<std::int64_t>(),
                            {p.at("point").at(0).get<index>(), p.at("point").at(1).get<index>()}});
        }
        if (const auto added = metric.update(image, truths, ours); !added) {
            return c.fail(added.error().message());
        }
    }
    const auto figures = metric.compute();
    c.compare(figures.accuracy.numerator, c.expected_value("correct").get<double>(), "correct");
    c.compare(figures.accuracy.denominator, c.expected_value("total").get<double>(), "total");
}

} // namespace ostend_tools
