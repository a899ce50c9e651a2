// Times of run lengths as pycocotools gives and takes them: from bytes in columns to a string, from a string
// to bytes; the steps between as other impls.
#include "forms.hpp"

namespace {

using namespace ostend_bench;
using ostend::bitmap;
using ostend::index;

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
}

} // namespace

int main(int argc, char** argv) {
    add_ellipses_and_noise([](const std::string& size, auto mask) { add_masks(size, mask); });
    return run(argc, argv);
}
