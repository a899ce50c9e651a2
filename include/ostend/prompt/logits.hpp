// logits: log(p / (1 - p)) of many probabilities, in a form that compilers make vectors of; std::log is not.
#pragma once

#include "ostend/core/config.hpp"

#include <bit>
#include <cstdint>
#include <span>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// log(x) of a positive, normal x, within 3e-7 of the larger of 1 and its size. Source: Cephes, logf.
[[nodiscard]] inline float log_of(float x) noexcept {
    const auto bits = std::bit_cast<std::int32_t>(x);
    const std::int32_t exponent = (bits - 0x3F3504F3) >> 23; // the rest lies in [sqrt(1/2), sqrt(2))
    const float z = std::bit_cast<float>(bits - (exponent << 23)) - 1.0F;
    const auto e = static_cast<float>(exponent);
    float p = 7.0376836292E-2F;
    p = p * z - 1.1514610310E-1F;
    p = p * z + 1.1676998740E-1F;
    p = p * z - 1.2420140846E-1F;
    p = p * z + 1.4249322787E-1F;
    p = p * z - 1.6668057665E-1F;
    p = p * z + 2.0000714765E-1F;
    p = p * z - 2.4999993993E-1F;
    p = p * z + 3.3333331174E-1F;
    return z + (p * z * z * z - 2.12194440E-4F * e - 0.5F * z * z) + 0.693359375F * e;
}

/// Values become the logits of value / temperature, clipped to [epsilon, 1 - epsilon]. Whether none is a NaN.
[[nodiscard]] inline bool to_logits(std::span<float> values, float temperature, float epsilon) noexcept {
    int wrong = 0;
    for (float& value : values) {
        const float p = value / temperature;
        wrong |= p != p ? 1 : 0;
        const float above = p > epsilon ? p : epsilon;
        const float in = above < 1.0F - epsilon ? above : 1.0F - epsilon;
        value = log_of(in / (1.0F - in));
    }
    return wrong == 0;
}

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
