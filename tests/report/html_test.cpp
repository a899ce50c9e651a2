#include "ostend/report/html.hpp"

#include "html_reader.hpp"
#include "page_fixture.hpp"
#include "support/expects.hpp"

#include <set>

using namespace ostend_test;

namespace {

using ostend::index;

std::vector<html_element> written(const ostend::page& report, const ostend::html_options& options = {}) {
    const auto html = ostend::html_page(report, plain_encoder, options);
    REQUIRE_MESSAGE(html, html.error().message());
    return read_html(*html);
}

ostend::page page_of(std::vector<ostend::page_image> images) {
    return {.title = "title", .made_with = "made with", .figures = {}, .images = std::move(images)};
}

TEST_CASE("the page needs nothing from outside and forbids itself to ask") {
    page_fixture make;
    auto image = make.image(20, 30, "a dog near a cat");
    make.add_phrase(image, {0, 5}, "a dog");
    make.add_phrase(image, {11, 16}, "a cat");
    const auto html = ostend::html_page(page_of({image, image}), plain_encoder);
    REQUIRE(html);
    for (const char* reach : {"http:", "https:", "ftp:", "file:", "url(", "@import", "import(", "fetch(",
                              "XMLHttpRequest", "WebSocket", "<iframe", "<object", "<embed", "<form"}) {
        CHECK_MESSAGE(html->find(reach) == std::string::npos, reach);
    }
    int policies = 0;
    for (const html_element& e : read_html(*html)) {
        for (const char* name : {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}) {
            CHECK_MESSAGE((!e.has(name) || e.at(name).starts_with("data:image/")), e.at(name));
        }
        if (e.is("meta") && e.at("http-equiv") == "Content-Security-Policy") {
            ++policies;
            CHECK(e.at("content").starts_with("default-src 'none';"));
        }
        for (const auto& attribute : e.attributes) { // no script outside the one
            CHECK_MESSAGE(!attribute.first.starts_with("on"), attribute.first);
        }
    }
    CHECK(policies == 1);
}

TEST_CASE("no text of the user's becomes markup") {
    const auto report_with = [](const std::string& text) {
        page_fixture make;
        const std::string caption = "x " + text + " y";
        auto image = make.image(6, 8, caption);
        const index length = ostend::count_code_points(caption);
        image.name = image.note = text;
        image.left_out = {text};
        make.add_phrase(image, {2, length - 2}, text);
        make.add_phrase(image, {2, length - 2}, text); // beside the text
        image.phrases[0].note = text;
        return ostend::page{
            .title = text, .made_with = text, .figures = {{text, text, text, 0.5}}, .images = {image}};
    };
    const auto plain = written(report_with("words"));
    for (const std::string text :
         {R"("><script>alert(1)</script><img src=x onerror=alert(2)>)", R"(' onclick='alert(1)' x=')",
          R"(</style></script></title><!-- <![CDATA[)", "&lt;b&gt; &amp; &#39; &unknown; &", "a\nb\tc", "<",
          ">", "\"", "'", "\u202E漢字🐕"}) {
        const auto page = written(report_with(text));
        REQUIRE(page.size() == plain.size());
        for (std::size_t i = 0; i < page.size(); ++i) {
            CHECK(page[i].tag == plain[i].tag);
            CHECK(page[i].attributes.size() == plain[i].attributes.size());
            for (const auto& attribute : plain[i].attributes) {
                CHECK_MESSAGE(page[i].has(attribute.first), attribute.first);
            }
            if (page[i].is("script") || page[i].is("style")) {
                CHECK(page[i].text == plain[i].text);
            }
        }
        CHECK(select(page, "title").at(0).text == text);
        CHECK(select(page, "h1").at(0).text == text);
        CHECK(select(page, "p", "made").at(0).text == text);
        CHECK(select(page, "h2").at(0).text == text + " " + text);
        CHECK(select(page, "p", "caption").at(0).text == "x " + text + " y");
        CHECK(select(page, "img", "base").at(0).at("alt") == "The image, described as: x " + text + " y");
        CHECK(select(page, "p", "left-out").at(0).text == "Not grounded: " + text);
        const auto buttons = select(page, "button");
        REQUIRE(buttons.size() == 2);
        CHECK(buttons[0].text == text);
        CHECK(buttons[1].text == text);
        CHECK(buttons[0].at("data-says").ends_with("; " + text));
        CHECK(select(page, "strong").at(0).text == text);
    }
}

TEST_CASE("each phrase has its two maps as heat, its outline and its peak, hidden at first") {
    for (const auto& [height, width] :
         {std::pair<index, index>{1, 1}, {1, 2000}, {2000, 1}, {6, 8}, {40, 25}}) {
        page_fixture make;
        auto image = make.image(height, width, "a dog and a cat");
        make.add_phrase(image, {0, 5}, "a dog");
        make.add_phrase(image, {10, 15}, "a cat");
        image.phrases[1].raw_map.assign(12, 3.0F); // constant: nothing to see
        const ostend::html_options options{.max_side = 30, .cell_pixels = 2};
        const auto page = written(page_of({image}), options);

        const auto size = ostend::fit_into({.width = width, .height = height}, 30);
        const auto map_size = ostend::fit_into({.width = width, .height = height}, 4 * 2);
        CHECK(select(page, "img", "base").at(0).at("src") == as_source(ostend::shrink(image.image, 30)));
        const std::string box = "0 0 " + std::to_string(size.width) + " " + std::to_string(size.height);
        CHECK(select(page, "svg", "overview").at(0).at("viewBox") == box);
        CHECK(select(page, "div", "stage").at(0).at("style") ==
              "--w:" + std::to_string(width) + ";--h:" + std::to_string(height));
        for (std::size_t i = 0; i < 2; ++i) {
            const auto& phrase = image.phrases[i];
            const auto of = [&](const char* tag, const char* kind) {
                return select(page, tag, kind, std::to_string(i));
            };
            const auto maps = of("img", "layer");
            REQUIRE(maps.size() == 2);
            for (const html_element& e : maps) {
                const auto& values = e.at("data-kind") == "raw" ? phrase.raw_map : phrase.map;
                CHECK((e.at("data-kind") == "raw" || e.at("data-kind") == "normalised"));
                // The oracle interpolates over the small image directly, without the layout.
                ostend::matrix<float> cells(3, 4);
                std::copy(values.begin(), values.end(), cells.values().begin());
                const auto up = ostend::resample(cells, ostend::make_resampling(3, 4, map_size));
                CHECK(e.at("src") == as_source(ostend::heat_layer(up)));
                CHECK(e.has("hidden"));
                CHECK(e.at("alt").empty());
            }
            const auto masks = of("svg", "layer");
            REQUIRE(masks.size() == 1);
            CHECK(masks[0].at("data-kind") == "mask");
            CHECK(masks[0].at("viewBox") == box);
            CHECK(masks[0].has("hidden"));
            const std::string path =
                ostend::outline_path(ostend::resampled(phrase.mask, size.height, size.width));
            CHECK(of("path", "").at(0).at("d") == path);

            const auto peaks = of("span", "peak");
            REQUIRE(peaks.size() == 1);
            CHECK(peaks[0].has("hidden"));
            double left = -1;
            double top = -1;
            REQUIRE(std::sscanf(peaks[0].at("style").c_str(), "left:%lf%%;top:%lf%%", &left, &top) == 2);
            CHECK(std::abs(left / 100 * double(width) - (double(phrase.at.at.x) + 0.5)) < 0.002);
            CHECK(std::abs(top / 100 * double(height) - (double(phrase.at.at.y) + 0.5)) < 0.002);
            CHECK_FALSE(of("span", "dot").at(0).has("hidden"));
        }
    }
}

TEST_CASE("the maps shown are read as the peaks were") {
    page_fixture make;
    auto image = make.image(9, 12, "a dog");
    make.add_phrase(image, {0, 5}, "a dog");
    std::set<std::string> sources;
    for (const bool corners : {false, true}) {
        for (const auto kernel : {ostend::interpolation::bicubic, ostend::interpolation::bilinear}) {
            image.reading = {.kernel = kernel, .remove_corners = corners};
            const auto up = ostend::upsample(image.phrases[0].map, image.grid, image.reading);
            REQUIRE(up);
            const auto layers = select(written(page_of({image})), "img", "layer");
            CHECK(layers.at(1).at("src") == as_source(ostend::heat_layer(*up)));
            sources.insert(layers.at(1).at("src"));
        }
    }
    CHECK(sources.size() == 4);
}

TEST_CASE("a phrase without a mask says so") {
    page_fixture make;
    auto image = make.image(6, 8, "a dog");
    make.add_phrase(image, {0, 5}, "a dog");
    image.phrases[0].at = {.at = {3, 5}, .value = 1, .confidence = 0.456};
    const auto area = std::to_string(ostend::area(image.phrases[0].mask));
    CHECK(select(written(page_of({image})), "button").at(0).at("data-says") ==
          "peak at x 3, y 5, confidence 0.46, mask of " + area + " pixels");
    image.phrases[0].mask = {};
    const auto page = written(page_of({image}));
    CHECK(select(page, "button").at(0).at("data-says") == "peak at x 3, y 5, confidence 0.46, no mask");
    CHECK(select(page, "svg", "layer").empty());
    CHECK(select(page, "path").empty());
    CHECK(select(page, "td").at(2).text == "none");
}

TEST_CASE("the table repeats what each phrase has") {
    page_fixture make;
    auto image = make.image(6, 8, "a dog and a cat");
    make.add_phrase(image, {10, 15}, "a cat");
    make.add_phrase(image, {0, 5}, "a dog");
    auto page = written(page_of({image}));
    CHECK(select(page, "details").at(0).has("open"));
    CHECK(select(page, "th").size() == 4 + 2); // no notes: no column of notes
    const auto rows = select(page, "tr");
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].text.starts_with("a cat"));
    CHECK(rows[2].at("data-phrase") == "1");

    image.phrases[1].note = "beside the object";
    image.phrases[1].verdict = ostend::page_verdict::wrong;
    image.phrases[0].verdict = ostend::page_verdict::right;
    page = written(page_of({image, image}));
    CHECK_FALSE(select(page, "details").at(0).has("open"));
    CHECK(select(page, "td").at(3).at("data-verdict") == "right");
    CHECK(select(page, "td").at(7).at("data-verdict") == "wrong");
    CHECK(select(page, "td").at(7).text == "beside the object");
    CHECK(select(page, "button", "phrase", "1").at(0).at("data-verdict") == "wrong");
    CHECK(select(page, "p", "hint").at(0).text.ends_with("A dashed line marks a wrong point."));
}

TEST_CASE("figures lead the page; a share is a bar") {
    const auto page = written({.title = "t",
                               .made_with = "m",
                               .figures = {{"recall", "72.5 %", "29 of 40", 0.725}, {"seconds", "3", "", {}}},
                               .images = {}});
    const auto items = select(page, "li");
    REQUIRE(items.size() == 2);
    CHECK(items[0].text == "recall72.5 %29 of 40");
    const auto bars = select(page, "i");
    CHECK(std::count_if(bars.begin(), bars.end(), [](const auto& e) { return e.has("style"); }) == 1);
    CHECK(bars.at(0).at("style") == "--v:0.7250");
}

TEST_CASE("roles and names for those who do not see the page") {
    page_fixture make;
    auto image = make.image(6, 8, "a dog");
    make.add_phrase(image, {0, 5}, "a dog");
    const auto page = written(page_of({image}));
    CHECK(select(page, "html").at(0).at("lang") == "en");
    const auto status = select(page, "p", "status");
    REQUIRE(status.size() == 1);
    CHECK(status[0].at("role") == "status");
    CHECK(status[0].at("aria-live") == "polite");
    const auto button = select(page, "button").at(0);
    CHECK(button.at("type") == "button");
    CHECK(button.at("aria-pressed") == "false");
    CHECK(select(page, "fieldset").size() == select(page, "legend").size());
    std::map<std::string, int> checked;
    for (const auto& input : select(page, "input")) {
        CHECK(page[input.inside.back()].tag == "label");
        CHECK(page[input.inside.back()].text == input.at("value"));
        checked[input.at("name")] += input.has("checked") ? 1 : 0;
    }
    CHECK(checked == std::map<std::string, int>{{"show", 1}, {"map", 1}});
    CHECK(select(page, "main").size() == 1);
    CHECK(select(page, "h1").size() == 1);
    for (const auto& svg : select(page, "svg")) {
        CHECK(svg.at("aria-hidden") == "true");
    }
    for (const auto& img : select(page, "img")) {
        CHECK(img.has("alt"));
    }
}

TEST_CASE("the same report is the same page, and an encoder is needed") {
    page_fixture make;
    auto image = make.image(6, 8, "a dog");
    make.add_phrase(image, {0, 5}, "a dog");
    CHECK(*ostend::html_page(page_of({image}), plain_encoder) ==
          *ostend::html_page(page_of({image}), plain_encoder));
    CHECK_EXPECTS(ostend::html_page(page_of({image}), nullptr), "no PNG encoder");
}

} // namespace
