// Golden categories of mask/ beyond run lengths: poly, stability, sampost, boundary.
#include "golden/golden.hpp"

#include "ostend/mask/boundary.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/from_logits.hpp"
#include "ostend/mask/from_sam_logits.hpp"
#include "ostend/mask/polygon.hpp"

#include <cmath>

namespace ostend_tools {

using ostend::index;
using ostend::rle;

namespace {

using float_view = ostend::tensor_view<const float, 2>;

/// The i-th of [n, height, width] values.
float_view slice(const npy_array& file, const std::vector<float>& values, index i) {
    return {values.data() + i * file.shape[1] * file.shape[2], {file.shape[1], file.shape[2]}};
}

rle mask_of(golden_case& c, const npy_array& file) {
    if (file.shape.size() != 2) {
        c.fail("a mask must have 2 axes");
        return {};
    }
    const std::vector<std::uint8_t> pixels = file.as_bytes();
    return encode(ostend::tensor_view<const std::uint8_t, 2>(pixels.data(), {file.shape[0], file.shape[1]}));
}

ostend::image_size size_of(const json& height_width) {
    return {height_width.at(1).get<index>(), height_width.at(0).get<index>()};
}

} // namespace

void check_poly(golden_case& c) {
    const json& h = c.param("h");
    const json& w = c.param("w");
    const json& polygons = c.param("polygons");
    const json& boxes = c.param("bbox_xywh");
    if (!c.why().empty()) {
        return;
    }
    const auto compare = [&c](const ostend::result<rle>& ours, const json& theirs, const std::string& what) {
        const std::string text = ostend::to_coco_string(c.take(ours, what));
        c.require(text == theirs.get<std::string>(), what + ": " + text);
    };
    const auto rings = polygons.get<std::vector<std::vector<double>>>();
    for (std::size_t i = 0; i < rings.size(); ++i) {
        compare(ostend::from_polygon(rings[i], h.get<index>(), w.get<index>()),
                c.expected_value("rles").at(i), "rles[" + std::to_string(i) + "]");
    }
    const auto merged = ostend::from_polygons(rings, h.get<index>(), w.get<index>());
    compare(merged, c.expected_value("merged"), "merged");
    const rle mask = c.take(merged, "merged");
    c.compare(static_cast<double>(ostend::area(mask)), c.expected_value("area").get<double>(), "area");
    const ostend::coco_box box = ostend::to_coco_box(mask);
    c.compare(std::vector<double>{box.x, box.y, box.width, box.height}, c.expected_value("bbox"), "bbox");
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        const auto b = boxes[i].get<std::vector<double>>();
        compare(ostend::from_coco_box({b.at(0), b.at(1), b.at(2), b.at(3)}, h.get<index>(), w.get<index>()),
                c.expected_value("bbox_rle").at(i), "bbox_rle[" + std::to_string(i) + "]");
    }
}

void check_stability(golden_case& c) {
    const npy_array file = c.input("logits");
    const ostend::logits_options options{.threshold = c.param("mask_threshold", 0.0),
                                         .stability_offset = c.param("offset", 1.0)};
    if (file.shape.size() != 3) {
        return c.fail("logits: expected 3 axes");
    }
    const std::vector<float> values = file.as_floats();
    std::vector<double> scores;
    for (index i = 0; i < file.shape[0]; ++i) {
        scores.push_back(ostend::from_logits(slice(file, values, i), options).stability);
    }
    c.compare(scores, c.expected_value("score"), "score");
}

void check_sampost(golden_case& c) {
    const npy_array coarse = c.input("lowres64");
    const npy_array mask_file = c.expected("mask");
    const npy_array probe_file = c.expected("probes");
    const auto repeat = c.param("repeat", index{1});
    const json& probe_y = c.param("probe_y");
    const json& probe_x = c.param("probe_x");
    const json& image = c.param("image_hw");
    const json& input = c.param("input_hw");
    const json& thresholds = c.param("thresholds");
    if (!c.why().empty()) {
        return;
    }
    if (coarse.shape.size() != 3 || mask_file.shape.size() != 3 || repeat < 1) {
        return c.fail("lowres64 and mask: expected 3 axes");
    }
    const ostend::logits_options options{.threshold = thresholds.at("mask").get<double>(),
                                         .stability_offset = thresholds.at("offset").get<double>()};
    const ostend::sam_frame frame = ostend::make_sam_frame(size_of(image));
    c.require(frame.resized == size_of(input), "input_hw: ours is " + std::to_string(frame.resized.height) +
                                                   " x " + std::to_string(frame.resized.width));
    const std::vector<float> values = coarse.as_floats();
    const std::vector<std::uint8_t> masks = mask_file.as_bytes();
    c.require(static_cast<index>(masks.size()) == coarse.shape[0] * frame.original.area(),
              "mask: another size");
    std::vector<float> probes;
    std::vector<double> stability;
    for (index i = 0; c.why().empty() && i < coarse.shape[0]; ++i) {
        const float_view one = slice(coarse, values, i);
        ostend::matrix<float> logits(repeat * one.extent(0), repeat * one.extent(1));
        for (index y = 0; y < logits.rows(); ++y) {
            for (index x = 0; x < logits.columns(); ++x) {
                logits(y, x) = one(y / repeat, x / repeat);
            }
        }
        const ostend::matrix<float> full = ostend::sam_upsampled(logits.view(), frame);
        for (std::size_t p = 0; p < probe_y.size(); ++p) {
            probes.push_back(full(probe_y[p].get<index>(), probe_x.at(p).get<index>()));
        }
        const ostend::logits_mask ours = ostend::from_sam_logits(logits.view(), frame, options);
        stability.push_back(ours.stability);
        const ostend::bitmap dense = ostend::decode(ours.mask);
        for (std::size_t p = 0; p < dense.pixels.size();
             ++p) { // logits next to the threshold may go either way
            const std::uint8_t theirs = masks[static_cast<std::size_t>(i) * dense.pixels.size() + p];
            c.require((dense.pixels[p] != 0) == (theirs != 0) || std::abs(full.values()[p]) < 1e-4F,
                      "mask: pixel " + std::to_string(p) + " differs");
        }
    }
    c.compare(probes, probe_file.as_floats(), "probes");
    c.compare(stability, c.expected_value("stability"), "stability");
}

void check_boundary(golden_case& c) {
    const rle a = mask_of(c, c.input("mask"));
    const rle b = mask_of(c, c.input("mask2"));
    const ostend::boundary_options options{.dilation_ratio = c.param("dilation_ratio", 0.02)};
    if (!c.why().empty()) {
        return;
    }
    c.compare(static_cast<double>(ostend::boundary_distance(a.height, a.width, options.dilation_ratio)),
              c.expected_value("dilation").get<double>(), "dilation");
    const auto compare = [&](const rle& mask, const char* key) {
        c.compare_bytes(ostend::decode(ostend::boundary(mask, options)).pixels, c.expected(key).as_bytes(),
                        key);
    };
    compare(a, "boundary");
    compare(b, "boundary2");
    c.compare(ostend::boundary_iou(a, b, false, options), c.expected_value("boundary_iou").get<double>(),
              "boundary_iou");
    c.compare(ostend::iou(a, b), c.expected_value("mask_iou").get<double>(), "mask_iou");
}

} // namespace ostend_tools
