// Times of a mask's outlines with their holes: from dense masks, as OpenCV takes them, and from run lengths.
// Ours follow the edges of pixels, OpenCV's the middles of the pixels inside; as many rings, and both give
// the mask back.
#include "forms.hpp"

#include "ostend/mask/contours.hpp"

namespace {

using namespace ostend_bench;

ostend::contours_of_mask outlines(const ostend::rle& mask) { return contours(mask); }

void add_size(ostend::index side) {
    const std::string size = std::to_string(side);
    add_pixels(
        "contours." + size, [side] { return ellipses(side, 1, 6); }, outlines);
    add_pixels(
        "contours.speckled" + size, [side] { return speckled(side); }, outlines);
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
