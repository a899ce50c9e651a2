// Every 16-bit pattern both ways and random floats, against an oracle that knows the formats only as sums of
// powers of two in double precision.
#include "ostend/core/element.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace ostend;

namespace {

/// A two-byte format of 1 sign bit, exponent_bits and the rest mantissa, valued as IEEE 754 defines.
struct format {
    int exponent_bits;
    int mantissa_bits;

    [[nodiscard]] double value(unsigned bits) const {
        const unsigned mantissa = bits & ((1U << mantissa_bits) - 1U);
        const int exponent = static_cast<int>((bits >> mantissa_bits) & ((1U << exponent_bits) - 1U));
        const int bias = (1 << (exponent_bits - 1)) - 1;
        const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
        if (exponent == (1 << exponent_bits) - 1) {
            return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                                 : sign * std::numeric_limits<double>::infinity();
        }
        const double fraction = mantissa / std::ldexp(1.0, mantissa_bits);
        return sign *
               (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias));
    }

    /// The positive pattern nearest to x >= 0, ties to the even pattern, found by bisection over patterns.
    [[nodiscard]] unsigned nearest(double x) const {
        const unsigned infinity = ((1U << exponent_bits) - 1U) << mantissa_bits;
        // Beyond the largest finite value lies, for rounding, the next power of two instead of infinity.
        const auto finite = [&](unsigned bits) {
            return bits == infinity ? std::ldexp(1.0, 1 << (exponent_bits - 1)) : value(bits);
        };
        if (x >= finite(infinity)) {
            return infinity;
        }
        unsigned low = 0;
        unsigned high = infinity;
        while (high - low > 1) {
            const unsigned middle = (low + high) / 2;
            (finite(middle) <= x ? low : high) = middle;
        }
        const double below = x - finite(low);
        const double above = finite(high) - x;
        return below < above || (below == above && low % 2 == 0) ? low : high;
    }
};

constexpr format half{5, 10};
constexpr format brain{8, 7};

template <class T>
void check_all_patterns(const format& f) {
    for (unsigned bits = 0; bits < 0x10000U; ++bits) {
        const T stored{static_cast<std::uint16_t>(bits)};
        const float got = to_float(stored);
        const double expected = f.value(bits);
        const T back = from_float<T>(got);
        bool good = false;
        if (std::isnan(expected)) { // the sign stays, the value stays a NaN
            good = std::isnan(got) && std::isnan(to_float(back)) && (back.bits >> 15U) == (bits >> 15U);
        } else {
            good = static_cast<double>(got) == expected && std::signbit(got) == ((bits & 0x8000U) != 0) &&
                   back == stored;
        }
        REQUIRE_MESSAGE(good, "pattern ", bits);
    }
}

template <class T>
void check_rounding(const format& f, float x) {
    const unsigned expected = f.nearest(std::fabs(static_cast<double>(x))) | (std::signbit(x) ? 0x8000U : 0U);
    const T got = from_float<T>(x);
    REQUIRE_MESSAGE(got.bits == expected, "value ", x);
}

template <class T>
void check_random_rounding(const format& f) {
    std::mt19937 random(20240611);
    for (int i = 0; i < 200000; ++i) {
        const auto bits = static_cast<std::uint32_t>(random());
        const float x = std::bit_cast<float>(bits);
        if (std::isnan(x)) {
            REQUIRE(std::isnan(to_float(from_float<T>(x))));
        } else {
            check_rounding<T>(f, x);
        }
    }
    // Where ties and carries live: halfway between all neighbouring patterns, and a float to each side.
    const unsigned infinity = ((1U << f.exponent_bits) - 1U) << f.mantissa_bits;
    for (unsigned bits = 0; bits + 1 < infinity; ++bits) {
        const auto tie = static_cast<float>((f.value(bits) + f.value(bits + 1)) / 2);
        for (const float x : {tie, std::nextafter(tie, 0.0F), std::nextafter(tie, 1e38F), -tie}) {
            check_rounding<T>(f, x);
        }
    }
}

} // namespace

TEST_CASE("every f16 pattern widens to its value and comes back") { check_all_patterns<f16>(half); }

TEST_CASE("every bf16 pattern widens to its value and comes back") { check_all_patterns<bf16>(brain); }

TEST_CASE("floats round to the nearest f16, ties to even") { check_random_rounding<f16>(half); }

TEST_CASE("floats round to the nearest bf16, ties to even") { check_random_rounding<bf16>(brain); }

TEST_CASE("the edges of f16 and bf16") {
    CHECK(to_f16(65504.0F).bits == 0x7BFFU);
    CHECK(to_f16(65519.996F).bits == 0x7BFFU); // rounds down to the largest finite value
    CHECK(to_f16(65520.0F).bits == 0x7C00U);   // the tie goes to infinity
    CHECK(to_f16(-65520.0F).bits == 0xFC00U);
    CHECK(to_f16(0x1p-24F).bits == 1U);
    CHECK(to_f16(0x1p-25F).bits == 0U); // a tie between 0 and the least subnormal
    CHECK(to_f16(std::nextafter(0x1p-25F, 1.0F)).bits == 1U);
    CHECK(to_f16(-0.0F).bits == 0x8000U);
    CHECK(to_bf16(std::numeric_limits<float>::max()).bits == 0x7F80U);
    CHECK(to_bf16(std::numeric_limits<float>::denorm_min()).bits == 0U);
    CHECK(std::isnan(to_float(to_bf16(std::bit_cast<float>(0x7F800001U))))); // payload only in the low bits
}

TEST_CASE("conversions are constant expressions") {
    static_assert(to_f16(1.5F).bits == 0x3E00U);
    static_assert(to_float(f16{0x3E00U}) == 1.5F);
    static_assert(to_bf16(-2.0F).bits == 0xC000U);
    static_assert(to_float(bf16{0xC000U}) == -2.0F);
    static_assert(from_float<double>(0.5F) == 0.5);
    static_assert(to_float(true) == 1.0F);
    CHECK(true);
}

TEST_CASE("concepts of element types") {
    static_assert(float_element<f16> && float_element<bf16> && float_element<float> && float_element<double>);
    static_assert(!float_element<int> && element<int> && element<bool> && element<std::uint8_t>);
    static_assert(!element<void*> && !element<struct anything>);
    CHECK(true);
}

TEST_CASE("unaligned load and store") {
    alignas(8) unsigned char bytes[32]{};
    for (std::size_t shift = 0; shift < 8; ++shift) {
        auto* number = reinterpret_cast<double*>(bytes + shift);
        store(number, 3.25 + static_cast<double>(shift));
        CHECK(load(number) == 3.25 + static_cast<double>(shift));
        auto* small = reinterpret_cast<f16*>(bytes + shift);
        store(small, f16{static_cast<std::uint16_t>(0x1234U + shift)});
        CHECK(load(static_cast<const f16*>(small)).bits == 0x1234U + shift);
    }
}
