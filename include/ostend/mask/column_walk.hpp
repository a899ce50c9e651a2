// column_walk: the runs of a mask as they lie in each column; a run over the end of a column is cut there.
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

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
