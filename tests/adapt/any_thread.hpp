// What every parallel_for must do: each part once, the bits of the loop, the first exception.
#pragma once

#include "ostend/core/execution.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace ostend_test {

template <class E>
std::vector<float> sums_of_rows(const E& on) {
    std::vector<float> sums(53);
    ostend::for_each_part(on, 53, [&](ostend::index i) {
        for (int k = 0; k < 1000; ++k) {
            sums[static_cast<std::size_t>(i)] += std::sin(static_cast<float>(k * i));
        }
    });
    return sums;
}

template <class E>
void check_parallel_for(const E& on) {
    static_assert(ostend::parallel_for<E>);
    for (const int count : {0, 1, 2, 100}) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
        ostend::for_each_part(on, count, [&](ostend::index i) { ++runs[static_cast<std::size_t>(i)]; });
        CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }));
    }
    const auto want = sums_of_rows(ostend::seq);
    const auto got = sums_of_rows(on);
    CHECK(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0);
    for (int repeat = 0; repeat < 20; ++repeat) {
        std::string said;
        try {
            ostend::for_each_part(on, 40, [](ostend::index i) {
                if (i % 10 == 7) {
                    throw std::runtime_error("part " + std::to_string(i));
                }
            });
        } catch (const std::runtime_error& e) {
            said = e.what();
        }
        CHECK(said == "part 7");
    }
}

} // namespace ostend_test
