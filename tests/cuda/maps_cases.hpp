// normalise and phrase maps on a machine against the host's functions.
#pragma once

#include "ostend/cuda/normalise.hpp"
#include "ostend/cuda/phrase_maps.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <limits>

namespace ostend_test {

inline strided_values<float, 2> random_maps(std::mt19937& random, ostend::index rows, ostend::index columns) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    return random_tensor<float, 2>(random, {rows, columns}, false, 1, [&] { return uniform(random); });
}

template <class Machine>
void subtract_mean_cases(Machine& machine) {
    using ostend::index;
    std::mt19937 random(21);
    for (int round = 0; round < 30; ++round) {
        const index rows = round % 5 == 4 ? 0 : static_cast<index>(random() % 40) + 1;
        const index tokens = round % 7 == 6 ? 0 : static_cast<index>(random() % 300) + 1;
        const index columns = static_cast<index>(random() % 400) + 1;
        const auto maps = random_maps(random, rows, columns);
        const auto token_maps = random_maps(random, tokens, columns);
        auto from = machine.upload(maps.storage);
        auto mean_of = machine.upload(token_maps.storage);
        const auto own = token_maps.on(mean_of.data());
        auto workspace =
            machine.workspace(ostend::workspace_bytes(ostend::subtract_mean_shape{tokens, columns}));
        const auto means = without_gaps(token_maps.host());
        const auto want = oracle_subtract_mean(without_gaps(maps.host()), means);
        std::array<std::vector<float>, 2> got;
        for (unsigned seed : {0U, 1U}) {
            padded_rows out(machine, rows, columns);
            REQUIRE(ostend::subtract_mean(machine.stream(seed), maps.on(from.data()), own, out.view(),
                                          workspace.view()));
            got[seed] = out.read();
        }
        CHECK(same_bits(got[0], got[1]));
        check_close(got[0], want, 1e-7F, 1e-7F);
        // in place: the token maps less their own mean
        REQUIRE(ostend::subtract_mean(machine.stream(3), own, own, own, workspace.view()));
        auto centred = token_maps;
        centred.storage = mean_of.read();
        check_close(values_of(without_gaps(centred.host())), oracle_subtract_mean(means, means), 1e-7F,
                    1e-7F);
    }
}

template <class Machine>
void group_maps_cases(Machine& machine) {
    using ostend::index;
    std::mt19937 random(22);
    for (int round = 0; round < 30; ++round) {
        const index tokens = static_cast<index>(random() % 50) + 1;
        const index columns = static_cast<index>(random() % 400) + 1;
        auto token_maps = random_maps(random, tokens, columns);
        if (round % 3 == 0) {
            token_maps.at({tokens / 2, columns / 2}) = std::numeric_limits<float>::quiet_NaN();
        }
        std::vector<std::vector<index>> groups(random() % 9 + 1);
        for (auto& group : groups) {
            for (unsigned n = random() % 7; n > 0; --n) {
                group.push_back(static_cast<index>(random() % static_cast<unsigned>(tokens)));
            }
        }
        const auto packed = ostend::pack_groups(groups);
        const auto rows = without_gaps(token_maps.host());
        auto from = machine.upload(token_maps.storage);
        auto starts = machine.upload(packed.starts);
        auto members = machine.upload(packed.members);
        for (const auto reduce :
             {ostend::token_reduction::mean, ostend::token_reduction::max, ostend::token_reduction::first}) {
            padded_rows out(machine, static_cast<index>(groups.size()), columns);
            REQUIRE(ostend::group_maps(
                machine.stream(0), token_maps.on(from.data()),
                {view_of(starts, std::array{starts.size()}), view_of(members, std::array{members.size()})},
                out.view(), reduce));
            check_close(out.read(), oracle_group_maps(rows, groups, reduce), 0, 1e-45F);
        }
    }
}

} // namespace ostend_test
