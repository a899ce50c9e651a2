// mask_pair: a prediction beside its ground truth, as pixel counts.
//
// What metrics of single pairs keep of a sample: integers, from which every variant of IoU follows when the
// result is computed, and which are the same however the samples were split.
#pragma once

#include "ostend/mask/check.hpp"
#include "ostend/mask/iou.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace ostend::inline v0 {

/// What a pair of empty masks counts for; its IoU is 0 / 0.
enum class both_empty : unsigned char {
    one,      ///< a right answer: IoU 1
    zero,     ///< IoU 0
    leave_out ///< not counted
};

struct pair_counts {
    std::uint64_t common = 0;     ///< pixels in both
    std::uint64_t truth = 0;      ///< pixels of the ground truth
    std::uint64_t prediction = 0; ///< pixels of the prediction
    [[nodiscard]] constexpr std::uint64_t united() const noexcept { return truth + prediction - common; }
    friend bool operator==(const pair_counts&, const pair_counts&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// A mask from outside: is it what it says, and of the size of `like`? The error is in `field`. O(counts).
[[nodiscard]] inline status check_like(const rle& mask, const rle& like, const std::string& field) {
    if (const status good = check(mask); !good) {
        return good.error().in(field);
    }
    if (mask.height != like.height || mask.width != like.width) {
        return error{"a mask of " + std::to_string(mask.height) + " x " + std::to_string(mask.width) +
                         " beside one of " + std::to_string(like.height) + " x " + std::to_string(like.width),
                     field};
    }
    return success{};
}

/// The same for each of many; the field is `name` and the mask's number.
[[nodiscard]] inline status check_like(std::span<const rle> masks, const rle& like, const std::string& name) {
    for (std::size_t i = 0; i < masks.size(); ++i) {
        if (status good = check_like(masks[i], like, name + " " + std::to_string(i)); !good) {
            return good;
        }
    }
    return success{};
}

/// Errors name the mask: an rle that lies, masks of different sizes. O(counts).
[[nodiscard]] inline result<pair_counts> count_pair(const rle& truth, const rle& prediction) {
    if (const status good = check_like(truth, truth, "truth"); !good) {
        return good.error();
    }
    if (const status good = check_like(prediction, truth, "prediction"); !good) {
        return good.error();
    }
    const overlap counted = count_overlap(truth, prediction);
    return pair_counts{counted.common, counted.area_a, counted.area_b};
}

} // namespace ostend::inline OSTEND_KERNELS
