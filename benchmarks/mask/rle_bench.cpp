// Times of run lengths as pycocotools gives and takes them: from bytes in columns to a string, from a string
// to bytes; the steps between as other impls.
#include "shapes.hpp"

#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "ostend/mask/polygon.hpp"
#include "ostend/mask/runs.hpp"

namespace {

using namespace ostend_bench;
using ostend::bitmap;
using ostend::index;
using ostend::rle;

/// Bytes down the columns.
struct columns_of {
    std::vector<std::uint8_t> bytes;
    index height;
    index width;

    explicit columns_of(const bitmap& mask)
        : bytes(mask.pixels.size()), height(mask.height), width(mask.width) {
        decode(encode(mask), {bytes.data(), {height, width}, {1, height}});
    }
    [[nodiscard]] ostend::tensor_view<const std::uint8_t, 2> view() const {
        return {bytes.data(), {height, width}, {1, height}};
    }
};

/// A mask as a string.
struct text_of {
    std::string text;
    index height;
    index width;

    explicit text_of(const bitmap& mask)
        : text(to_coco_string(encode(mask))), height(mask.height), width(mask.width) {}
    [[nodiscard]] rle read() const { return ostend::from_coco_string(text, height, width).value(); }
};

template <class MakeMask>
void add_masks(const std::string& size, MakeMask mask) {
    add("rle.encode." + size, [mask] {
        return [down = columns_of(mask())] { return to_coco_string(ostend::encode(down.view())); };
    });
    add("rle.encode." + size + "/impl:ostend-rows",
        [mask] { return [dense = mask()] { return to_coco_string(encode(dense)); }; });
    add("rle.encode." + size + "/impl:ostend-rows-no-string",
        [mask] { return [dense = mask()] { return encode(dense); }; });
    add("rle.decode." + size, [mask] { return [text = text_of(mask())] { return decode(text.read()); }; });
    add("rle.decode." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return decode(runs); }; });
    add("rle.area." + size, [mask] { return [text = text_of(mask())] { return area(text.read()); }; });
    add("rle.area." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return area(runs); }; });
    add("rle.toBbox." + size,
        [mask] { return [text = text_of(mask())] { return to_coco_box(text.read()); }; });
    add("rle.toBbox." + size + "/impl:ostend-runs",
        [mask] { return [runs = encode(mask())] { return to_coco_box(runs); }; });
}

void add_pairs(index side) {
    const std::string size = std::to_string(side);
    add("rle.iou1x1." + size, [side] {
        return [a = text_of(ellipses(side, 1, 6)), b = text_of(ellipses(side, 1, 6, 7))] {
            return iou(a.read(), b.read());
        };
    });
    add("rle.iou1x1." + size + "/impl:ostend-runs", [side] {
        return [a = encode(ellipses(side, 1, 6)), b = encode(ellipses(side, 1, 6, 7))] { return iou(a, b); };
    });
}

void add_polygon(index side) {
    std::vector<double> xy;
    for (int i = 0; i < 60; ++i) {
        const double angle = i * 6.283185307179586 / 60;
        const double radius = static_cast<double>(side) * (0.3 + 0.1 * (i % 3));
        xy.push_back(static_cast<double>(side) / 2 + radius * std::cos(angle) + 0.3);
        xy.push_back(static_cast<double>(side) / 2 + radius * std::sin(angle) + 0.7);
    }
    add("poly2rle.1." + std::to_string(side),
        [=] { return [=] { return to_coco_string(*ostend::from_polygon(xy, side, side)); }; });
}

} // namespace

int main(int argc, char** argv) {
    for (const int side : {1024, 2048}) {
        add_masks(std::to_string(side), [side] { return ellipses(side, 1, 6); });
        add_masks("noise" + std::to_string(side), [side] { return noise(side); });
        add_pairs(side);
        add_polygon(side);
    }
    return run(argc, argv);
}
