// Times of COCO's strings: from counts to a string, and from a string to counts and back. Counts are checked
// on the way in; ostend-runs writes those of a mask that is known to be good.
#include "forms.hpp"

namespace {

using namespace ostend_bench;

template <class MakeMask>
void add_masks(const std::string& size, MakeMask mask) {
    add("coco_string.write." + size, [mask] {
        return [runs = encode(mask())] {
            return to_coco_string(*ostend::from_counts(runs.counts, runs.height, runs.width));
        };
    });
    add("coco_string.write." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return to_coco_string(runs); }; });
    add("coco_string.read+write." + size,
        [mask] { return [text = text_of(mask())] { return to_coco_string(text.read()); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_ellipses_and_noise([](const std::string& size, auto mask) { add_masks(size, mask); });
    return run(argc, argv);
}
