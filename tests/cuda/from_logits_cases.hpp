// from_logits on a machine against from_logits on the host: the same masks, boxes and scores.
#pragma once

#include "ostend/cuda/from_logits.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <limits>

namespace ostend_test {

/// Blobs, noise, nothing, everything.
inline float logit_at(std::mt19937& random, int kind, ostend::index y, ostend::index x) {
    std::normal_distribution<float> normal;
    switch (kind) {
    case 0:
        return 4 * std::sin(0.05F * static_cast<float>(x + 2 * y)) + 0.5F * normal(random);
    case 1:
        return random() % 50 == 0 ? std::numeric_limits<float>::quiet_NaN() : 2 * normal(random);
    case 2:
        return -3;
    case 3:
        return 3;
    default:
        return static_cast<float>(y * 3 % 7) - 3; // often at the threshold
    }
}

template <class T, class Machine>
void check_from_logits(Machine& machine, std::mt19937& random, ostend::index height, ostend::index width,
                       const ostend::logits_options& options) {
    using ostend::index;
    const index masks = 5;
    auto logits =
        random_tensor<T, 3>(random, {masks, height, width}, random() % 2 == 0, 1, [] { return 9.0F; });
    ostend::matrix<float> widened(masks * height, width);
    for (index m = 0; m < masks; ++m) {
        for (index y = 0; y < height; ++y) {
            for (index x = 0; x < width; ++x) {
                const T v = ostend::from_float<T>(logit_at(random, static_cast<int>(m), y, x));
                logits.at({m, y, x}) = v;
                widened(m * height + y, x) = ostend::to_float(v);
            }
        }
    }
    auto there = machine.upload(logits.storage);
    auto workspace = machine.workspace(ostend::workspace_bytes(ostend::masks_shape{masks, height, width}));
    const index most = height * width + 1;
    std::array<std::vector<ostend::device_mask>, 2> got;
    std::array<std::vector<std::uint32_t>, 2> runs;
    for (unsigned seed : {0U, 1U}) {
        auto counts = machine.upload(std::vector<std::uint32_t>(static_cast<std::size_t>(masks * most), 77U));
        auto found = machine.upload(std::vector<ostend::device_mask>(masks));
        REQUIRE(ostend::from_logits(machine.stream(seed), logits.on(there.data()),
                                    view_of(counts, std::array{masks, most}),
                                    view_of(found, std::array{masks}), workspace.view(), options));
        got[seed] = found.read();
        runs[seed] = counts.read();
    }
    CHECK(got[0] == got[1]);
    CHECK(runs[0] == runs[1]);
    for (index m = 0; m < masks; ++m) {
        const ostend::tensor_view<const float, 2> of_mask(widened.values().data() + m * height * width,
                                                          {height, width});
        const auto want = oracle_from_logits(of_mask, options);
        const auto have =
            ostend::to_result(got[0][static_cast<std::size_t>(m)], height, width,
                              std::span<const std::uint32_t>(runs[0]).subspan(
                                  static_cast<std::size_t>(m * most), static_cast<std::size_t>(most)));
        REQUIRE(have);
        INFO("mask " << m << ", " << height << " x " << width);
        CHECK(have->mask == want.mask);
        CHECK(have->area == want.area);
        CHECK(have->box == want.box);
        CHECK((have->stability == want.stability ||
               (std::isnan(have->stability) && std::isnan(want.stability))));
    }
    // room for some of the counts: they are the first ones, and nothing is written beyond
    const index few = 3;
    auto counts = machine.upload(std::vector<std::uint32_t>(static_cast<std::size_t>(masks * few), 77U));
    auto found = machine.upload(std::vector<ostend::device_mask>(masks));
    REQUIRE(ostend::from_logits(machine.stream(2), logits.on(there.data()),
                                view_of(counts, std::array{masks, few}), view_of(found, std::array{masks}),
                                workspace.view(), options));
    CHECK(found.read() == got[0]);
    const auto some = counts.read();
    for (index m = 0; m < masks; ++m) {
        for (index i = 0; i < few; ++i) {
            const bool written = i < static_cast<index>(got[0][static_cast<std::size_t>(m)].counts);
            CHECK(some[static_cast<std::size_t>(m * few + i)] ==
                  (written ? runs[0][static_cast<std::size_t>(m * most + i)] : 77U));
        }
    }
}

template <class Machine>
void from_logits_cases(Machine& machine) {
    std::mt19937 random(26);
    for (const auto& [height, width] : {std::pair<ostend::index, ostend::index>{1, 1},
                                        {64, 40},
                                        {65, 3},
                                        {130, 129},
                                        {7, 600},
                                        {300, 1},
                                        {63, 64},
                                        {256, 256},
                                        {0, 5},
                                        {5, 0}}) {
        check_from_logits<float>(machine, random, height, width, {});
        check_from_logits<ostend::f16>(machine, random, height, width,
                                       {.threshold = 0.5, .stability_offset = 0.25});
        check_from_logits<ostend::bf16>(machine, random, height, width,
                                        {.threshold = -1, .stability_offset = 0});
    }
}

} // namespace ostend_test
