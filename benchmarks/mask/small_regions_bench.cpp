// Times of holes and islands: from dense masks to dense masks, as OpenCV's users have them, and on run
// lengths.
#include "forms.hpp"

#include "ostend/mask/small_regions.hpp"

namespace {

using namespace ostend_bench;
using ostend::small_regions;

ostend::rle clean(const ostend::rle& mask, small_regions what) {
    return remove_small_regions(mask, 100, what).mask;
}
ostend::rle clean_both(const ostend::rle& mask) {
    return clean(clean(mask, small_regions::holes), small_regions::islands);
}

void add_size(ostend::index side) {
    const std::string size = std::to_string(side);
    const auto mask = [side] { return speckled(side); };
    add_pixels("regions.holes." + size, mask,
               [](const ostend::rle& m) { return clean(m, small_regions::holes); });
    add_pixels("regions.islands." + size, mask,
               [](const ostend::rle& m) { return clean(m, small_regions::islands); });
    add_pixels("regions.holes+islands." + size, mask, clean_both);
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
