#include "ostend/report/caption.hpp"

#include "html_reader.hpp"
#include "page_fixture.hpp"
#include "support/expects.hpp"

#include <set>

using namespace ostend_test;

namespace {

using ostend::index;

/// The elements of the caption's paragraphs.
std::vector<html_element> written(const ostend::page_image& image) {
    return read_html("<!DOCTYPE html>\n" + ostend::caption_html(image));
}

TEST_CASE("bytes that are not UTF-8 show as U+FFFD, positions stay right") {
    page_fixture make;
    auto image = make.image(6, 8, "\xFF dog \xE6\xBC cat");
    make.add_phrase(image, {8, 11}, "cat");
    const auto page = written(image);
    CHECK(select(page, "p", "caption").at(0).text == "\uFFFD dog \uFFFD cat");
    CHECK(select(page, "button").at(0).text == "cat");
}

TEST_CASE("spans count characters, not bytes") {
    page_fixture make;
    auto image = make.image(6, 8, "Łódź: ein großer 🐕 und 漢字, é");
    make.add_phrase(image, {6, 18}, "ein großer 🐕");
    make.add_phrase(image, {23, 25}, "漢字");
    make.add_phrase(image, {27, 28}, "é");
    const auto page = written(image);
    CHECK(select(page, "p", "caption").at(0).text == image.caption);
    const auto buttons = select(page, "button");
    REQUIRE(buttons.size() == 3);
    CHECK(buttons[0].text == "ein großer 🐕");
    CHECK(buttons[1].text == "漢字");
    CHECK(buttons[2].text == "é");
}

TEST_CASE("every phrase has one button; the caption reads as before, whatever the spans") {
    page_fixture make(4);
    const std::string caption = "ab, c d. e; f (g) h! i.";
    const auto length = static_cast<index>(caption.size());
    for (int round = 0; round < 300; ++round) {
        auto image = make.image(2, 3, caption);
        const auto count = make.random()() % 7;
        for (unsigned i = 0; i < count; ++i) { // in any order, nested, overlapping, equal or empty
            const auto a = static_cast<index>(make.random()() % static_cast<unsigned>(length + 1));
            const auto b = static_cast<index>(make.random()() % static_cast<unsigned>(length + 1));
            make.add_phrase(image, {std::min(a, b), std::max(a, b)}, "phrase " + std::to_string(i));
        }
        const auto page = written(image);
        CHECK(select(page, "p", "caption").at(0).text == caption);
        const auto buttons = select(page, "button", "phrase");
        REQUIRE(buttons.size() == count);
        std::set<std::string> seen;
        std::vector<ostend::text_span> in_caption;
        for (const html_element& b : buttons) {
            CHECK(seen.insert(b.at("data-phrase")).second);
            const auto& phrase = image.phrases.at(std::stoul(b.at("data-phrase")));
            CHECK(b.at("style") ==
                  "--c:" + ostend::css(ostend::phrase_colour(std::stoul(b.at("data-phrase")))));
            bool in_text = false;
            for (const std::size_t outer : b.inside) {
                in_text = in_text || page[outer].is("p", "caption");
            }
            if (in_text) {
                CHECK(b.text == caption.substr(static_cast<std::size_t>(phrase.span.begin),
                                               static_cast<std::size_t>(phrase.span.size())));
                in_caption.push_back(phrase.span);
            } else {
                CHECK(b.text == phrase.text);
            }
        }
        // A phrase stands beside the text only if it cannot stand in it.
        for (std::size_t i = 0; i < count; ++i) {
            const auto span = image.phrases[i].span;
            const bool stands = std::find(in_caption.begin(), in_caption.end(), span) != in_caption.end();
            const bool hindered =
                span.size() == 0 || std::any_of(in_caption.begin(), in_caption.end(),
                                                [&](const auto& s) { return s.overlaps(span); });
            CHECK((stands || hindered));
        }
    }
}

TEST_CASE("the longer of two phrases that begin together stands in the text") {
    page_fixture make;
    auto image = make.image(2, 3, "a dog on a sofa");
    make.add_phrase(image, {11, 15}, "sofa");
    make.add_phrase(image, {0, 5}, "a dog");
    make.add_phrase(image, {0, 15}, "a dog on a sofa");
    const auto page = written(image);
    const auto buttons = select(page, "button");
    CHECK(buttons.at(0).at("data-phrase") == "2");
    CHECK(select(page, "p", "also").at(0).text == "also: a dog sofa");
}

TEST_CASE("punctuation stays with the phrase before it, unless a phrase begins there") {
    page_fixture make;
    auto image = make.image(2, 3, "a dog, a cat.).");
    make.add_phrase(image, {0, 5}, "a dog");
    make.add_phrase(image, {7, 12}, "a cat");
    const auto ties = select(written(image), "span", "tie");
    REQUIRE(ties.size() == 2);
    CHECK(ties[0].text == "a dog,");
    CHECK(ties[1].text == "a cat.).");
    make.add_phrase(image, {13, 15}, ").");
    CHECK(select(written(image), "span", "tie").at(1).text == "a cat.");
}

TEST_CASE("a span outside the caption is refused") {
    page_fixture make;
    auto image = make.image(2, 3, "a dog");
    make.add_phrase(image, {3, 6}, "a dog");
    CHECK_EXPECTS(ostend::caption_html(image), "code points [3, 6) of a text of 5");
}

} // namespace
