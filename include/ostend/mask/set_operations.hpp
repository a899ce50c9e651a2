// set_operations: union, intersection, difference and complement on runs, without a dense mask.
//
// One walk over both lists of runs (mask/run_merge.hpp); the result is in canonical form (only the first
// count may be 0), so that equal masks have equal counts.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/rle.hpp"
#include "ostend/mask/run_merge.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Appends runs in order and joins neighbours of one kind.
class run_writer {
public:
    run_writer(index height, index width) : mask_{height, width, {}} {}
    void add(bool inside, std::uint64_t length) {
        if (length == 0) {
            return;
        }
        if (inside != inside_) {
            mask_.counts.push_back(static_cast<std::uint32_t>(pending_));
            pending_ = 0;
            inside_ = inside;
        }
        pending_ += length;
        position_ += length;
    }
    /// Zeros up to `first`, then ones up to `last`. Calls come in ascending order.
    void add_inside(std::uint64_t first, std::uint64_t last) {
        add(false, first - position_);
        add(true, last - first);
    }
    [[nodiscard]] rle finish() {
        const auto pixels =
            static_cast<std::uint64_t>(mask_.height) * static_cast<std::uint64_t>(mask_.width);
        if (position_ < pixels) {
            add(false, pixels - position_);
        }
        mask_.counts.push_back(static_cast<std::uint32_t>(pending_));
        return std::move(mask_);
    }

private:
    rle mask_;
    bool inside_ = false;
    std::uint64_t pending_ = 0;
    std::uint64_t position_ = 0;
};

inline void expect_same_size([[maybe_unused]] const rle& a, [[maybe_unused]] const rle& b,
                             [[maybe_unused]] const char* function) {
    OSTEND_EXPECTS(a.height == b.height && a.width == b.width,
                   std::string(function) + ": masks of " + std::to_string(a.height) + " x " +
                       std::to_string(a.width) + " and " + std::to_string(b.height) + " x " +
                       std::to_string(b.width));
}

/// The union of at(first), ..., at(end - 1), at least one, pair by pair and then the pairs' pairs: a run is
/// walked log2 of them times, where adding one after the other walks it again for each that follows.
template <class At>
[[nodiscard]] rle unite_range(std::size_t first, std::size_t end, const At& at) {
    switch (end - first) {
    case 1:
        return canonical(at(first));
    case 2:
        return unite_runs(at(first), at(first + 1));
    case 3:
        return unite_runs(unite_runs(at(first), at(first + 1)), at(first + 2));
    default:
        const std::size_t middle = first + (end - first) / 2;
        return unite_runs(unite_range(first, middle, at), unite_range(middle, end, at));
    }
}

} // namespace detail

/// Pixels in a or b. Precondition: equal sizes. O(counts of a + b); the same for the others here.
[[nodiscard]] inline rle unite(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "unite");
    return detail::unite_runs(a, b);
}

/// Pixels in a and b. Precondition: equal sizes.
[[nodiscard]] inline rle intersect(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "intersect");
    return detail::intersect_runs(a, b);
}

/// Pixels in a and not in b. Precondition: equal sizes.
[[nodiscard]] inline rle subtract(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "subtract");
    return detail::subtract_runs(a, b);
}

/// Pixels in any of the masks. Precondition: at least one, equal sizes. O(counts * log masks).
[[nodiscard]] inline rle unite(std::span<const rle> masks) {
    OSTEND_EXPECTS(!masks.empty(), "unite: no masks, so no size");
    for (const rle& mask : masks) {
        detail::expect_same_size(masks.front(), mask, "unite");
    }
    return detail::unite_range(0, masks.size(), [masks](std::size_t i) -> const rle& { return masks[i]; });
}

/// Pixels in all of the masks. Precondition: at least one, equal sizes. O(counts), those of the masks so far
/// in common again for each; masks after nothing is in common are not looked at.
[[nodiscard]] inline rle intersect(std::span<const rle> masks) {
    OSTEND_EXPECTS(!masks.empty(), "intersect: no masks, so no size");
    for (const rle& mask : masks) {
        detail::expect_same_size(masks.front(), mask, "intersect");
    }
    rle out = masks.size() == 1 ? detail::canonical(masks[0]) : detail::intersect_runs(masks[0], masks[1]);
    for (std::size_t i = 2; i < masks.size() && out.counts.size() > 1; ++i) {
        out = detail::intersect_runs(out, masks[i]);
    }
    return out;
}

/// Pixels not in the mask. O(counts).
[[nodiscard]] inline rle complement(const rle& mask) {
    detail::run_writer out(mask.height, mask.width);
    for (std::size_t i = 0; i < mask.counts.size(); ++i) {
        out.add(i % 2 == 0, mask.counts[i]);
    }
    return out.finish();
}

} // namespace ostend::inline OSTEND_KERNELS
