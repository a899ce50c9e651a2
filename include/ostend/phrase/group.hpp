// From token maps to phrase maps: which tokens make a phrase, and how their maps become one.
//
// The reference takes the tokens of the root word; its first release averages them, later ones take the
// maximum. The whole phrase without its article does best on the library's own model, and is the default.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/phrase/noun_phrase.hpp"
#include "ostend/tensor/matrix.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace ostend::inline v0 {

/// Which words of a phrase speak for it.
enum class phrase_words : std::uint8_t { whole, without_article, root };

/// How the maps of a phrase's tokens become one.
enum class token_reduction : std::uint8_t { mean, max, first };

/// What happens to a phrase without tokens and to values that are not finite.
enum class nan_policy : std::uint8_t {
    refuse,    ///< an error that names the phrase
    propagate, ///< as the reference: a phrase without tokens is a row of NaN, and NaN in a map stays
};

struct group_options {
    phrase_words words = phrase_words::without_article;
    token_reduction reduce = token_reduction::mean;
    nan_policy nan = nan_policy::refuse;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The span of the chosen words of a phrase.
[[nodiscard]] inline text_span span_of(const noun_phrase& phrase, phrase_words words) noexcept {
    switch (words) {
    case phrase_words::root:
        return phrase.root;
    case phrase_words::without_article:
        return phrase.words;
    case phrase_words::whole:
        break;
    }
    return phrase.span;
}

/// The tokens whose span overlaps the words, in order. O(tokens).
///
/// A token without characters (a special token, or one that only completes a character) belongs to the words
/// when it stands strictly inside them, as in the reference. Empty words have no tokens.
[[nodiscard]] inline std::vector<index> tokens_of(std::span<const text_span> token_spans, text_span words) {
    std::vector<index> tokens;
    if (words.size() == 0) {
        return tokens;
    }
    for (std::size_t t = 0; t < token_spans.size(); ++t) {
        if (token_spans[t].begin < words.end && token_spans[t].end > words.begin) {
            tokens.push_back(static_cast<index>(t));
        }
    }
    return tokens;
}

namespace detail {
inline void reduce_rows(const matrix<float>& maps, std::span<const index> rows, token_reduction reduce,
                        std::span<double> sum, std::span<float> out) {
    const std::span<const float> first = maps.row(rows.front());
    if (reduce == token_reduction::mean) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (const index r : rows) {
            const std::span<const float> row = maps.row(r);
            for (std::size_t i = 0; i < row.size(); ++i) {
                sum[i] += static_cast<double>(row[i]);
            }
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<float>(sum[i] / static_cast<double>(rows.size()));
        }
        return;
    }
    std::copy(first.begin(), first.end(), out.begin());
    if (reduce == token_reduction::max) {
        for (const index r : rows.subspan(1)) {
            const std::span<const float> row = maps.row(r);
            for (std::size_t i = 0; i < row.size(); ++i) {
                // NaN wins, as in NumPy and PyTorch: a maximum must not hide it
                out[i] = (row[i] > out[i] || std::isnan(row[i])) && !std::isnan(out[i]) ? row[i] : out[i];
            }
        }
    }
}
inline std::optional<std::size_t> first_not_finite(std::span<const float> row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!std::isfinite(row[i])) {
            return i;
        }
    }
    return std::nullopt;
}
} // namespace detail

/// One map a group: the mean (summed in f64, in the order of the group), the maximum, or the first token's.
///
/// token_maps [tokens, image_tokens]; groups: the rows of each phrase. Returns [groups, image_tokens].
/// Errors carry the index of the group: no token, a token without a row (with query_convention::token_itself
/// the last token has none), a value that is not finite (see nan_policy).
/// Complexity: O(rows named x image_tokens); one workspace row of f64.
[[nodiscard]] inline result<matrix<float>> group_maps(const matrix<float>& token_maps,
                                                      std::span<const std::vector<index>> groups,
                                                      token_reduction reduce = token_reduction::mean,
                                                      nan_policy nan = nan_policy::refuse) {
    matrix<float> out(static_cast<index>(groups.size()), token_maps.columns());
    std::vector<double> sum(static_cast<std::size_t>(token_maps.columns()));
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::span<float> row = out.row(static_cast<index>(g));
        const std::string name = "group " + std::to_string(g);
        for (const index token : groups[g]) {
            if (token < 0 || token >= token_maps.rows()) {
                return error{"token " + std::to_string(token) + " has no map; there are " +
                                 std::to_string(token_maps.rows()),
                             name, g};
            }
        }
        if (groups[g].empty()) {
            if (nan == nan_policy::refuse) {
                return error{"no token overlaps it", name, g};
            }
            std::fill(row.begin(), row.end(), std::numeric_limits<float>::quiet_NaN());
            continue;
        }
        detail::reduce_rows(token_maps, groups[g], reduce, sum, row);
        const auto bad = nan == nan_policy::refuse ? detail::first_not_finite(row) : std::nullopt;
        if (bad) {
            return error{"the map is not finite at image token " + std::to_string(*bad), name, g};
        }
    }
    return out;
}

/// The tokens of each phrase: its whole span, its words without the article, or its root. O(phrases x
/// tokens).
[[nodiscard]] inline std::vector<std::vector<index>> group_tokens(std::span<const text_span> token_spans,
                                                                  std::span<const noun_phrase> phrases,
                                                                  phrase_words words) {
    std::vector<std::vector<index>> groups;
    groups.reserve(phrases.size());
    for (const noun_phrase& phrase : phrases) {
        groups.push_back(tokens_of(token_spans, span_of(phrase, words)));
    }
    return groups;
}

/// One map a phrase, [phrases, image_tokens]: group_tokens, then group_maps. An error names the phrase.
[[nodiscard]] inline result<matrix<float>> phrase_maps(const matrix<float>& token_maps,
                                                       std::span<const text_span> token_spans,
                                                       std::span<const noun_phrase> phrases,
                                                       const group_options& options = {}) {
    auto maps = group_maps(token_maps, group_tokens(token_spans, phrases, options.words), options.reduce,
                           options.nan);
    if (!maps && maps.error().at) {
        const std::size_t at = *maps.error().at;
        return error{maps.error().what, "phrase " + std::to_string(at) + " \"" + phrases[at].text + "\"", at};
    }
    return maps;
}

} // namespace ostend::inline OSTEND_KERNELS
