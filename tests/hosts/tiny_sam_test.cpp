// tiny_sam against its ONNX files (training/make_segmenter_reference.py): logits, predicted IoU and masks;
// its parts against plain oracles; wrong files and prompts.
#include "reference.hpp"

#include "ostend/host/ground_checks.hpp"
#include "ostend/mask/coco_string.hpp"
#include "ostend/mask/encode.hpp"
#include "tiny_sam/tiny_sam.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

using namespace ostend_test;
using ostend_hosts::feature_map;
using ostend_hosts::Index;
using ostend_hosts::matrix;
using ostend_hosts::tiny_sam;

namespace {

const tiny_sam& segmenter() {
    static const tiny_sam loaded = [] {
        auto one = tiny_sam::load(model_folder("tiny-sam"));
        REQUIRE_MESSAGE(one, one.error().message());
        return *std::move(one);
    }();
    return loaded;
}

/// A picture that answers.json is about.
const picture& picture_of(const std::string& name) {
    static std::map<std::string, picture> read;
    const auto found = read.find(name);
    const auto folder = name.starts_with("scene_") ? std::filesystem::path(OSTEND_TEST_DATA) / "scenes"
                                                   : reference_folder("images");
    return found != read.end() ? found->second
                               : read.emplace(name, read_picture(folder / name)).first->second;
}

ostend::prompt read_prompt(const nlohmann::json& asked) {
    ostend::prompt made;
    for (const auto& p : asked.at("points")) {
        made.points.push_back({{p[0], p[1]}, p[2] == 1});
    }
    if (asked.contains("box")) {
        const auto& b = asked.at("box");
        made.box = ostend::box_in<ostend::original_frame>{b[0], b[1], b[2], b[3]};
    }
    if (asked.contains("pyramid")) {
        const auto cx = asked.at("pyramid")[0].get<ostend::index>();
        const auto cy = asked.at("pyramid")[1].get<ostend::index>();
        made.mask = ostend::mask_logits{ostend::matrix<float>(256, 256), {256, 256}};
        for (ostend::index y = 0; y < 256; ++y) {
            for (ostend::index x = 0; x < 256; ++x) {
                made.mask->values(y, x) = 4.0F - float(std::abs(x - cx) + std::abs(y - cy)) / 16.0F;
            }
        }
    }
    return made;
}

ostend::prompt point(double x, double y) {
    ostend::prompt made;
    made.points.push_back({{x, y}, true});
    return made;
}

// models/tiny-sam with another header or other bytes.
class changed_weights {
public:
    changed_weights() {
        std::ifstream in(model_folder("tiny-sam") / "model.safetensors", std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), sizeof length);
        header = nlohmann::json::parse(bytes.substr(8, length));
        data = bytes.substr(8 + length);
    }
    void set_f16(const std::string& tensor, std::uint16_t bits) {
        std::memcpy(data.data() + header.at(tensor).at("data_offsets")[0].get<std::size_t>(), &bits, 2);
    }
    [[nodiscard]] ostend::result<tiny_sam> load() const {
        const scratch_folder folder;
        const std::string text = header.dump();
        const std::uint64_t length = text.size();
        std::string file(sizeof length, '\0');
        std::memcpy(file.data(), &length, sizeof length);
        folder.write("model.safetensors", file + text + data);
        return tiny_sam::load(folder.path());
    }

    nlohmann::json header;
    std::string data;
};

matrix random_values(std::mt19937& draw, Index rows, Index columns) {
    std::normal_distribution<float> value;
    return matrix::NullaryExpr(rows, columns, [&] { return value(draw); });
}

} // namespace

TEST_CASE("logits, predicted IoU and masks are those of the ONNX files") {
    const auto list = read_json(reference_folder("tiny-sam") / "answers.json").at("prompts");
    const auto file = ostend_hosts::safetensors::read(reference_folder("tiny-sam") / "answers.safetensors");
    REQUIRE_MESSAGE(file, file.error().message());
    const auto count = static_cast<Index>(list.size());
    REQUIRE(count == 113);
    const auto expected = file->values("logits", {count, 3, 8, 8});
    REQUIRE_MESSAGE(expected, expected.error().message());

    const float* at = expected->data();
    double logit_error = 0;
    double iou_error = 0;
    std::size_t other_pixels = 0;
    std::size_t other_masks = 0;
    for (const auto& asked : list) {
        const auto name = asked.at("image").get<std::string>();
        CAPTURE(name);
        const picture& image = picture_of(name);
        const ostend::prompt prompt = read_prompt(asked);
        const std::vector<ostend::prompt> prompts{prompt};

        const auto frame = ostend::make_sam_frame({image.width, image.height});
        const auto seen = segmenter().encoder()(ostend_hosts::sam_picture(image.view(), frame));
        const auto answer = segmenter().decoder()(seen, segmenter().decoder().enter(seen),
                                                  ostend::make_sam_points(prompt, frame, true),
                                                  prompt.mask ? &prompt.mask->values : nullptr);
        for (Index k = 0; k < 3; ++k) {
            for (Index cell = 0; cell < 64; ++cell) {
                const Index y = 16 + 32 * (cell / 8);
                const Index x = 16 + 32 * (cell % 8);
                logit_error =
                    std::max(logit_error, std::abs(double(answer.logits.values(y * 256 + x, k)) - *at++));
            }
        }

        const auto found = segmenter().segment(image.view(), prompts);
        REQUIRE_MESSAGE(found, found.error().message());
        REQUIRE(found->front().size() == 3);
        Index best = 0;
        double most = -1;
        for (Index k = 0; k < 3; ++k) {
            const auto& candidate = found->front()[std::size_t(k)];
            const auto& wanted = asked.at("candidates")[std::size_t(k)];
            const double iou = wanted.at("iou");
            iou_error = std::max(iou_error, std::abs(candidate.score - iou));
            best = iou > most ? k : best;
            most = std::max(most, iou);
            const auto mask = ostend::from_coco_string(wanted.at("mask").at("counts").get<std::string>(),
                                                       image.height, image.width);
            REQUIRE_MESSAGE(mask, mask.error().message());
            if (*mask == candidate.mask) {
                continue;
            }
            // Only pixels whose logit is all but the threshold may fall on the other side.
            ++other_masks;
            const auto ties = wanted.at("ties").get<std::vector<std::size_t>>();
            const ostend::bitmap own = ostend::decode(candidate.mask);
            const ostend::bitmap theirs = ostend::decode(*mask);
            for (std::size_t p = 0; p < own.pixels.size(); ++p) {
                if (own.pixels[p] != theirs.pixels[p]) {
                    const std::size_t down = p % std::size_t(image.width) * std::size_t(image.height) +
                                             p / std::size_t(image.width);
                    CHECK(std::find(ties.begin(), ties.end(), down) != ties.end());
                    ++other_pixels;
                }
            }
        }
        const auto chosen = ostend::choose_candidate(found->front(), ostend::candidate_rule::best_score,
                                                     {image.width, image.height});
        REQUIRE(chosen);
        CHECK(chosen->mask == found->front()[std::size_t(best)].mask);
    }
    CHECK(logit_error < 1e-3);
    CHECK(iou_error < 1e-4);
    CHECK(other_pixels < 10);
    MESSAGE("largest error of logits " << logit_error << ", of predicted IoU " << iou_error << "; "
                                       << other_masks << " masks differ, in " << other_pixels
                                       << " pixels on the threshold");
}

TEST_CASE("convolutions, enlargements and means against plain loops") {
    std::mt19937 draw(5);
    const auto side = [&draw](int most) { return static_cast<Index>(1 + draw() % unsigned(most)); };
    for (int round = 0; round < 60; ++round) {
        const Index height = side(24);
        const Index width = side(40);
        const Index in = side(5);
        const Index out = side(6);
        const feature_map x{height, width, random_values(draw, height * width, in)};
        const ostend_hosts::convolution c{.weight = random_values(draw, 9 * in, out),
                                          .bias = random_values(draw, 1, out),
                                          .stride = side(2),
                                          .dilation = side(4)};
        CAPTURE(round);
        const feature_map y = c(x);
        REQUIRE(y.height == (height + c.stride - 1) / c.stride);
        REQUIRE(y.width == (width + c.stride - 1) / c.stride);
        double error = 0;
        for (Index row = 0; row < y.height; ++row) {
            for (Index column = 0; column < y.width; ++column) {
                for (Index o = 0; o < out; ++o) {
                    double sum = c.bias[o];
                    for (Index k = 0; k < 9; ++k) {
                        const Index from_row = row * c.stride + (k / 3 - 1) * c.dilation;
                        const Index from_column = column * c.stride + (k % 3 - 1) * c.dilation;
                        if (from_row < 0 || from_row >= height || from_column < 0 || from_column >= width) {
                            continue;
                        }
                        for (Index i = 0; i < in; ++i) {
                            sum += double(x.values(from_row * width + from_column, i)) *
                                   double(c.weight(k * in + i, o));
                        }
                    }
                    error = std::max(error, std::abs(sum - double(y.values(row * y.width + column, o))));
                }
            }
        }
        CHECK(error < 1e-4);

        const Index factor = side(4);
        const feature_map large = ostend_hosts::enlarge(x, factor);
        REQUIRE(large.height == factor * height);
        REQUIRE(large.width == factor * width);
        double between = 0;
        for (Index row = 0; row < large.height; ++row) {
            for (Index column = 0; column < large.width; ++column) {
                const double v = std::max(0.0, (double(row) + 0.5) / double(factor) - 0.5);
                const double u = std::max(0.0, (double(column) + 0.5) / double(factor) - 0.5);
                for (Index i = 0; i < in; ++i) {
                    const auto at = [&](Index a, Index b) {
                        return double(x.values(std::min(a, height - 1) * width + std::min(b, width - 1), i));
                    };
                    const auto y0 = Index(v);
                    const auto x0 = Index(u);
                    const double below = v - double(y0);
                    const double right = u - double(x0);
                    const double sum = (1 - below) * ((1 - right) * at(y0, x0) + right * at(y0, x0 + 1)) +
                                       below * ((1 - right) * at(y0 + 1, x0) + right * at(y0 + 1, x0 + 1));
                    between = std::max(between,
                                       std::abs(sum - double(large.values(row * large.width + column, i))));
                }
            }
        }
        CHECK(between < 1e-5);

        // The mean of blocks of a picture in which each pixel was repeated is that picture.
        feature_map repeated{large.height, large.width, large.values};
        for (Index row = 0; row < large.height; ++row) {
            for (Index column = 0; column < large.width; ++column) {
                repeated.values.row(row * large.width + column) =
                    x.values.row(row / factor * width + column / factor);
            }
        }
        const feature_map mean = ostend_hosts::average(repeated, factor);
        CHECK((mean.height == height && mean.width == width));
        CHECK((mean.values - x.values).cwiseAbs().maxCoeff() < 1e-5);
    }
}

TEST_CASE("the picture is SAM's square averaged down") {
    std::mt19937 draw(6);
    for (const auto& size :
         {ostend::image_size{144, 144}, {1, 1}, {97, 31}, {31, 200}, {1500, 900}, {3, 1700}}) {
        CAPTURE(size.width);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(3 * size.area()));
        for (auto& b : bytes) {
            b = static_cast<std::uint8_t>(draw() % 256);
        }
        const ostend::image_view image(bytes.data(), {size.height, size.width, 3});
        const auto frame = ostend::make_sam_frame(size);
        const auto square = ostend::sam_image(image, frame.resized, {1024, 1024});
        const feature_map picture = ostend_hosts::sam_picture(image, frame);
        REQUIRE((picture.height == 256 && picture.width == 256 && picture.values.cols() == 3));
        double error = 0;
        for (Index y = 0; y < 256; ++y) {
            for (Index x = 0; x < 256; ++x) {
                for (Index c = 0; c < 3; ++c) {
                    double sum = 0;
                    for (Index i = 0; i < 16; ++i) {
                        sum += double(square[std::size_t((c * 1024 + 4 * y + i / 4) * 1024 + 4 * x + i % 4)]);
                    }
                    error = std::max(error, std::abs(sum / 16 - double(picture.values(y * 256 + x, c))));
                }
            }
        }
        CHECK(error < 1e-5);
    }
}

TEST_CASE("the rules, the mask prompt, planes instead of pixels") {
    const picture& image = picture_of("scene_0000.png");
    auto asked = point(28.5, 53.5);
    asked.mask = ostend::mask_logits{ostend::matrix<float>(256, 256), {256, 256}};
    std::fill_n(asked.mask->values.values().begin(), 128 * 256, 3.0F);
    const std::vector<ostend::prompt> with_map{asked};
    const std::vector<ostend::prompt> bare{point(28.5, 53.5)};
    const auto ask = [&](const ostend_hosts::tiny_sam_options& options, const auto& prompts) {
        const auto sam = tiny_sam::load(model_folder("tiny-sam"), options);
        REQUIRE(sam);
        auto found = sam->segment(image.view(), prompts);
        REQUIRE_MESSAGE(found, found.error().message());
        return found->front();
    };
    const auto usual = ask({}, with_map);
    const auto kept_from_it = ask({.mask_prompt = false}, with_map);
    const auto alone = ask({}, bare);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(kept_from_it[k].mask == alone[k].mask);
        CHECK(kept_from_it[k].score == alone[k].score);
        CHECK(usual[k].score != alone[k].score);
    }
    const auto proposals = segmenter().propose(image.view(), with_map);
    REQUIRE(proposals);
    for (const std::string_view name : ostend::sam_rule_names) {
        const auto rule = *ostend::find_sam_rule(name);
        const auto scored = ostend::sam_candidates(rule, proposals->front(), &*asked.mask);
        const auto found = ask({.rule = rule}, with_map);
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(found[k].mask == scored[k].mask);
            CHECK(found[k].score == scored[k].score);
        }
    }
    // The same pixels lying otherwise in memory.
    std::vector<std::uint8_t> planes(image.bytes.size());
    const auto pixels = static_cast<std::size_t>(image.width * image.height);
    for (std::size_t i = 0; i < image.bytes.size(); ++i) {
        planes[i % 3 * pixels + i / 3] = image.bytes[i];
    }
    const ostend::image_view strided(planes.data(), {image.height, image.width, 3},
                                     {image.width, 1, image.width * image.height});
    const auto same = segmenter().segment(strided, bare);
    REQUIRE(same);
    CHECK(same->front()[0].mask == alone[0].mask);
    CHECK(segmenter().segment(image.view(), {})->empty());
}

TEST_CASE("images and prompts that no segmenter can take") {
    const std::vector<std::uint8_t> bytes(3 * 5000, 90);
    const ostend::image_view image(bytes.data(), {40, 50, 3});
    const auto ask = [](const ostend::image_view& of, const ostend::prompt& asked) {
        const std::vector<ostend::prompt> prompts{point(0, 0), asked};
        return segmenter().segment(of, prompts);
    };
    CHECK(ask(image, point(50, 40)));
    CHECK_ERROR(ask({bytes.data(), {40, 25, 4}}, point(1, 1)), "image", "40 x 25 pixels of 4");
    CHECK_ERROR(ask({bytes.data(), {1, 5000, 3}}, point(0, 0)), "image", "too narrow");
    CHECK_ERROR(ask(image, {}), "prompts[1]", "no point on the object");
    CHECK_ERROR(ask(image, point(51, 3)), "prompts[1]: points", "outside the image");
    auto masked = point(1, 1);
    masked.mask = ostend::mask_logits{ostend::matrix<float>(128, 128), {128, 128}};
    CHECK_ERROR(ask(image, masked), "prompts[1]: mask", "the decoder wants 256 x 256");
    masked.mask->values(3, 4) = std::numeric_limits<float>::quiet_NaN();
    CHECK_ERROR(ask(image, masked), "prompts[1]: mask", "NaN (at 388)");
}

TEST_CASE("files that are missing, damaged or something else") {
    const scratch_folder empty;
    CHECK_ERROR(tiny_sam::load(empty.path()), "model.safetensors", "cannot be opened");
    CHECK_ERROR(tiny_sam::load(model_folder("tiny-llava")), "encoder.stem.0.weight",
                "there is no such tensor");

    const changed_weights good;
    CHECK(good.load());
    changed_weights cut = good;
    cut.data.resize(cut.data.size() - 1);
    CHECK_ERROR(cut.load(), "model.safetensors", "leave the file");
    changed_weights renamed = good;
    renamed.header["decoder.place.other"] = renamed.header["decoder.place.bias"];
    renamed.header.erase("decoder.place.bias");
    CHECK_ERROR(renamed.load(), "model.safetensors: decoder.place.bias", "no such tensor");
    changed_weights shaped = good;
    shaped.header["decoder.enter_prompt.weight"]["shape"] = {9, 48, 3, 3};
    CHECK_ERROR(shaped.load(), "model.safetensors: decoder.enter_prompt.weight",
                "shape [9, 48, 3, 3] where [48, 9, 3, 3] is wanted");
    changed_weights whole = good;
    whole.header["encoder.back_half.weight"]["dtype"] = "I16";
    CHECK_ERROR(whole.load(), "encoder.back_half.weight", "whole numbers");
    changed_weights more = good;
    more.header["decoder.refine.bias"] = {
        {"dtype", "F16"}, {"shape", {4}}, {"data_offsets", {more.data.size(), more.data.size() + 8}}};
    more.data += std::string(8, '\0');
    CHECK_ERROR(more.load(), "decoder.refine.bias", "is no part of this segmenter");
    for (const std::string tensor :
         {"encoder.stem.0.weight", "encoder.mix_half.1.bias", "decoder.think.1.second.1.running_mean"}) {
        for (const std::uint16_t bits : {0x7E00, 0x7C00, 0xFC00}) { // NaN, infinities
            changed_weights spoilt = good;
            spoilt.set_f16(tensor, bits);
            CHECK_ERROR(spoilt.load(), "model.safetensors: " + tensor, "not finite");
        }
    }
    changed_weights negative = good;
    negative.set_f16("encoder.stem.1.running_var", 0xBC00); // -1
    CHECK_ERROR(negative.load(), "encoder.stem.1.running_var", "below 0");
}

TEST_CASE("numbers that grow too large are noticed at the logits") {
    changed_weights large;
    for (const std::string block :
         {"encoder.stem.1", "encoder.quarter.0.1", "encoder.quarter.1.first.1", "encoder.quarter.1.second.1",
          "encoder.eighth.0.1", "encoder.eighth.1.first.1", "encoder.eighth.1.second.1",
          "encoder.sixteenth.0.1", "encoder.mix_eighth.1", "encoder.mix_quarter.1"}) {
        const auto& offsets = large.header.at(block + ".weight").at("data_offsets");
        const std::uint16_t most = 0x7BFF; // 65504
        for (auto at = offsets[0].get<std::size_t>(); at < offsets[1].get<std::size_t>(); at += 2) {
            std::memcpy(large.data.data() + at, &most, 2);
        }
    }
    const auto sam = large.load();
    REQUIRE_MESSAGE(sam, sam.error().message());
    const std::vector<ostend::prompt> prompts{point(20, 20)};
    CHECK_ERROR(sam->segment(picture_of("scene_0000.png").view(), prompts), "prompts[0]: logits",
                "not finite");
}
