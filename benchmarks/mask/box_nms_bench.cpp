// Times of NMS of boxes by their scores.
#include "boxes.hpp"

#include "ostend/mask/box_nms.hpp"

namespace {

using namespace ostend_bench;

void add_count(std::uint64_t n) {
    add("nms.boxes." + std::to_string(n),
        [n] { return [in = scored_boxes(n)] { return ostend::nms(in.boxes, in.scores).value(); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_count(100);
    add_count(1000);
    return run(argc, argv);
}
