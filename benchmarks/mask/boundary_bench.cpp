// Times of the boundary band and of boundary IoU: from dense masks, as boundary-iou-api takes them, and from
// run lengths.
#include "shapes.hpp"

#include "ostend/mask/boundary.hpp"
#include "ostend/mask/encode.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;

void add_size(index side) {
    const auto left = [side] { return ellipses(side, 1, 6); };
    const auto right = [side] { return ellipses(side, 1, 6, 7); };
    const std::string size = std::to_string(side);
    add("boundary." + size, [=] { return [a = left()] { return decode(boundary(encode(a))); }; });
    add("boundary." + size + "/impl:ostend-runs",
        [=] { return [a = encode(left())] { return boundary(a); }; });
    add("boundaryIoU.pair." + size,
        [=] { return [a = left(), b = right()] { return boundary_iou(encode(a), encode(b)); }; });
    add("boundaryIoU.pair." + size + "/impl:ostend-runs",
        [=] { return [a = encode(left()), b = encode(right())] { return boundary_iou(a, b); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
