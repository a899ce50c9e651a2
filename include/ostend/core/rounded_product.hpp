// rounded_product: a product that is rounded before it is used, where bits must equal another program's.
//
// GCC contracts a * b + c into one fused multiply-add across statements where the processor has it; only a
// value that was stored cannot be contracted.
#pragma once

#include "ostend/core/config.hpp"

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// a * b, rounded to f64, whatever the compiler's flags.
[[nodiscard]] inline double rounded_product(double a, double b) {
    const volatile double product = a * b;
    return product;
}

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
