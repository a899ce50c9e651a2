// Times of what run lengths say of a mask, its area and its box: from a COCO string, as pycocotools takes it,
// and from runs.
#include "forms.hpp"

#include "ostend/mask/runs.hpp"

namespace {

using namespace ostend_bench;

template <class MakeMask>
void add_masks(const std::string& size, MakeMask mask) {
    add("rle.area." + size, [mask] { return [text = text_of(mask())] { return area(text.read()); }; });
    add("rle.area." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return area(runs); }; });
    add("rle.toBbox." + size,
        [mask] { return [text = text_of(mask())] { return to_coco_box(text.read()); }; });
    add("rle.toBbox." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return to_coco_box(runs); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_ellipses_and_noise([](const std::string& size, auto mask) { add_masks(size, mask); });
    return run(argc, argv);
}
