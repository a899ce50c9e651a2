#include "ostend/mask/run_merge.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // strings.h has another one
namespace detail = ostend::OSTEND_KERNELS::detail;

/// The pixels that the counts speak of, be they as many as the mask's or not.
std::vector<bool> pixels_of(const rle& mask) {
    std::vector<bool> out;
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        out.insert(out.end(), mask.counts[i], i % 2 == 1);
    }
    return out;
}

template <class F>
rle dense(const rle& a, const rle& b, F f) {
    std::vector<bool> pa = pixels_of(a);
    std::vector<bool> pb = pixels_of(b);
    const std::size_t n = std::max({pa.size(), pb.size(), static_cast<std::size_t>(a.height * a.width)});
    pa.resize(n);
    pb.resize(n);
    rle out{a.height, a.width, {0}};
    for (std::size_t i = 0; i < n; ++i) {
        if (f(pa[i], pb[i]) != (out.counts.size() % 2 == 0)) {
            out.counts.push_back(0);
        }
        ++out.counts.back();
    }
    return out;
}

/// Counts with empty runs among them, which may fall short of the mask or go beyond it.
rle random_counts(std::mt19937& random, index height, index width) {
    rle mask{height, width, {}};
    const auto pixels = static_cast<std::uint32_t>(height * width);
    const std::uint32_t longest = 1 + random() % (random() % 4 == 0 ? 60 : 6);
    std::uint32_t left = random() % 4 == 0 ? random() % (2 * pixels + 1) : pixels;
    while (left > 0) {
        const std::uint32_t length =
            random() % 4 == 0 ? 0 : static_cast<std::uint32_t>(random() % longest + random() % 2);
        mask.counts.push_back(std::min(left, length));
        left -= mask.counts.back();
    }
    for (std::uint32_t i = random() % 3; i-- > 0;) {
        mask.counts.push_back(0);
    }
    return mask;
}

TEST_CASE("runs in any form give what their pixels give, in canonical form") {
    std::mt19937 random(181);
    for (int round = 0; round < 3000; ++round) {
        const auto h = static_cast<index>(random() % 12);
        const auto w = static_cast<index>(random() % 12);
        const rle a = random_counts(random, h, w);
        const rle b = round % 10 == 0 ? a : random_counts(random, h, w);
        REQUIRE(detail::unite_runs(a, b) == dense(a, b, [](bool x, bool y) { return x || y; }));
        REQUIRE(detail::intersect_runs(a, b) == dense(a, b, [](bool x, bool y) { return x && y; }));
        REQUIRE(detail::subtract_runs(a, b) == dense(a, b, [](bool x, bool y) { return x && !y; }));
    }
}

TEST_CASE("canonical form") {
    const rle parted{2, 3, {0, 1, 0, 2, 1, 0, 0, 2}};
    CHECK(!detail::is_canonical(parted));
    CHECK(detail::canonical(parted) == rle{2, 3, {0, 3, 1, 2}});
    CHECK(detail::is_canonical(detail::canonical(parted)));
    CHECK(detail::is_canonical(rle{}));
    CHECK(detail::canonical(rle{2, 3, {}}) == rle{2, 3, {6}});
}

TEST_CASE("counts that sum to more than 32 bits") {
    const rle large{1, 1, std::vector<std::uint32_t>(6, 0xFFFFFFFFU)};
    const rle small{1, 1, {1}};
    CHECK(detail::unite_runs(large, small).counts == large.counts);
    CHECK(detail::subtract_runs(large, small).counts == large.counts);
    CHECK(detail::intersect_runs(large, large).counts == large.counts);
    CHECK(detail::intersect_runs(large, small).counts.size() == 1);
}

TEST_CASE("masks of nearly 2^32 pixels") {
    const rle full{65535, 65537, {0, 0xFFFFFFFFU}};
    const rle dots{65535, 65537, {0, 1, 0xFFFFFFFDU, 1}};
    CHECK(detail::unite_runs(full, dots) == full);
    CHECK(detail::intersect_runs(full, dots) == dots);
    CHECK(detail::subtract_runs(full, dots) == rle{65535, 65537, {1, 0xFFFFFFFDU, 1}});
}

} // namespace
