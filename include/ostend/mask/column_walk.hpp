// column_walk: the runs of a mask as they lie in each column, or where the column changes; a run over the end
// of a column is cut there.
#pragma once

#include "ostend/mask/rle.hpp"

#include <algorithm>
#include <cstdint>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Walks a mask whose counts cover all its pixels, from the left.
class column_walk {
public:
    explicit column_walk(const rle& mask) : mask_(mask) {}

    /// Calls f(first row, end, is it inside?) for the parts of the next column, from the top.
    template <class F>
    void next(F&& f) {
        for (index y = 0; y < mask_.height;) {
            while (left_ == 0) {
                left_ = mask_.counts[next_++];
            }
            const auto room = static_cast<std::uint64_t>(mask_.height - y);
            const index end = y + static_cast<index>(std::min(left_, room));
            f(y, end, next_ % 2 == 0);
            left_ -= static_cast<std::uint64_t>(end - y);
            y = end;
        }
    }

private:
    const rle& mask_;
    std::size_t next_ = 0;   ///< the count that comes after the open one
    std::uint64_t left_ = 0; ///< pixels left of the open count
};

/// Walks the same by where a column changes, every column starting outside.
class change_walk {
public:
    /// The counts must cover all pixels, of which there are some.
    explicit change_walk(const rle& mask) : mask_(mask), change_(mask.counts.front()) {}

    /// Calls f(i, bits) for some words of 64 rows of the next column, in ascending order: bit k is set where
    /// row 64 i + k is not as the row above it. Words that are left out have no change.
    template <class F>
    void next(F&& f) {
        const std::uint64_t end = column_ + static_cast<std::uint64_t>(mask_.height);
        std::uint64_t word = next_ % 2 == 0 ? 1 : 0; // a run goes on over the end of the column before
        std::size_t at = 0;
        while (change_ < end) {
            const std::uint64_t y = change_ - column_;
            if (y / 64 != at) {
                f(at, word);
                word = 0;
                at = static_cast<std::size_t>(y / 64);
            }
            word ^= std::uint64_t{1} << (y % 64);
            change_ += mask_.counts[next_++];
        }
        f(at, word);
        column_ = end;
    }

private:
    const rle& mask_;
    std::size_t next_ = 1;     ///< the count that comes after the next change
    std::uint64_t change_;     ///< the next pixel at which a run begins
    std::uint64_t column_ = 0; ///< the number of the column's first pixel
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
