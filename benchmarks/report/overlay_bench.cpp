// Times of the layers of a report, 480 x 640: a mask filled and outlined over an image, a map as heat over
// it, a peak drawn on it (a copy of the image is in each of them), and an image shrunk to half its sides.
#include "../run.hpp"
#include "ostend/report/overlay.hpp"
#include "pictures.hpp"

namespace {

using namespace ostend_bench;

ostend::picture with(const ostend::picture& image, const ostend::picture& layer) {
    ostend::picture out = image;
    compose(out, layer);
    return out;
}

} // namespace

int main(int argc, char** argv) {
    constexpr ostend::index height = 480;
    constexpr ostend::index width = 640;
    const ostend::picture below = image(height, width);
    add_call("overlay.mask.480x640", [&below, mask = ostend::encode(rings(height, width))] {
        return with(below, mask_layer(mask, ostend::phrase_colour(0), height, width));
    });
    add_call("overlay.heat.480x640",
             [&below, map = hill(height, width)] { return with(below, ostend::heat_layer(map)); });
    add_call("overlay.peak.480x640", [&below] {
        ostend::picture out = below;
        draw_peak(out, 320, 240);
        return out;
    });
    add_call("shrink.1080x1440to540x720", [large = image(1080, 1440)] { return shrink(view(large), 720); });
    return run_benchmarks(argc, argv);
}
