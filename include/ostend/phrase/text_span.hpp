// Text and its positions: spans count Unicode code points (as Python and spaCy do), text is UTF-8.
#pragma once

#include "ostend/core/element.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace ostend::inline v0 {

/// A half-open range of Unicode code points [begin, end) of a text.
struct text_span {
    index begin = 0;
    index end = 0;

    [[nodiscard]] constexpr index size() const noexcept { return end > begin ? end - begin : 0; }
    [[nodiscard]] constexpr bool overlaps(const text_span& other) const noexcept {
        return std::max(begin, other.begin) < std::min(end, other.end);
    }
    friend bool operator==(const text_span&, const text_span&) = default;
};

/// One generated token as its detokeniser writes it.
struct token_text {
    std::int32_t id = -1;
    std::string bytes = {}; ///< may hold a part of a multi-byte character
    bool special = false;   ///< written as nothing (beginning, end, padding)
};

} // namespace ostend::inline v0
