// check_any_split: however samples are dealt to accumulators that are merged, the result has the same bits.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

namespace ostend_test {

/// `add(accumulator, sample)` updates; `figures(accumulator)` lists all that the result holds as doubles.
template <class Accumulator, class Sample, class Add, class Figures>
void check_any_split(const Accumulator& fresh, std::vector<Sample> samples, std::mt19937& random, Add add,
                     Figures figures) {
    const auto bits = [&](const Accumulator& of) {
        std::vector<std::uint64_t> out;
        for (const double figure : figures(of)) {
            out.push_back(std::bit_cast<std::uint64_t>(figure));
        }
        return out;
    };
    Accumulator whole = fresh;
    for (const Sample& one : samples) {
        REQUIRE(add(whole, one));
    }
    const std::vector<std::uint64_t> want = bits(whole);
    REQUIRE(want != bits(fresh));
    for (int round = 0; round < 10; ++round) {
        std::vector<Accumulator> parts(1 + random() % 5, fresh);
        std::shuffle(samples.begin(), samples.end(), random);
        for (const Sample& one : samples) {
            REQUIRE(add(parts[random() % parts.size()], one));
        }
        Accumulator merged = fresh;
        std::shuffle(parts.begin(), parts.end(), random);
        for (const Accumulator& part : parts) {
            REQUIRE(merged.merge(part));
        }
        REQUIRE(bits(merged) == want);
        REQUIRE(!merged.merge(whole)); // every sample is there already
        REQUIRE(!add(merged, samples.front()));
        REQUIRE(bits(merged) == want);
    }
}

} // namespace ostend_test
