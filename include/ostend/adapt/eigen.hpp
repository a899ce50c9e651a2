// Eigen's dense objects as views: Matrix, Array, Map with any strides, Ref, blocks, rows, transposes.
//
// What is a vector at compile time (VectorXf, m.row(0)) is of rank 1; all else is [rows, columns], whatever
// the storage order. Eigen::half and Eigen::bfloat16 are seen as f16 and bf16: read them with load().
// An expression without its own memory (a + b, m.reverse()) has no view and is refused. A view of a block
// refers to what the block refers to, so the matrix beneath must outlive it.
#pragma once

#include "ostend/tensor/traits.hpp"

#include <Eigen/Core>

#include <concepts>
#include <type_traits>

namespace ostend::inline v0 {

namespace detail {

template <class Scalar>
struct eigen_element {
    using type = Scalar;
};
template <>
struct eigen_element<Eigen::half> {
    using type = f16;
};
template <>
struct eigen_element<Eigen::bfloat16> {
    using type = bf16;
};

/// The element of a view over memory of P (a pointee, perhaps const).
template <class P>
using eigen_element_t =
    std::conditional_t<std::is_const_v<P>, const typename eigen_element<std::remove_const_t<P>>::type,
                       typename eigen_element<std::remove_const_t<P>>::type>;

/// An Eigen object with direct access to memory (rowStride exists for those only).
template <class X>
concept eigen_dense = requires(X& x) {
    typename X::PlainObject;
    { x.rowStride() } -> std::convertible_to<index>;
    { x.colStride() } -> std::convertible_to<index>;
    x.data();
}
&&element<std::remove_const_t<eigen_element_t<typename X::Scalar>>>;

/// Ref<const M> may hold a copy of the expression that it was made from.
template <class X>
inline constexpr bool eigen_owns = std::same_as<X, typename X::PlainObject>;
template <class M, int Options, class Stride>
inline constexpr bool eigen_owns<Eigen::Ref<const M, Options, Stride>> = true;

} // namespace detail

template <detail::eigen_dense X>
struct tensor_traits<X> {
    static constexpr std::size_t rank = X::IsVectorAtCompileTime ? 1 : 2;
    using element = detail::eigen_element_t<std::remove_pointer_t<decltype(std::declval<X&>().data())>>;
    static constexpr bool owns = detail::eigen_owns<std::remove_const_t<X>>;
    static tensor_view<element, rank> view(X& x) {
        auto* data = reinterpret_cast<element*>(x.data());
        if constexpr (rank == 1) {
            return {data, {x.size()}, {x.innerStride()}};
        } else {
            return {data, {x.rows(), x.cols()}, {x.rowStride(), x.colStride()}};
        }
    }
};

} // namespace ostend::inline v0
