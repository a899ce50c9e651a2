// Times from COCO's polygons and boxes to masks as strings: one star, the union of eight as one object's
// annotation has them, and a hundred boxes.
#include "forms.hpp"

#include "ostend/mask/polygon.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;

std::vector<double> star(double x, double y, double size) {
    std::vector<double> xy;
    for (int i = 0; i < 60; ++i) {
        const double angle = i * 6.283185307179586 / 60;
        const double radius = size * (0.3 + 0.1 * (i % 3));
        xy.push_back(x + radius * std::cos(angle) + 0.3);
        xy.push_back(y + radius * std::sin(angle) + 0.7);
    }
    return xy;
}

std::vector<std::vector<double>> eight_stars(double side) {
    std::vector<std::vector<double>> out;
    for (std::uint32_t k = 0; k < 8; ++k) {
        out.push_back(star(unit(2 * k) * side, unit(2 * k + 1) * side, side / 4));
    }
    return out;
}

std::vector<ostend::coco_box> hundred_boxes(double side) {
    std::vector<ostend::coco_box> out;
    for (std::uint32_t k = 0; k < 100; ++k) {
        out.push_back({unit(4 * k) * side, unit(4 * k + 1) * side, unit(4 * k + 2) * side / 4,
                       unit(4 * k + 3) * side / 4});
    }
    return out;
}

void add_side(index side) {
    const std::string size = std::to_string(side);
    const auto pixels = static_cast<double>(side);
    add("poly2rle.1." + size, [=] {
        return [=, xy = star(pixels / 2, pixels / 2, pixels)] {
            return to_coco_string(*ostend::from_polygon(xy, side, side));
        };
    });
    add("poly2rle.union8." + size, [=] {
        return [=, rings = eight_stars(pixels)] {
            return to_coco_string(*ostend::from_polygons(rings, side, side));
        };
    });
    add("box2rle.100." + size, [=] {
        return [=, boxes = hundred_boxes(pixels)] {
            std::vector<std::string> out;
            for (const ostend::coco_box& box : boxes) {
                out.push_back(to_coco_string(*ostend::from_coco_box(box, side, side)));
            }
            return out;
        };
    });
}

} // namespace

int main(int argc, char** argv) {
    add_side(1024);
    add_side(2048);
    return run(argc, argv);
}
