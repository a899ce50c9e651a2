// UTF-8: code points, their bytes, and what Python's bytes.decode('utf-8', 'replace') makes of broken bytes.
//
// Every function takes any bytes: a sequence that breaks off counts as one U+FFFD for its longest valid
// beginning, every other byte that fits nowhere as one (Unicode 15, 3.9, "maximal subpart"). One state
// machine serves all of them, so counts, offsets and decoded text always agree.
#pragma once

#include "ostend/core/expects.hpp"
#include "ostend/phrase/text_span.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ostend::inline v0 {

/// What a broken byte sequence decodes to.
inline constexpr char32_t replacement_character = 0xFFFD;

/// Counts the code points of a growing text, byte by byte. O(1) a byte, no allocation.
///
/// A character that still lacks bytes counts as one already (it would decode to U+FFFD now), so count()
/// is at any moment the length of the decoded prefix, and it never shrinks.
class utf8_counter {
public:
    /// Takes the next byte. True when it begins a code point, false when it continues the last one.
    bool push(unsigned char byte) noexcept {
        if (byte < 0x80 && missing_ == 0) { // most of most texts
            value_ = byte;
            ++count_;
            return true;
        }
        if (missing_ > 0) {
            if (byte >= low_ && byte <= high_) {
                value_ = (value_ << 6U) | (byte & 0x3FU);
                low_ = 0x80;
                high_ = 0xBF;
                --missing_;
                return false;
            }
            missing_ = 0; // the sequence breaks off here; its beginning stays one U+FFFD
        }
        begin(byte);
        ++count_;
        return true;
    }
    [[nodiscard]] index count() const noexcept { return count_; }
    /// The last code point; U+FFFD while bytes are missing.
    [[nodiscard]] char32_t last() const noexcept { return missing_ > 0 ? replacement_character : value_; }

private:
    void begin(unsigned char byte) noexcept {
        low_ = 0x80;
        high_ = 0xBF;
        if (byte < 0x80) {
            value_ = byte;
        } else if (byte >= 0xC2 && byte <= 0xDF) {
            value_ = byte & 0x1FU;
            missing_ = 1;
        } else if (byte >= 0xE0 && byte <= 0xEF) {
            value_ = byte & 0x0FU;
            missing_ = 2;
            low_ = byte == 0xE0 ? 0xA0 : 0x80;  // no overlong forms
            high_ = byte == 0xED ? 0x9F : 0xBF; // no surrogates
        } else if (byte >= 0xF0 && byte <= 0xF4) {
            value_ = byte & 0x07U;
            missing_ = 3;
            low_ = byte == 0xF0 ? 0x90 : 0x80;
            high_ = byte == 0xF4 ? 0x8F : 0xBF; // nothing above U+10FFFF
        } else {
            value_ = replacement_character;
        }
    }
    index count_ = 0;
    char32_t value_ = 0;
    unsigned char low_ = 0x80;
    unsigned char high_ = 0xBF;
    unsigned char missing_ = 0;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The number of code points of a text. O(bytes).
[[nodiscard]] inline index count_code_points(std::string_view text) noexcept {
    utf8_counter counter;
    for (const char c : text) {
        counter.push(static_cast<unsigned char>(c));
    }
    return counter.count();
}

/// Appends one code point as UTF-8. Surrogates and values above U+10FFFF become U+FFFD. O(1).
inline void append_utf8(std::string& text, char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        c = replacement_character;
    }
    const auto tail = [&](unsigned shift) {
        text.push_back(static_cast<char>(0x80U | ((c >> shift) & 0x3FU)));
    };
    if (c < 0x80) {
        text.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        text.push_back(static_cast<char>(0xC0U | (c >> 6U)));
        tail(0);
    } else if (c < 0x10000) {
        text.push_back(static_cast<char>(0xE0U | (c >> 12U)));
        tail(6);
        tail(0);
    } else {
        text.push_back(static_cast<char>(0xF0U | (c >> 18U)));
        tail(12);
        tail(6);
        tail(0);
    }
}

/// The code points of a text, broken sequences as U+FFFD. O(bytes); allocates the result.
[[nodiscard]] inline std::u32string decode_utf8(std::string_view text) {
    std::u32string out;
    out.reserve(text.size());
    utf8_counter counter;
    for (const char c : text) {
        if (counter.push(static_cast<unsigned char>(c))) {
            out.push_back(counter.last());
        } else {
            out.back() = counter.last();
        }
    }
    return out;
}

/// The text with broken sequences replaced by U+FFFD: valid UTF-8 with the same code point count. O(bytes).
[[nodiscard]] inline std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char32_t c : decode_utf8(text)) {
        append_utf8(out, c);
    }
    return out;
}

/// Where code points lie in a text's bytes. It refers to the text and keeps one mark for 64 code points, so a
/// look-up reads at most 256 bytes. Building is O(bytes). Const access is safe from several threads.
class text_index {
public:
    explicit text_index(std::string_view text) : text_(text) {
        utf8_counter counter;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (counter.push(static_cast<unsigned char>(text[i])) && (counter.count() - 1) % stride == 0) {
                marks_.push_back(i);
            }
        }
        count_ = counter.count();
    }

    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    /// The number of code points.
    [[nodiscard]] index size() const noexcept { return count_; }

    /// The byte at which a code point begins; for position size(), the number of bytes. O(1).
    /// Precondition: 0 <= position <= size().
    [[nodiscard]] std::size_t byte_of(index position) const {
        OSTEND_EXPECTS(position >= 0 && position <= count_, "text_index::byte_of: code point " +
                                                                std::to_string(position) + " of a text of " +
                                                                std::to_string(count_));
        if (position == count_) {
            return text_.size();
        }
        std::size_t byte = marks_[static_cast<std::size_t>(position / stride)];
        utf8_counter counter;
        for (index seen = -1;; ++byte) {
            seen += counter.push(static_cast<unsigned char>(text_[byte])) ? 1 : 0;
            if (seen == position % stride) {
                return byte;
            }
        }
    }
    /// The code point that the byte belongs to; size() for the end of the text. O(log(bytes)).
    /// Precondition: byte <= text().size().
    [[nodiscard]] index code_point_of(std::size_t byte) const {
        OSTEND_EXPECTS(byte <= text_.size(), "text_index::code_point_of: byte " + std::to_string(byte) +
                                                 " of a text of " + std::to_string(text_.size()));
        if (byte == text_.size()) {
            return count_;
        }
        const auto after = std::upper_bound(marks_.begin(), marks_.end(), byte);
        const index mark = (after - marks_.begin()) - 1;
        utf8_counter counter;
        for (std::size_t i = marks_[static_cast<std::size_t>(mark)]; i <= byte; ++i) {
            counter.push(static_cast<unsigned char>(text_[i]));
        }
        return mark * stride + counter.count() - 1;
    }
    /// The bytes of a span. Precondition: 0 <= begin <= end <= size().
    [[nodiscard]] std::string_view substring(text_span span) const {
        OSTEND_EXPECTS(span.begin >= 0 && span.begin <= span.end && span.end <= count_,
                       "text_index::substring: code points [" + std::to_string(span.begin) + ", " +
                           std::to_string(span.end) + ") of a text of " + std::to_string(count_));
        const std::size_t first = byte_of(span.begin);
        return text_.substr(first, byte_of(span.end) - first);
    }

private:
    static constexpr index stride = 64;
    std::string_view text_;
    std::vector<std::size_t> marks_;
    index count_ = 0;
};

} // namespace ostend::inline OSTEND_KERNELS
