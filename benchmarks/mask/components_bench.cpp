// Times of connected components with their areas and boxes, on masks of many specks: from dense masks, as
// OpenCV takes them, and from run lengths.
#include "forms.hpp"

#include "ostend/mask/components.hpp"

namespace {

using namespace ostend_bench;

void add_size(ostend::index side) {
    add_pixels(
        "cc.label8+stats." + std::to_string(side), [side] { return speckled(side); },
        [](const ostend::rle& m) { return components(m, ostend::connectivity::eight).found; });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
