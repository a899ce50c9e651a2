// device_view: a view of memory that only the device can read, and what a kernel is handed of it.
//
// The memory space is in the type, so that a host view where a kernel reads device memory does not compile.
// Elements are aligned to their size (the host's views may be unaligned; these may not).
#pragma once

#include "ostend/tensor/traits.hpp"

#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace ostend::inline v0 {

template <class T, std::size_t Rank>
using device_view = tensor_view<T, Rank, device_space>;

/// The device view of anything that as_view takes. A tensor of host memory is refused by the compiler.
template <std::size_t Rank, class X>
[[nodiscard]] constexpr auto as_device_view(X&& x) {
    auto view = as_view<Rank>(std::forward<X>(x));
    static_assert(std::is_same_v<typename decltype(view)::space, device_space>,
                  "ostend: this tensor lies in host memory, which a CUDA kernel cannot read. Copy it to the "
                  "device, or call the function that takes no stream.");
    return view;
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A view as a kernel has it: no checks, no member that only the host may call.
template <class T, int Rank>
struct device_tensor {
    T* data = nullptr;
    index strides[Rank] = {};

    OSTEND_DEVICE T* at(index i) const {
        static_assert(Rank == 1);
        return data + i * strides[0];
    }
    OSTEND_DEVICE T* at(index i, index j) const {
        static_assert(Rank == 2);
        return data + i * strides[0] + j * strides[1];
    }
    OSTEND_DEVICE T* at(index i, index j, index k) const {
        static_assert(Rank == 3);
        return data + i * strides[0] + j * strides[1] + k * strides[2];
    }
    OSTEND_DEVICE T* at(index i, index j, index k, index l) const {
        static_assert(Rank == 4);
        return data + i * strides[0] + j * strides[1] + k * strides[2] + l * strides[3];
    }
};

/// The kernel's form of a view.
template <class T, std::size_t Rank>
[[nodiscard]] device_tensor<T, static_cast<int>(Rank)> for_kernel(const device_view<T, Rank>& view) {
    device_tensor<T, static_cast<int>(Rank)> out;
    out.data = view.data();
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        out.strides[axis] = view.stride(axis);
    }
    return out;
}
template <class T, std::size_t Rank>
[[nodiscard]] device_tensor<const T, static_cast<int>(Rank)> for_reading(const device_view<T, Rank>& view) {
    return for_kernel(device_view<const T, Rank>(view));
}

// Elements as f32. On the device f16 goes through the hardware's conversion, which is exact as to_float is.
OSTEND_DEVICE float widen(float v) { return v; }
OSTEND_DEVICE float widen(f16 h) {
    float v;
    OSTEND_ON_DEVICE(asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(h.bits)), v = to_float(h));
    return v;
}
OSTEND_DEVICE float bits_to_float(std::uint32_t bits) {
    return OSTEND_ON_DEVICE(__uint_as_float(bits), std::bit_cast<float>(bits));
}
OSTEND_DEVICE std::uint32_t float_to_bits(float v) {
    return OSTEND_ON_DEVICE(__float_as_uint(v), std::bit_cast<std::uint32_t>(v));
}
OSTEND_DEVICE float widen(bf16 b) { return bits_to_float(std::uint32_t{b.bits} << 16U); }

OSTEND_DEVICE float infinity() { return bits_to_float(0x7F800000U); }
OSTEND_DEVICE float not_a_number() { return bits_to_float(0x7FC00000U); }
OSTEND_DEVICE bool is_finite(float v) { return (float_to_bits(v) & 0x7F800000U) != 0x7F800000U; }

template <class T>
constexpr bool device_element = std::is_same_v<T, float> || std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

/// How many parts of `each` hold the work.
[[nodiscard]] OSTEND_DEVICE constexpr index blocks_for(index work, index each) noexcept {
    return (work + each - 1) / each;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
