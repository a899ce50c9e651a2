// Times of crops, margins, flips and other sizes of a mask: from pixels to pixels, as numpy and OpenCV have
// them, from string to string, as COCO's annotations have them (transform.rle), and on run lengths.
#include "forms.hpp"

#include "ostend/mask/transform.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;
using ostend::nearest_rule;
using ostend::rle;

template <class F>
void add_forms(const std::string& name, index side, F f) {
    const auto mask = [side] { return ellipses(side, 1, 6); };
    add_pixels("transform." + name, mask, f);
    add_strings("transform.rle." + name, mask, f);
}

void add_size(index side) {
    const std::string size = "." + std::to_string(side);
    const ostend::mask_window window{side / 4, side / 8, side / 2, side / 2};
    const ostend::mask_margins margins{side / 8, side / 8, side / 8, side / 8};
    add_forms("crop" + size, side, [window](const rle& m) { return crop(m, window); });
    add_forms("pad" + size, side, [margins](const rle& m) { return pad(m, margins); });
    add_forms("flip_vertically" + size, side, [](const rle& m) { return flip_vertically(m); });
    add_forms("flip_horizontally" + size, side, [](const rle& m) { return flip_horizontally(m); });
    for (const index to : {side * 3 / 8, side * 3 / 2}) {
        const std::string sizes = size + "to" + std::to_string(to);
        add_forms("resize_centre" + sizes, side, [to](const rle& m) { return resize(m, to, to); });
        add_forms("resize_corner" + sizes, side,
                  [to](const rle& m) { return resize(m, to, to, nearest_rule::corner); });
    }
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
