// DLPack: import a DLTensor of anyone's making as a view, and export views and matrices.
//
// A DLTensor is foreign data: every field is checked and a bad one is an error that names it. What cannot be
// checked is that the memory is there. Data may be misaligned: read it with load(). Strides of axes with at
// most one position mean nothing in DLPack and are replaced by those of a contiguous tensor.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/view.hpp"

#include <dlpack/dlpack.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ostend::inline v0 {

namespace detail {

inline constexpr unsigned dlpack_bool = 6; ///< kDLBool, which releases before 0.7 do not name

template <class T>
[[nodiscard]] constexpr DLDataType dlpack_type() {
    const auto code = std::same_as<T, bf16>                                 ? kDLBfloat
                      : std::same_as<T, f16> || std::is_floating_point_v<T> ? kDLFloat
                      : std::is_signed_v<T>                                 ? kDLInt
                                                                            : kDLUInt;
    return {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(8 * sizeof(T)), 1};
}

template <class T>
[[nodiscard]] constexpr bool dlpack_is(const DLDataType& type) {
    const DLDataType own = dlpack_type<T>();
    const bool same_code =
        type.code == own.code || (std::same_as<T, std::uint8_t> && type.code == dlpack_bool);
    return same_code && type.bits == own.bits && type.lanes == 1;
}

[[nodiscard]] inline std::string dlpack_name(const DLDataType& type) {
    return "code " + std::to_string(type.code) + ", " + std::to_string(type.bits) + " bits, " +
           std::to_string(type.lanes) + " lanes";
}

/// The number in an enumeration that foreign code may have set to anything.
[[nodiscard]] inline int dlpack_device(const DLTensor& tensor) {
    int device = 0;
    static_assert(sizeof(tensor.device.device_type) == sizeof(device));
    std::memcpy(&device, &tensor.device.device_type, sizeof(device));
    return device;
}

struct dlpack_host {
    static constexpr const char* name = "memory of the host";
    static bool holds(int device) { return device == 1 || device == 3 || device == 11; } // and pinned memory
};
struct dlpack_accelerator {
    static constexpr const char* name = "memory of an accelerator";
    static bool holds(int device) { return device > 1 && device != 3 && device != 11; }
};

/// False when base + strides leave what an address or a byte count can say. Extents are >= 0 and not all
/// empty.
template <std::size_t Rank>
[[nodiscard]] bool dlpack_addressable(const std::array<index, Rank>& extents,
                                      const std::array<index, Rank>& strides, index bytes,
                                      std::uintptr_t base) {
    index lowest = 0;
    index highest = 0;
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        index step = 0;
        index reach = 0;
        index& side = strides[axis] < 0 ? lowest : highest;
        if (__builtin_mul_overflow(strides[axis], bytes, &step) ||
            __builtin_mul_overflow(step, extents[axis] - 1, &reach) ||
            __builtin_add_overflow(side, reach, &side)) {
            return false;
        }
    }
    std::uintptr_t end = 0;
    return !__builtin_add_overflow(highest, bytes, &highest) &&
           !__builtin_add_overflow(base, static_cast<std::uintptr_t>(highest), &end) &&
           base >= static_cast<std::uintptr_t>(0) - static_cast<std::uintptr_t>(lowest);
}

template <class T, std::size_t Rank, class Space, class Device>
[[nodiscard]] result<tensor_view<const T, Rank, Space>> import_dlpack(const DLTensor& tensor) {
    static_assert(Rank >= 1, "ostend: a view has at least one axis");
    const auto wrong = [](const char* field, std::string what, std::optional<std::size_t> at = {}) {
        return error{std::move(what), std::string("DLTensor.") + field, at};
    };
    if (const int device = dlpack_device(tensor); !Device::holds(device)) {
        return wrong("device", "device type " + std::to_string(device) + " is not " + Device::name);
    }
    if (!dlpack_is<T>(tensor.dtype)) {
        return wrong("dtype",
                     dlpack_name(tensor.dtype) + " where " + dlpack_name(dlpack_type<T>()) + " is expected");
    }
    if (tensor.ndim != static_cast<int>(Rank)) {
        return wrong("ndim",
                     std::to_string(tensor.ndim) + " axes where " + std::to_string(Rank) + " are expected");
    }
    if (tensor.shape == nullptr) {
        return wrong("shape", "the pointer is null");
    }
    constexpr auto bytes = static_cast<index>(sizeof(T));
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    index size =
        bytes; // of the axes that are not empty: what size() and C-order strides must be able to hold
    bool empty = false;
    for (std::size_t axis = Rank; axis-- > 0;) {
        extents[axis] = tensor.shape[axis];
        if (extents[axis] < 0) {
            return wrong("shape", "the extent " + std::to_string(extents[axis]) + " is negative", axis);
        }
        empty = empty || extents[axis] == 0;
        strides[axis] = size / bytes;
        if (__builtin_mul_overflow(size, std::max<index>(extents[axis], 1), &size)) {
            return wrong("shape", "more elements than memory can be addressed", axis);
        }
        if (tensor.strides != nullptr && extents[axis] > 1) {
            strides[axis] = tensor.strides[axis];
        }
    }
    if (empty) {
        return tensor_view<const T, Rank, Space>(nullptr, extents);
    }
    if (tensor.data == nullptr) {
        return wrong("data", "the pointer is null, and the tensor is not empty");
    }
    std::uintptr_t base = 0;
    if (tensor.byte_offset > static_cast<std::uint64_t>(std::numeric_limits<index>::max()) ||
        __builtin_add_overflow(reinterpret_cast<std::uintptr_t>(tensor.data), tensor.byte_offset, &base)) {
        return wrong("byte_offset", std::to_string(tensor.byte_offset) + " leaves the address space");
    }
    if (!dlpack_addressable(extents, strides, bytes, base)) {
        return wrong("strides", "the strides leave the address space");
    }
    const char* data = static_cast<const char*>(tensor.data) + tensor.byte_offset;
    return tensor_view<const T, Rank, Space>(reinterpret_cast<const T*>(data), extents, strides);
}

} // namespace detail

/// The view of a DLTensor in host memory (also pinned host memory), of element type T and Rank axes.
/// bf16 is DLPack's Bfloat; DLPack's booleans are std::uint8_t. The tensor must outlive the view.
/// Errors: any field of the tensor that does not fit, by name. Complexity O(Rank), nothing is read but
/// fields.
template <element T, std::size_t Rank>
[[nodiscard]] result<tensor_view<const T, Rank>> from_dlpack(const DLTensor& tensor) {
    return detail::import_dlpack<T, Rank, host_space, detail::dlpack_host>(tensor);
}

/// The same for memory that only an accelerator can read.
template <element T, std::size_t Rank>
[[nodiscard]] result<tensor_view<const T, Rank, device_space>> from_dlpack_device(const DLTensor& tensor) {
    return detail::import_dlpack<T, Rank, device_space, detail::dlpack_accelerator>(tensor);
}

/// Calls f with the view of whatever element type the tensor has: float, double, f16, bf16 or an integer of
/// 8 to 64 bits. f returns nothing and is instantiated once a type.
/// Errors: those of from_dlpack, and an element type not among these.
template <std::size_t Rank, class F>
status visit_dlpack(const DLTensor& tensor, F&& f) {
    std::optional<status> done;
    const auto attempt = [&]<class T>(T /*tag*/) {
        if (done || !detail::dlpack_is<T>(tensor.dtype)) {
            return;
        }
        auto view = from_dlpack<T, Rank>(tensor);
        if (view) {
            f(*view);
            done = success{};
        } else {
            done = view.error();
        }
    };
    const auto attempt_all = [&](auto... tags) { (attempt(tags), ...); };
    attempt_all(float{}, double{}, f16{}, bf16{}, std::int8_t{}, std::int16_t{}, std::int32_t{},
                std::int64_t{}, std::uint8_t{}, std::uint16_t{}, std::uint32_t{}, std::uint64_t{});
    if (!done) {
        return error{detail::dlpack_name(tensor.dtype) + " is not an element type of this library",
                     "DLTensor.dtype"};
    }
    return *done;
}

/// Calls the tensor's own deleter, as a consumer of DLPack must, once.
struct dlpack_deleter {
    void operator()(DLManagedTensor* tensor) const {
        if (tensor->deleter != nullptr) {
            tensor->deleter(tensor);
        }
    }
};

/// A DLManagedTensor that is held: what to_dlpack makes, and what a consumer was handed. release() hands it
/// on.
using dlpack_ptr = std::unique_ptr<DLManagedTensor, dlpack_deleter>;

namespace detail {

template <std::size_t Rank, class Owned>
struct dlpack_export {
    DLManagedTensor managed{};
    std::array<std::int64_t, Rank> shape{};
    std::array<std::int64_t, Rank> strides{};
    Owned owned;
};

template <class T, std::size_t Rank, class Space, class Owned>
[[nodiscard]] dlpack_ptr export_dlpack(const tensor_view<T, Rank, Space>& view, DLDevice device,
                                       Owned owned) {
    auto box = std::make_unique<dlpack_export<Rank, Owned>>();
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        box->shape[axis] = view.extent(axis);
        box->strides[axis] = view.stride(axis);
    }
    using element = std::remove_const_t<T>;
    box->owned = std::move(owned); // a moved vector keeps its memory, so view stays good
    DLTensor& tensor = box->managed.dl_tensor;
    tensor.data = const_cast<element*>(view.data()); // DLPack has no const
    tensor.device = device;
    tensor.ndim = static_cast<int>(Rank);
    tensor.dtype = dlpack_type<element>();
    tensor.shape = box->shape.data();
    tensor.strides = box->strides.data();
    box->managed.manager_ctx = box.get();
    box->managed.deleter = [](DLManagedTensor* self) {
        delete static_cast<dlpack_export<Rank, Owned>*>(self->manager_ctx);
    };
    return dlpack_ptr(&box.release()->managed);
}

struct nothing {};

} // namespace detail

/// A DLPack tensor over a view's memory, which must outlive it. DLPack cannot say const: consumers must not
/// write to what was const here. `device` names where a view in device_space lives. Allocates once.
template <class T, std::size_t Rank, class Space>
[[nodiscard]] dlpack_ptr to_dlpack(const tensor_view<T, Rank, Space>& view, DLDevice device = {kDLCPU, 0}) {
    OSTEND_EXPECTS_ALWAYS((std::same_as<Space, host_space>) == detail::dlpack_host::holds(device.device_type),
                          "to_dlpack: the device is not of the view's memory space");
    return detail::export_dlpack(view, device, detail::nothing{});
}

/// A DLPack tensor that owns the matrix's values. Allocates once; the values are moved.
template <class T>
[[nodiscard]] dlpack_ptr to_dlpack(matrix<T>&& values) {
    const auto view = values.view();
    return detail::export_dlpack(view, {kDLCPU, 0}, std::move(values));
}

} // namespace ostend::inline v0
