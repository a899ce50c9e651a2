// ggml_attention: what a node of a ggml graph says of the attention that it computes.
//
// Two kinds of node are read. GGML_OP_FLASH_ATTN_EXT has the rows nowhere, but its inputs: q, k, mask, sinks,
// and scale, ALiBi's largest bias and soft cap in its parameters. The softmax that llama.cpp names
// kq_soft_max-<layer> holds the rows. V is never looked at, so its size may differ (MLA).
#pragma once

#include "ostend/adapt/ggml_keys.hpp"
#include "ostend/attention/score.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ostend::inline v0 {

/// Streams are sequences that have keys of their own; most graphs have one.
struct ggml_attention {
    const ggml_tensor* rows = nullptr; ///< softmax: f32, ne = {keys, queries, heads, streams}; else null
    const ggml_tensor* q = nullptr;    ///< fused: f32, ne = {d, queries, heads, streams}; else null
    const ggml_tensor* k = nullptr;    ///< ne = {d, keys, kv_heads, streams}
    const ggml_tensor* mask = nullptr; ///< f16 or f32, ne = {keys, queries or more, 1, streams or 1}; or null
    const ggml_tensor* sinks = nullptr; ///< f32, one a head; or null
    float scale = 1;
    float max_bias = 0; ///< of ALiBi; 0: none
    float softcap = 0;  ///< 0: none

    [[nodiscard]] index keys() const { return static_cast<index>(k->ne[1]); }
    [[nodiscard]] index queries() const { return static_cast<index>((rows != nullptr ? rows : q)->ne[1]); }
    [[nodiscard]] index heads() const { return static_cast<index>((rows != nullptr ? rows : q)->ne[2]); }
    [[nodiscard]] index streams() const { return static_cast<index>((rows != nullptr ? rows : q)->ne[3]); }
};

/// The number behind the last '-' of a name that llama.cpp gives its nodes ("Qcur-3"), where there is one.
[[nodiscard]] inline std::optional<int> ggml_layer_of(std::string_view name) {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || dash + 1 == name.size() || name.size() - dash > 7) {
        return std::nullopt;
    }
    int layer = 0;
    for (const char c : name.substr(dash + 1)) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        layer = 10 * layer + (c - '0');
    }
    return layer;
}

[[nodiscard]] inline bool is_ggml_attention(const ggml_tensor& node) {
    return node.op == GGML_OP_FLASH_ATTN_EXT ||
           (node.op == GGML_OP_SOFT_MAX &&
            std::string_view(ggml_get_name(&node)).substr(0, 12) == "kq_soft_max-");
}

namespace detail {

/// The keys behind a softmax: what is multiplied by q, before scales, caps and biases.
[[nodiscard]] inline const ggml_tensor* ggml_product_keys(const ggml_tensor& softmax) {
    const ggml_tensor* at = softmax.src[0];
    for (int steps = 0; at != nullptr && steps < 8; ++steps) {
        if (at->op == GGML_OP_MUL_MAT) {
            return at->src[0];
        }
        at = at->src[0];
    }
    return nullptr;
}

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

/// Reads a node; nothing is copied. Errors: a mask for each head, inputs of another type or shape.
/// Precondition: is_ggml_attention(node).
[[nodiscard]] inline result<ggml_attention> read_ggml_attention(const ggml_tensor& node) {
    const auto wrong = [&](std::string what) { return error{std::move(what), detail::ggml_place(node)}; };
    ggml_attention out;
    if (node.op == GGML_OP_SOFT_MAX) {
        out.rows = &node;
        out.k = detail::ggml_product_keys(node);
        out.mask = node.src[1];
        if (out.k == nullptr) {
            return wrong("no product of keys and queries stands before this softmax");
        }
    } else {
        std::array<float, 3> parameters{};
        std::memcpy(parameters.data(), node.op_params, sizeof(parameters));
        out.q = node.src[0];
        out.k = node.src[1];
        out.mask = node.src[3];
        out.sinks = node.src[4];
        out.scale = parameters[0];
        out.max_bias = parameters[1];
        out.softcap = parameters[2];
        if (out.q->type != GGML_TYPE_F32) {
            return wrong("queries of type " + std::string(ggml_type_name(out.q->type)) +
                         " are not read; they are f32");
        }
        if (out.sinks != nullptr && (out.sinks->type != GGML_TYPE_F32 || out.sinks->ne[0] != out.q->ne[2])) {
            return wrong("its sinks are not one f32 a head");
        }
    }
    // Keys of f32 are rounded to f16 on the way to the fused kernel; the cache still has them.
    if (out.k->op == GGML_OP_CPY && out.k->src[0]->view_src != nullptr) {
        out.k = out.k->src[0];
    }
    if (out.mask != nullptr) {
        const bool known = out.mask->type == GGML_TYPE_F16 || out.mask->type == GGML_TYPE_F32;
        if (!known || out.mask->ne[2] != 1 || out.mask->ne[0] != out.k->ne[1] ||
            out.mask->ne[1] < out.queries() || (out.mask->ne[3] != 1 && out.mask->ne[3] != out.streams())) {
            return wrong("its mask is not one row of f16 or f32 a query, shared by the heads");
        }
    }
    return out;
}

/// One query's row of the mask; all keys visible where there is no mask. Complexity O(keys).
/// Errors: the mask is not on the host. Precondition: query and stream exist.
[[nodiscard]] inline result<detail::ggml_mask_row> ggml_mask_of(const ggml_attention& attention, index query,
                                                                index stream = 0) {
    detail::ggml_mask_row out;
    const auto keys = static_cast<std::size_t>(attention.keys());
    if (attention.mask == nullptr) {
        return detail::ggml_mask_row{std::vector<float>(keys, 0.0F), attention.keys(), true, true};
    }
    const ggml_tensor& mask = *attention.mask;
    if (const status readable = detail::ggml_check_host(mask); !readable) {
        return readable.error();
    }
    const auto* const row = static_cast<const std::byte*>(mask.data) +
                            query * static_cast<index>(mask.nb[1]) +
                            (mask.ne[3] == 1 ? 0 : stream) * static_cast<index>(mask.nb[3]);
    out.values.resize(keys);
    for (std::size_t i = 0; i < keys; ++i) {
        const std::byte* const at = row + i * mask.nb[0];
        out.values[i] = mask.type == GGML_TYPE_F16 ? to_float(load(reinterpret_cast<const f16*>(at)))
                                                   : load(reinterpret_cast<const float*>(at));
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
                                                        const detail::ggml_mask_row& row) {
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

} // namespace ostend::inline v0
