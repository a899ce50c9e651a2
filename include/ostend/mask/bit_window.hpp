// bit_window: and, or or of the columns in a sliding window, sixty-four rows at a time.
//
// Three word operations a column, however wide the window (van Herk 1992; Gil and Werman 1993): columns are
// grouped in blocks as wide as the window, and a window is the end of one block and the beginning of the
// next.
#pragma once

#include "ostend/mask/bit_strip.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Calls fill(words) for each of `columns` columns in turn, and emit(words) for each of the columns - width +
/// 1 windows; `combine` is a bitwise operation on two words. Memory: `width` columns of `words` words.
template <class Combine, class Fill, class Emit>
void slide_window(std::size_t columns, std::size_t width, std::size_t words, Combine combine, Fill&& fill,
                  Emit&& emit) {
    std::vector<std::uint64_t> block(width * words);
    std::vector<std::uint64_t> beginning(words); // of the next block, combined
    std::vector<std::uint64_t> window(words);
    const auto column = [&](std::size_t i) { return block.data() + i * words; };
    std::size_t at = width - 1; // i % width
    for (std::size_t i = 0; i < columns; ++i) {
        at = at + 1 == width ? 0 : at + 1;
        fill(std::span<std::uint64_t>(column(at), words));
        if (at + 1 == width) { // the block is whole: each column becomes the end of the block from there
            for (std::size_t c = width - 1; c-- > 0;) {
                std::uint64_t* const to = column(c);
                const std::uint64_t* const next = column(c + 1);
                for (std::size_t k = 0; k < words; ++k) {
                    to[k] = combine(to[k], next[k]);
                }
            }
            emit(std::span<const std::uint64_t>(column(0), words));
            continue;
        }
        const std::uint64_t* const now = column(at);
        for (std::size_t k = 0; k < words; ++k) {
            beginning[k] = at == 0 ? now[k] : combine(beginning[k], now[k]);
        }
        if (i + 1 > width) {
            const std::uint64_t* const end = column(at + 1);
            for (std::size_t k = 0; k < words; ++k) {
                window[k] = combine(end[k], beginning[k]);
            }
            emit(std::span<const std::uint64_t>(window));
        }
    }
}

/// Sets bits [first, last) of some words.
inline void set_bits(std::span<std::uint64_t> words, std::size_t first, std::size_t last) {
    const std::uint64_t head = ~std::uint64_t{0} << (first % 64);
    const std::uint64_t tail = ~std::uint64_t{0} >> (63 - (last - 1) % 64);
    const std::size_t a = first / 64;
    const std::size_t b = (last - 1) / 64;
    if (a == b) {
        words[a] |= head & tail;
        return;
    }
    words[a] |= head;
    for (std::size_t i = a + 1; i < b; ++i) {
        words[i] = ~std::uint64_t{0};
    }
    words[b] |= tail;
}

/// The runs of columns that come as words of rows [first_row, ...), the bits below the mask being zero;
/// columns before the first are outside.
class column_runs {
public:
    column_runs(index height, index width, index first_column, index first_row)
        : height_(static_cast<std::uint64_t>(height)), first_row_(static_cast<std::uint64_t>(first_row)),
          column_(static_cast<std::uint64_t>(first_column) * height_),
          runs_(height_ * static_cast<std::uint64_t>(width)) {}

    void add(std::span<const std::uint64_t> words) {
        if (inside_ != 0 && first_row_ != 0) {
            close();
        }
        changed_.resize(words.size());
        std::size_t n = 0;
        std::uint64_t before = inside_;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::uint64_t word = words[i];
            std::uint64_t changes = word ^ ((word << 1U) | before);
            const std::uint64_t row = first_row_ + 64 * i;
            if (row + 64 > height_) {
                changes &= (std::uint64_t{1} << (height_ - row)) - 1;
            }
            before = row + 64 >= height_ ? (word >> (height_ - 1 - row)) & 1U : word >> 63U;
            changed_[n] = {changes, column_ + row}; // stays where there is a change
            n += changes != 0 ? 1U : 0U;
        }
        for (std::size_t i = 0; i < n; ++i) {
            runs_.add_few(changed_[i].bits, changed_[i].from);
        }
        // A run that is open goes on below the words or into the next column.
        if (before != 0 && first_row_ + 64 * words.size() < height_) {
            runs_.add(1, column_ + first_row_ + 64 * words.size());
            before = 0;
        }
        inside_ = before;
        column_ += height_;
    }
    [[nodiscard]] std::vector<std::uint32_t> finish(std::uint64_t pixels) {
        if (inside_ != 0 && column_ < pixels) {
            close();
        }
        return runs_.finish();
    }

private:
    struct changes_of_word {
        std::uint64_t bits = 0;
        std::uint64_t from = 0; ///< the pixel of bit 0
    };
    void close() {
        runs_.add(1, column_);
        inside_ = 0;
    }
    std::uint64_t height_;
    std::uint64_t first_row_;
    std::uint64_t column_;     ///< the number of the next column's first pixel
    std::uint64_t inside_ = 0; ///< is the last pixel of the column before inside?
    run_collector runs_;
    std::vector<changes_of_word> changed_ = {}; ///< of one column
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
