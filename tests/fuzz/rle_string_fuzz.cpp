// Bytes of a stranger as COCO's run lengths: two bytes of height, two of width, then a compressed string; the
// same bytes as uncompressed counts too. What reads must be a mask that every function of mask/ can take.
#include "ostend/mask/boundary.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/contour_text.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/packed_bits.hpp"
#include "ostend/mask/polygon.hpp"
#include "ostend/mask/set_operations.hpp"
#include "ostend/mask/small_regions.hpp"
#include "ostend/mask/transform.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

using ostend::rle;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Cost goes with the runs, whatever the size says.
void use_runs(const rle& mask) {
    require(ostend::check(mask).has_value());
    const rle same = ostend::unite(mask, mask); // in canonical form
    const auto read = ostend::from_coco_string(ostend::to_coco_string(same), mask.height, mask.width);
    require(read.has_value() && *read == same);
    const auto pixels = static_cast<std::uint64_t>(mask.height * mask.width);
    require(ostend::area(mask) + ostend::area(ostend::complement(mask)) == pixels);
    require(ostend::intersect(mask, ostend::complement(mask)).counts.size() == 1);
    require(ostend::to_coco_box(mask) == ostend::to_coco_box(same));
    require(ostend::iou(mask, same) == (ostend::area(mask) == 0 ? 0.0 : 1.0));
    require(ostend::flip_vertically(ostend::flip_vertically(mask)) == same);
    require(ostend::flip_horizontally(ostend::flip_horizontally(mask)) == same);
    std::uint64_t sum = 0;
    const auto parts = ostend::components(mask, ostend::connectivity::eight);
    for (const auto& part : parts.found) {
        sum += part.area;
    }
    require(sum == ostend::area(mask));
    const auto outlines = ostend::contours(mask);
    std::size_t outer = 0;
    for (const auto& ring : outlines.rings) {
        outer += ring.hole ? 0U : 1U;
    }
    require(outer == parts.found.size());
    require(ostend::to_svg_path(outlines).size() >= 4 * outer);
    (void)ostend::remove_small_regions(mask, 10, ostend::small_regions::holes);
    (void)ostend::remove_small_regions(mask, 10, ostend::small_regions::islands);
}

/// Cost goes with the pixels.
void use_pixels(const rle& mask) {
    const rle same = ostend::unite(mask, mask);
    require(ostend::encode(ostend::decode(mask)) == same);
    require(ostend::encode_packed(ostend::decode_packed(mask), mask.height, mask.width) == same);
    require(ostend::subtract(ostend::erode(mask), same).counts.size() == 1);
    require(ostend::subtract(same, ostend::dilate(mask)).counts.size() == 1);
    require(ostend::subtract(ostend::boundary(mask), same).counts.size() == 1);
    if (mask.height > 0 && mask.width > 0) {
        require(ostend::check(ostend::resize(mask, 7, 9)).has_value());
    }
    const auto polygons = ostend::to_coco_polygons(ostend::contours(mask, ostend::connectivity::four));
    if (!polygons.empty()) {
        require(*ostend::from_polygons(polygons, mask.height, mask.width) == same);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) {
        return 0;
    }
    ostend::index height = data[0] + 256 * (data[1] % 4);
    ostend::index width = data[2] + 256 * (data[3] % 4);
    if (data[1] >= 252) { // sizes near the limit and beyond it
        height *= 70000;
        width *= data[3] >= 128 ? 70000 : 1;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 4), size - 4);
    const auto mask = ostend::from_coco_string(text, height, width);
    if (mask) {
        use_runs(*mask);
        if (height * width <= 20000) {
            use_pixels(*mask);
        }
    } else {
        require(!mask.error().message().empty());
    }
    std::vector<std::int32_t> counts(text.size() / 4);
    if (!counts.empty()) {
        std::memcpy(counts.data(), text.data(), 4 * counts.size());
    }
    if (const auto other = ostend::from_counts<std::int32_t>(counts, height, width)) {
        use_runs(*other);
    }
    return 0;
}
