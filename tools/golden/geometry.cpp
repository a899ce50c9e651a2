// Golden categories of geometry/, peak/ and prompt/: upsample, samcoords, maskprompt.
#include "golden/golden.hpp"

#include "ostend/geometry/letterbox.hpp"
#include "ostend/geometry/stretch.hpp"
#include "ostend/peak/argmax.hpp"
#include "ostend/peak/resample.hpp"
#include "ostend/prompt/box.hpp"
#include "ostend/prompt/mask_logits.hpp"
#include "ostend/prompt/sam_frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ostend_tools {

using ostend::image_size;
using ostend::index;

namespace {

/// The reference's two ways: the map over a padded square of the longer side, or over the image itself.
ostend::layout layout_of(image_size image, const std::string& mode, index rows, index columns) {
    if (mode != "pad") {
        return ostend::geometry::stretch(image, {.rows = rows, .columns = columns});
    }
    const auto side = static_cast<double>(std::max(image.width, image.height));
    return ostend::geometry::letterbox(image, {.rows = rows,
                                               .columns = columns,
                                               .cell_width = side / static_cast<double>(columns),
                                               .cell_height = side / static_cast<double>(rows)});
}

/// argmax_ties and argmax_nan: the argmax of a map that is not upsampled.
void check_argmax(golden_case& c, std::span<const float> map, index rows, index columns) {
    const image_size size{.width = columns, .height = rows};
    const auto grid = ostend::geometry::stretch(size, {.rows = rows, .columns = columns});
    const auto found = ostend::find_peak(map, grid);
    ostend::pixel at;
    if (found) {
        at = found->at;
    } else if (found.error().at) {
        at = {static_cast<index>(*found.error().at) % columns,
              static_cast<index>(*found.error().at) / columns};
    } else {
        return c.fail("the error carries no index: " + found.error().message());
    }
    const json& theirs = c.expected_value("point_xy").at(0);
    c.require(at == ostend::pixel{theirs.at(0).get<index>(), theirs.at(1).get<index>()},
              "point (" + std::to_string(at.x) + ", " + std::to_string(at.y) + ")");
}

/// The pixel at each of the case's probes; fails when one lies outside.
std::vector<float> probed(golden_case& c, const ostend::matrix<float>& image) {
    const json& ys = c.param("probe_y");
    const json& xs = c.param("probe_x");
    std::vector<float> out;
    for (std::size_t p = 0; p < ys.size(); ++p) {
        const auto y = ys[p].get<index>();
        const auto x = xs.at(p).get<index>();
        if (y < 0 || x < 0 || y >= image.rows() || x >= image.columns()) {
            c.fail("probe " + std::to_string(p) + " lies outside the image");
            return {};
        }
        out.push_back(image(y, x));
    }
    return out;
}

std::vector<double> coordinates(const ostend::point_in<ostend::segmenter_frame>& p) { return {p.x, p.y}; }

} // namespace

void check_upsample(golden_case& c) {
    const npy_array file = c.input("maps");
    if (file.shape.size() != 3) {
        return c.fail("maps: expected 3 axes");
    }
    const std::vector<float> values = file.as_floats();
    if (values.empty()) {
        return c.fail("maps: there are none");
    }
    const index rows = file.shape[1];
    const index columns = file.shape[2];
    const auto map = [&](index i) {
        return std::span(values).subspan(static_cast<std::size_t>(i * rows * columns),
                                         static_cast<std::size_t>(rows * columns));
    };
    if (!c.has("params", "mode")) {
        return check_argmax(c, map(0), rows, columns);
    }

    const image_size image{.width = c.param("image_w").get<index>(),
                           .height = c.param("image_h").get<index>()};
    if (image.width < 1 || image.height < 1 || image.width > (index{1} << 28) / image.height) {
        return c.fail("an image of " + std::to_string(image.width) + " x " + std::to_string(image.height));
    }
    const auto grid = layout_of(image, c.param("mode").get<std::string>(), rows, columns);
    const ostend::peak_options options{.remove_corners = c.param("remove_corner", false),
                                       .corner_value = *std::min_element(values.begin(), values.end())};
    const auto sam = ostend::make_sam_frame(image);
    c.compare(std::vector<double>{double(sam.resized.height), double(sam.resized.width)},
              c.expected_value("sam_hw"), "sam_hw");
    const std::vector<float> filled =
        c.has_expected("up") ? c.expected("up").as_floats() : std::vector<float>{};
    const std::vector<float> probes = c.has_expected("probes") ? c.expected("probes").as_floats() : filled;
    // The n-th of equal parts, shorter where the file is.
    const auto part = [](const std::vector<float>& all, std::size_t n, std::size_t length) {
        const std::size_t from = std::min(n * length, all.size());
        return std::span(all).subspan(from, std::min(length, all.size() - from));
    };
    for (index i = 0; c.why().empty() && i < file.shape[0]; ++i) {
        const auto n = static_cast<std::size_t>(i);
        const std::string which = "map " + std::to_string(i);
        const auto up = c.take(ostend::upsample(map(i), grid, options), which);
        const auto peak = c.take(ostend::find_peak(map(i), grid, options), which);
        if (up.empty()) {
            return c.fail(which + ": no image");
        }
        if (!filled.empty()) {
            c.compare(up.values(), part(filled, n, up.values().size()), which);
        } else {
            const std::vector<float> ours = probed(c, up);
            c.compare(ours, part(probes, n, ours.size()), which + " probes");
        }
        double sum = 0;
        for (const float v : up.values()) {
            sum += double{v};
        }
        const auto [least, greatest] = std::minmax_element(up.values().begin(), up.values().end());
        c.compare(double{*greatest}, c.expected_value("max").at(n).get<double>(), which + " max");
        c.compare(double{*least}, c.expected_value("min").at(n).get<double>(), which + " min");
        c.compare(sum / static_cast<double>(up.values().size()), c.expected_value("mean").at(n).get<double>(),
                  which + " mean");

        // The pruned search and the filled image must agree to the bit; the reference may differ on a tie.
        c.require(std::find(up.values().begin(), up.values().end(), *greatest) - up.values().begin() ==
                          peak.at.y * image.width + peak.at.x &&
                      *greatest == peak.value,
                  which + ": the peak is not the filled image's first maximum");
        const json& xy = c.expected_value("point_xy").at(n);
        const ostend::pixel theirs{xy.at(0).get<index>(), xy.at(1).get<index>()};
        if (theirs.x < 0 || theirs.y < 0 || theirs.x >= image.width || theirs.y >= image.height) {
            return c.fail(which + ": point_xy lies outside the image");
        }
        const bool tie = c.expected_value("argmax_margin").at(n).get<double>() < 1e-9 &&
                         std::abs(up(theirs.y, theirs.x) - peak.value) <= 2e-9F;
        c.require(peak.at == theirs || tie,
                  which + ": peak (" + std::to_string(peak.at.x) + ", " + std::to_string(peak.at.y) + ")");
        const auto point = coordinates(ostend::sam_index_point(sam, theirs));
        const json& point_sam = c.expected_value("point_sam").at(n);
        for (std::size_t axis = 0; axis < 2; ++axis) {
            c.require(std::abs(point[axis] - point_sam.at(axis).get<double>()) <= 1e-9,
                      which + ": point_sam");
        }
    }
}

void check_samcoords(golden_case& c) {
    for (const json& one : c.expected_value("cases")) {
        const image_size image{.width = one.at("hw").at(1).get<index>(),
                               .height = one.at("hw").at(0).get<index>()};
        const auto frame = ostend::make_sam_frame(image);
        const std::string which = std::to_string(image.height) + " x " + std::to_string(image.width);
        c.compare(std::vector<double>{double(frame.resized.height), double(frame.resized.width)},
                  one.at("sam_hw"), which + " sam_hw");
        std::vector<double> points;
        for (const json& p : one.at("points")) {
            for (const double v :
                 coordinates(ostend::sam_index_point(frame, {p.at(0).get<index>(), p.at(1).get<index>()}))) {
                points.push_back(v);
            }
        }
        c.compare(points, one.at("points_sam"), which + " points_sam");
        std::vector<double> boxes;
        for (const json& b : one.at("boxes")) {
            const ostend::box_in<ostend::original_frame> box{b.at(0).get<double>(), b.at(1).get<double>(),
                                                             b.at(2).get<double>(), b.at(3).get<double>()};
            const auto ours = ostend::to_segmenter(frame, box);
            boxes.insert(boxes.end(), {ours.x0, ours.y0, ours.x1, ours.y1});
        }
        c.compare(boxes, one.at("boxes_sam"), which + " boxes_sam");
    }
}

void check_maskprompt(golden_case& c) {
    const npy_array file = c.input("map");
    if (file.shape.size() != 3 || file.shape[0] != 1) {
        return c.fail("map: expected [1, height, width]");
    }
    const std::vector<float> values = file.as_floats();
    const ostend::tensor_view<const float, 2> map(values.data(), {file.shape[1], file.shape[2]});
    const auto logits = c.take(ostend::mask_logits_from_map(map, {.edge = c.param("edge").get<index>(),
                                                                  .epsilon = c.param("eps").get<float>()}),
                               "mask_logits_from_map");
    if (!c.why().empty()) {
        return;
    }
    c.compare(std::vector<double>{double(logits.content.height), double(logits.content.width)},
              c.expected_value("content_hw"), "content_hw");
    c.compare(std::vector<double>{1, double(logits.values.rows()), double(logits.values.columns())},
              c.expected_value("shape"), "shape");
    c.compare(probed(c, logits.values), c.expected("probes").as_floats(), "probes");
    double sum = 0;
    for (const float v : logits.values.values()) {
        sum += double{v};
    }
    c.compare(sum / static_cast<double>(logits.values.values().size()),
              c.expected_value("mean").get<double>(), "mean");

    // The box of the map, of zeros and of ones: none of them is the reference's 0 0 0 0.
    const std::vector<float> zeros(values.size(), 0.0F);
    const std::vector<float> ones(values.size(), 1.0F);
    std::vector<double> boxes;
    for (const float* data : {values.data(), zeros.data(), ones.data()}) {
        const auto box =
            ostend::box_from_map({data, map.extents()}, {.threshold = c.param("thresh").get<float>()});
        const auto b = box.value_or(ostend::box_in<ostend::original_frame>{});
        boxes.insert(boxes.end(), {b.x0, b.y0, b.x1, b.y1});
    }
    c.compare(boxes, c.expected_value("box_xyxy_map_zero_one"), "box_xyxy_map_zero_one");
}

} // namespace ostend_tools
