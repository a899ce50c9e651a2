// key_source: every layout names the same bytes; widening is exact; what cannot be read is refused.
#include "ostend/attention/key_source.hpp"

#include "ostend/attention/kernels.hpp"
#include "support/expects.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another
namespace inner = ostend::OSTEND_KERNELS::detail;

float element_at(const key_source& keys, index kv_head, index key, index x) {
    return keys.address(kv_head, key).load(x);
}

std::vector<float> counted(index n) {
    std::vector<float> values;
    for (index i = 0; i < n; ++i) {
        values.push_back(static_cast<float>(i));
    }
    return values;
}

TEST_CASE("A view [kv_heads, keys, d] is one page") {
    const std::vector<float> values = counted(2 * 5 * 3);
    const auto keys = key_source::contiguous(tensor_view<const float, 3>(values.data(), {2, 5, 3}));
    CHECK(keys.kv_heads() == 2);
    CHECK(keys.keys() == 5);
    CHECK(keys.d() == 3);
    CHECK(keys.pages().size() == 1);
    for (index h = 0; h < 2; ++h) {
        for (index j = 0; j < 5; ++j) {
            for (index x = 0; x < 3; ++x) {
                CHECK(element_at(keys, h, j, x) == static_cast<float>((h * 5 + j) * 3 + x));
            }
        }
    }
}

TEST_CASE("A cell-major view, permuted and reversed views name the same elements") {
    const std::vector<double> values = [] {
        const auto floats = counted(4 * 2 * 3);
        return std::vector<double>(floats.begin(), floats.end());
    }();
    const tensor_view<const double, 3> cells(values.data(), {4, 2, 3});
    const auto a = key_source::cell_major(cells);
    const auto b = key_source::contiguous(cells.permuted({1, 0, 2}));
    // Keys from last to first: a negative stride.
    const tensor_view<const double, 3> reversed(values.data() + 3 * 6, {4, 2, 3}, {-6, 3, 1});
    const auto c = key_source::cell_major(reversed);
    CHECK(a.keys() == 4);
    CHECK(a.kv_heads() == 2);
    for (index h = 0; h < 2; ++h) {
        for (index j = 0; j < 4; ++j) {
            for (index x = 0; x < 3; ++x) {
                const auto value = static_cast<float>((j * 2 + h) * 3 + x);
                CHECK(element_at(a, h, j, x) == value);
                CHECK(element_at(b, h, j, x) == value);
                CHECK(element_at(c, h, 3 - j, x) == value);
            }
        }
    }
}

TEST_CASE("Keys are found in their pages, through cells, whatever the pages' strides and codecs") {
    const std::vector<float> first = counted(6); // cells 0..2, d = 2, one head
    const std::array<f16, 8> second{to_f16(100), {}, to_f16(101), {}, to_f16(110), {}, to_f16(111), {}};
    const std::vector<key_page> pages{
        {.data = first.data(), .first = 0, .count = 3, .key_stride = 8, .head_stride = 0},
        {.data = nullptr, .first = 3, .count = 0},
        {.data = second.data(),
         .first = 3,
         .count = 2,
         .key_stride = 8,
         .head_stride = 0,
         .element_stride = 4,
         .codec = element_type::f16},
    };
    const std::vector<index> cells{4, 0, 3, 2, 4};
    const key_source keys(pages, 1, 2, cells);
    CHECK(keys.keys() == 5);
    const std::array<std::array<float, 2>, 5> expected{{{110, 111}, {0, 1}, {100, 101}, {4, 5}, {110, 111}}};
    for (index j = 0; j < 5; ++j) {
        for (index x = 0; x < 2; ++x) {
            CHECK(element_at(keys, 0, j, x) ==
                  expected[static_cast<std::size_t>(j)][static_cast<std::size_t>(x)]);
        }
    }
    CHECK(key_source(pages, 1, 2).keys() == 5);
    CHECK(element_at(key_source(pages, 1, 2), 0, 3, 1) == 101);
}

TEST_CASE("Copies of a one-page source do not depend on the original") {
    const std::vector<float> values = counted(6);
    key_source copy;
    {
        const auto original = key_source::contiguous(tensor_view<const float, 3>(values.data(), {1, 3, 2}));
        copy = original;
    }
    CHECK(copy.keys() == 3);
    CHECK(element_at(copy, 0, 2, 1) == 5);
}

TEST_CASE("Every f16 and bf16 widens in every kernel as to_float does, aligned or not") {
    constexpr index d = 256;
    std::vector<std::byte> bytes(65536 * 2 + 1);
    for (const auto& kernels : inner::all_kernels()) {
        CAPTURE(std::string(kernels.name));
        for (const index shift : {index{0}, index{1}}) {
            for (std::uint32_t i = 0; i < 65536; ++i) {
                const auto bits = static_cast<std::uint16_t>(i);
                std::memcpy(bytes.data() + shift + 2 * i, &bits, 2);
            }
            std::vector<float> row(static_cast<std::size_t>(d));
            index wrong = 0;
            for (const element_type codec : {element_type::f16, element_type::bf16}) {
                for (index first = 0; first < 65536; first += d) {
                    // d - 1 leaves a tail that is not a whole vector
                    kernels.decode(bytes.data() + shift + 2 * first, codec, d - 1, row.data());
                    kernels.decode(bytes.data() + shift + 2 * (first + d - 1), codec, 1, row.data() + d - 1);
                    for (index x = 0; x < d; ++x) {
                        const auto bits = static_cast<std::uint16_t>(first + x);
                        const float expected =
                            codec == element_type::f16 ? to_float(f16{bits}) : to_float(bf16{bits});
                        const float got = row[static_cast<std::size_t>(x)];
                        const bool same = std::isnan(expected) ? std::isnan(got)
                                                               : std::bit_cast<std::uint32_t>(expected) ==
                                                                     std::bit_cast<std::uint32_t>(got);
                        wrong += same ? 0 : 1;
                    }
                }
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("Quantised blocks are ggml's, by load() and by every kernel") {
    // Two blocks, scales 0.5 and -2: numbers and bytes written out by ggml's rule.
    std::vector<std::byte> q8, q4;
    std::vector<float> expected8, expected4;
    for (const float scale : {0.5F, -2.0F}) {
        const f16 half = to_f16(scale);
        std::byte raw[2];
        std::memcpy(raw, &half, 2);
        q8.insert(q8.end(), raw, raw + 2);
        q4.insert(q4.end(), raw, raw + 2);
        for (int i = 0; i < 32; ++i) {
            const int number = i == 31 ? -128 : 8 * i - 127;
            q8.push_back(static_cast<std::byte>(static_cast<std::uint8_t>(number)));
            expected8.push_back(scale * static_cast<float>(number));
            expected4.push_back(scale * static_cast<float>((5 * i + 3) % 16 - 8));
        }
        for (int i = 0; i < 16; ++i) { // number i in the low nibble, number i + 16 in the high one
            const int low = (5 * i + 3) % 16, high = (5 * (i + 16) + 3) % 16;
            q4.push_back(static_cast<std::byte>(high * 16 + low));
        }
    }
    REQUIRE(q8.size() == 2 * 34);
    REQUIRE(q4.size() == 2 * 18);
    for (const element_type codec : {element_type::q8_0, element_type::q4_0}) {
        const auto& bytes = codec == element_type::q8_0 ? q8 : q4;
        const auto& expected = codec == element_type::q8_0 ? expected8 : expected4;
        CHECK(bytes_of_codec(codec, 64) == static_cast<index>(bytes.size()));
        const key_source keys({.data = bytes.data(), .count = 1, .codec = codec}, 1, 64);
        std::vector<float> loaded;
        for (index x = 0; x < 64; ++x) {
            loaded.push_back(element_at(keys, 0, 0, x));
        }
        CHECK(loaded == expected);
        for (const auto& kernels : inner::all_kernels()) {
            CAPTURE(std::string(kernels.name));
            std::vector<float> row(64);
            kernels.decode(bytes.data(), codec, 64, row.data());
            CHECK(row == expected);
        }
    }
}

TEST_CASE("What is no key source is refused with a sentence") {
    const std::vector<float> values = counted(12);
    const auto page = [&](index first, index count) {
        return key_page{.data = values.data(), .first = first, .count = count, .key_stride = 8};
    };
    const std::vector<key_page> gap{page(0, 2), page(3, 1)};
    const std::vector<key_page> late{page(1, 2)};
    const std::vector<key_page> negative{page(0, -1)};
    const std::vector<index> outside{0, 2};
    const std::vector<index> below{-1};
    CHECK_EXPECTS(key_source(gap, 1, 2), "a page starts at cell 3");
    CHECK_EXPECTS(key_source(late, 1, 2), "a page starts at cell 1");
    CHECK_EXPECTS(key_source(negative, 1, 2), "negative count");
    CHECK_EXPECTS(key_source(page(0, 2), 0, 2), "must be at least 1");
    CHECK_EXPECTS(key_source(page(0, 2), 1, 0), "must be at least 1");
    CHECK_EXPECTS(key_source(page(0, 2), 1, 2, outside), "cell 2 is outside");
    CHECK_EXPECTS(key_source(page(0, 2), 1, 2, below), "cell -1 is outside");
    CHECK_EXPECTS(key_source({.data = nullptr, .count = 2}, 1, 2), "has no data");
    CHECK_EXPECTS(key_source({.data = values.data(), .count = 2, .codec = element_type::u8}, 1, 2),
                  "f32, f64, f16, bf16, q8_0 or q4_0");
    CHECK_EXPECTS(key_source({.data = values.data(), .count = 1, .codec = element_type::q8_0}, 1, 48),
                  "quantised keys of head size 48");
    CHECK_EXPECTS(key_source({.data = values.data(), .count = 1, .codec = element_type::q4_0}, 1, 16),
                  "blocks of 32 without gaps");
    CHECK_EXPECTS(
        key_source({.data = values.data(), .count = 1, .element_stride = 1, .codec = element_type::q8_0}, 1,
                   32),
        "element stride 1");
    CHECK_EXPECTS(key_source::contiguous(tensor_view<const float, 3>(values.data(), {1, 2, 3}, {0, 1, 0})),
                  "stride 0");
}

} // namespace
