// change_walk: against the pixels themselves, columns of fewer and more rows than a word has.
#include "ostend/mask/change_walk.hpp"
#include "ostend/mask/encode.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace {

using ostend::index;

TEST_CASE("A bit is set where a pixel is not as the one above it, outside above the first") {
    std::mt19937 random(3);
    for (const index height : {1, 2, 63, 64, 65, 128, 130}) {
        for (const unsigned one_in : {1U, 2U, 9U, 200U, 0U}) { // inside: all, half, few, fewer, none
            ostend::bitmap mask(height, 7);
            for (auto& pixel : mask.pixels) {
                pixel = one_in != 0 && random() % one_in == 0 ? 1 : 0;
            }
            const ostend::rle runs = encode(mask);
            ostend::OSTEND_KERNELS::detail::change_walk walk(runs);
            for (index x = 0; x < mask.width; ++x) {
                std::vector<std::uint64_t> words(static_cast<std::size_t>((height + 63) / 64));
                walk.next([&](std::size_t i, std::uint64_t bits) { words.at(i) = bits; });
                index wrong = 0;
                for (index y = 0; y < height; ++y) {
                    const bool changes = mask(y, x) != (y == 0 ? 0 : mask(y - 1, x));
                    wrong +=
                        ((words[static_cast<std::size_t>(y / 64)] >> (y % 64)) & 1U) == (changes ? 1U : 0U)
                            ? 0
                            : 1;
                }
                CHECK(wrong == 0);
            }
        }
    }
}

} // namespace
