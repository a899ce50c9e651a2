// bit_strip: a few hundred columns of a mask as bits, eight rows a byte: the way between pixels and runs.
//
// Run lengths go down the columns while pixels usually lie along the rows. A byte here holds eight rows of
// one column, so that plain loops over neighbouring columns, which every compiler vectorises, turn rows into
// columns and back. A strip keeps where a column *changes* instead of what it is: mostly zeros, which are
// skipped eight columns by sixty-four rows at a time. Portable C++: only the byte order is asked for.
#pragma once

#include "ostend/core/element.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

inline constexpr std::uint64_t every_byte = 0x0101010101010101ULL;

/// Eight bytes, the first one lowest.
[[nodiscard]] inline std::uint64_t load_eight(const void* from) {
    std::uint64_t v = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&v, from, 8);
    } else {
        std::array<std::uint8_t, 8> bytes{};
        std::memcpy(bytes.data(), from, 8);
        for (std::size_t i = 8; i-- > 0;) {
            v = (v << 8U) | bytes[i];
        }
    }
    return v;
}
inline void store_eight(void* to, std::uint64_t v) {
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(to, &v, 8);
    } else {
        std::array<std::uint8_t, 8> bytes{};
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(v & 0xFFU);
            v >>= 8U;
        }
        std::memcpy(to, bytes.data(), 8);
    }
}

/// Bit i is set when byte i is not zero.
[[nodiscard]] inline std::uint64_t bits_of_bytes(std::uint64_t v) {
    const std::uint64_t ones = ((((v & (every_byte * 0x7FU)) + every_byte * 0x7FU) | v) >> 7U) & every_byte;
    return (ones * 0x0102040810204080ULL) >> 56U;
}
/// Bit (8 r + c) moves to (8 c + r): three rounds of swaps (Warren, Hacker's Delight, 7-3).
[[nodiscard]] inline std::uint64_t transpose_8x8(std::uint64_t x) {
    std::uint64_t t = (x ^ (x >> 7U)) & 0x00AA00AA00AA00AAULL;
    x ^= t ^ (t << 7U);
    t = (x ^ (x >> 14U)) & 0x0000CCCC0000CCCCULL;
    x ^= t ^ (t << 14U);
    t = (x ^ (x >> 28U)) & 0x00000000F0F0F0F0ULL;
    return x ^ t ^ (t << 28U);
}
/// The same of bytes: byte c of word r moves to byte r of word c.
inline void transpose_bytes(std::array<std::uint64_t, 8>& w) {
    const auto swap = [&w](std::size_t a, std::size_t b, unsigned shift, std::uint64_t low) {
        const std::uint64_t t = ((w[a] >> shift) ^ w[b]) & low;
        w[b] ^= t;
        w[a] ^= t << shift;
    };
    for (std::size_t i = 0; i < 4; ++i) {
        swap(i, i + 4, 32, 0x00000000FFFFFFFFULL);
    }
    for (const std::size_t i : {0U, 1U, 4U, 5U}) {
        swap(i, i + 2, 16, 0x0000FFFF0000FFFFULL);
    }
    for (const std::size_t i : {0U, 2U, 4U, 6U}) {
        swap(i, i + 1, 8, 0x00FF00FF00FF00FFULL);
    }
}

/// Bit i is the exclusive or of bits 0 to i: what a column is, from where it changes.
[[nodiscard]] constexpr std::uint8_t running_xor(unsigned changes) {
    unsigned v = changes;
    v ^= v << 1U;
    v ^= v << 2U;
    v ^= v << 4U;
    return static_cast<std::uint8_t>(v);
}

/// The changes of up to 256 columns: bit y % 8 of byte (y / 8, x) is set where pixel y of column x is not
/// what pixel y - 1 is; every column starts outside.
class bit_strip {
public:
    static constexpr index most_columns = 256;
    using line = std::array<std::uint8_t, most_columns>; ///< a byte a column

    /// For masks of this size, a strip after the other. Memory: up to 40 bytes a row.
    bit_strip(index height, index width)
        : height_(height), columns_(std::min((width + 7) / 8 * 8, most_columns)),
          stride_(columns_ == most_columns ? columns_ + 64
                                           : columns_), // lines in different sets of the cache
          bytes_(static_cast<std::size_t>((height + 63) / 64 * 8 * stride_)) {}

    [[nodiscard]] index height() const { return height_; }
    /// Columns of a whole strip, a multiple of 8.
    [[nodiscard]] index columns() const { return columns_; }
    /// Is the last pixel of each column inside? Known when all lines were set or read.
    [[nodiscard]] const line& last() const { return last_; }
    /// The changes of eight rows of eight columns, a byte a column.
    [[nodiscard]] std::uint64_t eight(index line_number, index x) const {
        return load_eight(bytes_.data() + line_number * stride_ + x);
    }

    void clear() { std::fill(bytes_.begin(), bytes_.end(), std::uint8_t{0}); }
    /// Sets the changes of eight columns by 64 rows: byte k of word c are those of line_number + k and column
    /// x + c.
    void set_words(index line_number, index x, std::array<std::uint64_t, 8> words) {
        transpose_bytes(words);
        for (std::size_t k = 0; k < 8; ++k) {
            store_eight(bytes_.data() + (line_number + static_cast<index>(k)) * stride_ + x, words[k]);
        }
    }

    /// Eight rows of pixels, in order from line 0; bits of rows beyond the height are ignored.
    void set_pixels(index line_number, const line& pixels) {
        const auto last_row = static_cast<unsigned>(std::min<index>(8, height_ - line_number * 8) - 1);
        const unsigned valid = (2U << last_row) - 1U;
        line before = line_number == 0 ? line{} : last_;
        line changes;
        for (std::size_t x = 0, n = static_cast<std::size_t>(columns_); x < n; ++x) {
            const unsigned now = pixels[x];
            changes[x] = static_cast<std::uint8_t>((now ^ (now << 1U) ^ before[x]) & valid);
            before[x] = static_cast<std::uint8_t>((now >> last_row) & 1U);
        }
        last_ = before;
        std::memcpy(bytes_.data() + line_number * stride_, changes.data(),
                    static_cast<std::size_t>(columns_));
    }
    /// The way back, in order from line 0.
    void get_pixels(index line_number, line& pixels) {
        line before = line_number == 0 ? line{} : last_;
        line now;
        std::memcpy(now.data(), bytes_.data() + line_number * stride_, static_cast<std::size_t>(columns_));
        for (std::size_t x = 0, n = static_cast<std::size_t>(columns_); x < n; ++x) {
            now[x] = static_cast<std::uint8_t>(running_xor(now[x]) ^ (0U - before[x]));
            before[x] = static_cast<std::uint8_t>(now[x] >> 7U);
        }
        pixels = now;
        last_ = before;
    }

private:
    index height_;
    index columns_;
    index stride_;
    line last_ = {};
    std::vector<std::uint8_t> bytes_;
};

/// The runs of a mask out of the places where its pixels change, in the order of pixels.
class run_collector {
public:
    explicit run_collector(std::uint64_t pixels) : pixels_(pixels) {}

    /// Pixel from + i begins a run where bit i is set.
    void add(std::uint64_t bits, std::uint64_t from) {
        if (used_ + 64 > waiting_.size()) {
            flush();
        }
        std::size_t n = used_;
        std::uint64_t start = start_;
        for (; bits != 0; bits &= bits - 1) {
            const std::uint64_t at = from + static_cast<std::uint64_t>(std::countr_zero(bits));
            waiting_[n++] = static_cast<std::uint32_t>(at - start);
            start = at;
        }
        used_ = n;
        start_ = start;
    }
    /// The same of bits of which some are set, mostly one or two: no processor foretells where a loop over so
    /// few ends, so that these are written without one.
    void add_few(std::uint64_t bits, std::uint64_t from) {
        if (used_ + 64 > waiting_.size()) {
            flush();
        }
        const std::uint64_t first = from + static_cast<std::uint64_t>(std::countr_zero(bits));
        waiting_[used_] = static_cast<std::uint32_t>(first - start_);
        bits &= bits - 1;
        const std::uint64_t two = bits != 0 ? 1 : 0;
        const std::uint64_t second = from + static_cast<std::uint64_t>(std::countr_zero(bits | (1 - two)));
        waiting_[used_ + 1] = static_cast<std::uint32_t>(second - first);
        start_ = first + ((second - first) & (0 - two));
        used_ += 1 + two;
        bits &= bits - 1;
        if (bits != 0) {
            add(bits, from);
        }
    }
    [[nodiscard]] std::vector<std::uint32_t> finish() {
        if (used_ == waiting_.size()) {
            flush();
        }
        waiting_[used_++] = static_cast<std::uint32_t>(pixels_ - start_);
        start_ = pixels_;
        flush();
        if (counts_.capacity() > counts_.size() + counts_.size() / 4) {
            counts_.shrink_to_fit();
        }
        return std::move(counts_);
    }

private:
    /// Room is made for as many runs as the rest of the mask would have at the rate so far, within bounds:
    /// moving a long list costs more than writing it.
    void flush() {
        const std::size_t need = counts_.size() + used_;
        if (need > counts_.capacity()) {
            const double rate =
                static_cast<double>(need) / static_cast<double>(std::max<std::uint64_t>(1, start_));
            const double guess = 1.1 * rate * static_cast<double>(pixels_);
            counts_.reserve(static_cast<std::size_t>(
                std::clamp(guess, static_cast<double>(need), 8.0 * static_cast<double>(need))));
        }
        counts_.insert(counts_.end(), waiting_.begin(),
                       waiting_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ = 0;
    }

    std::uint64_t pixels_;
    std::uint64_t start_ = 0; ///< of the run that is open
    std::size_t used_ = 0;
    std::array<std::uint32_t, 1024> waiting_;
    std::vector<std::uint32_t> counts_ = {};
};

/// Hands the strips of a mask to a run_collector, from the left.
class strip_runs {
public:
    explicit strip_runs(run_collector& runs) : runs_(runs) {}

    void add(const bit_strip& strip, index columns) {
        const auto height = static_cast<std::uint64_t>(strip.height());
        for (index x = 0; x < columns; x += 8) {
            find_changes(strip, x);
            for (std::size_t c = 0; c < static_cast<std::size_t>(std::min<index>(8, columns - x)); ++c) {
                words_[0][c] ^= inside_; // runs go on over the end of a column
                inside_ = strip.last()[static_cast<std::size_t>(x) + c];
                for (std::size_t i = 0; i < words_.size(); ++i) {
                    runs_.add(words_[i][c], column_ + rows_[i]);
                }
                column_ += height;
            }
        }
    }

private:
    /// The words of eight columns that are not all zero; the first one always.
    void find_changes(const bit_strip& strip, index x) {
        rows_.clear();
        words_.clear();
        for (index y = 0; y < strip.height(); y += 64) {
            std::array<std::uint64_t, 8> block;
            std::uint64_t any = 0;
            for (std::size_t k = 0; k < 8; ++k) {
                block[k] = strip.eight(y / 8 + static_cast<index>(k), x);
                any |= block[k];
            }
            if (any != 0 || y == 0) {
                transpose_bytes(block);
                rows_.push_back(static_cast<std::uint64_t>(y));
                words_.push_back(block);
            }
        }
    }

    run_collector& runs_;
    std::uint64_t column_ = 0;                             ///< the number of the column's first pixel
    std::uint64_t inside_ = 0;                             ///< is the pixel before inside?
    std::vector<std::uint64_t> rows_ = {};                 ///< the first row of each word
    std::vector<std::array<std::uint64_t, 8>> words_ = {}; ///< of eight columns
};

} // namespace detail

} // namespace ostend::inline OSTEND_KERNELS
