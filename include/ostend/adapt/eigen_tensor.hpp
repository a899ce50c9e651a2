// Eigen's unsupported Tensor module as views: Tensor, TensorFixedSize and TensorMap, of any rank >= 1.
//
// Apart from adapt/eigen.hpp, because the module costs seconds to compile. Column-major tensors (Eigen's
// default) get growing strides, row-major ones falling strides; the order of the axes stays as written.
#pragma once

#include "ostend/adapt/eigen.hpp"

#include <unsupported/Eigen/CXX11/Tensor>

#include <array>

namespace ostend::inline v0 {

namespace detail {

template <class X, bool Owns>
struct eigen_tensor_traits {
    static constexpr std::size_t rank = static_cast<std::size_t>(X::NumIndices);
    using element = eigen_element_t<std::remove_pointer_t<decltype(std::declval<X&>().data())>>;
    static constexpr bool owns = Owns;
    static tensor_view<element, rank> view(X& x) {
        std::array<index, rank> extents{};
        std::array<index, rank> strides{};
        index stride = 1;
        for (std::size_t i = 0; i < rank; ++i) {
            extents[i] = static_cast<index>(x.dimension(i));
        }
        for (std::size_t i = 0; i < rank; ++i) {
            constexpr bool row_major = static_cast<int>(X::Layout) == static_cast<int>(Eigen::RowMajor);
            const std::size_t axis = row_major ? rank - 1 - i : i;
            strides[axis] = stride;
            stride *= extents[axis];
        }
        return {reinterpret_cast<element*>(x.data()), extents, strides};
    }
};

} // namespace detail

template <class T, int N, int Options, class I>
struct tensor_traits<Eigen::Tensor<T, N, Options, I>>
    : detail::eigen_tensor_traits<Eigen::Tensor<T, N, Options, I>, true> {};
template <class T, int N, int Options, class I>
struct tensor_traits<const Eigen::Tensor<T, N, Options, I>>
    : detail::eigen_tensor_traits<const Eigen::Tensor<T, N, Options, I>, true> {};
template <class T, class Sizes, int Options, class I>
struct tensor_traits<Eigen::TensorFixedSize<T, Sizes, Options, I>>
    : detail::eigen_tensor_traits<Eigen::TensorFixedSize<T, Sizes, Options, I>, true> {};
template <class T, class Sizes, int Options, class I>
struct tensor_traits<const Eigen::TensorFixedSize<T, Sizes, Options, I>>
    : detail::eigen_tensor_traits<const Eigen::TensorFixedSize<T, Sizes, Options, I>, true> {};
template <class P, int Options, template <class> class Pointer>
struct tensor_traits<Eigen::TensorMap<P, Options, Pointer>>
    : detail::eigen_tensor_traits<Eigen::TensorMap<P, Options, Pointer>, false> {};
template <class P, int Options, template <class> class Pointer>
struct tensor_traits<const Eigen::TensorMap<P, Options, Pointer>>
    : detail::eigen_tensor_traits<const Eigen::TensorMap<P, Options, Pointer>, false> {};

} // namespace ostend::inline v0
