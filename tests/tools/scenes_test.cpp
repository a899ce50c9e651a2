#include "scenes/scene.hpp"

#include "io/files.hpp"
#include "io/image_file.hpp"
#include "io/json.hpp"
#include "ostend/host/graph_cut.hpp"
#include "ostend/mask/encode.hpp"
#include "ostend/mask/iou.hpp"
#include "scenes/background.hpp"
#include "scenes/caption.hpp"
#include "scenes/classes.hpp"
#include "scenes/random.hpp"
#include "scenes/scene_files.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <sstream>

namespace scenes = ostend::scenes;

namespace {

const scenes::glyph_sheet& glyphs() {
    static const auto sheet = scenes::load_glyphs();
    REQUIRE_MESSAGE(sheet.has_value(), "the package fonts-noto-color-emoji is needed");
    return sheet.value();
}

std::uint64_t area(const ostend::bitmap& mask) {
    std::uint64_t sum = 0;
    for (const auto p : mask.pixels) {
        sum += p;
    }
    return sum;
}

std::string data_folder() { return std::string(OSTEND_TEST_DATA) + "/scenes"; }

} // namespace

TEST_CASE("random: sine and logarithm agree with the C library's to 1e-13") {
    for (int i = -2000; i <= 2000; ++i) {
        const double t = i / 777.0;
        REQUIRE(std::abs(scenes::sine_of_turns(t) - std::sin(2 * 3.141592653589793 * t)) < 1e-13);
        const double x = std::ldexp(1.0 + (i + 2000) / 4001.0, i / 10);
        REQUIRE(std::abs(scenes::logarithm(x) - std::log(x)) < 1e-13 * std::max(1.0, std::abs(std::log(x))));
    }
}

TEST_CASE("random: draws have the moments of their distributions, streams differ") {
    scenes::random draw(3);
    double mean = 0;
    double square = 0;
    double fourth = 0;
    std::array<int, 7> counts{};
    constexpr int n = 70000;
    for (int i = 0; i < n; ++i) {
        const double z = draw.normal();
        mean += z / n;
        square += z * z / n;
        fourth += z * z * z * z / n;
        counts.at(static_cast<std::size_t>(draw.below(7))) += 1;
        const double u = draw.uniform(-2, 5);
        REQUIRE((u >= -2 && u < 5));
    }
    CHECK(std::abs(mean) < 0.02);
    CHECK(std::abs(square - 1) < 0.03);
    CHECK(std::abs(fourth - 3) < 0.25);
    for (const int c : counts) {
        CHECK(std::abs(c - n / 7) < 500);
    }
    CHECK(scenes::random(1, 0).bits() != scenes::random(1, 1).bits());
    CHECK(scenes::random(1, 0).bits() != scenes::random(2, 0).bits());
    CHECK(scenes::random(5, 6).bits() == scenes::random(5, 6).bits());
}

TEST_CASE("classes: the rows of models/classes.tsv, in order") {
    const auto text = ostend_tools::read_file(std::string(OSTEND_SOURCE_DIR) + "/models/classes.tsv");
    REQUIRE(text.has_value());
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    std::size_t row = 0;
    std::set<std::string_view> phrases;
    for (; std::getline(lines, line); ++row) {
        REQUIRE(row < scenes::classes.size());
        const auto& c = scenes::classes.at(row);
        char code_point[16];
        std::snprintf(code_point, sizeof code_point, "%X", static_cast<unsigned>(c.code_point));
        CHECK(line == std::string(code_point) + "\t" + std::string(c.article) + "\t" + std::string(c.phrase) +
                          "\t" + std::string(c.root));
        CHECK(c.phrase.substr(c.phrase.size() - c.root.size()) == c.root);
        phrases.insert(c.phrase);
    }
    CHECK(row == scenes::classes.size());
    CHECK(phrases.size() == scenes::classes.size());
}

TEST_CASE("raster: resizing keeps flat images and means; turning by half a turn is a double mirror") {
    scenes::raster flat(13, 7, 3);
    std::fill(flat.values.begin(), flat.values.end(), 0.25F);
    for (const auto filter : {scenes::kernel::bicubic, scenes::kernel::lanczos3}) {
        for (const int side : {1, 3, 7, 20}) {
            for (const float v : scenes::resize(flat, side, side + 1, filter).values) {
                REQUIRE(std::abs(v - 0.25F) < 1e-5F);
            }
        }
    }
    scenes::random draw(1);
    scenes::raster noise(40, 24, 1);
    for (float& v : noise.values) {
        v = static_cast<float>(draw.uniform());
    }
    const auto mean = [](const scenes::raster& r) {
        double sum = 0;
        for (const float v : r.values) {
            sum += static_cast<double>(v);
        }
        return sum / static_cast<double>(r.values.size());
    };
    CHECK(std::abs(mean(scenes::resize(noise, 10, 6, scenes::kernel::lanczos3)) - mean(noise)) < 0.02);
    const scenes::raster same = scenes::resize(noise, 40, 24, scenes::kernel::lanczos3);
    for (std::size_t i = 0; i < same.values.size(); ++i) {
        REQUIRE(std::abs(same.values[i] - noise.values[i]) < 1e-5F);
    }
    const scenes::raster half = scenes::rotate(noise, 180);
    REQUIRE(half.width == 40);
    REQUIRE(half.height == 24);
    for (int y = 0; y < 24; ++y) {
        for (int x = 0; x < 40; ++x) {
            REQUIRE(std::abs(*half.at(y, x) - *noise.at(23 - y, 39 - x)) < 1e-4F);
            REQUIRE(*scenes::mirrored(noise).at(y, x) == *noise.at(y, 39 - x));
        }
    }
    // A dot above the middle goes to the left when turned counter-clockwise.
    scenes::raster dot(21, 21, 1);
    *dot.at(2, 10) = 1;
    const scenes::raster turned = scenes::rotate(dot, 90);
    REQUIRE(turned.width >= 21);
    CHECK(*turned.at(turned.height / 2, turned.width / 2 - 8) > 0.2F);
}

TEST_CASE("sprite: the longer side has the size, alpha is premultiplied") {
    for (const int c : {0, 8, 46, 49, 62}) {
        for (const int size : {32, 72, 200}) {
            const scenes::raster sprite = scenes::make_sprite(glyphs().glyph(c), size, false, 0);
            CHECK(std::max(sprite.width, sprite.height) == size);
            for (std::size_t i = 0; i < sprite.values.size(); i += 4) {
                const float alpha = sprite.values[i + 3];
                REQUIRE((alpha >= 0 && alpha <= 1));
                REQUIRE((sprite.values[i] <= alpha && sprite.values[i + 1] <= alpha &&
                         sprite.values[i + 2] <= alpha));
            }
        }
    }
}

TEST_CASE("caption: the forms that the models were trained on") {
    scenes::random draw(1);
    std::set<std::string> two;
    std::set<std::string> four;
    const std::array<int, 4> things{0, 6, 28, 45}; // dog, elephant, bunch of grapes, piece of cheese
    for (int i = 0; i < 2000; ++i) {
        two.insert(scenes::make_caption(std::span(things).first(2), draw));
        four.insert(scenes::make_caption(things, draw));
    }
    CHECK(two.size() == 6 * 4);
    CHECK(four.size() == 6 * 3);
    CHECK(two.count("a dog and an elephant .") == 1);
    CHECK(two.count("the picture contains a dog near an elephant .") == 1);
    CHECK(four.count("there is a dog , an elephant , a bunch of grapes and a piece of cheese .") == 1);
    CHECK(four.count("i see a dog next to an elephant and a bunch of grapes and a piece of cheese .") == 1);
    CHECK(four.count("we can see a dog with an elephant and a bunch of grapes and a piece of cheese .") == 1);
}

TEST_CASE("scene: the statistics of the distribution") {
    constexpr int n = 250;
    int objects = 0;
    std::array<int, 5> with{};
    double share = 0;
    std::set<int> seen;
    for (int i = 0; i < n; ++i) {
        const scenes::scene s = scenes::make_scene(glyphs(), {144, 144}, 99, static_cast<std::uint64_t>(i));
        REQUIRE(s.rgb.size() == 144U * 144U * 3U);
        REQUIRE((s.objects.size() >= 2 && s.objects.size() <= 4));
        with.at(s.objects.size()) += 1;
        objects += static_cast<int>(s.objects.size());
        std::size_t at = 0;
        double centre = -1;
        std::set<int> kinds;
        for (const auto& object : s.objects) {
            share += static_cast<double>(area(object.mask)) / (144.0 * 144.0);
            CHECK((object.box.x0 >= 0 && object.box.y0 >= 0 && object.box.x1 <= 144 && object.box.y1 <= 144));
            CHECK(std::max(object.box.width(), object.box.height()) >= 32);
            CHECK(std::max(object.box.width(), object.box.height()) <= 72 * 1.23);
            CHECK(object.box.x0 + object.box.x1 >= centre); // from left to right
            centre = object.box.x0 + object.box.x1;
            const auto& kind = scenes::classes.at(static_cast<std::size_t>(object.class_index));
            const auto found = s.caption.find(std::string(kind.article) + " " + std::string(kind.phrase), at);
            REQUIRE(found != std::string::npos);
            at = found + 1;
            CHECK(kinds.insert(object.class_index).second);
            seen.insert(object.class_index);
        }
    }
    CHECK(std::abs(share / objects - 0.0585) < 0.006); // four standard errors
    CHECK(std::abs(static_cast<double>(objects) / n - 2.97) < 0.2);
    for (const std::size_t k : {2U, 3U, 4U}) {
        CHECK(std::abs(with.at(k) - n / 3) < 35);
    }
    CHECK(seen.size() > 85);
}

TEST_CASE("scene: masks are disjoint, lie in their boxes, and show their glyph's colours") {
    int compared = 0;
    for (std::uint64_t i = 0; i < 60; ++i) {
        const auto canvas = i % 3 == 0 ? ostend::image_size{144, 216} : ostend::image_size{144, 144};
        const scenes::scene s = scenes::make_scene(glyphs(), canvas, 5, i);
        std::vector<int> owners(s.rgb.size() / 3, 0);
        for (const auto& object : s.objects) {
            std::array<double, 3> seen{};
            for (ostend::index y = 0; y < object.mask.height; ++y) {
                for (ostend::index x = 0; x < object.mask.width; ++x) {
                    if (object.mask(y, x) == 0) {
                        continue;
                    }
                    const auto p = static_cast<std::size_t>(y * object.mask.width + x);
                    REQUIRE(++owners[p] == 1);
                    REQUIRE(
                        object.box.contains({static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5}));
                    for (std::size_t c = 0; c < 3; ++c) {
                        seen[c] += s.rgb[3 * p + c];
                    }
                }
            }
            const scenes::raster& glyph = glyphs().glyph(object.class_index);
            std::array<double, 3> drawn{};
            double solid = 0;
            for (std::size_t p = 0; p < glyph.values.size(); p += 4) {
                if (glyph.values[p + 3] > 0.5F) {
                    solid += 1;
                    for (std::size_t c = 0; c < 3; ++c) {
                        drawn[c] += 255.0 * static_cast<double>(glyph.values[p + c] / glyph.values[p + 3]);
                    }
                }
            }
            // An object that others cover shows only some of its colours.
            const double visible = static_cast<double>(area(object.mask));
            const double fill = visible / object.box.area() / (solid / (glyph.width * glyph.height));
            if (fill < 0.97 && object.box.width() * object.box.height() > 0) {
                continue;
            }
            ++compared;
            for (std::size_t c = 0; c < 3; ++c) {
                CHECK(std::abs(seen[c] / visible - drawn[c] / solid) < 20);
            }
        }
    }
    CHECK(compared > 40);
}

TEST_CASE("scene: the checked-in scenes come out again, pixel for pixel") {
    const auto list = ostend_tools::read_json(data_folder() + "/scenes.json");
    REQUIRE(list.has_value());
    const auto seed = list->at("seed").get<std::uint64_t>();
    REQUIRE(list->at("scenes").size() == 36);
    std::uint64_t number = 0;
    for (const auto& entry : list->at("scenes")) {
        const ostend::image_size canvas{entry.at("width").get<ostend::index>(),
                                        entry.at("height").get<ostend::index>()};
        const scenes::scene s = scenes::make_scene(glyphs(), canvas, seed, number);
        const std::string name = scenes::scene_file_name(number);
        CHECK(scenes::to_json(s, name) == entry);
        const auto stored = ostend_tools::read_image(data_folder() + "/" + name);
        REQUIRE(stored.has_value());
        CHECK(stored->pixels == s.rgb);
        for (std::size_t k = 0; k < s.objects.size(); ++k) { // and the masks survive their text form
            const auto mask = ostend_tools::rle_from_json(entry.at("objects").at(k).at("mask"));
            REQUIRE(mask.has_value());
            CHECK(ostend::decode(*mask) == s.objects[k].mask);
        }
        ++number;
    }
}

TEST_CASE("scene: other aspects have another canvas and objects as large in the model's view") {
    const auto square = [](const char* text) { return scenes::canvas_of(*scenes::parse_aspect(text)); };
    CHECK(*square("1:1") == ostend::image_size{144, 144});
    CHECK(*square("3:2") == ostend::image_size{216, 144});
    CHECK(*square("2:3") == ostend::image_size{144, 216});
    CHECK(*square("16:9") == ostend::image_size{256, 144});
    CHECK(*square("4:1") == ostend::image_size{576, 144});
    CHECK_FALSE(square("5:1").has_value());
    CHECK_FALSE(square("9:2").has_value());
    CHECK_FALSE(square("0:1").has_value());
    for (const char* text : {"", "3", "3:", ":2", "3:2x", "a:b", "3.5:2", "3 :2", "99999999999:1"}) {
        CHECK_FALSE(scenes::parse_aspect(text).has_value());
    }
    double longest = 0;
    double shortest = 1e9;
    for (std::uint64_t i = 0; i < 40; ++i) {
        const scenes::scene s = scenes::make_scene(glyphs(), {216, 144}, 1, i);
        REQUIRE(s.width == 216);
        REQUIRE(s.height == 144);
        for (const auto& object : s.objects) {
            longest = std::max({longest, object.box.width(), object.box.height()});
            shortest = std::min(shortest, std::max(object.box.width(), object.box.height()));
        }
    }
    CHECK(shortest >= 48);
    CHECK(longest > 100);
    CHECK(longest <= 108 * 1.23);
    CHECK(scenes::make_scene(glyphs(), {576, 144}, 1, 0).objects.size() >= 2);
}

TEST_CASE("background: every kind fills any canvas with bytes' values") {
    scenes::random draw(4);
    for (const auto kind : {scenes::background_kind::gradient, scenes::background_kind::noise,
                            scenes::background_kind::stripes, scenes::background_kind::texture}) {
        for (int round = 0; round < 12; ++round) {
            const scenes::raster r = scenes::make_background(150, 40 + round, kind, draw);
            REQUIRE(r.width == 150);
            REQUIRE(r.height == 40 + round);
            for (const float v : r.values) {
                REQUIRE((v >= 0 && v <= 255));
            }
        }
    }
}

TEST_CASE("glyphs: a missing font and a file that is none are errors that name the file") {
    for (const std::string& path :
         {std::string("/no/such/font.ttf"), std::string(OSTEND_TEST_DATA) + "/scenes/README.md"}) {
        const auto sheet = scenes::load_glyphs(path);
        REQUIRE_FALSE(sheet.has_value());
        CHECK(sheet.error().field == path);
    }
}

TEST_CASE("graph_cut_segmenter: most objects of the checked-in scenes, from a point in their middle") {
    const auto list = ostend_tools::read_json(data_folder() + "/scenes.json");
    REQUIRE(list.has_value());
    int objects = 0;
    int found = 0;
    const ostend::graph_cut_segmenter segmenter;
    for (const auto& entry : list->at("scenes")) {
        const auto image =
            ostend_tools::read_image(data_folder() + "/" + entry.at("file").get<std::string>());
        REQUIRE(image.has_value());
        std::vector<ostend::rle> truth;
        std::vector<ostend::prompt> prompts;
        for (const auto& object : entry.at("objects")) {
            truth.push_back(*ostend_tools::rle_from_json(object.at("mask")));
            // The mask's pixel that is nearest to the mean of its pixels.
            const ostend::bitmap mask = ostend::decode(truth.back());
            const auto centre = ostend::bounding_box(truth.back());
            const double cx = (centre.x0 + centre.x1) / 2;
            const double cy = (centre.y0 + centre.y1) / 2;
            double least = 1e9;
            ostend::point_in<ostend::original_frame> at;
            for (ostend::index y = 0; y < mask.height; ++y) {
                for (ostend::index x = 0; x < mask.width; ++x) {
                    const double dx = static_cast<double>(x) + 0.5 - cx;
                    const double dy = static_cast<double>(y) + 0.5 - cy;
                    if (mask(y, x) != 0 && dx * dx + dy * dy < least) {
                        least = dx * dx + dy * dy;
                        at = {static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
                    }
                }
            }
            prompts.push_back({.points = {{at, true}}, .box = {}, .mask = {}});
        }
        const auto masks = segmenter.segment(image->view(), prompts);
        REQUIRE(masks.has_value());
        for (std::size_t i = 0; i < truth.size(); ++i) {
            const auto& best =
                *std::max_element((*masks)[i].begin(), (*masks)[i].end(),
                                  [](const auto& a, const auto& b) { return a.score < b.score; });
            ++objects;
            found += ostend::iou(best.mask, truth[i]) >= 0.5 ? 1 : 0;
        }
    }
    MESSAGE(found, " of ", objects);
    CHECK(found >= 0.85 * objects);
}
