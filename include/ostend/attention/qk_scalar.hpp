// reduce_qk(scalar, ...): attention over the image keys out of q and k, one key at a time and in double.
//
// The oracle: what every faster version must equal within a stated bound. It is short, slow and exact but for
// reading keys as f32 (f64 keys are rounded). Memory: one row of scores and one of sums, in double.
#pragma once

#include "ostend/attention/qk_block.hpp"
#include "ostend/attention/select_heads.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// One row's score of one key; -inf where the key is hidden.
inline double scalar_score(const qk_block& block, const visible_keys& seen, index query, index head,
                           index key) {
    constexpr double hidden = -std::numeric_limits<double>::infinity();
    const double mask = seen.has_added && key < seen.limit ? seen.added.load(key) : 0.0;
    if (key >= seen.limit || mask == hidden) {
        return hidden;
    }
    const key_address address = block.keys.address(kv_head_of(block, head), key);
    double dot = 0;
    for (index x = 0; x < block.keys.d(); ++x) {
        dot += static_cast<double>(block.q.load(query, head, x)) * address.load(x);
    }
    double score = scale_of(block) * dot;
    if (block.score.softcap > 0) {
        score = block.score.softcap * std::tanh(score / block.score.softcap);
        score += 0 * dot; // an infinite q or k must not be hidden by the cap
    }
    score += static_cast<double>(slope_of(block, head)) * static_cast<double>(key - (seen.limit - 1)) + mask;
    // An infinity that is no mask becomes NaN, so that it cannot pass for a hidden key.
    return score + 0 * score;
}

/// The natural log-sum-exp over all visible keys and the sink; scores receives the row. NaN when the row is
/// wholly hidden or not finite.
inline double scalar_log_sum_exp(const qk_block& block, index query, index head,
                                 std::vector<double>& scores) {
    constexpr double nothing = -std::numeric_limits<double>::infinity();
    const visible_keys seen = resolve_visibility(block, query);
    const double sink = sink_of(block, head);
    scores.assign(static_cast<std::size_t>(block.keys.keys()), nothing);
    double highest = sink;
    bool any = false;
    bool finite = sink < std::numeric_limits<double>::infinity(); // false for NaN too
    for (index j = 0; j < seen.limit; ++j) {
        const double s = scalar_score(block, seen, query, head, j);
        scores[static_cast<std::size_t>(j)] = s;
        highest = std::max(highest, s);
        any = any || s != nothing;
        finite = finite && !std::isnan(s);
    }
    if (!any || !finite) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    double sum = std::exp(sink - highest);
    for (const double s : scores) {
        sum += std::exp(s - highest);
    }
    return highest + std::log(sum);
}

inline status scalar_reduce(const qk_block& block, const key_selection& image,
                            std::span<const float> head_weights, head_reduction reduce,
                            const tensor_view<float, 2>& out, const known_log_sum_exp* known) {
    expect_reduction(block, image, head_weights, out);
    const index queries = block.q.extent(0);
    const auto tokens = static_cast<std::size_t>(image.size());
    std::vector<double> sums(static_cast<std::size_t>(queries) * tokens, 0.0);
    std::vector<double> scores;
    std::vector<index> image_keys;
    for (index token = 0; token < image.size(); ++token) {
        image_keys.push_back(image.key(token));
    }
    std::vector<index> once = image_keys; // the mass counts a key once, however often it is selected
    std::sort(once.begin(), once.end());
    once.erase(std::unique(once.begin(), once.end()), once.end());
    for (index query = 0; query < queries; ++query) {
        for (index head = 0; head < block.q.extent(1); ++head) {
            const double weight = head_weights[static_cast<std::size_t>(head)];
            if (weight == 0) {
                continue;
            }
            double total = 0;
            if (known == nullptr) {
                total = scalar_log_sum_exp(block, query, head, scores);
                if (std::isnan(total)) {
                    return failed_row(block, query, head);
                }
            } else {
                total = known->values.load(query, head);
                const visible_keys seen = resolve_visibility(block, query);
                scores.assign(static_cast<std::size_t>(block.keys.keys()),
                              -std::numeric_limits<double>::infinity());
                double mass = 0;
                for (const index key : once) {
                    const double s = scalar_score(block, seen, query, head, key);
                    if (std::isnan(s)) {
                        return failed_row(block, query, head);
                    }
                    scores[static_cast<std::size_t>(key)] = s;
                    mass += std::exp(s - total);
                }
                if (!std::isfinite(total) || !(mass <= image_mass_limit)) {
                    return failed_mass(query, head, mass);
                }
            }
            for (std::size_t token = 0; token < tokens; ++token) {
                const double p = std::exp(scores[static_cast<std::size_t>(image_keys[token])] - total);
                double& sum = sums[static_cast<std::size_t>(query) * tokens + token];
                sum = reduce == head_reduction::mean ? sum + weight * p : std::max(sum, p);
            }
        }
    }
    for (index query = 0; query < queries; ++query) {
        for (index token = 0; token < image.size(); ++token) {
            const auto value = static_cast<float>(
                sums[static_cast<std::size_t>(query) * tokens + static_cast<std::size_t>(token)]);
            float& slot = out(query, token);
            slot = reduce == head_reduction::mean ? slot + value : std::max(slot, value);
        }
    }
    return success{};
}

} // namespace detail

/// Attention of each query over the image tokens, reduced over heads, without the attention matrix.
/// out [queries, image_tokens] is added to (mean: sum over heads of weight * row) or maxed into (max: the
/// largest row value of the heads whose weight is not 0; how large the weight is does not matter). Start it
/// at zero. head_weights [heads]: heads of weight 0 are not computed. Image tokens that a query does not see
/// get 0. Complexity O(queries * heads * keys * d).
/// Errors name q, k, visible or sinks and the query (error::at): a visible value that is NaN or infinite, a
/// query that sees no key. Hidden keys are never judged. On error out is as it was.
inline status reduce_qk(scalar_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce,
                        tensor_view<float, 2> out) {
    return detail::scalar_reduce(block, image, head_weights, reduce, out, nullptr);
}

/// The same with a known log-sum-exp: only image keys are read, O(queries * heads * image_tokens * d).
/// An error that names log_sum_exp: a value is not finite, or a row's image mass is above 1 + 1e-3.
inline status reduce_qk(scalar_tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                        const known_log_sum_exp& known) {
    OSTEND_EXPECTS(known.values.extent(0) == block.q.extent(0) && known.values.extent(1) == block.q.extent(1),
                   "reduce_qk: the log-sum-exp is not [queries, heads]");
    return detail::scalar_reduce(block, image, head_weights, reduce, out, &known);
}

} // namespace ostend::inline OSTEND_KERNELS
