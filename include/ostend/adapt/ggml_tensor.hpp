// ggml tensors as views: axes in the library's order, byte strides checked, refused where the data are not in
// memory of the host.
//
// ggml names its fastest axis first, the library its slowest: a ggml tensor of ne = {d, tokens, heads} is a
// view [heads, tokens, d]. Blocks of q8_0 and q4_0 are no elements; keys in them are read by ggml_keys.hpp.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/tensor/view.hpp"

#include <ggml-backend.h>
#include <ggml.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace ostend::inline v0 {

namespace detail {

template <class T>
[[nodiscard]] constexpr ggml_type ggml_type_of() {
    static_assert(std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, f16> ||
                      std::same_as<T, bf16> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>,
                  "ostend: ggml tensors are read as f32, f64, f16, bf16, i32 or i64");
    return std::same_as<T, float>          ? GGML_TYPE_F32
           : std::same_as<T, double>       ? GGML_TYPE_F64
           : std::same_as<T, f16>          ? GGML_TYPE_F16
           : std::same_as<T, bf16>         ? GGML_TYPE_BF16
           : std::same_as<T, std::int32_t> ? GGML_TYPE_I32
                                           : GGML_TYPE_I64;
}

/// The tensor that owns the memory.
[[nodiscard]] inline const ggml_tensor& ggml_root(const ggml_tensor& t) {
    return t.view_src != nullptr ? *t.view_src : t;
}

[[nodiscard]] inline std::string ggml_place(const ggml_tensor& t) {
    return "ggml tensor '" + std::string(ggml_get_name(&t)) + "'";
}

/// Whether this thread can read the data where they are; if not, ggml_backend_tensor_get copies them.
/// Errors: no data yet; data in slices on several devices, or in an order that only the processor knows.
[[nodiscard]] inline result<bool> ggml_is_on_host(const ggml_tensor& t) {
    if (t.data == nullptr) {
        return error{"it has no data yet", ggml_place(t)};
    }
    ggml_backend_buffer_t const buffer = ggml_root(t).buffer;
    if (buffer == nullptr) {
        return true; // a context's own memory
    }
    ggml_backend_dev_t const device = ggml_backend_buft_get_device(ggml_backend_buffer_get_type(buffer));
    const auto kind = device == nullptr ? GGML_BACKEND_DEVICE_TYPE_GPU : ggml_backend_dev_type(device);
    if (kind != GGML_BACKEND_DEVICE_TYPE_META && ggml_backend_buffer_is_host(buffer)) {
        return true;
    }
    const std::string name = ggml_backend_buffer_name(buffer);
    if (kind == GGML_BACKEND_DEVICE_TYPE_META || name.find("_Split") != std::string::npos) {
        return error{"its data lie in slices on several devices (" + name +
                         "); split the model by layers, not by tensors",
                     ggml_place(t)};
    }
    if (kind == GGML_BACKEND_DEVICE_TYPE_CPU || kind == GGML_BACKEND_DEVICE_TYPE_ACCEL) {
        return error{"its data lie in " + name + ", in an order of its own, which the host cannot read",
                     ggml_place(t)};
    }
    return false;
}

/// Memory that this thread can read. Errors: none yet, or memory of a device.
[[nodiscard]] inline status ggml_check_host(const ggml_tensor& t) {
    const auto here = ggml_is_on_host(t);
    if (!here) {
        return here.error();
    }
    if (!*here) {
        return error{"its data lie in " + std::string(ggml_backend_buffer_name(ggml_root(t).buffer)) +
                         ", which the host cannot read",
                     ggml_place(t)};
    }
    return success{};
}

} // namespace detail

/// The view of a tensor of element type T with Rank axes, slowest first. The tensor must outlive it.
/// Errors: another type, more axes, data that are not there or not on the host, strides that are no multiple
/// of an element. Complexity O(1).
template <element T, std::size_t Rank>
requires(Rank >= 1 && Rank <= GGML_MAX_DIMS)
    [[nodiscard]] result<tensor_view<const T, Rank>> from_ggml(const ggml_tensor& tensor) {
    const auto wrong = [&](std::string what) { return error{std::move(what), detail::ggml_place(tensor)}; };
    if (tensor.type != detail::ggml_type_of<T>()) {
        return wrong("it is of type " + std::string(ggml_type_name(tensor.type)) + " where " +
                     ggml_type_name(detail::ggml_type_of<T>()) + " is expected");
    }
    for (std::size_t axis = Rank; axis < GGML_MAX_DIMS; ++axis) {
        if (tensor.ne[axis] != 1) {
            return wrong("it has more than " + std::to_string(Rank) + " axes");
        }
    }
    if (const status readable = detail::ggml_check_host(tensor); !readable) {
        return readable.error();
    }
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        if (tensor.nb[axis] % sizeof(T) != 0) {
            return wrong("the stride of axis " + std::to_string(axis) + " is no multiple of an element");
        }
        extents[Rank - 1 - axis] = static_cast<index>(tensor.ne[axis]);
        strides[Rank - 1 - axis] = static_cast<index>(tensor.nb[axis] / sizeof(T));
    }
    return tensor_view<const T, Rank>(static_cast<const T*>(tensor.data), extents, strides);
}

} // namespace ostend::inline v0
