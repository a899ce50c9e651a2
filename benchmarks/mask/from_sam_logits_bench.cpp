// Times from a segmenter's logits to masks as COCO strings with box, area and stability score, three masks at
// once.
#include "shapes.hpp"

#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/from_sam_logits.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;

double use(const ostend::logits_mask& got) {
    return static_cast<double>(to_coco_string(got.mask).size()) + got.box.x1 + static_cast<double>(got.area) +
           got.stability;
}

std::vector<ostend::matrix<float>> three(index side) {
    std::vector<ostend::matrix<float>> out;
    for (std::uint32_t k = 0; k < 3; ++k) {
        out.push_back(blob_logits(side, k));
    }
    return out;
}

/// f makes a mask of each of three logits.
template <class F>
void add_three(const std::string& op, index side, F f) {
    add(op, [=] {
        return [f, logits = three(side)] {
            double sum = 0;
            for (const auto& one : logits) {
                sum += use(f(one));
            }
            return sum;
        };
    });
}

void add_image(ostend::image_size image) {
    const ostend::sam_frame frame = ostend::make_sam_frame(image);
    const std::string op = "sam.postprocess+stability+rle+box.256to" + std::to_string(image.width) + "x" +
                           std::to_string(image.height) + ".B3";
    add_three(op, 256, [frame](const auto& logits) { return from_sam_logits(logits.view(), frame); });
    add_three(op + "/impl:ostend-upsampled", 256, [frame](const auto& logits) {
        return ostend::from_logits(sam_upsampled(logits.view(), frame).view());
    });
}

void add_dense(index side) {
    add_three("threshold+stability+rle+box." + std::to_string(side) + ".B3", side,
              [](const auto& logits) { return ostend::from_logits(logits.view()); });
}

} // namespace

int main(int argc, char** argv) {
    add_image({1024, 768});
    add_image({2048, 1536});
    add_dense(1024);
    add_dense(2048);
    return run(argc, argv);
}
