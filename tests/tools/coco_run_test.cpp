#include "coco/coco_run.hpp"

#include "io/files.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <filesystem>
#include <random>
#include <string>

namespace {

using namespace ostend_tools;
namespace fs = std::filesystem;

/// A folder with gt.json, dt.json of 40 images, and whatever a test writes; removed at the end.
class workplace {
public:
    explicit workplace(const char* name) : folder(fs::temp_directory_path() / name) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        std::mt19937 random(17);
        std::string images;
        std::string annotations;
        std::string results;
        int id = 1;
        const auto box = [&] {
            return "[" + std::to_string(random() % 3) + ", " + std::to_string(random() % 3) + ", " +
                   std::to_string(5 + random() % 3) + ", " + std::to_string(5 + random() % 3) + "]";
        };
        for (int i = 0; i < 40; ++i) {
            const std::string image = std::to_string(13 * i - 100);
            images +=
                (i == 0 ? "" : ", ") + std::string("{\"id\": ") + image + ", \"height\": 10, \"width\": 10}";
            for (int k = 0; k < 3; ++k) {
                const std::string about =
                    "\"image_id\": " + image + ", \"category_id\": " + std::to_string(1 + random() % 2);
                annotations += (id == 1 ? "" : ", ") + std::string("{\"id\": ") + std::to_string(id) + ", " +
                               about + ", \"area\": 40, \"iscrowd\": 0, \"bbox\": " + box() + "}";
                results += (id == 1 ? "" : ", ") + std::string("{") + about + ", \"score\": 0." +
                           std::to_string(1 + random() % 9) + ", \"bbox\": " + box() + "}";
                ++id;
            }
        }
        write("gt.json",
              "{\"images\": [" + images + "], \"annotations\": [" + annotations +
                  "], \"categories\": [{\"id\": 1, \"name\": \"a\"}, {\"id\": 2, \"name\": \"b\"}]}");
        write("dt.json", "[" + results + "]");
    }
    ~workplace() { fs::remove_all(folder); }
    workplace(const workplace&) = delete;
    workplace& operator=(const workplace&) = delete;

    void write(const char* name, const std::string& text) const { REQUIRE(write_file(folder / name, text)); }
    [[nodiscard]] coco_run_options options() const {
        return {.truth = folder / "gt.json", .results = folder / "dt.json", .iou = coco_iou::bbox};
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }

    fs::path folder;
};

coco_run_result run(const coco_run_options& options) {
    alone one;
    auto result = run_coco(options, one);
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message()));
    return *std::move(result);
}

std::string why(const coco_run_options& options) {
    alone one;
    const auto result = run_coco(options, one);
    return result ? "accepted" : result.error().what;
}

bool same_bits(const coco_run_result& a, const coco_run_result& b) {
    const coco_truth_file none;
    const auto text = [&](const coco_run_result& r) {
        std::string bits;
        for (const double s : r.figures.stats) {
            bits += std::to_string(std::bit_cast<std::uint64_t>(s)) + " ";
        }
        return bits + coco_to_json(r.figures, {}, coco_iou::bbox, r.truth).dump();
    };
    return a.complete() && b.complete() && text(a) == text(b);
}

TEST_CASE("parts, in any number, give the bits of one run") {
    const workplace here("ostend_coco_run_parts");
    const coco_run_result whole = run(here.options());
    CHECK(whole.complete());
    CHECK(whole.figures.stats[0] > 0.1);
    CHECK(whole.figures.stats[0] < 0.9);
    for (const int parts : {2, 3, 7}) {
        std::vector<fs::path> states;
        std::size_t before = 0;
        for (int i = 0; i < parts; ++i) {
            coco_run_options options = here.options();
            options.part = i;
            options.parts = parts;
            options.state = here.folder / ("part" + std::to_string(i));
            const coco_run_result part = run(options);
            CHECK(!part.complete());
            CHECK(part.images > 0);
            before += part.images;
            states.push_back(options.state);
        }
        CHECK(before == 40);
        coco_run_options options = here.options();
        options.merge = states;
        CHECK(same_bits(run(options), whole));
        // What no state has is evaluated: the denominator is never smaller.
        options.merge.pop_back();
        CHECK(same_bits(run(options), whole));
        options.merge.push_back(states.front());
        CHECK(why(options) == "this image is in both parts");
        for (const fs::path& state : states) {
            fs::remove(state);
        }
    }
}

TEST_CASE("curves are kept when they are asked for") {
    const workplace here("ostend_coco_run_curves");
    coco_run_options options = here.options();
    const coco_run_result with = run(options);
    options.curves = false;
    const coco_run_result without = run(options);
    CHECK(without.figures.stats == with.figures.stats);
    REQUIRE(without.figures.categories.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) {
        CHECK(with.figures.categories[k].curve.precision.rows() == 10);
        CHECK(without.figures.categories[k].curve.precision.rows() == 0);
        CHECK(without.figures.categories[k].stats == with.figures.categories[k].stats);
        CHECK(without.figures.categories[k].truths == with.figures.categories[k].truths);
    }
}

TEST_CASE("an interrupted run goes on from its state, as often as it is interrupted") {
    const workplace here("ostend_coco_run_interrupted");
    const coco_run_result whole = run(here.options());
    coco_run_options options = here.options();
    options.state = here.folder / "state";
    options.save_seconds = 0; // after each image
    int left = 0;
    options.interrupted = [&] { return --left < 0; };
    int runs = 0;
    std::size_t images = 0;
    for (bool done = false; !done; ++runs) {
        left = 6;
        REQUIRE(runs < 20);
        const coco_run_result part = run(options);
        done = !part.interrupted;
        if (done) {
            CHECK(same_bits(part, whole));
            images = part.images;
        } else {
            CHECK(fs::exists(here.folder / "state.rank0"));
        }
    }
    CHECK(runs == 6); // seven images each
    CHECK(images == 40);
    CHECK(here.files() == 3); // gt, dt, state: what ranks left is gone
    // All is there: nothing is evaluated again.
    options.interrupted = [] { return true; };
    CHECK(same_bits(run(options), whole));
}

TEST_CASE("a run that was cut off between its two files counts no image twice") {
    const workplace here("ostend_coco_run_cut_off");
    const coco_run_result whole = run(here.options());
    coco_run_options options = here.options();
    options.state = here.folder / "state";
    int left = 10;
    options.interrupted = [&] { return --left < 0; };
    CHECK(run(options).interrupted);
    fs::copy(here.folder / "state.rank0", here.folder / "state.rank7");
    left = 5;
    CHECK(run(options).interrupted);
    fs::copy(here.folder / "state",
             here.folder / "state.rank12"); // left behind by a crash after the renaming
    options.interrupted = {};
    CHECK(same_bits(run(options), whole));
    CHECK(here.files() == 3);
}

TEST_CASE("a state is for its files and options alone") {
    const workplace here("ostend_coco_run_refusals");
    coco_run_options options = here.options();
    options.state = here.folder / "state";
    const coco_run_result whole = run(options);
    CHECK(whole.complete());
    coco_run_options other = options;
    other.metric = ostend::coco_options::clean();
    CHECK(why(other) == "a state of other options");
    other = options;
    other.iou = coco_iou::segm;
    CHECK(why(other) == "a state of --iou bbox");
    const std::string results = *read_file(here.folder / "dt.json");
    here.write("other.json", results + "\n");
    other = options;
    other.results = here.folder / "other.json";
    CHECK(why(other) == "a state of another result file");
    here.write("other_gt.json", *read_file(here.folder / "gt.json") + " ");
    other = options;
    other.truth = here.folder / "other_gt.json";
    CHECK(why(other) == "a state of another annotation file");

    const std::string state = *read_file(options.state);
    for (std::size_t i = 0; i < state.size(); i += 7) {
        std::string damaged = state;
        damaged[i] = static_cast<char>(damaged[i] ^ 64);
        here.write("state", damaged);
        CHECK(why(options) == "the bytes are damaged: their checksum is another");
        here.write("state", state.substr(0, i));
        CHECK(why(options) != "accepted");
    }
    here.write("state", results);
    CHECK(why(options) == "the bytes are damaged: their checksum is another");
    other = options;
    other.state = here.folder / "gt.json" / "state"; // a file is no folder
    CHECK(why(other) != "accepted");
    other = here.options();
    other.merge = {here.folder / "none"};
    CHECK(why(other) != "accepted");
}

TEST_CASE("errors of records name the file") {
    const workplace here("ostend_coco_run_errors");
    const auto message = [](const coco_run_options& options) {
        alone one;
        const auto result = run_coco(options, one);
        return result ? std::string("accepted") : result.error().message();
    };
    const auto truth_is = [&](const std::string& annotation) {
        here.write("gt.json",
                   R"({"images": [{"id": 1, "height": 10, "width": 10}, {"id": 2}], "annotations": [)" +
                       annotation + R"(], "categories": [{"id": 1, "name": "a"}]})");
    };
    const std::string gt = (here.folder / "gt.json").string() + ": ";
    const std::string dt = (here.folder / "dt.json").string() + ": ";
    coco_run_options boxes = here.options();
    coco_run_options masks = boxes;
    masks.iou = coco_iou::segm;
    here.write("dt.json", "[]");
    truth_is(R"({"id": 1, "image_id": 1, "category_id": 1})");
    CHECK(message(boxes) == gt + "annotations[0].area: missing");
    truth_is(R"({"id": 1, "image_id": 1, "category_id": 1, "area": 1})");
    CHECK(message(boxes) == gt + "annotations[0].bbox: missing");
    CHECK(message(masks) == gt + "annotations[0].segmentation: missing");
    truth_is(
        R"({"id": 1, "image_id": 1, "category_id": 1, "area": 1, "segmentation": {"size": [9, 10], "counts": [90]}})");
    CHECK(message(masks) == gt + "annotations[0].segmentation.size: is 9 x 10, but the image is 10 x 10");
    truth_is(
        R"({"id": 1, "image_id": 2, "category_id": 1, "area": 1, "segmentation": [[0, 0, 1, 1, 2, 0]]})");
    CHECK(message(masks) == gt + "annotations[0]: polygons need the width and height of image 2");
    truth_is(
        R"({"id": 1, "image_id": 1, "category_id": 1, "area": 1, "segmentation": [[0, 0, 1, 1, 2, 1e9]]})");
    CHECK(message(masks) ==
          gt + "annotations[0].segmentation: polygons[0]: polygon: a coordinate beyond 1e8 pixels (at 5)");
    truth_is("");
    here.write("dt.json", R"([{"image_id": 1, "category_id": 1, "score": 1}])");
    CHECK(message(boxes) == dt + "results[0].bbox or segmentation: missing");
    here.write("dt.json", R"([{"image_id": 1, "category_id": 1, "score": 1, "bbox": [1, 1, 2, 2]},
                              {"image_id": 1, "category_id": 1, "score": 1}])");
    CHECK(message(boxes) == dt + "results[1].bbox: missing, though the first result has one");
    here.write("dt.json", R"([{"image_id": 5, "category_id": 1, "score": 1, "bbox": [1, 1, 2, 2]}])");
    CHECK(message(boxes) == dt + "results[0].image_id: there is no image 5 in the truth");
    here.write("dt.json", R"([{"image_id": 1, "category_id": 3, "score": 1, "bbox": [1, 1, 2, 2]}])");
    CHECK(message(boxes) == dt + "results[0].category_id: there is no category 3 in the truth");
    boxes.skip_unknown_categories = true;
    CHECK(run(boxes).left_out == 1);
    boxes.skip_unknown_categories = false;
    here.write("dt.json", "[]");
    CHECK(run(boxes).figures.stats[0] == -1);
}

} // namespace
