// Times of IoU, of two masks and of a hundred with each other: from COCO's strings, as pycocotools takes
// them, and from run lengths.
#include "forms.hpp"

#include "ostend/mask/iou.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;

void add_size(index side) {
    const std::string size = std::to_string(side);
    add("rle.iou1x1." + size, [side] {
        return [a = text_of(ellipses(side, 1, 6)), b = text_of(ellipses(side, 1, 6, 7))] {
            return iou(a.read(), b.read());
        };
    });
    add("rle.iou1x1." + size + "/impl:ostend-runs", [side] {
        return [a = encode(ellipses(side, 1, 6)), b = encode(ellipses(side, 1, 6, 7))] { return iou(a, b); };
    });
    add("iou.rle.100x100." + size,
        [side] { return [t = texts_of(hundred(side))] { return iou_matrix(t.read(), t.read()); }; });
    add("iou.rle.100x100." + size + "/impl:ostend-runs",
        [side] { return [masks = hundred(side)] { return iou_matrix(masks, masks); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
