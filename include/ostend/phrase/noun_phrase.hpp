// noun_phrase: a phrase of a caption, as plain data.
#pragma once

#include "ostend/phrase/text_span.hpp"

#include <string>
#include <vector>

namespace ostend::inline v0 {

/// A noun phrase and its parts, in code points of the caption: span contains words contains root.
struct noun_phrase {
    std::string text;     ///< the caption's characters in span, valid UTF-8
    text_span span = {};  ///< with its article: "a small hot dog"
    text_span words = {}; ///< without leading articles and other determiners: "small hot dog"
    text_span root = {};  ///< its head noun: "dog"
    friend bool operator==(const noun_phrase&, const noun_phrase&) = default;
};

/// A phrase that was not kept, and why.
struct dropped_phrase {
    noun_phrase phrase;
    std::string reason;
};

/// The phrases of a caption, both lists in the order of the text.
struct phrase_list {
    std::vector<noun_phrase> kept;
    std::vector<dropped_phrase> dropped;
};

} // namespace ostend::inline v0
