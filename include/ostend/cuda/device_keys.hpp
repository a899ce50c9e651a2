// device_keys: which keys are image tokens, as kernels read it: one range, or a list in device memory.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/cuda/device_view.hpp"

#include <cstdint>
#include <limits>
#include <vector>

namespace ostend::inline v0 {

/// count keys from first on, each step apart; or, where list is not empty, the keys that it names, in
/// image-token order. The host cannot see what a list holds: a key that does not exist gives NaN.
struct device_keys {
    index first = 0;
    index count = 0;
    index step = 1;
    device_view<const std::int32_t, 1> list = {};

    [[nodiscard]] index size() const noexcept { return list.extent(0) > 0 ? list.extent(0) : count; }
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The list of a selection, for a copy to device memory. Precondition: keys below 2^31. O(keys).
[[nodiscard]] inline std::vector<std::int32_t> key_list(const key_selection& image) {
    OSTEND_EXPECTS(image.end() <= index{std::numeric_limits<std::int32_t>::max()},
                   "key_list: a key beyond 2^31 - 1");
    std::vector<std::int32_t> list;
    list.reserve(static_cast<std::size_t>(image.size()));
    for (const key_range& r : image.ranges()) {
        for (index i = 0; i < r.count; ++i) {
            list.push_back(static_cast<std::int32_t>(r.first + i * r.step));
        }
    }
    return list;
}

namespace detail {

/// The kernel's form: the key of an image token, -1 where there is none.
struct kernel_keys {
    index first = 0;
    index step = 1;
    index keys = 0; ///< that exist
    bool listed = false;
    device_tensor<const std::int32_t, 1> list = {};

    OSTEND_DEVICE index key(index token) const {
        const index at = listed ? index{*list.at(token)} : first + token * step;
        return at >= 0 && at < keys ? at : -1;
    }
};

[[nodiscard]] inline kernel_keys for_kernel(const char* who, const device_keys& image, index keys) {
    const bool listed = image.list.extent(0) > 0;
    OSTEND_EXPECTS(listed || (image.first >= 0 && image.count >= 0 && image.step >= 1),
                   std::string(who) + ": image keys that start below 0, are fewer than none or step below 1");
    OSTEND_EXPECTS(listed || image.count == 0 || image.first + (image.count - 1) * image.step < keys,
                   std::string(who) + ": the image keys end at " +
                       std::to_string(image.first + (image.count - 1) * image.step + 1) + ", there are " +
                       std::to_string(keys) + " keys");
    return {image.first, image.step, keys, listed, for_kernel(image.list)};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
