// Times from a segmenter's logits to masks as COCO strings with box, area and stability score, three masks at
// once.
#include "logits.hpp"

#include "ostend/mask/from_sam_logits.hpp"

namespace {

using namespace ostend_bench;

void add_image(ostend::image_size image) {
    const ostend::sam_frame frame = ostend::make_sam_frame(image);
    const std::string op = "sam.postprocess+stability+rle+box.256to" + std::to_string(image.width) + "x" +
                           std::to_string(image.height) + ".B3";
    add_three(op, 256, [frame](const auto& logits) { return from_sam_logits(logits.view(), frame); });
    add_three(op + "/impl:ostend-upsampled", 256, [frame](const auto& logits) {
        return ostend::from_logits(sam_upsampled(logits.view(), frame).view());
    });
}

} // namespace

int main(int argc, char** argv) {
    add_image({1024, 768});
    add_image({2048, 1536});
    return run(argc, argv);
}
