// Times of uniting the duplicates among a hundred masks, four of each of twenty-five objects: from COCO's
// strings and from run lengths.
#include "forms.hpp"

#include "ostend/mask/merge.hpp"

namespace {

using namespace ostend_bench;
using ostend::index;

std::vector<ostend::rle> fourfold(index side) {
    std::vector<ostend::rle> masks;
    for (std::uint32_t i = 0; i < 100; ++i) {
        masks.push_back(encode(ellipses(side, 10 + i % 25, 1, i / 25)));
    }
    return masks;
}

void add_size(index side) {
    const std::string op = "merge.rle.100." + std::to_string(side);
    add(op, [side] {
        return [texts = texts_of(fourfold(side))] {
            std::vector<std::string> out;
            for (const ostend::merged_mask& merged : ostend::unite_duplicates(texts.read())) {
                out.push_back(to_coco_string(merged.mask));
            }
            return out;
        };
    });
    add(op + "/impl:ostend-runs",
        [side] { return [masks = fourfold(side)] { return ostend::unite_duplicates(masks); }; });
}

} // namespace

int main(int argc, char** argv) {
    add_size(1024);
    add_size(2048);
    return run(argc, argv);
}
