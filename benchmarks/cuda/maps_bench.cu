// Device times of what follows the maps, each a few kernels: gpu.argmax.24to<side>.B<maps>,
// gpu.subtract_mean.T512.K2880, gpu.from_logits.1024.N<masks>.
#include "device.cuh"

#include "ostend/cuda/argmax.hpp"
#include "ostend/cuda/from_logits.hpp"
#include "ostend/cuda/normalise.hpp"
#include "ostend/geometry/stretch.hpp"

#include <cmath>

namespace {

using namespace ostend;
using ostend::index;

void add_argmax(index side, index maps) {
    ostend_bench::add(
        "gpu.argmax.24to" + std::to_string(side) + ".B" + std::to_string(maps),
        static_cast<double>(maps) * 576 * 4, 0, [=] {
            const packed_resampling packed = pack_resampling(geometry::stretch({side, side}));
            const index words = static_cast<index>(packed.words.size());
            const device_resampling on_image{packed.shape, {ostend_bench::upload(packed.words), {words}}};
            const device_view<const float, 2> values(
                ostend_bench::upload(ostend_bench::values<float>(maps * 576)), {maps, 576});
            const device_view<device_peak, 1> found(ostend_bench::reserve<device_peak>(maps), {maps});
            const device_workspace memory =
                ostend_bench::workspace(workspace_bytes(peaks_shape{maps, packed.shape}));
            return [=](const cuda& on) { return find_peak_of_each(on, values, on_image, found, memory); };
        });
}

void add_subtract_mean() {
    constexpr index tokens = 512, columns = 2880;
    ostend_bench::add("gpu.subtract_mean.T512.K2880", 3.0 * tokens * columns * 4, 0, [] {
        const device_view<float, 2> maps(ostend_bench::upload(ostend_bench::values<float>(tokens * columns)),
                                         {tokens, columns});
        const device_view<float, 2> out(ostend_bench::reserve<float>(tokens * columns), {tokens, columns});
        const device_workspace memory =
            ostend_bench::workspace(workspace_bytes(subtract_mean_shape{tokens, columns}));
        return [=](const cuda& on) { return subtract_mean(on, maps, maps, out, memory); };
    });
}

void add_from_logits(index masks) {
    constexpr index side = 1024, room = 1 << 16;
    ostend_bench::add(
        "gpu.from_logits.1024.N" + std::to_string(masks), static_cast<double>(masks * side * side) * 4, 0,
        [=] {
            std::vector<float> blobs(static_cast<std::size_t>(masks * side * side));
            for (std::size_t i = 0; i < blobs.size(); ++i) {
                const auto x = static_cast<float>(i % side);
                const auto y = static_cast<float>(i / side % side);
                blobs[i] = 8 - 0.03F * std::hypot(x - 400, y - 600) + 2 * std::sin(0.02F * x);
            }
            const device_view<const float, 3> logits(ostend_bench::upload(blobs), {masks, side, side});
            const device_view<std::uint32_t, 2> counts(ostend_bench::reserve<std::uint32_t>(masks * room),
                                                       {masks, room});
            const device_view<device_mask, 1> found(ostend_bench::reserve<device_mask>(masks), {masks});
            const device_workspace memory =
                ostend_bench::workspace(workspace_bytes(masks_shape{masks, side, side}));
            return [=](const cuda& on) { return from_logits(on, logits, counts, found, memory); };
        });
}

} // namespace

int main(int argc, char** argv) {
    return ostend_bench::run(argc, argv, [] {
        for (const ostend::index side : {1024, 2048}) {
            add_argmax(side, 1);
            add_argmax(side, 32);
        }
        add_subtract_mean();
        add_from_logits(1);
        add_from_logits(64);
    });
}
