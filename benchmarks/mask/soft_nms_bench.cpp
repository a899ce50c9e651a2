// Times of soft-NMS and matrix NMS: of boxes, and of a hundred masks from COCO's strings and from run
// lengths.
#include "boxes.hpp"
#include "forms.hpp"

#include "ostend/mask/soft_nms.hpp"

namespace {

using namespace ostend_bench;
using ostend::rle;
using ostend::score_decay;

void add_boxes(std::uint64_t n) {
    const std::string count = "boxes." + std::to_string(n);
    for (const score_decay decay : {score_decay::linear, score_decay::gaussian}) {
        add("soft_nms." + std::string(decay == score_decay::linear ? "linear." : "gaussian.") + count, [=] {
            return [decay, in = scored_boxes(n)] {
                return ostend::soft_nms(in.boxes, in.scores, {.decay = decay}).value();
            };
        });
    }
    add("matrix_nms.gaussian." + count,
        [n] { return [in = scored_boxes(n)] { return ostend::matrix_nms(in.boxes, in.scores).value(); }; });
}

void add_masks(ostend::index side) {
    const std::string size = "rle.100." + std::to_string(side);
    const auto masks = [side] { return hundred(side); };
    const std::vector<double> scores = scored_boxes(100).scores;
    add_many("soft_nms.gaussian." + size, masks, [scores](const std::vector<rle>& m) {
        return ostend::soft_nms(m, scores, {.decay = score_decay::gaussian}).value();
    });
    add_many("matrix_nms.gaussian." + size, masks,
             [scores](const std::vector<rle>& m) { return ostend::matrix_nms(m, scores).value(); });
}

} // namespace

int main(int argc, char** argv) {
    add_boxes(100);
    add_boxes(1000);
    add_masks(1024);
    add_masks(2048);
    return run(argc, argv);
}
