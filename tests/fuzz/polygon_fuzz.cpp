// Numbers of a stranger as polygons: a byte says how the numbers are written, two give height and width, the
// rest are coordinates. What is filled must be a mask; what is not must be an error.
// fuzz-max-len: 600
#include "ostend/mask/check.hpp"
#include "ostend/mask/polygon.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Raw doubles (NaN, infinities, huge), or sixteen bits in sixteenths of a pixel around the image.
std::vector<double> coordinates(const std::uint8_t* data, std::size_t size, bool raw) {
    std::vector<double> out(size / (raw ? 8 : 2));
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (raw) {
            std::memcpy(&out[i], data + 8 * i, 8);
        } else {
            std::int16_t v = 0;
            std::memcpy(&v, data + 2 * i, 2);
            out[i] = v / 16.0;
        }
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) {
        return 0;
    }
    const ostend::index height = data[1];
    const ostend::index width = data[2];
    const std::vector<double> xy = coordinates(data + 3, size - 3, data[0] % 2 == 1);
    const auto mask = ostend::from_polygon(xy, height, width);
    if (mask) {
        require(ostend::check(*mask).has_value());
        for (std::size_t i = 1; i < mask->counts.size(); ++i) {
            require(mask->counts[i] != 0); // canonical
        }
        const std::vector<std::vector<double>> twice{xy, xy};
        require(*ostend::from_polygons(twice, height, width) == *mask);
    } else {
        require(mask.error().field == "polygon");
    }
    if (xy.size() >= 4) {
        const auto box = ostend::from_coco_box({xy[0], xy[1], xy[2], xy[3]}, height, width);
        require(box ? ostend::check(*box).has_value() : !box.error().message().empty());
    }
    return 0;
}
