// Times of masks of one bit a pixel, as np.packbits(mask, axis=1) has them: from bits to a COCO string and
// from a string to bits, and the same from and to run lengths.
#include "forms.hpp"

#include "ostend/mask/packed_bits.hpp"

namespace {

using namespace ostend_bench;

template <class MakeMask>
void add_masks(const std::string& size, MakeMask mask) {
    const auto packed = [mask] { return decode_packed(encode(mask())); };
    const ostend::index side = mask().height;
    add("packed.encode." + size, [=] {
        return [side, bits = packed()] { return to_coco_string(ostend::encode_packed(bits, side, side)); };
    });
    add("packed.encode." + size + "/impl:ostend-runs",
        [=] { return [side, bits = packed()] { return ostend::encode_packed(bits, side, side); }; });
    add("packed.decode." + size,
        [=] { return [text = text_of(mask())] { return decode_packed(text.read()); }; });
    add("packed.decode." + size + "/impl:ostend-runs",
        [=] { return [runs = encode(mask())] { return decode_packed(runs); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_ellipses_and_noise([](const std::string& size, auto mask) { add_masks(size, mask); });
    return run(argc, argv);
}
