// preset: which conventions a result was made with. Published numbers differ in them; each bundle has a name,
// and every result file carries it.
#pragma once

#include "ostend/attention/normalise.hpp"
#include "ostend/attention/recorder.hpp"
#include "ostend/attention/select_heads.hpp"
#include "ostend/core/result.hpp"
#include "ostend/peak/peak.hpp"
#include "ostend/phrase/group.hpp"

#include <array>
#include <string>
#include <string_view>

namespace ostend::inline v0 {

/// Which of a segmenter's candidates is taken.
enum class candidate_rule { best_score, last };

struct preset {
    std::string name = "ostend";
    head_selection heads = head_selection::all();
    normalisation normalise = normalisation::mean_token;
    phrase_words words = phrase_words::without_article;
    token_reduction tokens = token_reduction::mean;
    query_convention query = query_convention::predicting;
    peak_options peak = {};
    bool map_as_prior = true; ///< the segmenter gets the map as mask logits beside the point
    candidate_rule candidate = candidate_rule::best_score;
};

/// ostend: the phrase without its article (best on our small model), the map as a prior beside the point.
/// paper: arXiv 2410.08209, the root noun, all heads and layers, mean of the tokens, the point alone.
/// groundlmm_de8b74d: the authors' first release, which keeps head H-2 of each layer by a slice.
/// groundlmm_b77f889: their later code: all heads, maximum over the root's tokens.
inline constexpr std::array<std::string_view, 4> preset_names{"ostend", "paper", "groundlmm_de8b74d",
                                                              "groundlmm_b77f889"};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The bundle of that name, or an error that lists the names.
[[nodiscard]] inline result<preset> find_preset(std::string_view name) {
    preset p;
    p.name = std::string(name);
    if (name == "ostend") {
        return p;
    }
    p.words = phrase_words::root;
    p.map_as_prior = false;
    p.candidate = candidate_rule::last;
    if (name == "paper") {
        return p;
    }
    if (name == "groundlmm_de8b74d") {
        p.heads = head_selection::from_end(2);
        return p;
    }
    if (name == "groundlmm_b77f889") {
        p.tokens = token_reduction::max;
        return p;
    }
    std::string known;
    for (const std::string_view n : preset_names) {
        known += (known.empty() ? "" : ", ") + std::string(n);
    }
    return error{.what = "there is no preset '" + std::string(name) + "'; known are " + known,
                 .field = "preset"};
}

} // namespace ostend::inline OSTEND_KERNELS
