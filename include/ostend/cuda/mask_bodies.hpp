// mask_bodies: the kernels of from_logits on a stream (cuda/from_logits.hpp).
//
// First 64 rows of a column become a word of bits, read from the logits once. Then a block a mask goes over
// the words twice: it counts where the mask changes, down the columns, and writes the runs between changes.
#pragma once

#include "ostend/cuda/one_phase.hpp"

#include <bit>
#include <cstdint>

namespace ostend::inline v0 {

/// What the kernels leave of a mask beside its counts, in device memory.
struct device_mask {
    std::uint32_t counts = 0; ///< how many it has, also where there was no room for all
    std::uint32_t area = 0;
    std::uint32_t above_low = 0; ///< pixels above threshold - offset
    std::uint32_t above_high = 0;
    std::int32_t x0 = 0; ///< the box; all zero for an empty mask
    std::int32_t y0 = 0;
    std::int32_t x1 = 0;
    std::int32_t y1 = 0;
    friend bool operator==(const device_mask&, const device_mask&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

OSTEND_DEVICE int ones(std::uint64_t bits) { return OSTEND_ON_DEVICE(__popcll(bits), std::popcount(bits)); }
/// The number of zeros below the lowest one. bits is not 0.
OSTEND_DEVICE int lowest_one(std::uint64_t bits) {
    return OSTEND_ON_DEVICE(__ffsll(static_cast<long long>(bits)) - 1, std::countr_zero(bits));
}
OSTEND_DEVICE int highest_one(std::uint64_t bits) {
    return OSTEND_ON_DEVICE(63 - __clzll(static_cast<long long>(bits)), 63 - std::countl_zero(bits));
}

/// Words of a mask: 64 rows of a column, [width][words a column].
struct mask_words {
    index height = 0;
    index width = 0;
    index a_column = 0;

    OSTEND_DEVICE index count() const { return width * a_column; }
    OSTEND_DEVICE int rows(index word) const {
        const index left = height - word % a_column * 64;
        return left < 64 ? static_cast<int>(left) : 64;
    }
    OSTEND_DEVICE index first_pixel(index word) const {
        return word / a_column * height + word % a_column * 64;
    }
};

/// The bits of one word, and how many of its logits are above the outer thresholds.
template <class T>
struct threshold_body : one_phase {
    device_tensor<const T, 3> logits = {};
    mask_words words = {};
    float low = 0;
    float middle = 0;
    float high = 0;
    std::uint64_t* bits = nullptr;    ///< [masks][words]
    std::uint16_t* tallies = nullptr; ///< [masks][words]: above low in the low byte, above high in the high

    OSTEND_DEVICE void run(int /*phase*/, const thread_place& at, shared& /*s*/, own& /*o*/) const {
        const auto [mask, x] = place(at, words.width);
        if (x >= words.width) {
            return;
        }
        const index word = x * words.a_column + at.y;
        std::uint64_t inside = 0;
        unsigned above_low = 0;
        unsigned above_high = 0;
        const int rows = words.rows(word);
        for (int r = 0; r < rows; ++r) {
            const float v = widen(*logits.at(mask, at.y * 64 + r, x));
            inside |= std::uint64_t{v > middle ? 1U : 0U} << static_cast<unsigned>(r);
            above_low += v > low ? 1U : 0U;
            above_high += v > high ? 1U : 0U;
        }
        bits[mask * words.count() + word] = inside;
        tallies[mask * words.count() + word] = static_cast<std::uint16_t>(above_low | above_high << 8U);
    }
};

/// The runs of one mask.
struct runs_body {
    static constexpr int threads = 512;
    struct shared {
        std::uint32_t changes[threads]; ///< of a thread's words; then, before them
        std::int64_t last[threads];     ///< a thread's last change, -1: none; then, the last before its words
        device_mask part[threads];
    };
    struct own {};

    mask_words words = {};
    const std::uint64_t* bits = nullptr;
    const std::uint16_t* tallies = nullptr;
    device_tensor<std::uint32_t, 2> counts = {};
    index room = 0; ///< counts a mask
    device_tensor<device_mask, 1> out = {};

    OSTEND_DEVICE int phases() const { return 3; }

    OSTEND_DEVICE void run(int phase, const thread_place& at, shared& s, own& /*o*/) const {
        if (phase == 0) {
            measure(at, s);
        } else if (phase == 1) {
            if (at.thread == 0) {
                join(at.x, s);
            }
        } else {
            write(at, s);
        }
    }

    OSTEND_DEVICE index first_word(int thread) const { return words.count() * thread / threads; }
    /// The pixel before a word's first one.
    OSTEND_DEVICE std::uint64_t bit_before(const std::uint64_t* of_mask, index word) const {
        return word == 0 ? 0U : of_mask[word - 1] >> static_cast<unsigned>(words.rows(word - 1) - 1);
    }
    /// Where the mask differs from the pixel before.
    OSTEND_DEVICE std::uint64_t changes(const std::uint64_t* of_mask, index word) const {
        const std::uint64_t all = ~std::uint64_t{0} >> static_cast<unsigned>(64 - words.rows(word));
        return (of_mask[word] ^ (of_mask[word] << 1U | bit_before(of_mask, word))) & all;
    }

    OSTEND_DEVICE void measure(const thread_place& at, shared& s) const {
        const std::uint64_t* const of_mask = bits + at.x * words.count();
        const std::uint16_t* const of_tallies = tallies + at.x * words.count();
        std::uint32_t found = 0;
        std::int64_t last = -1;
        device_mask part;
        part.x0 = static_cast<std::int32_t>(words.width);
        part.y0 = static_cast<std::int32_t>(words.height);
        for (index word = first_word(at.thread); word < first_word(at.thread + 1); ++word) {
            const std::uint64_t here = changes(of_mask, word);
            found += static_cast<std::uint32_t>(ones(here));
            last = here != 0 ? words.first_pixel(word) + highest_one(here) : last;
            part.above_low += of_tallies[word] & 0xFFU;
            part.above_high += of_tallies[word] >> 8U;
            const std::uint64_t inside = of_mask[word];
            if (inside != 0) {
                const auto x = static_cast<std::int32_t>(word / words.a_column);
                const auto y = static_cast<std::int32_t>(word % words.a_column * 64);
                part.area += static_cast<std::uint32_t>(ones(inside));
                widen_box(part, x, y + lowest_one(inside), x + 1, y + highest_one(inside) + 1);
            }
        }
        s.changes[at.thread] = found;
        s.last[at.thread] = last;
        s.part[at.thread] = part;
    }
    OSTEND_DEVICE static void widen_box(device_mask& box, std::int32_t x0, std::int32_t y0, std::int32_t x1,
                                        std::int32_t y1) {
        box.x0 = x0 < box.x0 ? x0 : box.x0;
        box.y0 = y0 < box.y0 ? y0 : box.y0;
        box.x1 = x1 > box.x1 ? x1 : box.x1;
        box.y1 = y1 > box.y1 ? y1 : box.y1;
    }

    OSTEND_DEVICE void join(index mask, shared& s) const {
        std::uint32_t before = 0;
        std::int64_t last = 0; // the first run begins at the first pixel
        device_mask whole = s.part[0];
        for (int t = 0; t < threads; ++t) {
            const std::uint32_t own_changes = s.changes[t];
            const std::int64_t own_last = s.last[t];
            s.changes[t] = before;
            s.last[t] = last;
            before += own_changes;
            last = own_last >= 0 ? own_last : last;
            if (t > 0) {
                const device_mask& part = s.part[t];
                whole.area += part.area;
                whole.above_low += part.above_low;
                whole.above_high += part.above_high;
                widen_box(whole, part.x0, part.y0, part.x1, part.y1);
            }
        }
        if (whole.area == 0) {
            whole.x0 = whole.y0 = whole.x1 = whole.y1 = 0;
        }
        whole.counts = before + 1;
        if (static_cast<index>(before) < room) {
            *counts.at(mask, before) = static_cast<std::uint32_t>(words.height * words.width - last);
        }
        *out.at(mask) = whole;
    }

    OSTEND_DEVICE void write(const thread_place& at, shared& s) const {
        const std::uint64_t* const of_mask = bits + at.x * words.count();
        index place = s.changes[at.thread];
        index last = s.last[at.thread];
        for (index word = first_word(at.thread); word < first_word(at.thread + 1); ++word) {
            for (std::uint64_t here = changes(of_mask, word); here != 0; here &= here - 1) {
                const index pixel = words.first_pixel(word) + lowest_one(here);
                if (place < room) {
                    *counts.at(at.x, place) = static_cast<std::uint32_t>(pixel - last);
                }
                ++place;
                last = pixel;
            }
        }
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
