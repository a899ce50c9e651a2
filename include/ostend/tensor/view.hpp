// tensor_view: pointer, extents, strides. It owns nothing; copies are cheap; the memory space is in the type.
//
// Strides are in elements and may be negative or zero. Element access by operator() is unchecked (as in
// mdspan) and wants aligned data; load() and at() read unaligned data too, and at() checks the indices.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

namespace ostend::inline v0 {

struct host_space {};   ///< memory that this thread can read
struct device_space {}; ///< memory that only an accelerator can read: views pass through, kernels refuse

template <class T, std::size_t Rank, class Space = host_space>
class tensor_view {
public:
    using element = T;
    using value_type = std::remove_const_t<T>;
    using space = Space;
    using shape = std::array<index, Rank>;
    static constexpr std::size_t rank = Rank;

    constexpr tensor_view() noexcept = default;

    /// A contiguous row-major (C order) view. Precondition: extents >= 0.
    constexpr tensor_view(T* data, const shape& extents) : data_(data), extents_(extents) {
        index stride = 1;
        for (std::size_t axis = Rank; axis-- > 0;) {
            strides_[axis] = stride;
            stride *= extents_[axis];
        }
        require();
    }

    /// A strided view; strides in elements. Precondition: extents >= 0, data not null unless empty.
    constexpr tensor_view(T* data, const shape& extents, const shape& strides)
        : data_(data), extents_(extents), strides_(strides) {
        require();
    }

    /// A mutable view converts to a const one.
    template <class U>
    requires(std::is_const_v<T>&& std::same_as<U, value_type>) constexpr tensor_view(
        const tensor_view<U, Rank, Space>& other) noexcept
        : data_(other.data()), extents_(other.extents()), strides_(other.strides()) {}

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr const shape& extents() const noexcept { return extents_; }
    [[nodiscard]] constexpr const shape& strides() const noexcept { return strides_; }
    [[nodiscard]] constexpr index extent(std::size_t axis) const noexcept { return extents_[axis]; }
    [[nodiscard]] constexpr index stride(std::size_t axis) const noexcept { return strides_[axis]; }

    [[nodiscard]] constexpr index size() const noexcept {
        index n = 1;
        for (const index e : extents_) {
            n *= e;
        }
        return n;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }

    /// True when elements lie in C order without gaps. Strides of extents <= 1 do not matter.
    [[nodiscard]] constexpr bool is_contiguous() const noexcept {
        if (empty()) {
            return true;
        }
        index expected = 1;
        for (std::size_t axis = Rank; axis-- > 0;) {
            if (extents_[axis] > 1 && strides_[axis] != expected) {
                return false;
            }
            expected *= extents_[axis];
        }
        return true;
    }

    template <class... I>
    requires(sizeof...(I) == Rank && std::same_as<Space, host_space>) [[nodiscard]] constexpr T&
    operator()(I... i) const noexcept {
        return data_[offset({static_cast<index>(i)...})];
    }

    /// The element by value; the data may be unaligned.
    template <class... I>
    requires(sizeof...(I) == Rank && std::same_as<Space, host_space>) [[nodiscard]] value_type
        load(I... i) const noexcept {
        return ostend::load(data_ + offset({static_cast<index>(i)...}));
    }

    /// The element by value, with checked indices.
    template <class... I>
    requires(sizeof...(I) == Rank && std::same_as<Space, host_space>) [[nodiscard]] value_type
        at(I... i) const {
        const shape position{static_cast<index>(i)...};
        for (std::size_t axis = 0; axis < Rank; ++axis) {
            OSTEND_EXPECTS_ALWAYS(position[axis] >= 0 && position[axis] < extents_[axis],
                                  "tensor_view::at: index " + std::to_string(position[axis]) + " on axis " +
                                      std::to_string(axis) + " of extent " + std::to_string(extents_[axis]));
        }
        return ostend::load(data_ + offset(position));
    }

    /// The slice at one position of an axis, of one rank less.
    [[nodiscard]] constexpr tensor_view<T, Rank - 1, Space> slice(std::size_t axis, index position) const
        requires(Rank > 1) {
        OSTEND_EXPECTS_ALWAYS(axis < Rank && position >= 0 && position < extents_[axis],
                              "tensor_view::slice: position " + std::to_string(position) + " on axis " +
                                  std::to_string(axis) + " is outside the view");
        std::array<index, Rank - 1> extents{};
        std::array<index, Rank - 1> strides{};
        for (std::size_t from = 0, to = 0; from < Rank; ++from) {
            if (from == axis) {
                continue;
            }
            extents[to] = extents_[from];
            strides[to++] = strides_[from];
        }
        return {data_ == nullptr ? nullptr : data_ + position * strides_[axis], extents, strides};
    }

    /// The first axis sliced: view[i] of rank Rank - 1.
    [[nodiscard]] constexpr tensor_view<T, Rank - 1, Space> operator[](index position) const
        requires(Rank > 1) {
        return slice(0, position);
    }

    /// count positions of an axis from first on, every step-th; the rank stays.
    [[nodiscard]] constexpr tensor_view range(std::size_t axis, index first, index count,
                                              index step = 1) const {
        OSTEND_EXPECTS_ALWAYS(axis < Rank && first >= 0 && count >= 0 && step >= 1 &&
                                  (count == 0 || first + (count - 1) * step < extents_[axis]),
                              "tensor_view::range: the range leaves axis " + std::to_string(axis));
        tensor_view out = *this;
        if (count > 0 && data_ != nullptr) {
            out.data_ += first * strides_[axis];
        }
        out.extents_[axis] = count;
        out.strides_[axis] *= step;
        return out;
    }

    /// Axes in another order.
    [[nodiscard]] constexpr tensor_view permuted(const std::array<std::size_t, Rank>& order) const {
        tensor_view out = *this;
        std::array<bool, Rank> seen{};
        for (std::size_t axis = 0; axis < Rank; ++axis) {
            OSTEND_EXPECTS_ALWAYS(order[axis] < Rank && !seen[order[axis]],
                                  "tensor_view::permuted: the order is not a permutation of the axes");
            seen[order[axis]] = true;
            out.extents_[axis] = extents_[order[axis]];
            out.strides_[axis] = strides_[order[axis]];
        }
        return out;
    }

    /// The elements as a span. Precondition: contiguous.
    [[nodiscard]] constexpr std::span<T> as_span() const requires std::same_as<Space, host_space> {
        OSTEND_EXPECTS_ALWAYS(is_contiguous(),
                              "tensor_view::as_span: the view has gaps between its elements");
        return {data_, static_cast<std::size_t>(size())};
    }

private:
    [[nodiscard]] constexpr index offset(const shape& position) const noexcept {
        index sum = 0;
        for (std::size_t axis = 0; axis < Rank; ++axis) {
            sum += position[axis] * strides_[axis];
        }
        return sum;
    }
    constexpr void require() const {
        for (const index e : extents_) {
            OSTEND_EXPECTS_ALWAYS(e >= 0, "tensor_view: an extent is negative: " + std::to_string(e));
        }
        OSTEND_EXPECTS_ALWAYS(data_ != nullptr || empty(),
                              "tensor_view: null data with " + std::to_string(size()) + " elements");
    }

    T* data_ = nullptr;
    shape extents_{};
    shape strides_{};
};

/// An image as interleaved bytes: [rows, columns, channels = 3], RGB.
using image_view = tensor_view<const std::uint8_t, 3>;

} // namespace ostend::inline v0
