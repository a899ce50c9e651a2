// normalise: takes away what every map shows (attention sinks, bright corners), so that the rest stands out.
//
// mean_token is the paper's rule: less the mean map of every generated token. other_phrases is less the mean
// map of the other phrases of the same caption. Differences are taken in f64 and rounded once; maps keep
// their sign, so a normalised map is no longer a probability.
#pragma once

#include "ostend/tensor/matrix.hpp"

#include <string>
#include <vector>

namespace ostend::inline v0 {

enum class normalisation { none, mean_token, other_phrases };

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

namespace detail {

/// The sum over the rows, in row order. One value a column.
inline std::vector<double> sum_of_rows(const matrix<float>& maps) {
    std::vector<double> sum(static_cast<std::size_t>(maps.columns()), 0.0);
    for (index r = 0; r < maps.rows(); ++r) {
        const std::span<const float> row = maps.row(r);
        for (std::size_t i = 0; i < sum.size(); ++i) {
            sum[i] += static_cast<double>(row[i]);
        }
    }
    return sum;
}

} // namespace detail

/// Each row of maps [any, image_tokens] less the mean row of token_maps [tokens, image_tokens].
/// Precondition: the columns agree. No token maps: nothing is taken away. Complexity: O(values).
[[nodiscard]] inline matrix<float> subtract_mean(const matrix<float>& maps, const matrix<float>& token_maps) {
    if (token_maps.rows() == 0) {
        return maps;
    }
    OSTEND_EXPECTS(maps.rows() == 0 || maps.columns() == token_maps.columns(),
                   "subtract_mean: maps of " + std::to_string(maps.columns()) +
                       " image tokens, token maps of " + std::to_string(token_maps.columns()));
    const std::vector<double> sum = detail::sum_of_rows(token_maps);
    const auto count = static_cast<double>(token_maps.rows());
    matrix<float> out = maps;
    for (index r = 0; r < out.rows(); ++r) {
        const std::span<float> row = out.row(r);
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = static_cast<float>(static_cast<double>(row[i]) - sum[i] / count);
        }
    }
    return out;
}

/// Token maps less their own mean over all tokens (the end token's map included, where it was recorded).
[[nodiscard]] inline matrix<float> subtract_mean_token(const matrix<float>& token_maps) {
    return subtract_mean(token_maps, token_maps);
}

/// Each phrase map [phrases, image_tokens] less the mean of the other phrases' maps. A single phrase has no
/// others and stays as it is. Complexity: O(values).
[[nodiscard]] inline matrix<float> subtract_other_phrases(const matrix<float>& phrase_maps) {
    if (phrase_maps.rows() <= 1) {
        return phrase_maps;
    }
    const std::vector<double> sum = detail::sum_of_rows(phrase_maps);
    const auto others = static_cast<double>(phrase_maps.rows() - 1);
    matrix<float> out = phrase_maps;
    for (index r = 0; r < out.rows(); ++r) {
        const std::span<float> row = out.row(r);
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto own = static_cast<double>(row[i]);
            row[i] = static_cast<float>(own - (sum[i] - own) / others);
        }
    }
    return out;
}

/// Phrase maps normalised by the named rule; token_maps (every generated token's) serve mean_token only.
[[nodiscard]] inline matrix<float> normalise(normalisation rule, const matrix<float>& phrase_maps,
                                             const matrix<float>& token_maps) {
    switch (rule) {
    case normalisation::mean_token:
        return subtract_mean(phrase_maps, token_maps);
    case normalisation::other_phrases:
        return subtract_other_phrases(phrase_maps);
    case normalisation::none:
        break;
    }
    return phrase_maps;
}

} // namespace ostend::inline OSTEND_KERNELS
