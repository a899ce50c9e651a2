// qk_block: some queries of one layer with the keys, score and visibility they belong to, checked as a whole.
//
// Plain data that owns nothing but the list of visibilities; q, keys, slopes, sinks and mask rows must
// outlive it. detail:: holds what the scalar and the blocked reduction share: preconditions, and the search
// for the value that made a row not finite, which runs only after a reduction met one.
#pragma once

#include "ostend/attention/key_selection.hpp"
#include "ostend/attention/key_source.hpp"
#include "ostend/attention/score.hpp"
#include "ostend/core/result.hpp"
#include "ostend/tensor/view.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ostend::inline v0 {

/// Grouped queries: head h reads key/value head h / (heads / kv_heads).
struct qk_block {
    tensor_view<const float, 3> q = {}; ///< [queries, heads, d], any strides
    key_source keys = {};
    score_options score = {};
    std::vector<visibility> visible = {}; ///< one a query, or one for all; empty: all_keys
};

/// Log-sum-exp of whole rows, known from the kernel that computed the attention: natural logarithm, over
/// exactly the scores of score.hpp (mask, cap and slopes included, the sink too). With it only image keys
/// are read. Image mass above 1 + 1e-3 is an error: the values belong to other scores or another base.
struct known_log_sum_exp {
    tensor_view<const float, 2> values = {}; ///< [queries, heads]
};

struct scalar_tag {};  ///< the documented oracle: one key at a time, in double
struct blocked_tag {}; ///< f32 in blocks that stay in the L2 cache
inline constexpr scalar_tag scalar{};
inline constexpr blocked_tag blocked{};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr double image_mass_limit = 1 + 1e-3;

/// A visibility resolved for one query.
struct visible_keys {
    index limit = 0; ///< keys from here on are hidden
    tensor_view<const float, 1> added = {};
    bool has_added = false;
};

inline visible_keys resolve_visibility(const qk_block& block, index query) {
    const index keys = block.keys.keys();
    if (block.visible.empty()) {
        return {keys, {}, false};
    }
    const visibility& v = block.visible[block.visible.size() == 1 ? 0 : static_cast<std::size_t>(query)];
    if (const auto* causal = std::get_if<causal_limit>(&v)) {
        return {causal->keys, {}, false};
    }
    if (const auto* added = std::get_if<additive_row>(&v)) {
        return {keys, added->row, true};
    }
    return {keys, {}, false};
}

inline float scale_of(const qk_block& block) {
    return block.score.scale != 0 ? block.score.scale : 1.0F / std::sqrt(static_cast<float>(block.keys.d()));
}
inline float slope_of(const qk_block& block, index head) {
    return block.score.alibi_slopes.empty() ? 0.0F : block.score.alibi_slopes[static_cast<std::size_t>(head)];
}
inline float sink_of(const qk_block& block, index head) {
    return block.score.sinks.empty() ? -std::numeric_limits<float>::infinity()
                                     : block.score.sinks[static_cast<std::size_t>(head)];
}
inline index kv_head_of(const qk_block& block, index head) {
    return head / (block.q.extent(1) / block.keys.kv_heads());
}

inline void expect_block(const qk_block& block) {
    [[maybe_unused]] const index queries = block.q.extent(0);
    [[maybe_unused]] const index heads = block.q.extent(1);
    [[maybe_unused]] const index keys = block.keys.keys();
    [[maybe_unused]] const auto one_each = [](std::size_t size, index count) {
        return size == 0 || size == static_cast<std::size_t>(count);
    };
    OSTEND_EXPECTS(block.keys.kv_heads() >= 1, "qk_block: the key source is empty");
    OSTEND_EXPECTS(heads >= 1 && heads % block.keys.kv_heads() == 0,
                   "qk_block: " + std::to_string(heads) + " query heads do not divide among " +
                       std::to_string(block.keys.kv_heads()) + " key/value heads");
    OSTEND_EXPECTS(block.q.extent(2) == block.keys.d(), "qk_block: q has head size " +
                                                            std::to_string(block.q.extent(2)) +
                                                            ", the keys " + std::to_string(block.keys.d()));
    OSTEND_EXPECTS(keys < (index{1} << 31U), "qk_block: more than 2^31 - 1 keys");
    OSTEND_EXPECTS(std::isfinite(block.score.scale), "qk_block: the scale is not finite");
    OSTEND_EXPECTS(std::isfinite(block.score.softcap) && block.score.softcap >= 0,
                   "qk_block: the soft cap is negative or not finite");
    OSTEND_EXPECTS(one_each(block.score.alibi_slopes.size(), heads),
                   "qk_block: " + std::to_string(block.score.alibi_slopes.size()) + " ALiBi slopes for " +
                       std::to_string(heads) + " heads");
    OSTEND_EXPECTS(one_each(block.score.sinks.size(), heads),
                   "qk_block: " + std::to_string(block.score.sinks.size()) + " sinks for " +
                       std::to_string(heads) + " heads");
    OSTEND_EXPECTS(block.visible.size() == 1 || one_each(block.visible.size(), queries),
                   "qk_block: " + std::to_string(block.visible.size()) + " visibilities for " +
                       std::to_string(queries) + " queries; give none, one, or one a query");
    for (index i = 0; i < static_cast<index>(block.visible.size()); ++i) {
        [[maybe_unused]] const visible_keys seen = resolve_visibility(block, i);
        OSTEND_EXPECTS(seen.limit >= 0 && seen.limit <= keys, "qk_block: query " + std::to_string(i) +
                                                                  " sees " + std::to_string(seen.limit) +
                                                                  " keys of " + std::to_string(keys));
        OSTEND_EXPECTS(!seen.has_added || seen.added.extent(0) == keys,
                       "qk_block: the additive row of query " + std::to_string(i) + " has " +
                           std::to_string(seen.added.extent(0)) + " values for " + std::to_string(keys) +
                           " keys");
    }
}

inline void expect_reduction(const qk_block& block, [[maybe_unused]] const key_selection& image,
                             std::span<const float> head_weights,
                             [[maybe_unused]] const tensor_view<float, 2>& out) {
    expect_block(block);
    OSTEND_EXPECTS(image.end() <= block.keys.keys(),
                   "reduce_qk: image key " + std::to_string(image.end() - 1) + " is outside the " +
                       std::to_string(block.keys.keys()) + " keys");
    OSTEND_EXPECTS(static_cast<index>(head_weights.size()) == block.q.extent(1),
                   "reduce_qk: " + std::to_string(head_weights.size()) + " head weights for " +
                       std::to_string(block.q.extent(1)) + " heads");
    OSTEND_EXPECTS(out.extent(0) == block.q.extent(0) && out.extent(1) == image.size(),
                   "reduce_qk: out is [" + std::to_string(out.extent(0)) + ", " +
                       std::to_string(out.extent(1)) + "], expected [" + std::to_string(block.q.extent(0)) +
                       ", " + std::to_string(image.size()) + "]");
    for ([[maybe_unused]] const float w : head_weights) {
        OSTEND_EXPECTS(std::isfinite(w), "reduce_qk: a head weight is not finite");
    }
}

/// Why a row has no finite softmax; called after it was found that it has none. O(keys * d).
inline error failed_row(const qk_block& block, index query, index head) {
    const auto at = static_cast<std::size_t>(query);
    const std::string row = "query " + std::to_string(query) + ", head " + std::to_string(head);
    for (index x = 0; x < block.keys.d(); ++x) {
        if (!std::isfinite(block.q.load(query, head, x))) {
            return {"element " + std::to_string(x) + " of " + row + " is not finite", "q", at};
        }
    }
    const float sink = sink_of(block, head);
    if (std::isnan(sink) || sink == std::numeric_limits<float>::infinity()) {
        return {"the sink of head " + std::to_string(head) + " is NaN or +inf", "sinks", at};
    }
    const visible_keys seen = resolve_visibility(block, query);
    bool any = false;
    for (index j = 0; j < seen.limit; ++j) {
        if (seen.has_added) {
            const float mask = seen.added.load(j);
            if (mask == -std::numeric_limits<float>::infinity()) {
                continue;
            }
            if (!std::isfinite(mask)) {
                return {"the mask of key " + std::to_string(j) + " of " + row + " is NaN or +inf", "visible",
                        at};
            }
        }
        any = true;
        const key_address key = block.keys.address(kv_head_of(block, head), j);
        for (index x = 0; x < block.keys.d(); ++x) {
            if (!std::isfinite(key.load(x))) {
                return {"element " + std::to_string(x) + " of key " + std::to_string(j) + ", which " + row +
                            " sees, is not finite",
                        "k", at};
            }
        }
    }
    if (!any) {
        return {row + " sees no key", "visible", at};
    }
    return {"a score of " + row + " overflows", "q", at};
}

inline error failed_mass(index query, index head, double mass) {
    return {"the image keys of query " + std::to_string(query) + ", head " + std::to_string(head) +
                " have mass " + std::to_string(mass) +
                "; the log-sum-exp is not finite, not natural or not of these scores",
            "log_sum_exp", static_cast<std::size_t>(query)};
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
