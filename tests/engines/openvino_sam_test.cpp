// openvino_sam: models/tiny-sam on scenes with known masks, the conventions of the other families on models
// whose masks are known, and every wrong file or prompt as a sentence.
#include "io/image_file.hpp"
#include "io/json.hpp"
#include "openvino_models.hpp"
#include "ostend/adapt/openvino_sam.hpp"
#include "ostend/host/ground.hpp"
#include "ostend/mask/iou.hpp"
#include "support/errors.hpp"
#include "support/scratch_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace ostend_test;

namespace {

using ostend::index;

static_assert(ostend::segmenter<ostend::openvino_sam>);

const std::string tiny_sam = OSTEND_SOURCE_DIR "/models/tiny-sam";

struct scratch : ostend_test::scratch_folder {
    [[nodiscard]] std::string file(const std::string& name) const { return (path() / name).string(); }
    void copy(const std::string& name, const std::string& as) const {
        scratch_folder::copy(std::filesystem::path(tiny_sam) / name, as);
    }
    void save(const std::shared_ptr<ov::Model>& model, const std::string& name) const {
        ov::save_model(model, file(name), false);
    }
};

struct known_scene {
    ostend_tools::rgb_image image;
    std::vector<ostend::rle> masks;
};
std::vector<known_scene> known_scenes() {
    const std::filesystem::path folder(OSTEND_TEST_DATA "/scenes");
    const auto list = ostend_tools::read_json(folder / "scenes.json");
    REQUIRE(list);
    std::vector<known_scene> scenes;
    for (const auto& scene : list->at("scenes")) {
        auto image = ostend_tools::read_image(folder / scene.at("file").get<std::string>());
        REQUIRE(image);
        scenes.push_back({*std::move(image), {}});
        for (const auto& object : scene.at("objects")) {
            scenes.back().masks.push_back(*ostend_tools::rle_from_json(object.at("mask")));
        }
    }
    return scenes;
}

/// The middle pixel of a mask's pixels in their order: one on the object, mostly well inside.
ostend::pixel middle_of(const ostend::rle& mask) {
    std::uint64_t wanted = ostend::area(mask) / 2;
    ostend::pixel at;
    ostend::for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
        if (wanted < last - first) {
            const auto found = static_cast<index>(first + wanted);
            at = {found / mask.height, found % mask.height};
            wanted = ~std::uint64_t{0};
        } else if (wanted != ~std::uint64_t{0}) {
            wanted -= last - first;
        }
    });
    return at;
}
ostend::prompt point(double x, double y) {
    ostend::prompt asked;
    asked.points.push_back({{x, y}, true});
    return asked;
}
ostend::prompt point(ostend::pixel at) { return point(at.centre().x, at.centre().y); }

ostend::openvino_sam load(ostend::openvino_sam_options options = {}) {
    auto sam = ostend::openvino_sam::load(tiny_sam, std::move(options));
    REQUIRE_MESSAGE(sam, sam.error().message());
    return *std::move(sam);
}

std::string sentence(const std::string& folder) {
    const auto sam = ostend::openvino_sam::load(folder);
    return sam ? "(it was loaded)" : sam.error().message();
}

#define CHECK_SAYS(text, part)                                                                               \
    do {                                                                                                     \
        const std::string said_ = (text);                                                                    \
        CHECK_MESSAGE(said_.find(part) != std::string::npos, said_);                                         \
    } while (false)

TEST_CASE("one point on each object of scenes that were not trained on") {
    auto sam = load();
    CHECK(sam.kind().name == "SAM");
    double sum = 0;
    int count = 0;
    for (const known_scene& scene : known_scenes()) {
        std::vector<ostend::prompt> asked;
        for (const auto& mask : scene.masks) {
            asked.push_back(point(middle_of(mask)));
        }
        const auto found = sam.segment(scene.image.view(), asked);
        REQUIRE_MESSAGE(found, found.error().message());
        REQUIRE(found->size() == asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            REQUIRE((*found)[i].size() == 3);
            const auto best = std::max_element((*found)[i].begin(), (*found)[i].end(),
                                               [](auto& a, auto& b) { return a.score < b.score; });
            CHECK(best->mask.width == scene.image.width);
            CHECK(best->mask.height == scene.image.height);
            sum += ostend::iou(best->mask, scene.masks[i]);
            ++count;
        }
    }
    MESSAGE("mean IoU ", sum / count, " of ", count, " objects");
    CHECK(sum / count > 0.80);
}

TEST_CASE("masks are those of the decoder's own enlargement") {
    // The whole decoder, run here without the adapter: its `masks` output, in the image's size.
    ov::Core core;
    const ov::AnyMap exact{ov::hint::inference_precision(ov::element::f32)};
    auto decoder = core.compile_model(tiny_sam + "/decoder.onnx", "CPU", exact).create_infer_request();
    auto encoder = core.compile_model(tiny_sam + "/encoder.onnx", "CPU", exact).create_infer_request();
    auto sam = load();
    for (const known_scene& scene : known_scenes()) {
        const ostend::image_size size{scene.image.width, scene.image.height};
        const ostend::pixel at = middle_of(scene.masks[0]);
        const auto frame = ostend::make_sam_frame(size);
        const auto planes = ostend::sam_image(scene.image.view(), frame.resized, {1024, 1024});
        encoder.set_tensor("image", ov::Tensor(ov::element::f32, {1, 3, 1024, 1024}, planes.data()));
        encoder.infer();
        const double scale = 1024.0 / static_cast<double>(std::max(size.width, size.height));
        std::vector<float> points{static_cast<float>(at.centre().x * scale - 0.5),
                                  static_cast<float>(at.centre().y * scale - 0.5), 0, 0};
        std::vector<float> labels{1, -1};
        std::vector<float> mask(256 * 256);
        float no_mask = 0;
        std::vector<float> sides{static_cast<float>(size.height), static_cast<float>(size.width)};
        decoder.set_tensor("image_embeddings", encoder.get_tensor("image_embeddings"));
        decoder.set_tensor("point_coords", ov::Tensor(ov::element::f32, {1, 2, 2}, points.data()));
        decoder.set_tensor("point_labels", ov::Tensor(ov::element::f32, {1, 2}, labels.data()));
        decoder.set_tensor("mask_input", ov::Tensor(ov::element::f32, {1, 1, 256, 256}, mask.data()));
        decoder.set_tensor("has_mask_input", ov::Tensor(ov::element::f32, {1}, &no_mask));
        decoder.set_tensor("orig_im_size", ov::Tensor(ov::element::f32, {2}, sides.data()));
        decoder.infer();
        const ov::Tensor masks = decoder.get_tensor("masks");
        REQUIRE(masks.get_shape() ==
                ov::Shape{1, 3, static_cast<std::size_t>(size.height), static_cast<std::size_t>(size.width)});
        const std::vector<ostend::prompt> asked{point(at)};
        const auto found = sam.segment(scene.image.view(), asked);
        REQUIRE(found);
        for (std::size_t k = 0; k < 3; ++k) {
            const ostend::tensor_view<const float, 2> logits(
                masks.data<float>() + k * static_cast<std::size_t>(size.area()), {size.height, size.width});
            const auto expected = ostend::from_logits(logits);
            // Other outputs, other fusions of the graph: rounding differs.
            CHECK(found->front()[k].score ==
                  doctest::Approx(decoder.get_tensor("iou_predictions").data<float>()[k]).epsilon(1e-3));
            if (expected.area > 0) { // a pixel on the threshold may fall on either side
                CHECK(ostend::iou(found->front()[k].mask, expected.mask) > 0.995);
            }
        }
    }
}

TEST_CASE("the rules score the same masks") {
    const auto scene = known_scenes()[0];
    auto asked = point(middle_of(scene.masks[0]));
    asked.mask = ostend::mask_logits{ostend::matrix<float>(256, 256), {256, 256}};
    for (index y = 0; y < 256; ++y) {
        for (index x = 0; x < 256; ++x) {
            asked.mask->values(y, x) = x < 128 ? 4.0F : -4.0F;
        }
    }
    const std::vector<ostend::prompt> prompts{asked};
    auto sam = load();
    const auto predicted = sam.segment(scene.image.view(), prompts);
    REQUIRE(predicted);
    const auto proposals = sam.propose(scene.image.view(), prompts);
    REQUIRE(proposals);
    for (const std::string_view name : ostend::sam_rule_names) {
        const auto rule = *ostend::find_sam_rule(name);
        sam.set(rule, true);
        const auto found = sam.segment(scene.image.view(), prompts);
        REQUIRE(found);
        const auto scored = ostend::sam_candidates(rule, proposals->front(), &*asked.mask);
        for (std::size_t k = 0; k < 3; ++k) {
            const auto& candidate = found->front()[k];
            CHECK(candidate.mask == scored.at(k).mask);
            CHECK(candidate.score == scored.at(k).score);
            CHECK(candidate.mask == predicted->front()[k].mask);
            if (rule == ostend::sam_rule::attention_mass) {
                CHECK(candidate.score == ostend::attention_mass(candidate.mask, *asked.mask));
            } else if (rule == ostend::sam_rule::last) {
                CHECK(candidate.score == (k == 2 ? 1.0F : 0.0F));
            } else {
                CHECK((candidate.score >= 0 && candidate.score <= 1));
            }
        }
    }
    // The mask prompt is given to the decoder, or kept from it.
    sam.set(ostend::sam_rule::predicted_iou, false);
    const auto alone = sam.segment(scene.image.view(), prompts);
    REQUIRE(alone);
    CHECK(alone->front()[0].score != predicted->front()[0].score);
    auto bare = prompts;
    bare[0].mask.reset();
    CHECK(sam.segment(scene.image.view(), bare)->front()[0].mask == alone->front()[0].mask);
    sam.set(ostend::sam_rule::attention_mass, false);
    CHECK(sam.segment(scene.image.view(), prompts)); // the rule reads what the decoder was not given
}

TEST_CASE("boxes, points off the object, images of any shape") {
    auto sam = load();
    double box_sum = 0;
    double point_sum = 0;
    int count = 0;
    for (const known_scene& scene : known_scenes()) {
        ostend::prompt boxed;
        boxed.box = ostend::bounding_box(scene.masks[0]);
        auto several = point(middle_of(scene.masks[0]));
        several.points.push_back({middle_of(scene.masks[1]).centre(), false});
        const std::vector<ostend::prompt> asked{boxed, several};
        const auto found = sam.segment(scene.image.view(), asked);
        REQUIRE_MESSAGE(found, found.error().message());
        const auto best = [&scene](const auto& candidates) {
            double most = 0;
            for (const auto& c : candidates) {
                most = std::max(most, ostend::iou(c.mask, scene.masks[0]));
            }
            return most;
        };
        box_sum += best((*found)[0]);
        point_sum += best((*found)[1]);
        ++count;
    }
    MESSAGE("mean IoU of the best candidate: boxes ", box_sum / count, ", two points ", point_sum / count);
    CHECK(box_sum / count > 0.7);
    CHECK(point_sum / count > 0.7);
    const std::vector<std::uint8_t> bytes(3 * 2000, 90);
    for (const auto& [height, width] :
         {std::pair<index, index>{1, 1}, {1, 2}, {2000, 1}, {1, 2000}, {40, 50}}) {
        const std::vector<ostend::prompt> middle{
            point(static_cast<double>(width) / 2, static_cast<double>(height) / 2)};
        const auto any = sam.segment({bytes.data(), {height, width, 3}}, middle);
        REQUIRE_MESSAGE(any, any.error().message());
        CHECK(any->front()[0].mask.height == height);
        CHECK(any->front()[0].mask.width == width);
    }
    CHECK(sam.segment({bytes.data(), {40, 50, 3}}, {})->empty());
}

TEST_CASE("images and prompts that are refused") {
    auto sam = load();
    const std::vector<std::uint8_t> bytes(3 * 5000, 90);
    const ostend::image_view image(bytes.data(), {40, 50, 3});
    const auto says = [&](const ostend::image_view& of, const ostend::prompt& asked) {
        const std::vector<ostend::prompt> prompts{point(0, 0), asked};
        const auto found = sam.segment(of, prompts);
        return found ? std::string("(it was segmented)") : found.error().message();
    };
    CHECK_SAYS(says({bytes.data(), {40, 25, 4}}, point(1, 1)), "image: the image has 40 x 25 pixels of 4");
    CHECK_SAYS(says({}, point(1, 1)), "0 x 0 pixels");
    CHECK_SAYS(says({bytes.data(), {1, 5000, 3}}, point(0, 0)), "image: too narrow");
    CHECK_SAYS(says(image, {}), "prompts[1]: the prompt has no point");
    CHECK_SAYS(says(image, point(51, 3)), "prompts[1]: points: the point (51");
    auto masked = point(1, 1);
    masked.mask = ostend::mask_logits{ostend::matrix<float>(128, 128), {128, 128}};
    CHECK_SAYS(says(image, masked), "prompts[1]: mask: logits of 128 x 128; the decoder wants 256 x 256");
    sam.set(ostend::sam_rule::attention_mass, true);
    CHECK_SAYS(says(image, point(1, 1)), "attention_mass reads the prompt's mask, and there is none");
    sam.set(ostend::sam_rule::predicted_iou, false);
    masked.points.clear();
    masked.mask = ostend::mask_logits{ostend::matrix<float>(256, 256), {256, 205}};
    CHECK_SAYS(says(image, masked), "nothing but a mask");
}

TEST_CASE("SAM2 and EfficientSAM: a disc lies about the point, in images of several shapes") {
    const scratch folder;
    folder.save(sam2_encoder(), "sam2_encoder.xml");
    folder.save(sam2_decoder(), "sam2_decoder.xml");
    folder.save(efficient_sam_encoder(), "efficient_encoder.xml");
    folder.save(efficient_sam_decoder(), "efficient_decoder.xml");
    const std::vector<std::uint8_t> bytes(3 * 800 * 800, 102);
    for (const std::string family : {"sam2", "efficient"}) {
        auto sam = ostend::openvino_sam::load(folder.file(family + "_encoder.xml"),
                                              folder.file(family + "_decoder.xml"));
        REQUIRE_MESSAGE(sam, sam.error().message());
        CHECK(sam->kind().name == (family == "sam2" ? "SAM2" : "EfficientSAM"));
        for (const auto& size : {ostend::image_size{400, 400}, {800, 300}, {500, 800}}) {
            const index height = size.height; // no structured binding: clang 14's lambdas capture none
            const index width = size.width;
            CAPTURE(family);
            CAPTURE(width);
            const double x = 0.4 * static_cast<double>(width);
            const double y = 0.55 * static_cast<double>(height);
            const std::vector<ostend::prompt> asked{point(x, y)};
            const auto found = sam->segment({bytes.data(), {height, width, 3}}, asked);
            REQUIRE_MESSAGE(found, found.error().message());
            REQUIRE(found->front().size() == 3);
            for (std::size_t k = 0; k < 3; ++k) {
                const auto& mask = found->front()[k].mask;
                double sum_x = 0;
                double sum_y = 0;
                ostend::for_each_run(mask, [&](std::uint64_t first, std::uint64_t last) {
                    for (std::uint64_t p = first; p < last; ++p) {
                        sum_x += static_cast<double>(p / static_cast<std::uint64_t>(height)) + 0.5;
                        sum_y += static_cast<double>(p % static_cast<std::uint64_t>(height)) + 0.5;
                    }
                });
                const auto area = static_cast<double>(ostend::area(mask));
                CHECK(sum_x / area ==
                      doctest::Approx(x).epsilon(0.0005)); // half a pixel would be 0.001 and more
                CHECK(sum_y / area == doctest::Approx(y).epsilon(0.0005));
                const double radius = 50 * std::pow(2.0, static_cast<double>(k)) / 1024;
                const double expected = 3.14159265 * radius * radius * static_cast<double>(width * height);
                CHECK(area == doctest::Approx(expected).epsilon(0.02));
            }
            if (family == "efficient") { // the image came in [0, 1]
                CHECK(found->front()[0].score == doctest::Approx(102.0 / 255).epsilon(1e-3));
            } else {
                CHECK(found->front()[1].score == 0.75F);
            }
        }
    }
    // A mask prompt alone: SAM2 takes it (a padding point stands in), EfficientSAM has no input for it.
    ostend::prompt masked;
    masked.mask = ostend::mask_logits{ostend::matrix<float>(256, 256), {256, 256}};
    const std::vector<ostend::prompt> asked{masked};
    auto sam2 = ostend::openvino_sam::load(folder.file("sam2_encoder.xml"), folder.file("sam2_decoder.xml"));
    CHECK(sam2->segment({bytes.data(), {40, 40, 3}}, asked));
    auto efficient = ostend::openvino_sam::load(folder.file("efficient_encoder.xml"),
                                                folder.file("efficient_decoder.xml"));
    CHECK_SAYS(efficient->segment({bytes.data(), {40, 40, 3}}, asked).error().message(),
               "nothing but a mask, which EfficientSAM does not take");
    // An encoder of one family and the decoder of another.
    const auto mixed =
        ostend::openvino_sam::load(folder.file("efficient_encoder.xml"), folder.file("sam2_decoder.xml"));
    REQUIRE(!mixed);
    CHECK_SAYS(mixed.error().message(),
               "encoder: has no output 'image_embed', which the decoder of SAM2 takes");
}

TEST_CASE("files that are missing, damaged or something else") {
    CHECK_SAYS(sentence("/nowhere"), "/nowhere: cannot be read");
    const scratch folder;
    CHECK_SAYS(sentence(folder.path()), "holds 0 models with 'encoder' in their name");
    folder.copy("encoder.onnx", "encoder.onnx");
    CHECK_SAYS(sentence(folder.path()), "holds 0 models with 'decoder' in their name");
    folder.copy("encoder.onnx", "decoder.onnx"); // the encoder twice
    CHECK_SAYS(sentence(folder.path()),
               "not a decoder of SAM, MobileSAM, EfficientSAM or SAM2; its inputs: image");
    std::filesystem::remove(folder.file("decoder.onnx"));
    folder.copy("decoder.onnx", "decoder.onnx");
    CHECK(sentence(folder.path()) == "(it was loaded)");
    folder.copy("decoder.onnx", "other_decoder.onnx");
    CHECK_SAYS(sentence(folder.path()), "holds 2 models with 'decoder'");
    std::filesystem::remove(folder.file("other_decoder.onnx"));

    for (const std::string name : {"encoder.onnx", "decoder.onnx"}) { // cut off
        const auto whole = std::filesystem::file_size(folder.file(name));
        std::filesystem::resize_file(folder.file(name), whole * 2 / 3);
        CHECK_SAYS(sentence(folder.path()), folder.file(name) + ": ");
        std::filesystem::remove(folder.file(name));
        folder.copy(name, name);
    }
    std::filesystem::remove(folder.file("encoder.onnx"));
    folder.copy("decoder.onnx", "encoder.onnx");
    CHECK_SAYS(sentence(folder.path()), "encoder: has 6 inputs");
    std::filesystem::remove(folder.file("encoder.onnx"));
    folder.save(sam2_encoder(), "encoder.xml");
    CHECK_SAYS(sentence(folder.path()), "encoder: has no output 'image_embeddings'");
    folder.save(efficient_sam_encoder(), "encoder.xml");
    CHECK_SAYS(sentence(folder.path()), "image_embeddings: takes");
}

TEST_CASE("files whose sides cannot be") {
    const scratch folder;
    const auto load_with = [&folder](const std::shared_ptr<ov::Model>& encoder,
                                     const std::shared_ptr<ov::Model>& decoder) {
        folder.save(encoder, "encoder.xml");
        folder.save(decoder, "decoder.xml");
        return ostend::openvino_sam::load(folder.path());
    };
    for (const std::int64_t side : {0, 16385}) {
        const auto text = std::to_string(side);
        CHECK_ERROR(load_with(sam2_encoder(side), sam2_decoder()), "encoder.xml: encoder: takes images of",
                    text + "," + text + "]; wanted sides of 1 to 16384");
        CHECK_ERROR(load_with(sam2_encoder(), sam2_decoder(256, side)),
                    "decoder.xml: decoder: mask_input: takes masks of",
                    text + "," + text + "]; wanted sides of 1 to 16384");
    }
    // Masks finer than two cells a pixel of the encoder's square; at two they are read.
    const std::vector<std::uint8_t> bytes(3 * 40 * 50, 90);
    const std::vector<ostend::prompt> asked{point(20, 20)};
    const auto segment_with = [&](std::int64_t side, std::size_t cells) {
        auto sam = load_with(sam2_encoder(side), sam2_decoder(cells));
        REQUIRE_MESSAGE(sam, sam.error().message());
        return sam->segment({bytes.data(), {40, 50, 3}}, asked);
    };
    CHECK_ERROR(segment_with(64, 256), "prompts[0]: decoder", "masks of 256 x 256 over a square of 64");
    CHECK_ERROR(segment_with(64, 129), "prompts[0]: decoder", "masks of 129 x 129 over a square of 64");
    CHECK_ERROR(segment_with(1024, 3000), "prompts[0]: decoder", "masks of 3000 x 3000");
    CHECK(segment_with(64, 128));
    CHECK(segment_with(1, 2));
}

} // namespace

#undef CHECK_SAYS
