// score: what a query and a key become before the softmax, and which keys a query sees.
//
//     score(h, i, j) = cap(scale * q[h] . k[j]) + slope[h] * (j - position(i)) + mask[i][j]
//     cap(x)         = x                          where softcap is 0
//                    = softcap * tanh(x / softcap) elsewhere
//     row(h, i)[j]   = exp(score) / (sum over visible j of exp(score) + exp(sink[h]))
//
// q and k arrive after rotary embedding and q/k normalisation. A closed variant says which keys are visible.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/tensor/view.hpp"

#include <span>
#include <variant>

namespace ostend::inline v0 {

/// How scores are made. Spans are per query head and must outlive the call.
struct score_options {
    float scale = 0;   ///< 0: 1 / sqrt(d)
    float softcap = 0; ///< 0: none
    /// One slope a head (ALiBi), or empty. position(i) is the last key that the query's causal_limit lets it
    /// see, or the last key of the source under the other visibilities. Being the same for all keys of a row
    /// it cancels in the softmax, and matters only beside sinks and in a log-sum-exp.
    std::span<const float> alibi_slopes = {};
    /// One logit a head that enters the denominator only, or empty. -inf: no sink for that head.
    std::span<const float> sinks = {};
};

/// The query sees every key.
struct all_keys {};

/// The query sees keys [0, keys). Hidden keys are not read.
struct causal_limit {
    index keys = 0;
};

/// A value for each key that is added to its score; -inf hides the key, whose content then does not matter.
/// NaN and +inf are errors.
struct additive_row {
    tensor_view<const float, 1> row = {};
};

using visibility = std::variant<all_keys, causal_limit, additive_row>;

} // namespace ostend::inline v0
