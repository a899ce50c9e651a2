// What the parts of a page must hold, and that each misfit is an error that names the image and the phrase.
#include "ostend/report/page.hpp"

#include "html_reader.hpp"
#include "page_fixture.hpp"

#include <cmath>
#include <functional>

using namespace ostend_test;

TEST_CASE("an empty page is a page") {
    const ostend::page empty;
    CHECK(empty.title == "ostend");
    const auto html = ostend::html_page(empty, plain_encoder);
    REQUIRE(html);
    const auto page = read_html(*html);
    CHECK(select(page, "article").empty());
    CHECK(select(page, "h1").at(0).text == "ostend");
    CHECK(select(page, "ul").empty());
}

TEST_CASE("an image without phrases says so, and what was left out") {
    page_fixture make;
    ostend::page report;
    report.images.push_back(make.image(6, 8, "nothing to see"));
    report.images[0].left_out = {"this image: names the picture itself"};
    const auto html = ostend::html_page(report, plain_encoder);
    REQUIRE(html);
    const auto page = read_html(*html);
    CHECK(select(page, "p", "caption").at(0).text == "nothing to see");
    CHECK(select(page, "button").empty());
    const auto notes = select(page, "p", "left-out");
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].text == "No phrase was grounded.");
    CHECK(notes[1].text == "Not grounded: this image: names the picture itself");
}

TEST_CASE("a part that does not fit is an error that names the image, the phrase and the misfit") {
    const auto message = [](const std::function<void(ostend::page_image&)>& spoil) {
        page_fixture make;
        ostend::page report;
        report.images.push_back(make.image(6, 8, "a dog and a cat"));
        make.add_phrase(report.images[0], {0, 5}, "a dog");
        make.add_phrase(report.images[0], {10, 15}, "a cat");
        REQUIRE(ostend::html_page(report, plain_encoder));
        spoil(report.images[0]);
        const auto html = ostend::html_page(report, plain_encoder);
        REQUIRE_FALSE(html);
        return html.error().message();
    };
    const std::string cat = "image.png: phrase 'a cat': ";
    CHECK(message([](auto& i) { i.phrases[1].span.end = 16; }) ==
          cat + "its span leaves the caption of 15 characters");
    CHECK(message([](auto& i) {
              i.phrases[1].span = {-1, 3};
          }) == cat + "its span leaves the caption of 15 characters");
    CHECK(message([](auto& i) {
              i.phrases[1].span = {5, 4};
          }) == cat + "its span leaves the caption of 15 characters");
    CHECK(message([](auto& i) { i.phrases[1].map.pop_back(); }) == cat + "its maps need 12 values");
    CHECK(message([](auto& i) { i.phrases[1].raw_map.clear(); }) == cat + "its maps need 12 values");
    for (const ostend::pixel outside : {ostend::pixel{8, 0}, {0, 6}, {-1, 0}, {0, -1}}) {
        CHECK(message([&](auto& i) { i.phrases[1].at.at = outside; }) ==
              cat + "its peak lies outside the image");
    }
    CHECK(message([](auto& i) {
              i.phrases[1].mask = ostend::rle{8, 6, {48}};
          }) == cat + "its mask is of 6 x 8, the image of 8 x 6");
    CHECK(message([](auto& i) {
              i.phrases[1].mask = ostend::rle{6, 8, {47}};
          }).starts_with(cat + "its mask"));
    CHECK(message([](auto& i) { i.grid.original = {.width = 8, .height = 7}; }) ==
          "image.png: the layout: the layout is of an image of 8 x 7, this one has 8 x 6");
    CHECK(message([](auto& i) { i.grid.views.clear(); }).starts_with("image.png: the layout: "));
    CHECK(message([](auto& i) { i.grid.tokens.pop_back(); }).starts_with("image.png: the layout: "));
    CHECK(message([](auto& i) { i.image = {}; }).starts_with("image.png: "));
    CHECK(message([](auto& i) { i.reading.view = 1; }) == "image.png: the layout has no view 1");
}

TEST_CASE("a map that is not finite is an error that says which") {
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
        for (const bool raw : {true, false}) {
            page_fixture make;
            ostend::page report;
            report.images.push_back(make.image(6, 8, "a dog"));
            make.add_phrase(report.images[0], {0, 5}, "a dog");
            (raw ? report.images[0].phrases[0].raw_map : report.images[0].phrases[0].map)[7] = bad;
            const auto html = ostend::html_page(report, plain_encoder);
            REQUIRE_FALSE(html);
            const std::string who =
                "image.png: the " + std::string(raw ? "raw" : "normalised") + " map of 'a dog': map: ";
            CHECK_MESSAGE(html.error().message().starts_with(who), html.error().message());
        }
    }
}
