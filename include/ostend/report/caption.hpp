// The caption of a report as HTML: its text, with a button in the place of each phrase.
//
// Buttons cannot lie inside each other, so of phrases that overlap one stands in the text and the others in a
// line below it; a reader can reach every one, and the text reads as the model wrote it.
#pragma once

#include "ostend/mask/runs.hpp"
#include "ostend/phrase/utf8.hpp"
#include "ostend/report/markup.hpp"
#include "ostend/report/page.hpp"
#include "ostend/report/picture.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

inline std::string data_phrase(std::size_t i) { return html_attribute("data-phrase", std::to_string(i)); }

/// What the status line says behind the phrase.
inline std::string phrase_says(const page_phrase& p) {
    std::string text =
        "peak at x " + std::to_string(p.at.at.x) + ", y " + std::to_string(p.at.at.y) + ", confidence " +
        decimal(p.at.confidence, 2) +
        (p.mask.height > 0 ? ", mask of " + std::to_string(area(p.mask)) + " pixels" : ", no mask");
    return p.note.empty() ? text : text + "; " + p.note;
}

inline const char* verdict_name(page_verdict v) {
    switch (v) {
    case page_verdict::right:
        return "right";
    case page_verdict::wrong:
        return "wrong";
    default:
        return "none";
    }
}

inline std::string phrase_button(const page_image& image, std::size_t i, std::string_view label) {
    const page_phrase& p = image.phrases[i];
    return R"(<button type="button" class="phrase" aria-pressed="false")" + data_phrase(i) +
           html_attribute("style", "--c:" + css(phrase_colour(i))) +
           html_attribute("data-verdict", verdict_name(p.verdict)) +
           html_attribute("data-says", phrase_says(p)) + ">" + html_escape(label) + "</button>";
}

/// Where the punctuation ends that closes what lies before a code point, at most where a phrase begins.
inline index punctuation_end(const text_index& text, index from, const std::vector<page_phrase>& phrases) {
    const auto begins = [&](const page_phrase& p) { return p.span.begin == from; };
    while (from < text.size() && std::none_of(phrases.begin(), phrases.end(), begins) &&
           std::string_view(".,;:!?)").find(text.substring({from, from + 1})) != std::string_view::npos) {
        ++from;
    }
    return from;
}

} // namespace detail

/// A paragraph with the caption and, where phrases overlap, a second one with those left over. Of phrases
/// that begin together the longest stands in the text. Preconditions: spans within the caption. Complexity
/// O(phrases^2 + bytes).
[[nodiscard]] inline std::string caption_html(const page_image& image) {
    std::vector<std::size_t> order(image.phrases.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const text_span& left = image.phrases[a].span;
        const text_span& right = image.phrases[b].span;
        return left.begin != right.begin ? left.begin < right.begin : left.end > right.end;
    });
    const text_index text(image.caption);
    const auto plain = [&](text_span span) { return html_escape(text.substring(span)); };
    std::string line;
    std::string also;
    index written = 0;
    for (const std::size_t i : order) {
        const text_span span = image.phrases[i].span;
        if (span.begin < written || span.size() == 0) {
            also += (also.empty() ? "" : " ") + detail::phrase_button(image, i, image.phrases[i].text);
            continue;
        }
        // No line begins with the comma or full stop that follows a phrase.
        const index end = detail::punctuation_end(text, span.end, image.phrases);
        line += plain({written, span.begin});
        const std::string button = detail::phrase_button(image, i, text.substring(span));
        line +=
            end == span.end ? button : "<span class=\"tie\">" + button + plain({span.end, end}) + "</span>";
        written = end;
    }
    line = "<p class=\"caption\">" + line + plain({written, text.size()}) + "</p>\n";
    return also.empty() ? line : line + "<p class=\"also\">also: " + also + "</p>\n";
}

} // namespace ostend::inline OSTEND_KERNELS
