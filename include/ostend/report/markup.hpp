// Text for a page: valid UTF-8 escaped for HTML, bytes as base64, numbers that no locale changes.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/phrase/utf8.hpp"

#include <charconv>
#include <string>
#include <string_view>

namespace ostend::inline OSTEND_KERNELS {

/// Text that is safe inside an element and inside a quoted attribute; broken UTF-8 becomes U+FFFD. O(bytes).
[[nodiscard]] inline std::string html_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : valid_utf8(text)) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

/// ` name="value"`, escaped, with the space before it.
[[nodiscard]] inline std::string html_attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + html_escape(value) + "\"";
}

/// RFC 4648, with padding. O(bytes).
[[nodiscard]] inline std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned block = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            block = (block << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += i + k <= bytes.size() ? digits[(block >> (18U - 6U * k)) & 63U] : '=';
        }
    }
    return out;
}

/// A number with so many digits after the point; printf would write a comma where the locale has one.
/// Precondition: 0 <= digits <= 9.
[[nodiscard]] inline std::string decimal(double value, int digits) {
    OSTEND_EXPECTS(digits >= 0 && digits <= 9, "decimal: " + std::to_string(digits) + " digits");
    char text[400]; // the greatest double has 309 digits before its point
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr;
    return {text, end};
}

} // namespace ostend::inline OSTEND_KERNELS
