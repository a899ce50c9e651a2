// run_merge: two lists of runs walked together, a whole run at a time.
//
// What a run does to the other mask's runs is decided by comparing its ends, and those of most masks fall the
// same way column after column: processors foretell it, and a run costs a few cycles. Lists need not be in
// canonical form and may lie about the mask's size; what is written is in canonical form.
#pragma once

#include "ostend/mask/rle.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The inside run of a mask that is next; behind the last one it lies at infinity. Runs may be empty.
class run_cursor {
public:
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    explicit run_cursor(const rle& mask)
        : next_(mask.counts.data()), end_(mask.counts.data() + mask.counts.size()) {
        step();
    }
    [[nodiscard]] bool done() const { return first == infinity; }
    void step() {
        if (end_ - next_ >= 2) {
            first = last + next_[0];
            last = first + next_[1];
            next_ += 2;
        } else if (!done()) {
            pixels_ = last + (next_ == end_ ? 0U : *next_);
            first = last = infinity;
        }
    }
    /// What the counts sum to; known when done.
    [[nodiscard]] std::uint64_t pixels() {
        while (!done()) {
            step();
        }
        return pixels_;
    }

private:
    static constexpr std::uint64_t infinity = std::numeric_limits<std::uint64_t>::max();
    const std::uint32_t* next_;
    const std::uint32_t* end_;
    std::uint64_t pixels_ = 0;
};

/// Counts out of inside runs that come in ascending order. As many as there can be have memory from the
/// start, so that a run costs a few stores; run_writer (set_operations.hpp) is for those whose number is not
/// known.
class run_output {
public:
    /// For what is made of the runs of two masks.
    run_output(const rle& a, const rle& b)
        : counts_(std::make_unique_for_overwrite<std::uint32_t[]>(a.counts.size() + b.counts.size() + 1)),
          to_(counts_.get()) {}

    /// Runs that touch are joined, empty ones are left out.
    void add(std::uint64_t first, std::uint64_t last) {
        if (first == last) {
            return;
        }
        if (first == end_ && to_ != counts_.get()) {
            to_[-1] += static_cast<std::uint32_t>(last - first);
        } else {
            to_[0] = static_cast<std::uint32_t>(first - end_);
            to_[1] = static_cast<std::uint32_t>(last - first);
            to_ += 2;
        }
        end_ = last;
    }
    [[nodiscard]] std::vector<std::uint32_t> finish(std::uint64_t pixels) {
        if (end_ < pixels || to_ == counts_.get()) {
            *to_++ = static_cast<std::uint32_t>(pixels - end_);
        }
        return {counts_.get(), to_};
    }

private:
    std::unique_ptr<std::uint32_t[]> counts_;
    std::uint32_t* to_;
    std::uint64_t end_ = 0; ///< of the last run
};

/// The mask, of as many pixels as it says or as the longer list has.
[[nodiscard]] inline rle finish_runs(const rle& size, run_cursor& x, run_cursor& y, run_output& out) {
    const auto pixels = static_cast<std::uint64_t>(size.height) * static_cast<std::uint64_t>(size.width);
    return {size.height, size.width, out.finish(std::max({pixels, x.pixels(), y.pixels()}))};
}

[[nodiscard]] inline rle unite_runs(const rle& a, const rle& b) {
    run_cursor x(a);
    run_cursor y(b);
    run_output out(a, b);
    while (!x.done() || !y.done()) {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        const auto take = [&](run_cursor& from) {
            first = from.first;
            last = from.last;
            from.step();
        };
        if (x.first <= y.first) {
            take(x);
        } else {
            take(y);
        }
        for (;;) {
            if (x.first <= last) {
                last = std::max(last, x.last);
                x.step();
            } else if (y.first <= last) {
                last = std::max(last, y.last);
                y.step();
            } else {
                break;
            }
        }
        out.add(first, last);
    }
    return finish_runs(a, x, y, out);
}

[[nodiscard]] inline rle intersect_runs(const rle& a, const rle& b) {
    run_cursor x(a);
    run_cursor y(b);
    run_output out(a, b);
    for (;;) {
        if (x.last <= y.first) {
            if (x.done()) {
                break;
            }
            x.step();
        } else if (y.last <= x.first) {
            if (y.done()) {
                break;
            }
            y.step();
        } else {
            out.add(std::max(x.first, y.first), std::min(x.last, y.last));
            if (x.last <= y.last) {
                x.step();
            } else {
                y.step();
            }
        }
    }
    return finish_runs(a, x, y, out);
}

[[nodiscard]] inline rle subtract_runs(const rle& a, const rle& b) {
    run_cursor x(a);
    run_cursor y(b);
    run_output out(a, b);
    for (; !x.done(); x.step()) {
        std::uint64_t first = x.first;
        while (y.last <= first) {
            y.step();
        }
        while (y.first < x.last) {
            if (first < y.first) {
                out.add(first, y.first);
            }
            first = y.last;
            if (y.last >= x.last) {
                break;
            }
            y.step();
        }
        if (first < x.last) {
            out.add(first, x.last);
        }
    }
    return finish_runs(a, x, y, out);
}

/// The mask with its runs joined where only an empty one parts them.
[[nodiscard]] inline rle canonical(const rle& mask) {
    return unite_runs(mask, {mask.height, mask.width, {}});
}
[[nodiscard]] inline bool is_canonical(const rle& mask) {
    return mask.counts.empty() || std::count(mask.counts.begin() + 1, mask.counts.end(), 0U) == 0;
}

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
