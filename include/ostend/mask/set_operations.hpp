// set_operations: union, intersection, difference and complement on runs, without a dense mask.
//
// One walk over both lists of runs; the result is in canonical form (only the first count may be 0), so that
// equal masks have equal counts.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/rle.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
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

/// Walks the runs of one mask; past the end it stays outside for ever.
class run_reader {
public:
    explicit run_reader(const rle& mask) : counts_(mask.counts) { skip_empty(); }
    [[nodiscard]] bool done() const { return next_ > counts_.size(); }
    [[nodiscard]] bool inside() const { return !done() && next_ % 2 == 0; }
    [[nodiscard]] std::uint64_t left() const { return left_; }
    void advance(std::uint64_t length) {
        if (!done()) {
            left_ -= length;
            skip_empty();
        }
    }

private:
    void skip_empty() { // next_ is one past the current count
        while (left_ == 0 && next_ < counts_.size()) {
            left_ = counts_[next_++];
        }
        if (left_ == 0) {
            next_ = counts_.size() + 1;
            left_ = std::numeric_limits<std::uint64_t>::max();
        }
    }
    std::span<const std::uint32_t> counts_;
    std::size_t next_ = 0;
    std::uint64_t left_ = 0;
};

inline void expect_same_size([[maybe_unused]] const rle& a, [[maybe_unused]] const rle& b,
                             [[maybe_unused]] const char* function) {
    OSTEND_EXPECTS(a.height == b.height && a.width == b.width,
                   std::string(function) + ": masks of " + std::to_string(a.height) + " x " +
                       std::to_string(a.width) + " and " + std::to_string(b.height) + " x " +
                       std::to_string(b.width));
}

/// keep(in_a, in_b) says which pixels are inside; keep(false, false) is false.
template <class Keep>
[[nodiscard]] rle combine(const rle& a, const rle& b, Keep keep) {
    run_writer out(a.height, a.width);
    run_reader ra(a);
    run_reader rb(b);
    while (!ra.done() || !rb.done()) {
        const std::uint64_t length = std::min(ra.left(), rb.left());
        out.add(keep(ra.inside(), rb.inside()), length);
        ra.advance(length);
        rb.advance(length);
    }
    return out.finish();
}

} // namespace detail

/// Pixels in a or b. Precondition: equal sizes. O(counts of a + b); the same for the others here.
[[nodiscard]] inline rle unite(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "unite");
    return detail::combine(a, b, [](bool in_a, bool in_b) { return in_a || in_b; });
}

/// Pixels in a and b. Precondition: equal sizes.
[[nodiscard]] inline rle intersect(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "intersect");
    return detail::combine(a, b, [](bool in_a, bool in_b) { return in_a && in_b; });
}

/// Pixels in a and not in b. Precondition: equal sizes.
[[nodiscard]] inline rle subtract(const rle& a, const rle& b) {
    detail::expect_same_size(a, b, "subtract");
    return detail::combine(a, b, [](bool in_a, bool in_b) { return in_a && !in_b; });
}

/// Pixels in any of the masks. Precondition: at least one, equal sizes.
[[nodiscard]] inline rle unite(std::span<const rle> masks) {
    OSTEND_EXPECTS(!masks.empty(), "unite: no masks, so no size");
    rle out = unite(masks.front(), masks.front());
    for (const rle& mask : masks.subspan(1)) {
        out = unite(out, mask);
    }
    return out;
}

/// Pixels in all of the masks. Precondition: at least one, equal sizes.
[[nodiscard]] inline rle intersect(std::span<const rle> masks) {
    OSTEND_EXPECTS(!masks.empty(), "intersect: no masks, so no size");
    rle out = intersect(masks.front(), masks.front());
    for (const rle& mask : masks.subspan(1)) {
        out = intersect(out, mask);
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
