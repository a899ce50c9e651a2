// from_logits: a mask out of logits of its own size: threshold, run lengths, area, box and stability score,
// with one pass over the logits.
//
// Thirty-two columns at a time go through one plain loop that every compiler vectorises; the bits go straight
// into strips (mask/bit_strip.hpp), so no dense mask is made. For a segmenter's low-resolution logits see
// mask/from_sam_logits.hpp.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/mask/bit_strip.hpp"
#include "ostend/mask/check.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

namespace ostend::inline v0 {

struct logits_options {
    double threshold = 0;        ///< a logit above it (not at it) is inside
    double stability_offset = 1; ///< of the stability score, in logits
};

/// A mask with what was counted on the way.
struct logits_mask {
    rle mask = {};
    std::uint64_t area = 0;
    box_in<original_frame> box = {}; ///< half-open; all zero for an empty mask
    /// Pixels above threshold + offset over pixels above threshold - offset; NaN where there is none of
    /// either.
    double stability = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// Compares logits with the threshold and the two around it, and counts.
template <class T>
class threshold_counter {
public:
    static constexpr std::size_t lanes = 32; ///< GCC unrolls shorter loops before it could vectorise them
    static constexpr index width = 32;
    using chunk = std::array<T, lanes>;

    explicit threshold_counter(const logits_options& options)
        : low_(static_cast<T>(options.threshold - options.stability_offset)),
          middle_(static_cast<T>(options.threshold)),
          high_(static_cast<T>(options.threshold + options.stability_offset)) {}

    /// Sets `bit` of the bytes `to` [width] where a logit is above the threshold. NaN is above nothing.
    void add(const chunk& logits, std::uint8_t bit, std::uint8_t* to) {
        std::array<std::uint8_t, lanes> bytes;
        std::memcpy(bytes.data(), to, lanes);
        for (std::size_t i = 0; i < lanes; ++i) {
            bytes[i] = static_cast<std::uint8_t>(bytes[i] | (logits[i] > middle_ ? bit : 0U));
        }
        std::memcpy(to, bytes.data(), lanes);
        for (std::size_t i = 0; i < lanes; ++i) {
            above_low_[i] += logits[i] > low_ ? 1U : 0U;
            above_high_[i] += logits[i] > high_ ? 1U : 0U;
        }
    }
    /// So many pixels above the two thresholds that were not given to add.
    void count(std::uint64_t above_low, std::uint64_t above_high) {
        low_sum_ += above_low;
        high_sum_ += above_high;
    }
    /// Moves the counts of the lanes on; at least every 2^32 - 1 calls of add.
    void collect() {
        for (std::size_t i = 0; i < lanes; ++i) {
            low_sum_ += above_low_[i];
            high_sum_ += above_high_[i];
        }
        above_low_ = {};
        above_high_ = {};
    }
    [[nodiscard]] std::array<T, 3> thresholds() const { return {low_, middle_, high_}; }
    [[nodiscard]] double stability() {
        collect();
        return static_cast<double>(high_sum_) / static_cast<double>(low_sum_); // 0 / 0 is NaN
    }

private:
    T low_;
    T middle_;
    T high_;
    std::array<std::uint32_t, lanes> above_low_ = {};
    std::array<std::uint32_t, lanes> above_high_ = {};
    std::uint64_t low_sum_ = 0;
    std::uint64_t high_sum_ = 0;
};

[[nodiscard]] inline logits_mask measured(rle mask, double stability) {
    const std::uint64_t pixels = area(mask);
    const box_in<original_frame> box = bounding_box(mask);
    return {std::move(mask), pixels, box, stability};
}

} // namespace detail

/// The mask of logits [height, width], of any strides. f64 logits are compared in f64, others in f32. A NaN
/// is outside. Complexity O(pixels); workspace at most 40 bytes a row. Precondition: at most max_mask_pixels.
/// Source: segment-anything, amg.calculate_stability_score.
template <class T>
requires float_element<std::remove_const_t<T>>
[[nodiscard]] logits_mask from_logits(const tensor_view<T, 2>& logits, const logits_options& options = {}) {
    using value = std::conditional_t<std::is_same_v<std::remove_const_t<T>, double>, double, float>;
    using counter = detail::threshold_counter<value>;
    const index height = logits.extent(0);
    const index width = logits.extent(1);
    const auto pixels = mask_pixels(height, width);
    OSTEND_EXPECTS_ALWAYS(pixels.has_value(), "from_logits: " + pixels.error().what);
    counter counts(options);
    detail::run_collector runs(*pixels);
    if (*pixels == 0) {
        return detail::measured({height, width, runs.finish()}, counts.stability());
    }
    const auto read = [&logits](index y, index x) -> value {
        if constexpr (std::is_same_v<value, double>) {
            return logits.load(y, x);
        } else {
            return to_float(logits.load(y, x));
        }
    };
    detail::bit_strip strip(height, width);
    detail::strip_runs strips(runs);
    typename counter::chunk chunk;
    for (index x0 = 0; x0 < width; x0 += strip.columns()) {
        const index columns = std::min(strip.columns(), width - x0);
        for (index y = 0; y < height; y += 8) {
            detail::bit_strip::line line{};
            for (index r = 0; r < std::min<index>(8, height - y); ++r) {
                const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(r));
                for (index x = 0; x < columns; x += counter::width) {
                    const index n = std::min(counter::width, columns - x);
                    if (std::is_same_v<std::remove_const_t<T>, value> && logits.stride(1) == 1 &&
                        n == counter::width) {
                        std::memcpy(chunk.data(), logits.data() + (y + r) * logits.stride(0) + x0 + x,
                                    sizeof chunk);
                    } else {
                        chunk.fill(std::numeric_limits<value>::quiet_NaN());
                        for (index i = 0; i < n; ++i) {
                            chunk[static_cast<std::size_t>(i)] = read(y + r, x0 + x + i);
                        }
                    }
                    counts.add(chunk, bit, line.data() + x);
                }
            }
            counts.collect();
            strip.set_pixels(y / 8, line);
        }
        strips.add(strip, columns);
    }
    return detail::measured({height, width, runs.finish()}, counts.stability());
}

} // namespace ostend::inline OSTEND_KERNELS
