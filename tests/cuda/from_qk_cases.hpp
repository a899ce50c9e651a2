// log_sum_exp and reduce_qk on a machine against the scalar oracle in double.
#pragma once

#include "ostend/cuda/from_qk.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <algorithm>
#include <limits>

namespace ostend_test {

struct qk_sizes {
    ostend::index queries, heads, kv_heads, keys, d;
};

enum class seen { all, live, one_live, mask };

template <class T, class Machine>
void check_qk(Machine& machine, std::mt19937& random, const qk_sizes& n, seen visible, bool aligned,
              bool paged) {
    using ostend::index;
    std::normal_distribution<float> normal;
    const index multiple = aligned ? 8 : 1;
    const index cells = paged ? n.keys + 5 : n.keys;
    const auto q = random_tensor<T, 3>(random, {n.queries, n.heads, n.d}, true, multiple,
                                       [&] { return normal(random); });
    const auto k =
        random_tensor<T, 3>(random, {n.kv_heads, cells, n.d}, true, multiple, [&] { return normal(random); });
    qk_inputs in{ostend::matrix<float>(n.queries * n.heads, n.d),
                 ostend::matrix<float>(n.kv_heads * n.keys, n.d),
                 n.queries,
                 n.heads,
                 n.kv_heads,
                 n.keys};
    in.scale = random() % 2 == 0 ? 0.0F : 0.07F;
    in.softcap = random() % 3 == 0 ? 5.0F : 0.0F;
    std::vector<std::int32_t> list;
    for (index j = 0; j < n.keys; ++j) {
        list.push_back(static_cast<std::int32_t>(j));
    }
    if (paged) {
        std::vector<std::int32_t> all(static_cast<std::size_t>(cells));
        std::iota(all.begin(), all.end(), 0);
        std::shuffle(all.begin(), all.end(), random);
        list.assign(all.begin(), all.begin() + n.keys);
    }
    for (index i = 0; i < n.queries; ++i) {
        for (index h = 0; h < n.heads; ++h) {
            for (index x = 0; x < n.d; ++x) {
                in.q(i * n.heads + h, x) = ostend::to_float(q.host().load(i, h, x));
            }
        }
    }
    for (index g = 0; g < n.kv_heads; ++g) {
        for (index j = 0; j < n.keys; ++j) {
            for (index x = 0; x < n.d; ++x) {
                in.k(g * n.keys + j, x) =
                    ostend::to_float(k.host().load(g, list[static_cast<std::size_t>(j)], x));
            }
        }
    }
    auto live = machine.upload(std::vector<std::int32_t>{});
    auto mask = machine.upload(std::vector<float>{});
    auto cell_list = machine.upload(paged ? list : std::vector<std::int32_t>{});
    auto q_there = machine.upload(q.storage);
    auto k_there = machine.upload(k.storage);
    ostend::device_qk<T> qk;
    qk.q = q.on(q_there.data());
    qk.k = k.on(k_there.data());
    qk.cells = view_of(cell_list, std::array{cell_list.size()});
    qk.scale = in.scale;
    qk.softcap = in.softcap;
    if (visible == seen::live || visible == seen::one_live) {
        const auto some = [&] {
            return static_cast<std::int32_t>(random() % static_cast<unsigned>(n.keys)) + 1;
        };
        std::vector<std::int32_t> counts(visible == seen::live ? static_cast<std::size_t>(n.queries) : 1U);
        for (auto& count : counts) {
            count = some();
        }
        in.live = counts;
        live = machine.upload(counts);
        qk.visible = ostend::live_counts{view_of(live, std::array{live.size()})};
    } else if (visible == seen::mask) {
        in.mask = random_matrix(random, n.queries, n.keys);
        for (float& v : in.mask.values()) {
            v = random() % 3 == 0 ? -std::numeric_limits<float>::infinity() : v;
        }
        for (index i = 0; i < n.queries; ++i) {
            in.mask(i, static_cast<index>(random() % static_cast<unsigned>(n.keys))) = 1;
        }
        mask = machine.upload(values_of(in.mask));
        qk.visible = ostend::added_rows{view_of(mask, std::array{n.queries, n.keys})};
    }

    const ostend::qk_shape no_image{n.queries, n.heads, n.kv_heads, n.keys, 0};
    auto first_memory = machine.workspace(ostend::workspace_bytes(no_image));
    const std::vector<float> empty(static_cast<std::size_t>(n.queries * n.heads));
    std::array<std::vector<float>, 2> sums;
    auto known = machine.upload(empty);
    for (unsigned seed : {0U, 1U}) {
        known = machine.upload(empty);
        REQUIRE(ostend::log_sum_exp(machine.stream(seed), qk, view_of(known, std::array{n.queries, n.heads}),
                                    first_memory.view()));
        sums[seed] = known.read();
    }
    CHECK(same_bits(sums[0], sums[1]));
    check_close(sums[0], oracle_log_sum_exp(in), Machine::slack * 4e-6F, Machine::slack * 4e-6F);

    std::vector<float> weights(static_cast<std::size_t>(n.heads));
    for (float& w : weights) {
        w = random() % 3 == 0 ? 0.0F : static_cast<float>(random() % 100 + 1) / 100;
    }
    weights.back() = 0.5F;
    auto weights_there = machine.upload(weights);
    const auto by = view_of(weights_there, std::array{n.heads});
    ostend::device_keys image;
    ostend::key_selection selected;
    auto image_list = machine.upload(std::vector<std::int32_t>{});
    if (random() % 2 == 0) {
        image.first = static_cast<index>(random() % static_cast<unsigned>(n.keys));
        image.count = n.keys - image.first;
        selected = ostend::key_selection(image.first, image.count);
    } else {
        std::vector<index> indices;
        for (unsigned i = random() % 100 + 1; i > 0; --i) {
            indices.push_back(static_cast<index>(random() % static_cast<unsigned>(n.keys)));
        }
        selected = ostend::key_selection::from_indices(indices);
        image_list = machine.upload(ostend::key_list(selected));
        image.list = view_of(image_list, std::array{image_list.size()});
    }
    auto want = oracle_reduce_qk(in, selected, weights);
    // What is in out: once something that must stay, else nothing, so that the bound is one on maps alone.
    const float before = n.keys < 10 ? 0.25F : 0.0F;
    for (float& v : want.values()) {
        v += before;
    }
    const ostend::qk_shape shape{n.queries, n.heads, n.kv_heads, n.keys, image.size()};
    auto memory = machine.workspace(ostend::workspace_bytes(shape));
    for (const bool with_known : {false, true}) {
        std::array<std::vector<float>, 2> got;
        for (unsigned seed : {0U, 1U}) {
            auto out = machine.upload(std::vector<float>(want.values().size(), before));
            const auto to = view_of(out, std::array{n.queries, image.size()});
            REQUIRE((with_known
                         ? ostend::reduce_qk(machine.stream(seed), qk, image, by, to,
                                             view_of(known, std::array{n.queries, n.heads}), memory.view())
                         : ostend::reduce_qk(machine.stream(seed), qk, image, by, to, memory.view())));
            got[seed] = out.read();
        }
        CHECK(same_bits(got[0], got[1]));
        check_close(got[0], want, Machine::slack * 2e-6F,
                    Machine::slack * std::min(2e-7F, 1e-6F / static_cast<float>(n.keys)));
    }
}

/// Without a key: every sum is NaN, and so is every image token, since none has a key that exists.
template <class T, class Machine>
void check_no_keys(Machine& machine, const qk_sizes& n) {
    using ostend::index;
    auto q = machine.upload(std::vector<T>(static_cast<std::size_t>(n.queries * n.heads * n.d)));
    auto k = machine.upload(std::vector<T>{});
    auto list = machine.upload(std::vector<std::int32_t>{0, 7});
    auto weights = machine.upload(std::vector<float>(static_cast<std::size_t>(n.heads), 1.0F));
    ostend::device_qk<T> qk;
    qk.q = view_of(q, std::array{n.queries, n.heads, n.d});
    qk.k = view_of(k, std::array{n.kv_heads, index{0}, n.d});
    ostend::device_keys image;
    image.list = view_of(list, std::array{index{2}});
    auto memory =
        machine.workspace(ostend::workspace_bytes(ostend::qk_shape{n.queries, n.heads, n.kv_heads, 0, 2}));
    const auto are_nan = [](const std::vector<float>& values) {
        return std::all_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
    };
    for (unsigned seed : {0U, 1U, 2U, 3U}) {
        auto sums = machine.upload(std::vector<float>(static_cast<std::size_t>(n.queries * n.heads)));
        auto out = machine.upload(std::vector<float>(static_cast<std::size_t>(n.queries * 2)));
        REQUIRE(ostend::log_sum_exp(machine.stream(seed), qk, view_of(sums, std::array{n.queries, n.heads}),
                                    memory.view()));
        REQUIRE(ostend::reduce_qk(machine.stream(seed), qk, image, view_of(weights, std::array{n.heads}),
                                  view_of(out, std::array{n.queries, index{2}}), memory.view()));
        CHECK(are_nan(sums.read()));
        CHECK(are_nan(out.read()));
    }
}

template <class T, class Machine>
void from_qk_cases(Machine& machine) {
    std::mt19937 random(24);
    // One query and many; grouped queries, groups that do not divide 64, one above 64; head sizes that are no
    // multiple of 8 or 16, and above 128; more keys than a tile, than a split.
    check_qk<T>(machine, random, {1, 4, 4, 200, 64}, seen::all, true, false);
    check_qk<T>(machine, random, {70, 2, 2, 65, 16}, seen::all, true, false);
    check_qk<T>(machine, random, {5, 14, 2, 130, 40}, seen::live, false, false);
    check_qk<T>(machine, random, {11, 8, 1, 64, 72}, seen::mask, true, true);
    check_qk<T>(machine, random, {2, 71, 1, 90, 9}, seen::mask, false, true);
    check_qk<T>(machine, random, {3, 4, 2, 77, 200}, seen::one_live, true, true);
    check_qk<T>(machine, random, {2, 3, 3, 1, 1}, seen::all, false, false);
    check_qk<T>(machine, random, {9, 20, 20, 300, 24}, seen::live, true, false);
    check_qk<T>(machine, random, {1, 1, 1, 5000, 8}, seen::one_live, true, false);
    check_qk<T>(machine, random, {3, 4, 2, 7, 16}, seen::mask, true, false);
    check_no_keys<T>(machine, {3, 4, 2, 0, 16});
}

} // namespace ostend_test
