#include "coco/coco_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace {

using namespace ostend_tools;

const std::string images =
    R"("images": [{"id": 1, "width": 4, "height": 3}, {"id": -2, "width": 5, "height": 2}])";
const std::string categories = R"("categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}])";

/// A truth file with these annotations, each without its braces.
std::string truth_with(const std::string& annotations) {
    return "{" + images + ", \"annotations\": [" + annotations + "], " + categories + "}";
}

std::string why_truth(const std::string& text) {
    const auto read = read_coco_truth(json_source(text));
    return read ? "accepted" : read.error().message();
}

std::string why_annotation(const std::string& rest) {
    return why_truth(truth_with(R"({"id": 1, "image_id": 1, "category_id": 7, )" + rest + "}"));
}

std::string why_results(const std::string& text) {
    const auto read = read_coco_results(json_source(text));
    return read ? "accepted" : read.error().message();
}

TEST_CASE("annotations with every kind of segmentation") {
    const std::string text = "\xEF\xBB\xBF" + std::string(R"({
        "info": {"description": "x", "deep": [[{"a": [1, null, "s"]}]], "year": 2017},
        "licenses": [],
        "annotations": [
            {"segmentation": [[0, 0, 4.5, 0, 4.5, 3], [1, 1, 2, 1, 2, 2, 1, 2]], "area": 6.75, "iscrowd": 0,
             "image_id": 1, "bbox": [0, 0, 4.5, 3], "category_id": 7, "id": 10, "attributes": {"occluded": false}},
            {"id": 11.0, "image_id": -2, "category_id": 8, "iscrowd": true, "area": 3, "ignore": 1,
             "segmentation": {"counts": [1, 3, 6], "size": [2, 5]}},
            {"id": 12, "image_id": 1, "category_id": 8, "iscrowd": 0, "area": 1e2,
             "segmentation": {"size": [3, 4], "counts": "01;", "other": {"size": [9]}}, "bbox": null},
            {"id": 0, "image_id": 1, "category_id": 8, "segmentation": null, "keypoints": [1, 2, 0]}
        ], )") + images + "," +
                             categories + "}";
    const auto read = read_coco_truth(json_source(text));
    REQUIRE_MESSAGE(read, (read ? "" : read.error().message()));
    CHECK(read->images == std::vector<coco_image>{{1, 3, 4, ""}, {-2, 2, 5, ""}});
    CHECK(read->categories == std::vector<coco_category>{{7, "cat", ""}, {8, "dog", ""}});
    REQUIRE(read->annotations.size() == 4);
    const coco_object& first = read->annotations[0];
    CHECK(first.id == 10);
    CHECK(first.area == 6.75);
    CHECK(first.box == ostend::coco_box{0, 0, 4.5, 3});
    CHECK(std::get<coco_polygons>(first.segmentation) ==
          coco_polygons{{0, 0, 4.5, 0, 4.5, 3}, {1, 1, 2, 1, 2, 2, 1, 2}});
    const coco_object& second = read->annotations[1];
    CHECK(second.id == 11);
    CHECK(second.image == -2);
    CHECK(second.crowd);
    CHECK(second.ignore);
    CHECK(std::get<coco_runs>(second.segmentation) == coco_runs{{2, 5, {1, 3, 6}}, true});
    const coco_object& third = read->annotations[2];
    CHECK(third.area == 100);
    CHECK(!third.box);
    CHECK(std::get<coco_runs>(third.segmentation) == coco_runs{{3, 4, {0, 1, 11}}, false});
    CHECK(std::holds_alternative<std::monostate>(read->annotations[3].segmentation));
    CHECK(!read->annotations[3].area);
    CHECK(read->annotations[3].record == 3);

    // Written and read again it is the same.
    const auto again = read_coco_truth(json_source(coco_truth_text(*read)));
    REQUIRE(again);
    CHECK(again->images == read->images);
    CHECK(again->categories == read->categories);
    CHECK(again->annotations == read->annotations);
    CHECK(again->digest != read->digest);
}

TEST_CASE("results, with boxes first or masks first") {
    const std::string boxes = R"([{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.25},
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3.5, 4], "score": 1,
         "segmentation": {"size": [3, 4], "counts": "01;"}}])";
    const auto read = read_coco_results(json_source(boxes));
    REQUIRE(read);
    CHECK(read->boxes);
    CHECK(read->results.size() == 2);
    CHECK(read->results[1].score == 1);
    CHECK(read->results[1].box == ostend::coco_box{1, 2, 3.5, 4});
    CHECK(std::holds_alternative<coco_runs>(read->results[1].segmentation));
    const auto again = read_coco_results(json_source(coco_results_text(*read)));
    REQUIRE(again);
    CHECK(again->results == read->results);
    CHECK(again->boxes);

    // Masks that nobody wants are passed over, once the first result has a box.
    const auto without = read_coco_results(json_source(boxes), {.masks = masks_wanted::unless_boxes});
    REQUIRE(without);
    CHECK(std::holds_alternative<std::monostate>(without->results[1].segmentation));
    const std::string masks = R"([{"image_id": 1, "category_id": 7, "score": 0.5, "bbox": [],
        "segmentation": {"size": [3, 4], "counts": "01;"}}])";
    const auto kept = read_coco_results(json_source(masks), {.masks = masks_wanted::unless_boxes});
    REQUIRE(kept);
    CHECK(!kept->boxes);
    CHECK(std::holds_alternative<coco_runs>(kept->results[0].segmentation));
    CHECK(read_coco_results(json_source("[]"))->results.empty());
    const auto some = read_coco_results(
        json_source(
            R"([{"image_id": 1, "category_id": 7, "score": 0}, {"image_id": 2, "category_id": 7, "score": 0}])"),
        {.keep = [](std::int64_t image) { return image == 2; }});
    REQUIRE(some);
    REQUIRE(some->results.size() == 1);
    CHECK(some->results[0].record == 1); // of the file, not of what is kept
}

TEST_CASE("a file is written piece by piece, none longer than a record") {
    coco_truth_file truth;
    truth.categories = {{1, "cat \"\xFF", "animal"}, {2, "dog", ""}};
    coco_result_file results;
    for (int i = 0; i < 500; ++i) {
        truth.images.push_back({i, 3, 4, "a.png"});
        coco_object o;
        o.id = i + 1;
        o.image = i;
        o.category = 1 + i % 2;
        o.area = 2.5;
        o.crowd = i % 3 == 0;
        o.ignore = i % 5 == 0;
        o.score = 0.125 * (i % 8);
        o.box = ostend::coco_box{0.5, 1, 2, 1.25};
        o.segmentation = coco_polygons{{0, 0, 4.5, 0, 4.5, 3}};
        truth.annotations.push_back(o);
        o.segmentation = coco_runs{{3, 4, {0, 1, 11}}, i % 2 == 0};
        results.results.push_back(o);
    }
    // A record is a line.
    const auto longest_of = [](const std::string& text) {
        std::size_t longest = 0;
        for (std::size_t start = 0; start < text.size();) {
            const std::size_t end = std::min(text.find('\n', start), text.size());
            longest = std::max(longest, end - start);
            start = end + 1;
        }
        return longest;
    };
    const auto check = [&](const std::string& text, const auto& write) {
        std::string joined;
        std::size_t pieces = 0;
        std::size_t longest = 0;
        write([&](std::string_view piece) {
            joined += piece;
            longest = std::max(longest, piece.size());
            ++pieces;
        });
        CHECK(joined == text);
        CHECK(pieces > 500);
        CHECK(longest <= longest_of(text));
    };
    check(coco_truth_text(truth), [&](const text_sink& sink) { write_coco_truth(truth, sink); });
    check(coco_results_text(results), [&](const text_sink& sink) { write_coco_results(results, sink); });
    CHECK(coco_truth_text({}) == "{\"images\": [\n],\n\"annotations\": [\n],\n\"categories\": [\n]}\n");
    CHECK(coco_results_text({}) == "[\n]\n");
    results.results.resize(2);
    CHECK(coco_results_text(results) ==
          R"([
{"image_id":0,"category_id":1,"score":0.0,"bbox":[0.5,1.0,2.0,1.25],"segmentation":{"size":[3,4],"counts":[0,1,11]}},
{"image_id":1,"category_id":2,"score":0.125,"bbox":[0.5,1.0,2.0,1.25],"segmentation":{"size":[3,4],"counts":"01;"}}
]
)");
}

TEST_CASE("errors name the record, the field and the position") {
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": "0]1"})") ==
          "annotations[0].segmentation.counts: the runs go beyond the 12 pixels of the mask (at 1)");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": "01"})") ==
          "annotations[0].segmentation.counts: the runs cover 1 of 12 pixels (at 2)");
    CHECK(
        why_annotation(R"("segmentation": {"size": [3, 4], "counts": "0\u0001"})") ==
        "annotations[0].segmentation.counts: the character with code 1 does not occur in run lengths (at 1)");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": [1, 2, 1000]})") ==
          "annotations[0].segmentation.counts: the runs go beyond the 12 pixels of the mask (at 2)");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": [1, -2]})") ==
          "annotations[0].segmentation.counts[1]: a run length is a whole number from 0 to 2^32 - 1");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": [1, 4294967296]})") ==
          "annotations[0].segmentation.counts[1]: a run length is a whole number from 0 to 2^32 - 1");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "counts": 5})") ==
          "annotations[0].segmentation.counts: expected a string or a list of run lengths");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4]})") ==
          "annotations[0].segmentation.counts: missing");
    CHECK(why_annotation(R"("segmentation": {"counts": "01"})") ==
          "annotations[0].segmentation.size: missing");
    CHECK(why_annotation(R"("segmentation": {"size": [3], "counts": "01"})") ==
          "annotations[0].segmentation.size[1]: expected [height, width]");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4, 5], "counts": "01"})") ==
          "annotations[0].segmentation.size[2]: expected [height, width]");
    CHECK(why_annotation(R"("segmentation": {"size": [3, -4], "counts": "01"})") ==
          "annotations[0].segmentation.size: a side is negative: 3 x -4");
    CHECK(why_annotation(R"("segmentation": {"size": [65536, 65536], "counts": "01"})") ==
          "annotations[0].segmentation.size: a mask of 65536 x 65536 has more pixels than a run can count");
    CHECK(why_annotation(R"("segmentation": {"size": [3, 4], "size": [3, 4], "counts": "01;"})") ==
          "annotations[0].segmentation.size: given twice");
    CHECK(why_annotation(R"("segmentation": [])") ==
          "annotations[0].segmentation: an object without polygons");
    CHECK(why_annotation(R"("segmentation": [[]])") ==
          "annotations[0].segmentation[0][0]: a polygon of 0 points");
    CHECK(why_annotation(R"("segmentation": [[0, 0, 1, 1, 2, 0], [0, 0, 1, 1]])") ==
          "annotations[0].segmentation[1][4]: a polygon of 2 points");
    CHECK(why_annotation(R"("segmentation": [[0, 0, 1, 1, 2, 0, 4]])") ==
          "annotations[0].segmentation[0][7]: an odd count of numbers");
    CHECK(why_annotation(R"("segmentation": [[0, 0, 1, "x"]])") ==
          "annotations[0].segmentation[0][3]: expected a number");
    CHECK(why_annotation(R"("segmentation": [0, 0, 1, 1, 2, 0])") ==
          "annotations[0].segmentation: expected a list of polygons, each a list of numbers");
    CHECK(why_annotation(R"("segmentation": "01")") ==
          "annotations[0].segmentation: expected polygons or run lengths");
    CHECK(why_annotation(R"("bbox": [1, 2, 3])") ==
          "annotations[0].bbox[3]: expected four numbers, x, y, width and height");
    CHECK(why_annotation(R"("bbox": [1, 2, 3, 4, 5])") ==
          "annotations[0].bbox[4]: expected four numbers, x, y, width and height");
    CHECK(why_annotation(R"("bbox": {"x": 1})") == "annotations[0].bbox: expected [x, y, width, height]");
    CHECK(why_annotation(R"("area": "large")") == "annotations[0].area: expected a number");
    CHECK(why_annotation(R"("area": 1e999)") ==
          "annotations[0].area: a number beyond the range of double precision (at 158)");
    CHECK(why_annotation(R"("area": NaN)")
              .starts_with("annotations[0].area: this is not JSON, which has no NaN and no Infinity (at "));
    CHECK(why_annotation(R"("iscrowd": [0])") == "annotations[0].iscrowd: expected a number");
    CHECK(why_annotation(R"("id": 5)") == "annotations[0].id: given twice");
    CHECK(why_truth(truth_with(R"({"id": 1, "image_id": 1})")) == "annotations[0].category_id: missing");
    CHECK(why_truth(truth_with(R"({"id": 1.5, "image_id": 1})")) ==
          "annotations[0].id: expected a whole number");
    CHECK(why_truth(truth_with(R"({"id": 18446744073709551615, "image_id": 1})")) ==
          "annotations[0].id: expected a whole number");
    CHECK(why_truth(truth_with(R"({"image_id": "1"})")) ==
          "annotations[0].image_id: expected a whole number");
    CHECK(why_truth(truth_with(R"({"id": 1, "image_id": 1, "category_id": 7}, 5)")) ==
          "annotations[1]: expected an object");
    const std::string two = R"({"id": 1, "image_id": 1, "category_id": 7}, )";
    CHECK(why_truth(truth_with(two + R"({"id": 1, "image_id": 1, "category_id": 7})")) ==
          "annotations[1].id: the id 1 is that of annotations[0] too");
    CHECK(why_truth(truth_with(two + R"({"id": 2, "image_id": 3, "category_id": 7})")) ==
          "annotations[1].image_id: there is no image 3");
    CHECK(why_truth(truth_with(two + R"({"id": 2, "image_id": 1, "category_id": 9})")) ==
          "annotations[1].category_id: there is no category 9");
    CHECK(why_truth(R"({"images": [{"id": 1}, {"id": 1}], "annotations": [], "categories": []})") ==
          "images[1].id: the id 1 is that of images[0] too");
    CHECK(why_truth(R"({"images": [], "annotations": [], "categories": [{"id": 1}, {"id": 1}]})") ==
          "categories[1].id: the id 1 is that of categories[0] too");
    CHECK(why_truth(R"({"images": [{"id": 1, "height": 0}]})") ==
          "images[0].height: expected a number of pixels");
    CHECK(why_truth(R"({"images": [{"id": 1, "height": 100000, "width": 100000}]})") ==
          "images[0].height: a mask of 100000 x 100000 has more pixels than a run can count");
    CHECK(why_truth(R"({"images": [], "annotations": []})") == "categories: the list is missing");
    CHECK(why_truth(R"({"images": [], "images": []})") == "images: the list is given twice");
    CHECK(why_truth(R"({"images": {}})") == "images: expected a list");
    CHECK(why_truth(R"({"images": null})") == "images: expected a list");
    CHECK(why_truth("[]") == "expected an object with images, annotations and categories");
    CHECK(why_truth("5") == "expected an object with images, annotations and categories");
    CHECK(why_truth("") == "the file ends too early (at 1)");
    CHECK(why_truth(truth_with("") + "x").starts_with("this is not JSON (at "));

    CHECK(why_results("{}") == "expected a list of results");
    CHECK(why_results(R"([{"image_id": 1, "category_id": 7}])") == "results[0].score: missing");
    CHECK(why_results(R"([{"image_id": 1, "category_id": 7, "score": "1"}])") ==
          "results[0].score: expected a number");
    CHECK(why_results(R"([{"image_id": 1, "category_id": 7, "score": NaN}])") ==
          "results[0].score: this is not JSON, which has no NaN and no Infinity (at 45)");
    CHECK(why_results(R"([{"image_id": 1, "category_id": 7, "score": -Infinity}])") ==
          "results[0].score: this is not JSON, which has no NaN and no Infinity (at 46)");
    CHECK(why_results(R"([{"image_id": 1, "category_id": 7, "score": true}])") ==
          "results[0].score: expected a number");
    CHECK(why_results(R"([{"score": 1, "image_id": 1, "category_id": 7}, {"score": 1)") ==
          "results[1].score: the file ends too early (at 60)");
}

TEST_CASE("every truncation is an error, and none crashes") {
    const std::string text = truth_with(
        R"({"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[0, 0, 1, 1, 2, 0]], "bbox": [1, 2, 3, 4]},
           {"id": 2, "image_id": 1, "category_id": 7, "segmentation": {"size": [3, 4], "counts": "01;"}, "x": [{}]})");
    CHECK(why_truth(text) == "accepted");
    for (std::size_t n = 0; n < text.size(); ++n) {
        CHECK(why_truth(text.substr(0, n)).find("the file ends too early") != std::string::npos);
    }
}

TEST_CASE("nesting of 100,000 levels is an error wherever it stands") {
    const std::string deep(100000, '[');
    std::string objects;
    for (int i = 0; i < 100000; ++i) {
        objects += "{\"a\":";
    }
    for (const std::string& nested : {deep, objects}) {
        CHECK(why_truth("{\"info\": " + nested) == "info: nested deeper than 100 levels");
        CHECK(why_annotation("\"attributes\": " + nested) ==
              "annotations[0].attributes: nested deeper than 100 levels");
        CHECK(why_annotation("\"segmentation\": {\"extra\": " + nested) ==
              "annotations[0].segmentation.extra: nested deeper than 100 levels");
    }
    CHECK(why_annotation("\"segmentation\": " + deep) ==
          "annotations[0].segmentation[0][0]: expected a number");
    CHECK(why_truth(deep) == "expected an object with images, annotations and categories");
    CHECK(why_results(deep) == "results[0]: expected an object");
}

TEST_CASE("files: in pieces as from memory, and those that cannot be read") {
    const auto folder = std::filesystem::temp_directory_path() / "ostend_coco_files_test";
    std::filesystem::create_directories(folder);
    std::string annotations;
    for (int i = 0; i < 5000; ++i) { // over several pieces
        annotations += (i == 0 ? "" : ", ") + std::string(R"({"id": )") + std::to_string(i + 1) +
                       R"(, "image_id": 1, "category_id": 8, "area": )" + std::to_string(i) +
                       R"(.125, "segmentation": {"size": [3, 4], "counts": "01;"}})";
    }
    const std::string text = truth_with(annotations);
    std::ofstream(folder / "gt.json", std::ios::binary) << text;
    const auto of_file = read_coco_truth(folder / "gt.json");
    const auto of_text = read_coco_truth(json_source(text));
    REQUIRE(of_file);
    REQUIRE(of_text);
    CHECK(of_file->annotations == of_text->annotations);
    CHECK(of_file->annotations.back().area == 4999.125);
    CHECK(of_file->digest == of_text->digest);
    CHECK(read_coco_truth(folder / "none.json").error().message().find("cannot be opened") !=
          std::string::npos);
    CHECK(read_coco_truth(folder).error().message().find("this is a folder") != std::string::npos);
    std::ofstream(folder / "bad.json") << "{\"images\": [{}]}";
    CHECK(read_coco_truth(folder / "bad.json").error().message() ==
          (folder / "bad.json").string() + ": images[0].id: missing");
    std::filesystem::remove_all(folder);
}

TEST_CASE("results must fit the truth") {
    const auto truth = read_coco_truth(json_source(truth_with("")));
    REQUIRE(truth);
    const auto results = [](const std::string& text) { return *read_coco_results(json_source(text)); };
    const std::string good = R"({"image_id": -2, "category_id": 8, "score": 1}, )";
    CHECK(check_results(results("[]"), *truth));
    CHECK(check_results(results("[" + good + R"({"image_id": 3, "category_id": 8, "score": 1}])"), *truth)
              .error()
              .message() == "results[1].image_id: there is no image 3 in the truth");
    auto stray = results("[" + good + R"({"image_id": 1, "category_id": 9, "score": 1}])");
    CHECK(check_results(stray, *truth).error().message() ==
          "results[1].category_id: there is no category 9 in the truth");
    CHECK(drop_unknown_categories(stray, *truth) == 1);
    CHECK(check_results(stray, *truth));
}

} // namespace
