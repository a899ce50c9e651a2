#include "ostend/metrics/pairwise_sum.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

TEST_CASE("sums of 1 / (i + 1) as NumPy 1.26 and 2.3 add them") {
    struct sums {
        std::size_t n;
        double buffered;
        double whole;
    };
    const std::vector<sums> recorded{
        {0, 0x0.0p+0, 0x0.0p+0},
        {1, 0x1.0000000000000p+0, 0x1.0000000000000p+0},
        {7, 0x1.4be2be2be2be2p+1, 0x1.4be2be2be2be2p+1},
        {8, 0x1.5be2be2be2be2p+1, 0x1.5be2be2be2be2p+1},
        {9, 0x1.6a1ba1ba1ba1bp+1, 0x1.6a1ba1ba1ba1bp+1},
        {127, 0x1.5b38ae9541ca6p+2, 0x1.5b38ae9541ca6p+2},
        {128, 0x1.5bb8ae9541ca7p+2, 0x1.5bb8ae9541ca7p+2},
        {129, 0x1.5c37b09149ba9p+2, 0x1.5c37b09149ba9p+2},
        {136, 0x1.5f9633591b269p+2, 0x1.5f9633591b269p+2},
        {255, 0x1.87b544932e3e6p+2, 0x1.87b544932e3e6p+2},
        {256, 0x1.87f544932e3e6p+2, 0x1.87f544932e3e6p+2},
        {257, 0x1.883504d2ee7e2p+2, 0x1.883504d2ee7e2p+2},
        {1000, 0x1.df11f45f4e61ap+2, 0x1.df11f45f4e61ap+2},
        {10100, 0x1.398593e44c803p+3, 0x1.398593e44c802p+3},
        {80800, 0x1.7c10020a1daffp+3, 0x1.7c10020a1dafcp+3},
    };
    for (const auto& [n, buffered, whole] : recorded) {
        CAPTURE(n);
        std::vector<double> values;
        for (std::size_t i = 0; i < n; ++i) {
            values.push_back(1 / (static_cast<double>(i) + 1));
        }
        CHECK(ostend::numpy_sum(values) == buffered);
        CHECK(ostend::numpy_sum(values, ostend::numpy_sums::whole) == whole);
        CHECK(ostend::pairwise_sum(values) == whole);
    }
}

TEST_CASE("means as NumPy's") {
    std::vector<double> values;
    CHECK(ostend::numpy_mean(values, -1) == -1);
    for (int i = 0; i < 10100; ++i) {
        values.push_back(1 / (i + 1.0));
    }
    CHECK(ostend::numpy_mean(values, -1) == 0x1.fc96954483cdap-11);
}

} // namespace
