// Times of a segmenter's logits brought to the size of the original image, three masks at once; impl
// ostend-view writes into memory that is there already.
#include "logits.hpp"

#include "ostend/mask/sam_upsampling.hpp"

namespace {

using namespace ostend_bench;

void add_image(ostend::image_size image) {
    const ostend::sam_frame frame = ostend::make_sam_frame(image);
    const std::string op =
        "sam.upsample.256to" + std::to_string(image.width) + "x" + std::to_string(image.height) + ".B3";
    add(op, [=] {
        return [frame, logits = three_logits(256)] {
            std::vector<ostend::matrix<float>> out;
            for (const auto& one : logits) {
                out.push_back(sam_upsampled(one.view(), frame));
            }
            return out;
        };
    });
    add(op + "/impl:ostend-view", [=] {
        const ostend::matrix<float> one(image.height, image.width);
        return
            [frame, logits = three_logits(256), out = std::vector<ostend::matrix<float>>(3, one)]() mutable {
                for (std::size_t k = 0; k < out.size(); ++k) {
                    sam_upsampled(std::as_const(logits[k]).view(), frame, out[k].view());
                }
                return out.data();
            };
    });
}

} // namespace

int main(int argc, char** argv) {
    add_image({1024, 768});
    add_image({2048, 1536});
    return run(argc, argv);
}
