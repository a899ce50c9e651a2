// Device times of reduce_qk over all layers of a model, keys from memory: 64 queries, or one as a host
// decodes. gpu.from_qk.Q<queries>.L32H32KV<kv_heads>D128.K2880.bf16; .known: with the attention kernel's
// log-sum-exp.
#include "device.cuh"

#include "ostend/cuda/from_qk.hpp"

namespace {

using namespace ostend;
using ostend::index;
constexpr index layers = 32, heads = 32, d = 128, keys = 2880, image_tokens = 2880;

struct inputs {
    std::vector<device_qk<bf16>> layer_of;
    device_view<const float, 1> weights;
    device_view<float, 2> out;
    device_view<float, 2> log_sums;
    device_workspace memory;
};

inputs make(index queries, index kv_heads) {
    inputs made;
    const device_view<const bf16, 3> q(
        ostend_bench::upload(ostend_bench::values<bf16>(queries * heads * d, 2)), {queries, heads, d});
    for (index layer = 0; layer < layers; ++layer) {
        device_qk<bf16> qk;
        qk.q = q;
        qk.k = {ostend_bench::upload(
                    ostend_bench::values<bf16>(kv_heads * keys * d, static_cast<unsigned>(layer))),
                {kv_heads, keys, d}};
        made.layer_of.push_back(qk);
    }
    made.weights = {ostend_bench::upload(std::vector<float>(heads, 1.0F / (layers * heads))), {heads}};
    made.out = {ostend_bench::reserve<float>(queries * image_tokens), {queries, image_tokens}};
    made.log_sums = {
        ostend_bench::upload(std::vector<float>(static_cast<std::size_t>(queries * heads), 8.0F)),
        {queries, heads}};
    made.memory =
        ostend_bench::workspace(workspace_bytes(qk_shape{queries, heads, kv_heads, keys, image_tokens}));
    return made;
}

void add(index queries, index kv_heads, bool known) {
    const std::string name = "gpu.from_qk.Q" + std::to_string(queries) + ".L32H32KV" +
                             std::to_string(kv_heads) + "D128.K2880.bf16" + (known ? ".known" : "");
    const double bytes = static_cast<double>(layers * kv_heads * keys * d) * 2;
    const double flop = static_cast<double>(layers * queries * heads) * keys * d * (known ? 2 : 4);
    ostend_bench::add(name, bytes, flop, [=] {
        return [in = make(queries, kv_heads), known](const cuda& on) -> status {
            for (const device_qk<bf16>& qk : in.layer_of) {
                const status queued =
                    known ? reduce_qk(on, qk, {.count = image_tokens}, in.weights, in.out, in.log_sums,
                                      in.memory)
                          : reduce_qk(on, qk, {.count = image_tokens}, in.weights, in.out, in.memory);
                if (!queued) {
                    return queued;
                }
            }
            return success{};
        };
    });
}

} // namespace

int main(int argc, char** argv) {
    return ostend_bench::run(argc, argv, [] {
        for (const ostend::index queries : {1, 64}) {
            add(queries, 32, false);
            add(queries, 32, true);
            add(queries, 8, false);
        }
    });
}
