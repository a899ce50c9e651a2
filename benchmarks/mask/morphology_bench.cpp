// Times of erosion and dilation by small and large squares, and of opening and closing masks of many specks:
// from dense masks to dense masks, as OpenCV's users have them, and on run lengths.
#include "forms.hpp"

#include "ostend/mask/morphology.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;
using ostend::rle;

void add_square(index side, index square) {
    const std::string size = std::to_string(square) + "x" + std::to_string(square) + ".";
    const std::string plain = size + std::to_string(side);
    const std::string specks = size + "speckled" + std::to_string(side);
    const auto mask = [side] { return ellipses(side, 1, 6); };
    const auto rough = [side] { return speckled(side); };
    const ostend::morphology_options by{.rows = square, .columns = square};
    add_pixels("morphology.erode." + plain, mask, [by](const rle& m) { return erode(m, by); });
    add_pixels("morphology.dilate." + plain, mask, [by](const rle& m) { return dilate(m, by); });
    add_pixels("morphology.open." + specks, rough, [by](const rle& m) { return dilate(erode(m, by), by); });
    add_pixels("morphology.close." + specks, rough, [by](const rle& m) { return erode(dilate(m, by), by); });
}

} // namespace

int main(int argc, char** argv) {
    for (const int side : {1024, 2048}) {
        add_square(side, 3);
        add_square(side, 21);
    }
    return run(argc, argv);
}
