// normalise and phrase maps on a machine against the host's functions.
#pragma once

#include "ostend/cuda/normalise.hpp"
#include "ostend/cuda/phrase_maps.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <limits>

namespace ostend_test {

template <class Machine>
void subtract_mean_cases(Machine& machine) {
    using ostend::index;
    std::mt19937 random(21);
    for (int round = 0; round < 30; ++round) {
        const index rows = round % 5 == 4 ? 0 : static_cast<index>(random() % 40) + 1;
        const index tokens = round % 7 == 6 ? 0 : static_cast<index>(random() % 300) + 1;
        const index columns = static_cast<index>(random() % 400) + 1;
        const auto maps = random_matrix(random, rows, columns);
        const auto token_maps = random_matrix(random, tokens, columns);
        auto from = machine.upload(values_of(maps));
        auto mean_of = machine.upload(values_of(token_maps));
        auto workspace =
            machine.workspace(ostend::workspace_bytes(ostend::subtract_mean_shape{tokens, columns}));
        const auto want = oracle_subtract_mean(maps, token_maps);
        std::array<std::vector<float>, 2> got;
        for (unsigned seed : {0U, 1U}) {
            auto out = machine.upload(std::vector<float>(maps.values().size()));
            REQUIRE(ostend::subtract_mean(machine.stream(seed), view_of(from, std::array{rows, columns}),
                                          view_of(mean_of, std::array{tokens, columns}),
                                          view_of(out, std::array{rows, columns}), workspace.view()));
            got[seed] = out.read();
        }
        CHECK(same_bits(got[0], got[1]));
        check_close(got[0], want, 1e-7F, 1e-7F);
        // in place: the token maps less their own mean
        const auto own = view_of(mean_of, std::array{tokens, columns});
        REQUIRE(ostend::subtract_mean(machine.stream(3), own, own, own, workspace.view()));
        check_close(mean_of.read(), oracle_subtract_mean(token_maps, token_maps), 1e-7F, 1e-7F);
    }
}

template <class Machine>
void group_maps_cases(Machine& machine) {
    using ostend::index;
    std::mt19937 random(22);
    for (int round = 0; round < 30; ++round) {
        const index tokens = static_cast<index>(random() % 50) + 1;
        const index columns = static_cast<index>(random() % 400) + 1;
        auto token_maps = random_matrix(random, tokens, columns);
        if (round % 3 == 0) {
            token_maps(tokens / 2, columns / 2) = std::numeric_limits<float>::quiet_NaN();
        }
        std::vector<std::vector<index>> groups(random() % 9 + 1);
        for (auto& group : groups) {
            for (unsigned n = random() % 7; n > 0; --n) {
                group.push_back(static_cast<index>(random() % static_cast<unsigned>(tokens)));
            }
        }
        const auto packed = ostend::pack_groups(groups);
        auto from = machine.upload(values_of(token_maps));
        auto starts = machine.upload(packed.starts);
        auto members = machine.upload(packed.members);
        const auto count = static_cast<index>(groups.size());
        for (const auto reduce :
             {ostend::token_reduction::mean, ostend::token_reduction::max, ostend::token_reduction::first}) {
            auto out = machine.upload(std::vector<float>(groups.size() * static_cast<std::size_t>(columns)));
            REQUIRE(ostend::group_maps(
                machine.stream(0), view_of(from, std::array{tokens, columns}),
                {view_of(starts, std::array{starts.size()}), view_of(members, std::array{members.size()})},
                view_of(out, std::array{count, columns}), reduce));
            check_close(out.read(), oracle_group_maps(token_maps, groups, reduce), 0, 1e-45F);
        }
    }
}

} // namespace ostend_test
