// tensor_traits: how a foreign tensor becomes a view; as_view(x): the view of anything that has traits.
//
// An adapter (ostend/adapt/*.hpp) specialises tensor_traits for its type with four things and nothing else:
//     static constexpr std::size_t rank;      // number of axes
//     using element = ...;                    // const-qualified where the tensor is const
//     static constexpr bool owns;             // true: a temporary of this type is refused
//     static tensor_view<element, rank> view(X& x);
#pragma once

#include "ostend/tensor/view.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Specialise for a foreign tensor type. X keeps its const: tensor_traits<const vector<float>>.
template <class X>
struct tensor_traits {
    static constexpr bool is_unspecialised = true;
};

template <class X>
concept has_tensor_traits = !requires {
    tensor_traits<X>::is_unspecialised;
};

/// Specialise for a foreign tensor whose rank is known only at run time (xarray, say):
///     using element; static constexpr bool owns; static std::size_t rank(X& x);
///     template <std::size_t Rank> static tensor_view<element, Rank> view(X& x);
template <class X>
struct dynamic_tensor_traits {
    static constexpr bool is_unspecialised = true;
};

template <class X>
concept has_dynamic_rank = !requires {
    dynamic_tensor_traits<X>::is_unspecialised;
};

/// A type that as_view accepts.
template <class X>
concept tensor_like = has_tensor_traits<std::remove_reference_t<X>>;

/// The view of a foreign tensor. Precondition at compile time: an adapter is included for its type, and a
/// type that owns its elements is an lvalue, since the view would outlive a temporary. Complexity O(rank).
template <class X>
[[nodiscard]] constexpr auto as_view(X&& x) {
    using type = std::remove_reference_t<X>;
    static_assert(!has_dynamic_rank<type>, "ostend: the rank of this tensor is known only at run time. "
                                           "Say which rank you expect, as in ostend::as_view<3>(x).");
    static_assert(has_tensor_traits<type> || has_dynamic_rank<type>,
                  "ostend: this type is not a tensor that the library knows. Include its adapter "
                  "(ostend/adapt/eigen.hpp, xtensor.hpp, dlpack.hpp, ...), evaluate a lazy expression into a "
                  "tensor first, or specialise ostend::tensor_traits for it.");
    if constexpr (has_tensor_traits<type>) {
        static_assert(std::is_lvalue_reference_v<X&&> || !tensor_traits<type>::owns,
                      "ostend: this temporary owns its elements and would be gone before the view is used. "
                      "Give it a name first.");
        return tensor_traits<type>::view(x);
    }
}

/// The view of a tensor of dynamic or static rank, as one of Rank axes: as_view<3>(x).
/// Precondition: the tensor has that rank. Complexity O(rank).
template <std::size_t Rank, class X>
[[nodiscard]] constexpr auto as_view(X&& x) {
    using type = std::remove_reference_t<X>;
    if constexpr (has_dynamic_rank<type>) {
        using traits = dynamic_tensor_traits<type>;
        static_assert(std::is_lvalue_reference_v<X&&> || !traits::owns,
                      "ostend: this temporary owns its elements and would be gone before the view is used. "
                      "Give it a name first.");
        OSTEND_EXPECTS_ALWAYS(traits::rank(x) == Rank,
                              "as_view: a tensor of rank " + std::to_string(traits::rank(x)) +
                                  " was given where rank " + std::to_string(Rank) + " is expected");
        return traits::template view<Rank>(x);
    } else {
        auto view = as_view(std::forward<X>(x));
        static_assert(decltype(view)::rank == Rank, "ostend: this tensor has another rank.");
        return view;
    }
}

template <class T, std::size_t Rank, class Space>
struct tensor_traits<tensor_view<T, Rank, Space>> {
    static constexpr std::size_t rank = Rank;
    using element = T;
    static constexpr bool owns = false;
    static constexpr tensor_view<T, Rank, Space> view(const tensor_view<T, Rank, Space>& x) { return x; }
};

template <class T, std::size_t Rank, class Space>
struct tensor_traits<const tensor_view<T, Rank, Space>> : tensor_traits<tensor_view<T, Rank, Space>> {};

namespace detail {
template <class X, class T, bool Owns>
struct contiguous_traits {
    static constexpr std::size_t rank = 1;
    using element = T;
    static constexpr bool owns = Owns;
    static constexpr tensor_view<T, 1> view(X& x) {
        return {std::data(x), {static_cast<index>(std::size(x))}};
    }
};
} // namespace detail

template <element T, class Allocator>
requires(!std::same_as<T, bool>) struct tensor_traits<std::vector<T, Allocator>>
    : detail::contiguous_traits<std::vector<T, Allocator>, T, true> {
};
template <element T, class Allocator>
requires(!std::same_as<T, bool>) struct tensor_traits<const std::vector<T, Allocator>>
    : detail::contiguous_traits<const std::vector<T, Allocator>, const T, true> {
};
template <element T, std::size_t N>
struct tensor_traits<std::array<T, N>> : detail::contiguous_traits<std::array<T, N>, T, true> {};
template <element T, std::size_t N>
struct tensor_traits<const std::array<T, N>>
    : detail::contiguous_traits<const std::array<T, N>, const T, true> {};
template <class T, std::size_t N>
requires element<std::remove_const_t<T>>
struct tensor_traits<std::span<T, N>> : detail::contiguous_traits<std::span<T, N>, T, false> {
};
template <class T, std::size_t N>
requires element<std::remove_const_t<T>>
struct tensor_traits<const std::span<T, N>> : detail::contiguous_traits<const std::span<T, N>, T, false> {
};

} // namespace ostend::inline v0
