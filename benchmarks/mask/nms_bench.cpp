// Times of NMS of a hundred masks: from COCO's strings and from run lengths.
#include "forms.hpp"

#include "ostend/mask/nms.hpp"

namespace {

using namespace ostend_bench;

void add_size(ostend::index side) {
    add_many(
        "nms.rle.100." + std::to_string(side), [side] { return hundred(side); },
        [](const auto& masks) { return ostend::nms(masks); });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
