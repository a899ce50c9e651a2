// LibTorch: at::Tensor as views, and tensors out of views, maps and masks.
//
// An at::Tensor says its element type, rank, strides and device at run time only; each is checked, and lazy
// or packed forms (sparse, quantised, nested, negated) are refused with the call that makes a plain tensor of
// them. A tensor that requires grad is read as it is: autograd sees nothing. Torch throws; nothing here does.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/traits.hpp"
#include "ostend/tensor/view.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/core/TensorAccessor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ostend::inline v0 {
namespace detail {

template <class T>
[[nodiscard]] constexpr at::ScalarType torch_type() {
    if constexpr (std::same_as<T, f16>) {
        return at::kHalf;
    } else if constexpr (std::same_as<T, bf16>) {
        return at::kBFloat16;
    } else {
        return c10::CppTypeToScalarType<T>::value;
    }
}

/// The library's type for torch's element type, const kept: at::Half and at::BFloat16 are two bytes as well.
template <class T>
struct torch_element {
    using type = T;
};
template <>
struct torch_element<at::Half> {
    using type = f16;
};
template <>
struct torch_element<at::BFloat16> {
    using type = bf16;
};
template <class T>
struct torch_element<const T> {
    using type = const typename torch_element<T>::type;
};

/// What torch says, without its traces: the first line, or the last one of a program's traceback.
[[nodiscard]] inline std::string torch_sentence(std::string text) {
    text.erase(text.find_last_not_of(" \n\t") + 1);
    const bool traceback = text.find("Traceback of TorchScript") != std::string::npos;
    text = traceback ? text.substr(text.rfind('\n') + 1) : text.substr(0, text.find('\n'));
    text.erase(text.find_last_not_of(" .\t") + 1);
    return text;
}

/// Why the memory of a tensor cannot be read as elements with strides, or success.
[[nodiscard]] inline status check_torch_form(const at::Tensor& tensor) {
    const auto wrong = [](const char* field, std::string what) -> status {
        return error{std::move(what), std::string("at::Tensor.") + field};
    };
    if (!tensor.defined()) {
        return wrong("data", "the tensor is undefined");
    }
    if (tensor.is_nested()) {
        return wrong("layout", "the tensor is nested; unbind() it first");
    }
    if (tensor.layout() != at::kStrided) {
        return wrong("layout", "the tensor is sparse or packed; to_dense() it first");
    }
    if (tensor.is_quantized()) {
        return wrong("dtype", "the tensor is quantised; dequantize() it first");
    }
    if (!tensor.device().is_cpu()) {
        return wrong("device", "the tensor lies on " + tensor.device().str() + "; cpu() copies it");
    }
    if (tensor.is_neg() || tensor.is_conj() || tensor._is_zerotensor()) {
        return wrong("data", "the tensor is negated, conjugated or zero in name only; resolve_neg(), "
                             "resolve_conj() or clone() it first");
    }
    if (!tensor.has_storage() || tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) {
        return wrong("data", "the tensor stands for others and has no memory of its own");
    }
    return success{};
}

} // namespace detail

[[nodiscard]] inline std::string torch_shape_text(at::IntArrayRef shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return text + "]";
}

/// What f returns, or the sentence of what it throws. f returns a value.
template <class F>
[[nodiscard]] auto torch_result(F&& f) -> result<std::invoke_result_t<F>> {
    try {
        return std::forward<F>(f)();
    } catch (const c10::Error& thrown) {
        return error{detail::torch_sentence(thrown.what_without_backtrace()), "torch"};
    } catch (const std::exception& thrown) {
        return error{detail::torch_sentence(thrown.what()), "torch"};
    }
}

/// The view of a tensor in host memory, of element type T and Rank axes, any strides. Booleans may be read as
/// std::uint8_t. The tensor must outlive the view. Errors name the field that does not fit: an undefined,
/// sparse, nested, quantised or lazily negated tensor, device, element type, number of axes. O(Rank).
template <element T, std::size_t Rank>
[[nodiscard]] result<tensor_view<const T, Rank>> from_torch(const at::Tensor& tensor) {
    static_assert(Rank >= 1, "ostend: a view has at least one axis");
    if (const status good = detail::check_torch_form(tensor); !good) {
        return good.error();
    }
    const at::ScalarType type = tensor.scalar_type();
    const bool same = type == detail::torch_type<T>() || (std::same_as<T, std::uint8_t> && type == at::kBool);
    if (!same) {
        return error{std::string(at::toString(type)) + " where " + at::toString(detail::torch_type<T>()) +
                         " is expected",
                     "at::Tensor.dtype"};
    }
    if (tensor.dim() != static_cast<std::int64_t>(Rank)) {
        return error{torch_shape_text(tensor.sizes()) + " where " + std::to_string(Rank) +
                         " axes are expected",
                     "at::Tensor.sizes"};
    }
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        extents[axis] = tensor.sizes()[axis];
        strides[axis] = tensor.strides()[axis];
    }
    if (tensor.numel() == 0) {
        return tensor_view<const T, Rank>(nullptr, extents);
    }
    return tensor_view<const T, Rank>(static_cast<const T*>(tensor.const_data_ptr()), extents, strides);
}

/// Calls f with the view of whatever element type the tensor has: float, double, f16, bf16, or an integer of
/// 8 to 64 bits (booleans are std::uint8_t). f returns nothing and is instantiated once a type. Errors: those
/// of from_torch, and an element type not among these.
template <std::size_t Rank, class F>
status visit_torch(const at::Tensor& tensor, F&& f) {
    if (status good = detail::check_torch_form(tensor); !good) {
        return good;
    }
    std::optional<status> done;
    const auto attempt = [&]<class T>(T /*tag*/) {
        const bool boolean = std::same_as<T, std::uint8_t> && tensor.scalar_type() == at::kBool;
        if (done || !(boolean || tensor.scalar_type() == detail::torch_type<T>())) {
            return;
        }
        auto view = from_torch<T, Rank>(tensor);
        if (view) {
            f(*view);
            done = success{};
        } else {
            done = view.error();
        }
    };
    const auto attempt_all = [&](auto... tags) { (attempt(tags), ...); };
    attempt_all(float{}, double{}, f16{}, bf16{}, std::int8_t{}, std::int16_t{}, std::int32_t{},
                std::int64_t{}, std::uint8_t{});
    if (!done) {
        return error{std::string(at::toString(tensor.scalar_type())) +
                         " is not an element type of this library",
                     "at::Tensor.dtype"};
    }
    return *done;
}

/// tensor.accessor<T, N>() knows its type and rank: as_view takes it as it is. The tensor must outlive the
/// view.
template <class T, std::size_t N>
struct tensor_traits<at::TensorAccessor<T, N>> {
    static constexpr std::size_t rank = N;
    using element = typename detail::torch_element<T>::type;
    static constexpr bool owns = false;
    static tensor_view<element, N> view(const at::TensorAccessor<T, N>& x) {
        std::array<index, N> extents{};
        std::array<index, N> strides{};
        for (std::size_t axis = 0; axis < N; ++axis) {
            extents[axis] = x.sizes()[axis];
            strides[axis] = x.strides()[axis];
        }
        return {reinterpret_cast<element*>(x.data()), extents, strides};
    }
};
template <class T, std::size_t N>
struct tensor_traits<const at::TensorAccessor<T, N>> : tensor_traits<at::TensorAccessor<T, N>> {};

/// A tensor over a view's memory, which must outlive it and be as writable as the tensor is used.
/// Precondition: no stride is negative, which torch does not know.
template <class T, std::size_t Rank>
[[nodiscard]] at::Tensor to_torch(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    std::array<std::int64_t, Rank> sizes{};
    std::array<std::int64_t, Rank> strides{};
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        OSTEND_EXPECTS_ALWAYS(view.stride(axis) >= 0 || view.extent(axis) <= 1,
                              "to_torch: the stride " + std::to_string(view.stride(axis)) + " of axis " +
                                  std::to_string(axis) + " is negative; copy_to_torch takes it");
        sizes[axis] = view.extent(axis);
        strides[axis] = view.extent(axis) > 1 ? view.stride(axis) : 1;
    }
    const auto options = at::TensorOptions(detail::torch_type<value>());
    return view.empty() ? at::empty(sizes, options)
                        : at::from_blob(const_cast<value*>(view.data()), sizes, strides, options);
}

/// A tensor [rows, columns] that owns the matrix's values, which are moved.
template <class T>
[[nodiscard]] at::Tensor to_torch(matrix<T>&& values) {
    const auto kept = std::make_shared<matrix<T>>(std::move(values));
    const auto options = at::TensorOptions(detail::torch_type<T>());
    if (kept->empty()) {
        return at::empty({kept->rows(), kept->columns()}, options);
    }
    return at::from_blob(
        kept->values().data(), {kept->rows(), kept->columns()}, [kept](void* /*data*/) {}, options);
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// A copy of a view of any strides, contiguous. Complexity O(elements).
template <class T, std::size_t Rank>
[[nodiscard]] at::Tensor copy_to_torch(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    std::array<std::int64_t, Rank> sizes{};
    std::copy(view.extents().begin(), view.extents().end(), sizes.begin());
    at::Tensor out = at::empty(sizes, at::TensorOptions(v0::detail::torch_type<value>()));
    auto* to = static_cast<value*>(out.data_ptr());
    std::array<index, Rank> at{};
    for (index n = 0; n < view.size(); ++n) {
        index offset = 0;
        for (std::size_t axis = 0; axis < Rank; ++axis) {
            offset += at[axis] * view.stride(axis);
        }
        *to++ = load(view.data() + offset);
        for (std::size_t axis = Rank; axis-- > 0 && ++at[axis] == view.extent(axis);) {
            at[axis] = 0;
        }
    }
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
