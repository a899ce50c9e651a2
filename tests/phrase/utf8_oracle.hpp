// A slow UTF-8 decoder that shares no code with the library: it tries whole sequences against the table of
// well-formed byte sequences (Unicode 15, table 3-7), as Python's bytes.decode('utf-8', 'replace') counts
// them.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace ostend_test {

struct byte_range {
    unsigned low, high;
};
struct well_formed {
    std::vector<byte_range> bytes;
};

inline const std::vector<well_formed>& well_formed_table() {
    static const std::vector<well_formed> table = {
        {{{0x00, 0x7F}}},
        {{{0xC2, 0xDF}, {0x80, 0xBF}}},
        {{{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}}},
        {{{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}}},
        {{{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}}},
        {{{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}}},
        {{{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
        {{{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}},
        {{{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}},
    };
    return table;
}

struct slow_character {
    std::size_t first;
    std::size_t length;
    bool valid;
};

inline std::vector<slow_character> slow_decode(const std::string& text) {
    std::vector<slow_character> out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t longest = 0; // bytes that begin some well-formed sequence
        bool whole = false;
        for (const well_formed& row : well_formed_table()) {
            std::size_t n = 0;
            while (n < row.bytes.size() && i + n < text.size()) {
                const auto b = static_cast<unsigned>(static_cast<unsigned char>(text[i + n]));
                if (b < row.bytes[n].low || b > row.bytes[n].high) {
                    break;
                }
                ++n;
            }
            if (n > longest) {
                longest = n;
                whole = n == row.bytes.size();
            }
        }
        out.push_back({i, longest > 0 ? longest : 1, whole});
        i += out.back().length;
    }
    return out;
}

/// Random bytes with many beginnings, continuations, breaks and whole characters.
template <class Random>
std::string random_bytes(Random& random, std::size_t length) {
    static const std::array<std::string, 8> characters = {
        "a", " ", "\xC3\xA9", "\xE2\x80\x94", "\xF0\x9F\x90\x95", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "dog"};
    static const std::string bytes = "\x80\xBF\xC0\xC2\xDF\xE0\xA0\x9F\xED\xEF\xF0\x90\xF4\x8F\xF5\xFF z";
    std::string out;
    while (out.size() < length) {
        if (random() % 2 == 0) {
            out += characters[random() % characters.size()];
        } else {
            out += bytes[random() % bytes.size()];
        }
    }
    return out;
}

} // namespace ostend_test
