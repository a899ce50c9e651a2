// xtensor as views: xtensor, xtensor_fixed, xarray, xt::adapt, xt::view and xt::strided_view.
//
// Matched by structure (data, data_offset, shape, strides), so that no header of xtensor is included: they
// move between releases. Types whose shape is a std::array have a rank of their own, as_view(x); the others
// (xarray, strided_view) want it said, as_view<3>(x). xtensor gives axes of extent 1 the stride 0; they get
// the stride of a contiguous tensor here. Whether a temporary owns its elements cannot be told from its
// structure, so every temporary is refused: give views a name. Lazy expressions have no data() and are
// refused.
#pragma once

#include "ostend/tensor/traits.hpp"

#include <array>
#include <concepts>
#include <tuple>
#include <type_traits>

namespace ostend::inline v0 {

namespace detail {

template <class X>
concept xtensor_strided = requires(X& x) {
    requires std::is_pointer_v<decltype(x.data())>;
    { x.data_offset() } -> std::convertible_to<std::size_t>;
    { x.shape().size() } -> std::convertible_to<std::size_t>;
    { x.strides().size() } -> std::convertible_to<std::size_t>;
    { x.strides()[0] } -> std::convertible_to<index>;
    requires element<std::remove_cvref_t<decltype(*x.data())>>;
};

/// The shape says how many axes there are at compile time.
template <class X>
concept xtensor_static = xtensor_strided<X> && requires {
    std::tuple_size<std::remove_cvref_t<decltype(std::declval<X&>().shape())>>::value;
};

template <class X>
using xtensor_element = std::remove_pointer_t<decltype(std::declval<X&>().data())>;

template <std::size_t Rank, class X>
tensor_view<xtensor_element<X>, Rank> xtensor_view(X& x) {
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    index size = 1;
    for (std::size_t axis = Rank; axis-- > 0;) {
        extents[axis] = static_cast<index>(x.shape()[axis]);
        strides[axis] = extents[axis] > 1 ? static_cast<index>(x.strides()[axis]) : size;
        size *= extents[axis];
    }
    // data_offset() is unsigned, and wraps where a view begins before data().
    auto* data = x.data();
    return {data == nullptr ? nullptr : data + static_cast<index>(x.data_offset()), extents, strides};
}

} // namespace detail

template <detail::xtensor_static X>
struct tensor_traits<X> {
    static constexpr std::size_t rank =
        std::tuple_size<std::remove_cvref_t<decltype(std::declval<X&>().shape())>>::value;
    using element = detail::xtensor_element<X>;
    static constexpr bool owns = true;
    static tensor_view<element, rank> view(X& x) { return detail::xtensor_view<rank>(x); }
};

template <detail::xtensor_strided X>
requires(!detail::xtensor_static<X>) struct dynamic_tensor_traits<X> {
    using element = detail::xtensor_element<X>;
    static constexpr bool owns = true;
    static std::size_t rank(X& x) { return static_cast<std::size_t>(x.shape().size()); }
    template <std::size_t Rank>
    static tensor_view<element, Rank> view(X& x) {
        return detail::xtensor_view<Rank>(x);
    }
};

} // namespace ostend::inline v0
