#include "ostend/mask/bit_block.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // strings.h has another one
namespace detail = ostend::OSTEND_KERNELS::detail;

TEST_CASE("a block is turned bit by bit") {
    std::mt19937_64 random(171);
    for (int round = 0; round < 50; ++round) {
        detail::bit_block block;
        for (std::uint64_t& word : block) {
            word = round == 0 ? 0 : round == 1 ? ~std::uint64_t{0} : random();
        }
        detail::bit_block turned = block;
        detail::transpose_block(turned);
        for (std::size_t r = 0; r < 64; ++r) {
            for (std::size_t c = 0; c < 64; ++c) {
                REQUIRE(((block[r] >> c) & 1U) == ((turned[c] >> r) & 1U));
            }
        }
        detail::transpose_block(turned);
        REQUIRE(turned == block);
    }
}

TEST_CASE("words of a line at every position, in both orders, up to its last byte") {
    std::mt19937 random(172);
    for (int round = 0; round < 60; ++round) {
        const bool highest_first = round % 2 == 1;
        std::vector<std::uint8_t> bytes(1 + random() % 30);
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(random());
        }
        const auto pixel = [&](const std::vector<std::uint8_t>& from, index i) {
            const index bit = highest_first ? 7 - i % 8 : i % 8;
            return (static_cast<unsigned>(from[static_cast<std::size_t>(i / 8)]) >>
                    static_cast<unsigned>(bit)) &
                   1U;
        };
        const detail::bit_line<const std::uint8_t> line(bytes, highest_first);
        std::vector<std::uint8_t> copy(bytes.size());
        detail::bit_line<std::uint8_t> out(copy, highest_first);
        const auto pixels = static_cast<index>(8 * bytes.size());
        for (index at = 0; at < pixels; ++at) {
            const index count = std::min<index>(pixels - at, 1 + static_cast<index>(random() % 64));
            const std::uint64_t word = line.get(at) & line.ones(count);
            for (index i = 0; i < 64; ++i) {
                const std::uint64_t want = i < count ? pixel(bytes, at + i) : 0U;
                REQUIRE(((word >> (static_cast<std::size_t>(i) ^ line.mirror())) & 1U) == want);
                REQUIRE(((line.lowest_first(word) >> static_cast<unsigned>(i)) & 1U) == want);
            }
            out.put(at, word);
            for (index i = 0; i < at + count; ++i) { // what was put overlaps and is never taken back
                REQUIRE((i > at ? pixel(copy, i) : pixel(bytes, i)) == pixel(bytes, i));
            }
        }
        REQUIRE(copy == bytes);
    }
}

} // namespace
