// Times from a mask to its outlines as COCO's polygons, GeoJSON and an SVG path: from dense masks, from run
// lengths, and (ostend-outlines) from outlines that are there already. Ours have a corner at each turn of an
// edge between pixels; OpenCV's points lie in the middles of pixels and are fewer, for there are diagonals
// between them.
#include "forms.hpp"

#include "ostend/mask/contour_text.hpp"

namespace {

using namespace ostend_bench;

template <class MakeMask, class F>
void add_text(const std::string& op, MakeMask mask, F f) {
    add_pixels(op, mask, [f](const ostend::rle& m) { return f(contours(m)); });
    add(op + "/impl:ostend-outlines",
        [=] { return [f, outlines = contours(encode(mask()))] { return f(outlines); }; });
}

template <class MakeMask>
void add_mask(const std::string& size, MakeMask mask) {
    using outlines = ostend::contours_of_mask;
    add_text("contour_text.coco." + size, mask, [](const outlines& o) { return to_coco_polygons(o); });
    add_text("contour_text.geojson." + size, mask, [](const outlines& o) { return to_geojson(o); });
    add_text("contour_text.svg." + size, mask, [](const outlines& o) { return to_svg_path(o); });
}

} // namespace

int main(int argc, char** argv) {
    for (const int side : {1024, 2048}) {
        add_mask(std::to_string(side), [side] { return ellipses(side, 1, 6); });
        add_mask("speckled" + std::to_string(side), [side] { return speckled(side); });
    }
    return run(argc, argv);
}
