// Times of IoU and NMS of a hundred masks: from COCO's strings, as pycocotools takes them, and from run
// lengths.
#include "shapes.hpp"

#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/nms.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;
using ostend::rle;

std::vector<rle> hundred(index side) {
    std::vector<rle> masks;
    for (std::uint32_t i = 0; i < 100; ++i) {
        masks.push_back(encode(ellipses(side, 10 + i, 1)));
    }
    return masks;
}

struct hundred_texts {
    std::vector<std::string> texts = {};
    index side;

    explicit hundred_texts(index side_) : side(side_) {
        for (const rle& mask : hundred(side)) {
            texts.push_back(to_coco_string(mask));
        }
    }
    [[nodiscard]] std::vector<rle> read() const {
        std::vector<rle> out;
        out.reserve(texts.size());
        for (const std::string& text : texts) {
            out.push_back(ostend::from_coco_string(text, side, side).value());
        }
        return out;
    }
};

void add_size(index side) {
    const std::string size = std::to_string(side);
    add("iou.rle.100x100." + size,
        [side] { return [texts = hundred_texts(side)] { return iou_matrix(texts.read(), texts.read()); }; });
    add("iou.rle.100x100." + size + "/impl:ostend-runs",
        [side] { return [masks = hundred(side)] { return iou_matrix(masks, masks); }; });
    add("nms.rle.100." + size,
        [side] { return [texts = hundred_texts(side)] { return ostend::nms(texts.read()); }; });
    add("nms.rle.100." + size + "/impl:ostend-runs",
        [side] { return [masks = hundred(side)] { return ostend::nms(masks); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
