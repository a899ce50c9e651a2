// Reads the page as a browser would, as far as the tests need it: elements in order with attributes and text.
// Every start must have its end, attributes must be quoted; what a browser would mend is a failure here.
#pragma once

#include "ostend/report/html.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_test {

struct html_element {
    std::string tag;
    std::map<std::string, std::string> attributes;
    std::string text;                ///< with that of the elements inside
    std::vector<std::size_t> inside; ///< indices of the elements around it

    [[nodiscard]] std::string at(const std::string& name) const {
        const auto found = attributes.find(name);
        return found == attributes.end() ? "(none)" : found->second;
    }
    [[nodiscard]] bool has(const std::string& name) const { return attributes.contains(name); }
    [[nodiscard]] bool is(const std::string& wanted_tag, const std::string& wanted_class = "") const {
        return tag == wanted_tag && (wanted_class.empty() || at("class") == wanted_class);
    }
};

inline std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        CHECK_MESSAGE(text[i] != '<', text);
        if (text[i] != '&') {
            out += text[i];
            continue;
        }
        const std::size_t end = text.find(';', i);
        REQUIRE_MESSAGE(end != std::string_view::npos, text);
        const std::string name(text.substr(i + 1, end - i - 1));
        const std::map<std::string, char> known{
            {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
        REQUIRE_MESSAGE(known.contains(name), name);
        out += known.at(name);
        i = end;
    }
    return out;
}

inline std::vector<html_element> read_html(std::string_view page) {
    REQUIRE(page.starts_with("<!DOCTYPE html>\n"));
    std::vector<html_element> elements;
    std::vector<std::size_t> open;
    std::size_t at = page.find('\n');
    while (true) {
        const std::size_t tag = page.find('<', at);
        const std::string text = unescaped(page.substr(at, tag == std::string_view::npos ? tag : tag - at));
        for (const std::size_t i : open) {
            elements[i].text += text;
        }
        if (tag == std::string_view::npos) {
            break;
        }
        at = tag + 1;
        const bool end_tag = page[at] == '/';
        at += end_tag ? 1 : 0;
        const std::size_t name_end = page.find_first_of(" \n/>", at);
        const std::string name(page.substr(at, name_end - at));
        at = name_end;
        if (end_tag) {
            REQUIRE(page[at] == '>');
            REQUIRE_MESSAGE(!open.empty(), name);
            REQUIRE_MESSAGE(elements[open.back()].tag == name, name);
            open.pop_back();
            ++at;
            continue;
        }
        html_element element{name, {}, "", open};
        bool closed = false;
        while (page[at] != '>') {
            if (page[at] == ' ' || page[at] == '\n') {
                ++at;
            } else if (page[at] == '/') {
                closed = true;
                ++at;
            } else {
                const std::size_t stop = page.find_first_of("= >/\n", at);
                const std::string key(page.substr(at, stop - at));
                REQUIRE(!key.empty());
                CHECK_MESSAGE(!element.has(key), key); // the second would be lost
                at = stop;
                std::string value;
                if (page[at] == '=') {
                    REQUIRE(page[at + 1] == '"');
                    const std::size_t quote = page.find('"', at + 2);
                    const std::string_view raw = page.substr(at + 2, quote - at - 2);
                    value = raw.starts_with("data:") ? std::string(raw) : unescaped(raw);
                    at = quote + 1;
                }
                element.attributes[key] = value;
            }
        }
        ++at;
        elements.push_back(element);
        const bool is_void = name == "img" || name == "meta" || name == "link" || name == "input";
        if (name == "style" || name == "script") {
            const std::size_t end = page.find("</" + name + ">", at);
            elements.back().text = page.substr(at, end - at);
            at = end + name.size() + 3;
        } else if (!closed && !is_void) {
            open.push_back(elements.size() - 1);
        }
    }
    CHECK(open.empty());
    return elements;
}

/// The elements of a tag, a class and, unless it is empty, a phrase.
inline std::vector<html_element> select(const std::vector<html_element>& page, const std::string& tag,
                                        const std::string& of_class = "", const std::string& phrase = "") {
    std::vector<html_element> found;
    for (const html_element& e : page) {
        if (e.is(tag, of_class) && (phrase.empty() || e.at("data-phrase") == phrase)) {
            found.push_back(e);
        }
    }
    return found;
}

/// A picture as its numbers, in place of a PNG, so that a test can read it back.
inline std::string plain_encoder(const ostend::picture& p) {
    return std::to_string(p.height) + " " + std::to_string(p.width) + " " + std::to_string(p.channels) +
           "\n" + std::string(p.bytes.begin(), p.bytes.end());
}

inline std::string as_source(const ostend::picture& p) {
    return "data:image/png;base64," + ostend::base64(plain_encoder(p));
}

} // namespace ostend_test
