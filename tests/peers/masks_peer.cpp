// Answers questions about masks, one JSON object a line, for tests/peers/masks_test.py to compare with
// pycocotools.
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/contour_text.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/packed_bits.hpp"
#include "ostend/mask/polygon.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/mask/set_operations.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace {

using nlohmann::json;
using ostend::index;
using ostend::rle;

std::vector<std::uint8_t> from_hex(const std::string& text) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

/// What there is to say about one mask, whose bits come as np.packbits(mask, axis=1) in hexadecimal.
json describe(const rle& mask) {
    const std::string text = ostend::to_coco_string(mask);
    const ostend::bitmap dense = ostend::decode(mask);
    const auto box = ostend::to_coco_box(mask);
    std::vector<std::uint8_t> columns(dense.pixels.size());
    const ostend::tensor_view<std::uint8_t, 2> down(columns.data(), {mask.height, mask.width},
                                                    {1, mask.height});
    ostend::decode(mask, down);
    const bool same = ostend::encode(dense) == mask && ostend::encode(down) == mask &&
                      *ostend::from_coco_string(text, mask.height, mask.width) == mask;
    return {{"counts", text},
            {"area", ostend::area(mask)},
            {"bbox", {box.x, box.y, box.width, box.height}},
            {"round_trips", same}};
}

json pair(const json& question) {
    const index h = question.at("h");
    const index w = question.at("w");
    const rle a = ostend::encode_packed(from_hex(question.at("a")), h, w);
    const rle b = ostend::encode_packed(from_hex(question.at("b")), h, w);
    const auto box_a = ostend::to_coco_box(a);
    const auto box_b = ostend::to_coco_box(b);
    return {{"a", describe(a)},
            {"b", describe(b)},
            {"iou", ostend::iou(a, b)},
            {"iou_crowd", ostend::iou(a, b, true)},
            {"matrix", ostend::iou_matrix({&a, 1}, {&b, 1})(0, 0)},
            {"box_iou", ostend::box_iou(box_a, box_b)},
            {"box_iou_crowd", ostend::box_iou(box_a, box_b, true)},
            {"union", ostend::to_coco_string(ostend::unite(a, b))},
            {"intersection", ostend::to_coco_string(ostend::intersect(a, b))}};
}

/// The outline as polygons, which pycocotools fills.
json outline(const json& question) {
    const rle mask =
        ostend::encode_packed(from_hex(question.at("outline")), question.at("h"), question.at("w"));
    return {{"polygons", ostend::to_coco_polygons(ostend::contours(mask))}};
}

json polygons(const json& question) {
    const index h = question.at("h");
    const index w = question.at("w");
    const auto rings = question.at("rings").get<std::vector<std::vector<double>>>();
    const auto box = question.at("bbox").get<std::vector<double>>();
    json each = json::array();
    for (const auto& ring : rings) {
        each.push_back(ostend::to_coco_string(*ostend::from_polygon(ring, h, w)));
    }
    return {{"rings", each},
            {"merged", ostend::to_coco_string(*ostend::from_polygons(rings, h, w))},
            {"bbox", ostend::to_coco_string(
                         *ostend::from_coco_box({box.at(0), box.at(1), box.at(2), box.at(3)}, h, w))}};
}

} // namespace

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        const json question = json::parse(line);
        const json answer = question.contains("rings")     ? polygons(question)
                            : question.contains("outline") ? outline(question)
                                                           : pair(question);
        std::cout << answer.dump() << '\n';
    }
    return 0;
}
