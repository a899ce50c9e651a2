// ground(): which pixels does each noun phrase of an answer mean? The whole flow on one page.
//
//     the LMM answers, its attention recorded ─► the caption's noun phrases ─► one map a phrase
//         ─► normalised against the mean map ─► its peak, a pixel ─► a prompt ─► the segmenter's mask
//
// Every step is a function of its own that can be called without this one; see examples 01 to 08.
#pragma once

#include "ostend/attention/normalise.hpp"
#include "ostend/core/expects.hpp"
#include "ostend/core/result.hpp"
#include "ostend/host/ground_checks.hpp"
#include "ostend/host/language_model.hpp"
#include "ostend/host/preset.hpp"
#include "ostend/host/segmenter.hpp"
#include "ostend/mask/runs.hpp"
#include "ostend/peak/argmax.hpp"
#include "ostend/phrase/group.hpp"
#include "ostend/phrase/keep_phrase.hpp"
#include "ostend/phrase/noun_phrases.hpp"
#include "ostend/phrase/token_spans.hpp"
#include "ostend/prompt/map_prior.hpp"
#include "ostend/prompt/prompt.hpp"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

struct ground_options {
    preset conventions = {};
    generate_request request = {};         ///< prompt, teacher-forced text, longest answer
    std::vector<std::string> phrases = {}; ///< what to ground; empty: every noun phrase of the answer
    /// The host's own parser, in place of the built-in one where no phrases are asked for: the noun phrases
    /// of a caption, in code points. keep is not asked.
    std::function<std::vector<text_span>(const std::string& caption)> find_spans = {};
    bool map_as_prior = true; ///< false: the segmenter gets points alone, whatever the preset
};

struct grounded_phrase {
    noun_phrase phrase = {};
    std::vector<index> tokens = {};  ///< the generated tokens that were averaged
    std::vector<float> raw_map = {}; ///< [image_tokens], before normalisation
    std::vector<float> map = {};     ///< [image_tokens], after it
    peak at = {};                    ///< original pixel, value, confidence
    rle mask = {};                   ///< original pixels; the candidate that the preset's rule takes
    float mask_score = 0;
    box_in<original_frame> box = {}; ///< of the mask
};

struct grounding {
    std::string caption = {};
    std::vector<token_text> tokens = {};
    std::vector<grounded_phrase> phrases = {};
    std::vector<dropped_phrase> dropped = {}; ///< noun phrases that were not grounded, and why
    layout grid = {};
    preset conventions = {};
    recorder attention = recorder({}); ///< all that was recorded, for other conventions without a new run
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The phrases to ground: those asked for (the k-th time that the same is asked for, its k-th occurrence),
/// those that the host's parser finds, or all noun phrases of the caption that keep does not refuse. Errors:
/// as find_phrases; a span that is empty or outside the caption.
template <phrase_keeper Keep = default_keep_phrase>
[[nodiscard]] result<phrase_list> phrases_to_ground(const std::string& caption, const ground_options& options,
                                                    Keep keep = {}) {
    if (options.phrases.empty() && options.find_spans) {
        return phrases_at(caption, options.find_spans(caption));
    }
    if (options.phrases.empty()) {
        return noun_phrases(caption, std::move(keep));
    }
    auto found = find_phrases(caption, options.phrases);
    if (!found) {
        return found.error();
    }
    return phrase_list{.kept = *std::move(found), .dropped = {}};
}

/// Grounds every noun phrase of what lmm says about image: [rows, cols, 3] RGB bytes of any size above 1 x 1.
/// keep says which noun phrases are worth a mask (keep_phrase.hpp); options.phrases and find_spans are not
/// asked for it.
/// An answer without noun phrases gives an empty list, and the segmenter is not called. Errors: an image
/// without choice; those of the model, the phrases, the attention and the segmenter; answers of the two that
/// do not fit the image or the question. Precondition: options.request.record.
template <language_model Lmm, segmenter Segmenter, phrase_keeper Keep = default_keep_phrase>
[[nodiscard]] result<grounding> ground(const image_view& image, Lmm& lmm, Segmenter& segmenter,
                                       const ground_options& options = {}, Keep keep = {}) {
    OSTEND_EXPECTS(options.request.record, "ground: request.record is off, but ground() reads the attention");
    const preset& rules = options.conventions;
    generate_request request = options.request;
    request.recording.heads_used = rules.heads;
    if (const status good = detail::check_image(image); !good) {
        return good.error();
    }
    const image_size size{.width = image.extent(1), .height = image.extent(0)};

    auto said = lmm.generate(image, request);
    if (!said) {
        return said.error();
    }

    const token_span_options text_rule{.leading_space_stripped = true};
    grounding out;
    out.conventions = rules;
    out.caption = join_text(said->tokens, text_rule);
    auto phrases = phrases_to_ground(out.caption, options, std::move(keep));
    if (!phrases) {
        return phrases.error();
    }
    out.dropped = std::move(phrases->dropped);

    if (const status good = detail::check_generation(*said, size, rules.peak.view); !good) {
        return good.error();
    }
    const auto token_maps = said->attention.maps(rules.query);
    if (!token_maps) {
        return token_maps.error();
    }
    const auto spans = token_spans(said->tokens, text_rule);
    const auto raw =
        phrase_maps(*token_maps, spans, phrases->kept, {.words = rules.words, .reduce = rules.tokens});
    if (!raw) {
        return raw.error();
    }
    const auto maps = normalise(rules.normalise, *raw, *token_maps);

    std::vector<prompt> prompts;
    for (std::size_t i = 0; i < phrases->kept.size(); ++i) {
        const auto map = maps.row(static_cast<index>(i));
        const auto at = find_peak(map, said->grid, rules.peak);
        if (!at) {
            return at.error().in("the map of '" + phrases->kept[i].text + "'");
        }
        prompts.push_back(point_prompt(*at));
        if (rules.map_as_prior && options.map_as_prior) {
            auto prior = map_prior(map, said->grid, rules.peak);
            if (!prior) {
                return prior.error().in("the map of '" + phrases->kept[i].text + "'");
            }
            prompts.back().mask = *std::move(prior);
        }
        const auto raw_map = raw->row(static_cast<index>(i));
        out.phrases.push_back({.phrase = phrases->kept[i],
                               .tokens = tokens_of(spans, span_of(phrases->kept[i], rules.words)),
                               .raw_map = {raw_map.begin(), raw_map.end()},
                               .map = {map.begin(), map.end()},
                               .at = *at});
    }

    if (!prompts.empty()) {
        const auto masks = segmenter.segment(image, std::span<const prompt>(prompts));
        if (!masks) {
            return masks.error();
        }
        if (masks->size() != prompts.size()) {
            return error{"the segmenter answered " + std::to_string(masks->size()) + " of " +
                             std::to_string(prompts.size()) + " prompts",
                         "segmenter"};
        }
        for (std::size_t i = 0; i < out.phrases.size(); ++i) {
            const auto chosen = choose_candidate((*masks)[i], rules.candidate, size);
            if (!chosen) {
                return chosen.error().in("the masks of '" + out.phrases[i].phrase.text + "'");
            }
            out.phrases[i].mask = chosen->mask;
            out.phrases[i].mask_score = chosen->score;
            out.phrases[i].box = bounding_box(chosen->mask);
        }
    }
    out.tokens = std::move(said->tokens);
    out.grid = std::move(said->grid);
    out.attention = std::move(said->attention);
    return out;
}

} // namespace ostend::inline OSTEND_KERNELS
