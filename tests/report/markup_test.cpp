#include "ostend/report/markup.hpp"

#include "support/expects.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

namespace {

/// Bits of the alphabet's digits, eight at a time: base64 read back the slow way.
std::string from_base64(const std::string& text) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bits;
    for (const char c : text) {
        if (c == '=') {
            break;
        }
        const auto value = digits.find(c);
        REQUIRE(value != std::string::npos);
        for (int b = 5; b >= 0; --b) {
            bits += ((value >> b) & 1U) != 0 ? '1' : '0';
        }
    }
    std::string bytes;
    for (std::size_t i = 0; i + 8 <= bits.size(); i += 8) {
        bytes += static_cast<char>(std::stoi(bits.substr(i, 8), nullptr, 2));
    }
    return bytes;
}

} // namespace

TEST_CASE("base64: the examples of RFC 4648, and any bytes read back") {
    CHECK(ostend::base64("").empty());
    CHECK(ostend::base64("f") == "Zg==");
    CHECK(ostend::base64("fo") == "Zm8=");
    CHECK(ostend::base64("foo") == "Zm9v");
    CHECK(ostend::base64("foob") == "Zm9vYg==");
    CHECK(ostend::base64("fooba") == "Zm9vYmE=");
    CHECK(ostend::base64("foobar") == "Zm9vYmFy");
    std::mt19937 random(5);
    for (std::size_t length = 0; length < 200; ++length) {
        std::string bytes;
        for (std::size_t i = 0; i < length; ++i) {
            bytes += static_cast<char>(random() & 0xFFU);
        }
        const std::string text = ostend::base64(bytes);
        CHECK(text.size() == (length + 2) / 3 * 4);
        CHECK(from_base64(text) == bytes);
    }
}

TEST_CASE("escaped text holds none of the five characters that mark up") {
    CHECK(ostend::html_escape(R"(<a href="x" id='y'>&amp;)") ==
          "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
    CHECK(ostend::html_escape("") == "");
    CHECK(ostend::html_escape("Łódź 漢字 🐕") == "Łódź 漢字 🐕");
    std::string every;
    for (int c = 1; c < 128; ++c) {
        every += static_cast<char>(c);
    }
    CHECK(ostend::html_escape(every).find_first_of("<>\"'") == std::string::npos);
}

TEST_CASE("an attribute stays within its quotes") {
    CHECK(ostend::html_attribute("title", R"(a "b" <c>)") == R"( title="a &quot;b&quot; &lt;c&gt;")");
    CHECK(ostend::html_attribute("alt", "") == R"( alt="")");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD") {
    CHECK(ostend::html_escape("a\xFF<\xE6\xBC") == "a\uFFFD&lt;\uFFFD");
}

TEST_CASE("decimal writes what printf writes in the C locale") {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-1000, 1000);
    for (int i = 0; i < 1000; ++i) {
        const double value = uniform(random);
        for (const int digits : {0, 1, 2, 4, 9}) {
            char text[64];
            std::snprintf(text, sizeof text, "%.*f", digits, value);
            CHECK(ostend::decimal(value, digits) == text);
        }
    }
    CHECK(ostend::decimal(0.125, 2) == "0.12"); // ties to even, as printf
    CHECK(ostend::decimal(1e300, 0).size() == 301);
    CHECK(ostend::decimal(std::numeric_limits<double>::max(), 9).size() == 319);
    CHECK(ostend::decimal(std::nan(""), 2) == "nan");
    CHECK_EXPECTS(ostend::decimal(1, 10), "10 digits");
    CHECK_EXPECTS(ostend::decimal(1, -1), "-1 digits");
}

TEST_CASE("decimal does not follow the locale") {
    for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "pl_PL.UTF-8"}) {
        if (std::setlocale(LC_NUMERIC, name) != nullptr) {
            CHECK(ostend::decimal(0.5, 2) == "0.50");
        }
    }
    std::setlocale(LC_NUMERIC, "C");
}
