// Times of box_from_map: mask2box.<side>, the box of a hill's top in a map of the image's size.
#include "../run.hpp"
#include "ostend/prompt/box.hpp"
#include "ostend/tensor/matrix.hpp"

#include <cmath>
#include <string>

namespace {

/// 1 in the middle, falling to the sides.
ostend::matrix<float> hill(ostend::index side) {
    ostend::matrix<float> out(side, side);
    for (ostend::index y = 0; y < side; ++y) {
        for (ostend::index x = 0; x < side; ++x) {
            const double v = static_cast<double>(2 * y + 1 - side) / static_cast<double>(side);
            const double u = static_cast<double>(2 * x + 1 - side) / static_cast<double>(side);
            out(y, x) = static_cast<float>(std::exp(-4 * (u * u + v * v)));
        }
    }
    return out;
}

} // namespace

int main(int argc, char** argv) {
    for (const ostend::index side : {1024, 2048}) {
        add_call("mask2box." + std::to_string(side),
                 [map = hill(side)] { return ostend::box_from_map(map.view()); });
    }
    return run_benchmarks(argc, argv);
}
