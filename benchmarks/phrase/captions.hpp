// Captions and tokens to time with; benchmarks/peers/phrase.py makes the same tokens.
#pragma once

#include "ostend/phrase/text_span.hpp"

#include <array>
#include <string>
#include <vector>

namespace ostend_bench {

/// Fifty captions of three things each, as language models write them.
inline std::vector<std::string> captions() {
    const std::array<std::string, 10> things{"a man in a red shirt", "two brown dogs",
                                             "a small hot dog",      "the woman's blue umbrella",
                                             "several parked cars",  "a black and white cat",
                                             "a cup of coffee",      "a young girl wearing a striped hat",
                                             "an old wooden bench",  "a fire engine"};
    std::vector<std::string> all;
    for (std::size_t k = 0; k < things.size(); ++k) {
        const std::string& a = things[k];
        const std::string& b = things[(k + 3) % things.size()];
        const std::string& c = things[(k + 7) % things.size()];
        all.push_back("A photo of " + a + " next to " + b + ", with " + c + " in the background.");
        all.push_back("There is " + a + " on a grassy field while " + b + " can be seen behind " + c + ".");
        all.push_back("We see " + a + ", " + b + " and " + c +
                      " on a busy city street near a traffic light.");
        all.push_back("In the middle of the picture stands " + a + " behind " + b + "; on the left we see " +
                      c + " under a cloudy sky.");
        all.push_back("The image features " + a + " and " + b + " in front of a large white building, and " +
                      c + " is close to the sidewalk.");
    }
    return all;
}

/// A text of so many bytes or a few more, with characters of one to four bytes.
inline std::string long_text(std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) {
        text +=
            "A man in a red shirt walks two brown dogs past a caf\xC3\xA9 \xE2\x80\x93 \xF0\x9F\x90\x95. ";
    }
    return text;
}

/// That text in pieces of one to six bytes, which part characters, as byte tokens do.
inline std::vector<ostend::token_text> tokens(std::size_t count) {
    const std::string text = long_text(7 * count);
    std::vector<ostend::token_text> all;
    std::size_t at = 0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::size_t bytes = 1 + k * 7919 % 6;
        all.push_back({.bytes = text.substr(at, bytes)});
        at += bytes;
    }
    return all;
}

} // namespace ostend_bench
