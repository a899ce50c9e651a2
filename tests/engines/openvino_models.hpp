// Small models in the forms that SAM's relatives are exported in, whose masks are discs about the first
// point: a segmenter that gives a point to them in the wrong place finds its disc in the wrong place.
#pragma once

#include <openvino/op/ops.hpp>
#include <openvino/openvino.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ostend_test {

using node = std::shared_ptr<ov::Node>;

inline std::shared_ptr<ov::op::v0::Parameter> input(const std::string& name, const ov::PartialShape& shape,
                                                    ov::element::Type type = ov::element::f32) {
    auto parameter = std::make_shared<ov::op::v0::Parameter>(type, shape);
    parameter->output(0).set_names({name});
    parameter->set_friendly_name(name);
    return parameter;
}
inline std::shared_ptr<ov::op::v0::Result> output(const node& value, const std::string& name) {
    value->output(0).set_names({name});
    return std::make_shared<ov::op::v0::Result>(value);
}
inline node floats(const ov::Shape& shape, const std::vector<float>& values) {
    return ov::op::v0::Constant::create(ov::element::f32, shape, values);
}
inline node whole(const std::vector<std::int64_t>& values) {
    return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}
inline node number(std::int64_t value) { return ov::op::v0::Constant::create(ov::element::i64, {}, {value}); }
inline node add(const node& a, const node& b) { return std::make_shared<ov::op::v1::Add>(a, b); }
inline node subtract(const node& a, const node& b) { return std::make_shared<ov::op::v1::Subtract>(a, b); }
inline node multiply(const node& a, const node& b) { return std::make_shared<ov::op::v1::Multiply>(a, b); }
inline node reshape(const node& a, const std::vector<std::int64_t>& shape) {
    return std::make_shared<ov::op::v1::Reshape>(a, whole(shape), false);
}

/// Coordinate `axis` (0 x, 1 y) of the first point of [..., points, 2].
inline node coordinate(const node& points, std::int64_t axis) {
    const auto flat = reshape(points, {-1, 2});
    const auto first = std::make_shared<ov::op::v8::Gather>(flat, number(0), number(0));
    return std::make_shared<ov::op::v8::Gather>(first, number(axis), number(0));
}

/// radius^2 - distance^2 for the radii of three candidates: [1, 3, height, width].
inline node discs(const node& x, const node& y, const node& px, const node& py, float radius) {
    const auto dx = subtract(x, px);
    const auto dy = subtract(y, py);
    const auto distance = add(multiply(dx, dx), multiply(dy, dy));
    const float r = radius * radius;
    return subtract(floats({1, 3, 1, 1}, {r / 4, r, r * 4}), distance);
}

inline node three_ious() { return floats({1, 3}, {0.25F, 0.75F, 0.5F}); }

inline std::shared_ptr<ov::Model> sam2_encoder(std::int64_t side = 1024) {
    const auto image = input("image", {1, 3, side, side});
    const auto mean = std::make_shared<ov::op::v1::ReduceMean>(image, whole({2, 3}), true);
    return std::make_shared<ov::Model>(
        ov::ResultVector{output(multiply(mean, floats({1}, {1})), "high_res_feats_0"),
                         output(multiply(mean, floats({1}, {2})), "high_res_feats_1"),
                         output(multiply(mean, floats({1}, {3})), "image_embed")},
        ov::ParameterVector{image});
}
/// Discs of radius 100 on the square of 1024, in so many cells; a mask prompt above 0 moves nothing, its mean
/// is added.
inline std::shared_ptr<ov::Model> sam2_decoder(std::size_t cells = 256, std::int64_t mask_side = 256) {
    const auto embed = input("image_embed", {1, 3, 1, 1});
    const auto fine = input("high_res_feats_0", {1, 3, 1, 1});
    const auto middle = input("high_res_feats_1", {1, 3, 1, 1});
    const auto points = input("point_coords", {1, -1, 2});
    const auto labels = input("point_labels", {1, -1});
    const auto mask = input("mask_input", {1, 1, mask_side, mask_side});
    const auto has_mask = input("has_mask_input", {1});
    std::vector<float> centres(cells);
    for (std::size_t i = 0; i < cells; ++i) { // by index: the first cell's centre lies half a pixel lower
        centres[i] = (static_cast<float>(i) + 0.5F) * 1024 / static_cast<float>(cells) - 0.5F;
    }
    const auto found = discs(floats({1, 1, 1, cells}, centres), floats({1, 1, cells, 1}, centres),
                             coordinate(points, 0), coordinate(points, 1), 100);
    const auto shift = multiply(std::make_shared<ov::op::v1::ReduceMean>(mask, whole({2, 3}), true),
                                reshape(has_mask, {1, 1, 1, 1}));
    return std::make_shared<ov::Model>(
        ov::ResultVector{output(add(found, shift), "masks"), output(three_ious(), "iou_predictions")},
        ov::ParameterVector{embed, fine, middle, points, labels, mask, has_mask});
}

inline std::shared_ptr<ov::Model> efficient_sam_encoder() {
    const auto image = input("batched_images", {-1, 3, -1, -1});
    const auto mean = std::make_shared<ov::op::v1::ReduceMean>(image, whole({2, 3}), true);
    return std::make_shared<ov::Model>(ov::ResultVector{output(mean, "image_embeddings")},
                                       ov::ParameterVector{image});
}
/// Discs of radius 100 on a square of 1024 that the image was stretched to, in the image's own pixels. A
/// channel's mean, which is in [0, 1] where the image was given in that range, is the first candidate's IoU.
inline std::shared_ptr<ov::Model> efficient_sam_decoder() {
    const auto embeddings = input("image_embeddings", {-1, 3, 1, 1});
    const auto points = input("batched_point_coords", {1, -1, -1, 2});
    const auto labels = input("batched_point_labels", {1, -1, -1});
    const auto size = input("orig_im_size", {2}, ov::element::i64);
    const auto side = [&size](std::int64_t axis) -> node {
        return std::make_shared<ov::op::v8::Gather>(size, number(axis), number(0));
    };
    const auto as_float = [](const node& n) -> node {
        return std::make_shared<ov::op::v0::Convert>(n, ov::element::f32);
    };
    const auto scale = [&](std::int64_t axis) -> node {
        return std::make_shared<ov::op::v1::Divide>(floats({}, {1024}), as_float(side(axis)));
    };
    const auto centres = [&](std::int64_t axis, const std::vector<std::int64_t>& shape) {
        const auto range =
            std::make_shared<ov::op::v4::Range>(number(0), side(axis), number(1), ov::element::f32);
        return reshape(multiply(add(range, floats({}, {0.5F})), scale(axis)), shape);
    };
    const auto place = [&](std::int64_t axis) {
        return add(multiply(coordinate(points, axis), scale(1 - axis)), floats({}, {0.5F}));
    };
    const auto found = discs(centres(1, {1, 1, 1, -1}), centres(0, {1, 1, -1, 1}), place(0), place(1), 100);
    const auto unsqueezed = std::make_shared<ov::op::v0::Unsqueeze>(found, number(1));
    const auto iou = reshape(embeddings, {1, 1, 3});
    return std::make_shared<ov::Model>(
        ov::ResultVector{output(unsqueezed, "output_masks"), output(iou, "iou_predictions")},
        ov::ParameterVector{embeddings, points, labels, size});
}

} // namespace ostend_test
