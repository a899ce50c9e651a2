// The whole flow on a machine against the host's functions one after the other.
#pragma once

#include "ostend/geometry/llava.hpp"

#include "cuda/compare.hpp"
#include "cuda/engine.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <algorithm>

namespace ostend_test {

template <class Machine>
void engine_cases(Machine& machine) {
    using ostend::index;
    constexpr index layers = 3, heads = 4, kv_heads = 2, d = 32, tokens = 6, side = 8, keys = 90;
    std::mt19937 random(28);
    std::normal_distribution<float> normal;
    const auto grid = ostend::geometry::llava_pad({64, 48}, {.grid = side});
    const auto packed = ostend::pack_resampling(grid);
    const ostend::matrix<float> weights = ostend::head_selection().weights(layers, heads);
    const std::vector<std::vector<index>> groups = {{1, 2}, {4}};
    const auto lists = ostend::pack_groups(groups);

    engine_views e;
    e.image = {.first = 12, .count = side * side};
    ostend::matrix<float> maps(tokens, side * side);
    std::vector<decltype(machine.upload(std::vector<ostend::bf16>{}))> memory;
    memory.reserve(2 * layers);
    for (index layer = 0; layer < layers; ++layer) {
        qk_inputs in{ostend::matrix<float>(tokens * heads, d),
                     ostend::matrix<float>(kv_heads * keys, d),
                     tokens,
                     heads,
                     kv_heads,
                     keys};
        for (auto* values : {&in.q, &in.k}) {
            std::vector<ostend::bf16> rounded;
            for (float& v : values->values()) {
                rounded.push_back(ostend::to_bf16(normal(random)));
                v = ostend::to_float(rounded.back());
            }
            memory.push_back(machine.upload(rounded));
        }
        ostend::device_qk<ostend::bf16> qk;
        qk.q = view_of(memory[memory.size() - 2], std::array{tokens, heads, d});
        qk.k = view_of(memory[memory.size() - 1], std::array{kv_heads, keys, d});
        e.layers.push_back(qk);
        const auto rows = oracle_reduce_qk(in, {12, side * side}, weights.row(layer));
        std::transform(rows.values().begin(), rows.values().end(), maps.values().begin(),
                       maps.values().begin(), std::plus<>());
    }
    auto weights_there = machine.upload(values_of(weights));
    auto starts = machine.upload(lists.starts);
    auto members = machine.upload(lists.members);
    auto words = machine.upload(packed.words);
    auto token_maps = machine.upload(std::vector<float>(maps.values().size()));
    auto phrase_maps = machine.upload(std::vector<float>(groups.size() * side * side));
    auto peaks = machine.upload(std::vector<ostend::device_peak>(groups.size()));
    const index phrases = static_cast<index>(groups.size());
    auto workspace = machine.workspace(
        std::max({ostend::workspace_bytes(ostend::qk_shape{tokens, heads, kv_heads, keys, side * side}),
                  ostend::workspace_bytes(ostend::subtract_mean_shape{tokens, side * side}),
                  ostend::workspace_bytes(ostend::peaks_shape{phrases, packed.shape})}));
    e.weights = view_of(weights_there, std::array{layers, heads});
    e.groups = {view_of(starts, std::array{starts.size()}), view_of(members, std::array{members.size()})};
    e.resampling = {packed.shape, view_of(words, std::array{words.size()})};
    e.token_maps = view_of(token_maps, std::array{tokens, side * side});
    e.phrase_maps = view_of(phrase_maps, std::array{phrases, side * side});
    e.peaks = view_of(peaks, std::array{phrases});
    e.workspace = workspace.view();
    REQUIRE(ground_on(machine.stream(0), e));

    const auto want =
        oracle_subtract_mean(oracle_group_maps(maps, groups, ostend::token_reduction::mean), maps);
    const auto got = phrase_maps.read();
    check_close(token_maps.read(), maps, Machine::slack * 2e-6F, Machine::slack * 2e-7F);
    check_close(got, want, Machine::slack * 2e-6F, Machine::slack * 4e-7F);
    const auto found = peaks.read();
    for (std::size_t p = 0; p < groups.size(); ++p) {
        const auto peak = ostend::to_result(found[p]);
        const auto host =
            oracle_peak(std::span<const float>(got).subspan(p * side * side, side * side), grid, {});
        REQUIRE(peak);
        REQUIRE(host);
        CHECK(peak->at == host->at);
        CHECK(peak->value == host->value);
    }
}

} // namespace ostend_test
