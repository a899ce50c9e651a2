// Device times of aggregate over [tokens, layers, heads, keys], and of copying memory, which bounds them:
// gpu.aggregate.T64.L32H32.K704.<type>, gpu.copy.256MB.
#include "device.cuh"

#include "ostend/cuda/aggregate.hpp"

namespace {

using namespace ostend;
using ostend::index;
constexpr index tokens = 64, layers = 32, heads = 32, keys = 704;

template <class T>
void add(const std::string& type) {
    const double bytes = static_cast<double>(tokens * layers * heads * keys) * sizeof(T);
    ostend_bench::add("gpu.aggregate.T64.L32H32.K704." + type, bytes, 0, [] {
        const device_view<const T, 4> attention(
            ostend_bench::upload(ostend_bench::values<T>(tokens * layers * heads * keys)),
            {tokens, layers, heads, keys});
        const matrix<float> mean = head_selection().weights(layers, heads);
        const device_view<const float, 2> weights(
            ostend_bench::upload(std::vector<float>(mean.values().begin(), mean.values().end())),
            {layers, heads});
        const device_view<float, 2> out(ostend_bench::reserve<float>(tokens * keys), {tokens, keys});
        const device_workspace memory =
            ostend_bench::workspace(workspace_bytes(aggregate_shape{tokens, layers, keys}));
        return
            [=](const cuda& on) { return aggregate(on, attention, {.count = keys}, weights, out, memory); };
    });
}

void add_copy() {
    constexpr std::size_t bytes = 256U << 20U;
    ostend_bench::add("gpu.copy.256MB", 2.0 * bytes, 0, [] {
        auto* const from = ostend_bench::reserve<std::byte>(bytes);
        auto* const to = ostend_bench::reserve<std::byte>(bytes);
        return [=](const cuda& on) -> status {
            ostend_bench::require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, on.stream));
            return success{};
        };
    });
}

} // namespace

int main(int argc, char** argv) {
    return ostend_bench::run(argc, argv, [] {
        add_copy();
        add<float>("f32");
        add<f16>("f16");
        add<bf16>("bf16");
    });
}
