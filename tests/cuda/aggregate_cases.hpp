// aggregate on a machine against aggregate on the host, over random shapes, strides, types and heads.
#pragma once

#include "ostend/cuda/aggregate.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

namespace ostend_test {

/// Weights of which some are 0 and whose sum is 1.
inline ostend::matrix<float> random_weights(std::mt19937& random, ostend::index layers, ostend::index heads) {
    ostend::matrix<float> raw(layers, heads);
    for (float& w : raw.values()) {
        w = random() % 3 == 0 ? 0.0F : static_cast<float>(random() % 1000 + 1);
    }
    raw(layers - 1, heads - 1) = 5;
    return ostend::head_selection::weighted(raw).weights(static_cast<int>(layers), static_cast<int>(heads));
}

struct aggregate_sizes {
    ostend::index tokens, layers, heads, keys;
    bool every_key = false; ///< or some of them
};

template <class T, class Machine>
void check_aggregate(Machine& machine, std::mt19937& random, const aggregate_sizes& sizes) {
    using ostend::index;
    const auto [tokens, layers, heads, keys, every_key] = sizes;
    const auto some = [&random](index most) {
        return static_cast<index>(random() % static_cast<unsigned>(most)) + 1;
    };
    std::uniform_real_distribution<float> uniform;
    const auto attention = random_tensor<T, 4>(random, {tokens, layers, heads, keys}, random() % 2 == 0, 1,
                                               [&] { return uniform(random); });
    const auto weights = random_weights(random, layers, heads);
    ostend::device_keys image;
    ostend::key_selection selected;
    auto list = machine.upload(std::vector<std::int32_t>{});
    if (every_key) {
        image.count = keys;
        selected = {0, keys};
    } else if (random() % 2 == 0) {
        image.first = static_cast<index>(random() % static_cast<unsigned>(keys));
        image.step = some(3);
        image.count = (keys - image.first + image.step - 1) / image.step;
        selected =
            ostend::key_selection(std::vector<ostend::key_range>{{image.first, image.count, image.step}});
    } else {
        std::vector<index> indices;
        for (index i = some(200); i > 0; --i) {
            indices.push_back(some(keys) - 1);
        }
        selected = ostend::key_selection::from_indices(indices);
        list = machine.upload(ostend::key_list(selected));
        image.list = view_of(list, std::array<index, 1>{list.size()});
    }
    auto on_device = machine.upload(attention.storage);
    auto weights_there = machine.upload(std::vector<float>(weights.values().begin(), weights.values().end()));
    const auto weights_view = view_of(weights_there, std::array<index, 2>{layers, heads});
    auto workspace =
        machine.workspace(ostend::workspace_bytes(ostend::aggregate_shape{tokens, layers, image.size()}));
    for (const auto reduce : {ostend::head_reduction::mean, ostend::head_reduction::max}) {
        const auto want = oracle_aggregate(attention.host(), selected, weights, reduce);
        std::array<std::vector<float>, 2> got;
        for (unsigned seed : {0U, 1U}) {
            padded_rows out(machine, tokens, image.size());
            REQUIRE(ostend::aggregate(machine.stream(seed), attention.on(on_device.data()), image,
                                      weights_view, out.view(), workspace.view(), reduce));
            got[seed] = out.read();
        }
        CHECK(same_bits(got[0], got[1]));
        check_close(got[0], want, reduce == ostend::head_reduction::max ? 0 : 2e-6F, 1e-30F);
    }
}

template <class Machine>
void aggregate_cases(Machine& machine) {
    std::mt19937 random(20);
    const auto some = [&random](unsigned most) { return static_cast<ostend::index>(random() % most) + 1; };
    for (int round = 0; round < 12; ++round) {
        check_aggregate<float>(machine, random, {some(4), some(9), some(19), some(300)});
        check_aggregate<ostend::f16>(machine, random, {some(4), some(9), some(19), some(300)});
        check_aggregate<ostend::bf16>(machine, random, {some(4), some(9), some(19), some(300)});
    }
    // More layers than parts, and one part for all: the outputs alone keep a device busy.
    for (const aggregate_sizes& sizes : {aggregate_sizes{60, 13, 2, 900, true}, {150, 4, 1, 1800, true}}) {
        check_aggregate<ostend::f16>(machine, random, sizes);
    }
}

} // namespace ostend_test
