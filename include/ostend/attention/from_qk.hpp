// from_qk: attention rows out of queries and keys, for hosts whose kernels never write the attention matrix.
//
// reduce_qk(blocked, ...) is what a recorder calls; reduce_qk(scalar, ...) is the oracle; both are in headers
// of their own. Here: a block from a query in the host's own type, and full rows for tests and inspection.
#pragma once

#include "ostend/attention/log_sum_exp.hpp"
#include "ostend/attention/qk_block.hpp"
#include "ostend/attention/qk_blocked.hpp"
#include "ostend/attention/qk_scalar.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/traits.hpp"

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Queries that are not f32, widened and kept; usable wherever a qk_block is. f32 queries are viewed and must
/// outlive it; keys, spans and mask rows are viewed in any case.
class query_rows {
public:
    /// q [queries, heads, d]. Memory: a f32 copy where T is not float.
    template <class T>
    query_rows(const tensor_view<T, 3>& q, const key_source& keys, const score_options& score,
               std::vector<visibility> visible)
        : keys_(keys), score_(score), visible_(std::move(visible)), extents_(q.extents()) {
        if constexpr (std::is_same_v<std::remove_const_t<T>, float>) {
            view_ = q;
        } else {
            widened_.reserve(static_cast<std::size_t>(q.size()));
            for (index i = 0; i < q.extent(0); ++i) {
                for (index h = 0; h < q.extent(1); ++h) {
                    for (index x = 0; x < q.extent(2); ++x) {
                        widened_.push_back(to_float(q.load(i, h, x)));
                    }
                }
            }
            is_widened_ = true;
        }
    }

    /// The block; valid while this object and what it views live.
    [[nodiscard]] qk_block block() const {
        return {is_widened_ ? tensor_view<const float, 3>(widened_.data(), extents_) : view_, keys_, score_,
                visible_};
    }
    operator qk_block() const { return block(); }

private:
    key_source keys_;
    score_options score_;
    std::vector<visibility> visible_;
    std::array<index, 3> extents_{};
    tensor_view<const float, 3> view_;
    std::vector<float> widened_;
    bool is_widened_ = false;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {
inline const key_source& to_key_source(const key_source& keys) { return keys; }
template <class K>
requires(!std::is_same_v<std::remove_cvref_t<K>, key_source>) key_source to_key_source(K&& k) {
    return key_source::contiguous(std::forward<K>(k));
}
} // namespace detail

/// Several queries q [queries, heads, d] of any float element type. keys: a key_source, or a tensor
/// [kv_heads, keys, d]. visible: one a query, one for all, or none (every key).
template <tensor_like Q, class K>
[[nodiscard]] query_rows attention_rows(Q&& q, K&& keys, const score_options& score = {},
                                        std::vector<visibility> visible = {}) {
    return query_rows(as_view(std::forward<Q>(q)), detail::to_key_source(std::forward<K>(keys)), score,
                      std::move(visible));
}

/// One query q [heads, d], as a host decodes.
template <tensor_like Q, class K>
[[nodiscard]] query_rows attention_row(Q&& q, K&& keys, const score_options& score = {},
                                       const visibility& visible = all_keys{}) {
    const auto row = as_view(std::forward<Q>(q));
    using element = typename std::remove_const_t<decltype(row)>::element;
    const tensor_view<element, 3> one(row.data(), {1, row.extent(0), row.extent(1)},
                                      {0, row.stride(0), row.stride(1)});
    return query_rows(one, detail::to_key_source(std::forward<K>(keys)), score, {visible});
}

/// The whole attention [heads, keys] of one query, in double and rounded: for tests and for looking at, not
/// for the hot path. A head whose row is wholly hidden or not finite is NaN throughout. O(heads * keys * d).
[[nodiscard]] inline matrix<float> attention_probabilities(const qk_block& block, index query) {
    detail::expect_block(block);
    OSTEND_EXPECTS(query >= 0 && query < block.q.extent(0), "attention_probabilities: query " +
                                                                std::to_string(query) + " of " +
                                                                std::to_string(block.q.extent(0)));
    matrix<float> rows(block.q.extent(1), block.keys.keys());
    std::vector<double> scores;
    for (index head = 0; head < rows.rows(); ++head) {
        const double total = detail::scalar_log_sum_exp(block, query, head, scores);
        for (index key = 0; key < rows.columns(); ++key) {
            rows(head, key) = static_cast<float>(std::exp(scores[static_cast<std::size_t>(key)] - total));
        }
    }
    return rows;
}

} // namespace ostend::inline OSTEND_KERNELS
