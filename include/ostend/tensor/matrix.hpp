// matrix: the library's own rows of values (token maps, phrase maps, mask logits), row-major and contiguous.
#pragma once

#include "ostend/tensor/traits.hpp"
#include "ostend/tensor/view.hpp"

#include <span>
#include <vector>

namespace ostend::inline v0 {

/// A rows x columns block that owns its values. The one place where results of the library live.
template <class T>
class matrix {
public:
    matrix() = default;
    /// Precondition: rows >= 0, columns >= 0. Allocates.
    matrix(index rows, index columns, T fill = T{}) : rows_(rows), columns_(columns) {
        OSTEND_EXPECTS_ALWAYS(rows >= 0 && columns >= 0, "matrix: a negative number of rows or columns");
        values_.assign(static_cast<std::size_t>(rows * columns), fill);
    }

    [[nodiscard]] index rows() const noexcept { return rows_; }
    [[nodiscard]] index columns() const noexcept { return columns_; }
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

    [[nodiscard]] std::span<T> row(index r) {
        return std::span<T>(values_).subspan(row_start(r), static_cast<std::size_t>(columns_));
    }
    [[nodiscard]] std::span<const T> row(index r) const {
        return std::span<const T>(values_).subspan(row_start(r), static_cast<std::size_t>(columns_));
    }
    [[nodiscard]] T& operator()(index r, index c) {
        return values_[static_cast<std::size_t>(r * columns_ + c)];
    }
    [[nodiscard]] const T& operator()(index r, index c) const {
        return values_[static_cast<std::size_t>(r * columns_ + c)];
    }

    [[nodiscard]] std::span<T> values() noexcept { return values_; }
    [[nodiscard]] std::span<const T> values() const noexcept { return values_; }
    [[nodiscard]] tensor_view<T, 2> view() { return {values_.data(), {rows_, columns_}}; }
    [[nodiscard]] tensor_view<const T, 2> view() const { return {values_.data(), {rows_, columns_}}; }

    friend bool operator==(const matrix&, const matrix&) = default;

private:
    [[nodiscard]] std::size_t row_start(index r) const {
        OSTEND_EXPECTS_ALWAYS(r >= 0 && r < rows_,
                              "matrix::row: row " + std::to_string(r) + " of " + std::to_string(rows_));
        return static_cast<std::size_t>(r * columns_);
    }
    index rows_ = 0;
    index columns_ = 0;
    std::vector<T> values_;
};

template <class T>
struct tensor_traits<matrix<T>> {
    static constexpr std::size_t rank = 2;
    using element = T;
    static constexpr bool owns = true;
    static tensor_view<T, 2> view(matrix<T>& x) { return x.view(); }
};
template <class T>
struct tensor_traits<const matrix<T>> {
    static constexpr std::size_t rank = 2;
    using element = const T;
    static constexpr bool owns = true;
    static tensor_view<const T, 2> view(const matrix<T>& x) { return x.view(); }
};

} // namespace ostend::inline v0
