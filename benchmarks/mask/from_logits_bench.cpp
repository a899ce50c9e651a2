// Times from logits of the mask's own size to masks as COCO strings with box, area and stability score, three
// masks at once.
#include "logits.hpp"

#include "ostend/mask/from_logits.hpp"

namespace {

using namespace ostend_bench;

void add_size(ostend::index side) {
    add_three("threshold+stability+rle+box." + std::to_string(side) + ".B3", side,
              [](const auto& logits) { return ostend::from_logits(logits.view()); });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
