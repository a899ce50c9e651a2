// Times of holes and islands, and of components: from dense masks to dense masks, as OpenCV's users have
// them, and on run lengths.
#include "shapes.hpp"

#include "ostend/mask/encode.hpp"
#include "ostend/mask/small_regions.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;
using ostend::small_regions;

ostend::rle clean(const ostend::rle& mask, small_regions what) {
    return remove_small_regions(mask, 100, what).mask;
}
ostend::rle clean_both(const ostend::rle& mask) {
    return clean(clean(mask, small_regions::holes), small_regions::islands);
}

/// From pixels to pixels, and from runs to runs.
template <class F>
void add_both(const std::string& op, index side, F f) {
    add(op + std::to_string(side),
        [=] { return [f, dense = speckled(side)] { return decode(f(encode(dense))); }; });
    add(op + std::to_string(side) + "/impl:ostend-runs",
        [=] { return [f, runs = encode(speckled(side))] { return f(runs); }; });
}

void add_size(index side) {
    add_both("regions.holes.", side, [](const ostend::rle& m) { return clean(m, small_regions::holes); });
    add_both("regions.islands.", side, [](const ostend::rle& m) { return clean(m, small_regions::islands); });
    add_both("regions.holes+islands.", side, clean_both);
    const std::string op = "cc.label8+stats." + std::to_string(side);
    add(op, [side] {
        return
            [dense = speckled(side)] { return components(encode(dense), ostend::connectivity::eight).found; };
    });
    add(op + "/impl:ostend-runs", [side] {
        return
            [runs = encode(speckled(side))] { return components(runs, ostend::connectivity::eight).found; };
    });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
