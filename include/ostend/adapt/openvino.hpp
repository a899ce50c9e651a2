// OpenVINO: tensors as views both ways, and models read with errors as values.
//
// An ov::Tensor says its element type, shape and byte strides at run time only; each is checked. OpenVINO
// throws; nothing here does: what() becomes the error's sentence.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/view.hpp"

#include <openvino/openvino.hpp>

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {
namespace detail {

template <class T>
[[nodiscard]] ov::element::Type openvino_type() {
    if constexpr (std::is_same_v<T, f16>) {
        return ov::element::f16;
    } else if constexpr (std::is_same_v<T, bf16>) {
        return ov::element::bf16;
    } else {
        return ov::element::from<T>();
    }
}

/// The first sentence of what OpenVINO says, which begins with the place in its sources.
[[nodiscard]] inline std::string openvino_sentence(const std::exception& thrown) {
    std::string text = thrown.what();
    std::size_t begin = 0;
    while (begin < text.size()) { // lines that say where, not what
        std::size_t end = text.find('\n', begin);
        end = end == std::string::npos ? text.size() : end;
        const std::string line = text.substr(begin, end - begin);
        const bool place = line.empty() || line.starts_with("Exception from") || line.starts_with("Check '");
        if (!place) {
            const auto last = line.find_last_not_of(" .\t");
            return line.substr(0, last == std::string::npos ? 0 : last + 1);
        }
        begin = end + 1;
    }
    return text.substr(0, text.find('\n'));
}

} // namespace detail

[[nodiscard]] inline std::string openvino_shape_text(const ov::Shape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return text + "]";
}

/// What f returns, or the sentence of what it throws. f returns a value.
template <class F>
[[nodiscard]] auto openvino_result(F&& f) -> result<std::invoke_result_t<F>> {
    try {
        return std::forward<F>(f)();
    } catch (const std::exception& thrown) {
        return error{detail::openvino_sentence(thrown), "OpenVINO"};
    }
}

/// The view of a tensor in host memory, of element type T and Rank axes. The tensor must outlive the view.
/// Errors name the field that does not fit: a remote tensor, element type, number of axes, byte strides that
/// are not whole elements. Complexity O(Rank).
template <element T, std::size_t Rank>
[[nodiscard]] result<tensor_view<const T, Rank>> from_openvino(const ov::Tensor& tensor) {
    static_assert(Rank >= 1, "ostend: a view has at least one axis");
    const auto wrong = [](const char* field, std::string what) {
        return error{std::move(what), std::string("ov::Tensor.") + field};
    };
    if (!tensor) {
        return wrong("data", "the tensor is empty");
    }
    if (tensor.is<ov::RemoteTensor>()) {
        return wrong("data", "the tensor lies in a device's memory");
    }
    const ov::element::Type type = tensor.get_element_type();
    if (type != detail::openvino_type<T>()) {
        return wrong("element_type",
                     type.to_string() + " where " + detail::openvino_type<T>().to_string() + " is expected");
    }
    const ov::Shape& shape = tensor.get_shape();
    if (shape.size() != Rank) {
        return wrong("shape",
                     openvino_shape_text(shape) + " where " + std::to_string(Rank) + " axes are expected");
    }
    const ov::Strides bytes = tensor.get_strides();
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    bool empty = false;
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        extents[axis] = static_cast<index>(shape[axis]);
        empty = empty || shape[axis] == 0;
        if (bytes[axis] % sizeof(T) != 0) {
            return wrong("strides", std::to_string(bytes[axis]) + " bytes are not whole elements of " +
                                        std::to_string(sizeof(T)));
        }
        strides[axis] = static_cast<index>(bytes[axis] / sizeof(T));
    }
    if (empty) {
        return tensor_view<const T, Rank>(nullptr, extents);
    }
    return tensor_view<const T, Rank>(static_cast<const T*>(tensor.data()), extents, strides);
}

/// A tensor over a view's memory, which must outlive it and be as writable as the tensor is used.
/// Precondition: the view is contiguous (OpenVINO's operations on strided inputs copy or refuse).
template <class T, std::size_t Rank>
[[nodiscard]] ov::Tensor to_openvino(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    OSTEND_EXPECTS_ALWAYS(view.is_contiguous(), "to_openvino: the view has gaps between its elements");
    ov::Shape shape;
    for (const index extent : view.extents()) {
        shape.push_back(static_cast<std::size_t>(extent));
    }
    if (view.empty()) {
        return ov::Tensor(detail::openvino_type<value>(), shape);
    }
    return ov::Tensor(detail::openvino_type<value>(), shape, const_cast<value*>(view.data()));
}

/// The names of a model's inputs or outputs; a port without a name gives "".
[[nodiscard]] inline std::vector<std::string> openvino_names(const ov::OutputVector& ports) {
    std::vector<std::string> names;
    for (const auto& port : ports) {
        names.push_back(port.get_names().empty() ? "" : port.get_any_name());
    }
    return names;
}

/// Reads a model in any form that OpenVINO's frontends know (ONNX, its own IR). Errors name the file.
[[nodiscard]] inline result<std::shared_ptr<ov::Model>> read_openvino_model(ov::Core& core,
                                                                            const std::string& file) {
    auto model = openvino_result([&] { return core.read_model(file); });
    if (!model) {
        return error{model.error().what, file};
    }
    return model;
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// A copy of a view of any strides. Complexity O(elements).
template <class T, std::size_t Rank>
[[nodiscard]] ov::Tensor copy_to_openvino(const tensor_view<T, Rank>& view) {
    using value = std::remove_const_t<T>;
    ov::Shape shape;
    for (const index extent : view.extents()) {
        shape.push_back(static_cast<std::size_t>(extent));
    }
    ov::Tensor out(v0::detail::openvino_type<value>(), shape);
    auto* to = static_cast<value*>(out.data());
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
