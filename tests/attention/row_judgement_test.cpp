// row_judgement: one bad value at every place of rows of every length, and sums that are exact.
#include "ostend/attention/row_judgement.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace {

using ostend::OSTEND_KERNELS::detail::judge;

TEST_CASE("Rows of good values: their sum; none: 0") {
    for (std::size_t size = 0; size < 40; ++size) {
        std::vector<float> row;
        double sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            row.push_back(static_cast<float>(i) / 64); // sums of these are exact in any order
            sum += static_cast<double>(row.back());
        }
        CHECK(judge(row, 0).is_good);
        CHECK(judge(row, 0).mass == sum);
    }
}

TEST_CASE("One bad value is seen wherever it stands") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, -1e-9F}) {
        for (std::size_t size = 1; size < 40; ++size) {
            for (std::size_t at = 0; at < size; ++at) {
                std::vector<float> row(size, 0.5F);
                row[at] = bad;
                CHECK_FALSE(judge(row, 0).is_good);
            }
        }
    }
}

TEST_CASE("Without a least value negative ones are good, infinite ones are not") {
    constexpr float lowest = std::numeric_limits<float>::lowest();
    CHECK(judge(std::vector<float>{-3, lowest, std::numeric_limits<float>::max()}, lowest).is_good);
    CHECK_FALSE(judge(std::vector<float>{-std::numeric_limits<float>::infinity()}, lowest).is_good);
}

} // namespace
