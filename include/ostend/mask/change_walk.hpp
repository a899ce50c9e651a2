// change_walk: where each column of a mask changes, as bits of 64 rows; every column starts outside.
#pragma once

#include "ostend/mask/rle.hpp"

#include <cstddef>
#include <cstdint>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

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
