// ggml_attention: what a node of a ggml graph says of the attention that it computes.
//
// Two kinds of node are read. GGML_OP_FLASH_ATTN_EXT has the rows nowhere, but its inputs: q, k, mask, sinks,
// and scale, ALiBi's largest bias and soft cap in its parameters. The softmax that llama.cpp names
// kq_soft_max-<layer> holds the rows. V is never looked at, so its size may differ (MLA).
#pragma once

#include "ostend/adapt/ggml_keys.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

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

} // namespace detail

/// Reads a node; nothing is copied. Errors: a mask for each head, inputs of another type or shape.
/// Precondition: is_ggml_attention(node).
[[nodiscard]] inline result<ggml_attention> read_ggml_attention(const ggml_tensor& node) {
    const auto wrong = [&](std::string what) { return error{std::move(what), v0::detail::ggml_place(node)}; };
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

} // namespace ostend::inline OSTEND_KERNELS
