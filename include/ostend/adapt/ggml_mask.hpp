// ggml_mask: which keys a query of a ggml attention sees: a row of its mask, ALiBi, and both as the
// reductions take them.
//
// A row is converted whole: only then is it known whether it hides just what lies behind a key.
#pragma once

#include "ostend/adapt/ggml_attention.hpp"
#include "ostend/adapt/ggml_copy.hpp"
#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/score.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace ostend::inline v0 {
namespace detail {

/// One row of the mask as numbers, and how many keys from the first on are visible when no others are.
struct ggml_mask_row {
    std::vector<float> values = {};
    index visible = 0;      ///< keys before the first hidden one
    bool is_prefix = false; ///< keys behind are all hidden
    bool is_plain = false;  ///< what is visible adds 0

    [[nodiscard]] bool sees(index key) const {
        return key < visible || (!is_prefix && values[static_cast<std::size_t>(key)] >
                                                   -std::numeric_limits<float>::infinity());
    }
};

} // namespace detail
} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// One query's row of the mask; all keys visible where there is no mask. Complexity O(keys).
/// Errors: the mask has no data, or slices of it on several devices. Precondition: query and stream exist.
[[nodiscard]] inline result<v0::detail::ggml_mask_row> ggml_mask_of(const ggml_attention& attention,
                                                                    index query, index stream = 0) {
    v0::detail::ggml_mask_row out;
    const auto keys = static_cast<std::size_t>(attention.keys());
    if (attention.mask == nullptr) {
        return v0::detail::ggml_mask_row{std::vector<float>(keys, 0.0F), attention.keys(), true, true};
    }
    const ggml_tensor& mask = *attention.mask;
    const auto take = [&](auto room) -> status {
        const auto row = ggml_plane(mask, query, mask.ne[3] == 1 ? 0 : stream, room); // [1, keys]
        if (!row) {
            return row.error();
        }
        out.values.resize(keys);
        for (std::size_t i = 0; i < keys; ++i) {
            out.values[i] = to_float(row->load(0, static_cast<index>(i)));
        }
        return success{};
    };
    const status taken = mask.type == GGML_TYPE_F16 ? take(std::vector<f16>()) : take(std::vector<float>());
    if (!taken) {
        return taken.error();
    }
    constexpr float hidden = -std::numeric_limits<float>::infinity();
    const auto end = std::find(out.values.begin(), out.values.end(), hidden);
    out.visible = end - out.values.begin();
    out.is_prefix = std::all_of(end, out.values.end(), [](float v) { return v == hidden; });
    out.is_plain =
        std::all_of(out.values.begin(), out.values.end(), [](float v) { return v == 0 || v == hidden; });
    return out;
}

/// ALiBi's slope of each head, as ggml makes it: a geometric series over the largest power of two, then every
/// other value of the series of twice as many. Precondition: heads >= 1.
[[nodiscard]] inline std::vector<float> ggml_alibi_slopes(float max_bias, index heads) {
    index power = 1;
    while (2 * power <= heads) {
        power *= 2;
    }
    const float first = std::pow(2.0F, -max_bias / static_cast<float>(power));
    const float second = std::pow(2.0F, -max_bias / 2.0F / static_cast<float>(power));
    std::vector<float> out;
    for (index head = 0; head < heads; ++head) {
        out.push_back(head < power ? std::pow(first, static_cast<float>(head + 1))
                                   : std::pow(second, static_cast<float>(2 * (head - power) + 1)));
    }
    return out;
}

/// Which keys a query sees, as the reductions take it; a view of `row` where the mask is no plain prefix.
/// ALiBi's distances come from the order of the keys, so with it the visible keys must be a prefix in order.
/// Errors: with ALiBi, keys out of order.
[[nodiscard]] inline result<visibility> ggml_visibility(const ggml_attention& attention,
                                                        const v0::detail::ggml_mask_row& row) {
    if (attention.max_bias > 0) {
        bool in_order = row.is_prefix;
        for (index i = 0; in_order && i < row.visible; ++i) {
            const auto distance = static_cast<float>(row.visible - 1 - i);
            const float added = row.values[static_cast<std::size_t>(i)];
            in_order = std::abs(distance + added) <= distance * 0x1p-10F; // the mask is f16
        }
        if (!in_order) {
            return error{"under ALiBi the keys of a query must lie in order; turn flash attention off",
                         "mask"};
        }
        return visibility(causal_limit{row.visible});
    }
    if (row.is_prefix && row.is_plain) {
        return visibility(causal_limit{row.visible});
    }
    return visibility(additive_row{{row.values.data(), {static_cast<index>(row.values.size())}}});
}

namespace detail {

/// Whether all of the image's keys are visible.
[[nodiscard]] inline status ggml_sees_image(const v0::detail::ggml_mask_row& mask,
                                            const key_selection& image) {
    if (image.end() <= mask.visible) {
        return success{};
    }
    for (const key_range& range : image.ranges()) {
        for (index i = 0; i < range.count; ++i) {
            if (!mask.sees(range.first + i)) {
                return error{"the query does not see the whole image (a sliding window, or another "
                             "sequence's cells); select the heads of layers that do",
                             "mask", static_cast<std::size_t>(range.first + i)};
            }
        }
    }
    return success{};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
