// evaluation: oracle recalls against points that ground() gives by itself, and the state of another version.
#include "evaluate/evaluation.hpp"
#include "ground/chosen_segmenter.hpp"
#include "ostend/core/bytes.hpp"
#include "ostend/mask/encode.hpp"
#include "support/errors.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <regex>

using namespace ostend_test;
using namespace ostend_tools;

namespace {

const std::string models = OSTEND_SOURCE_DIR "/models/";

/// The conventions whose points are those of a kind.
ostend::preset conventions_of(std::string_view kind) {
    ostend::preset p;
    p.normalise = kind.ends_with("mean_token")      ? ostend::normalisation::mean_token
                  : kind.ends_with("other_phrases") ? ostend::normalisation::other_phrases
                                                    : ostend::normalisation::none;
    p.words = kind.starts_with("with_article") ? ostend::phrase_words::whole
                                               : ostend::phrase_words::without_article;
    p.query = kind == "token_itself" ? ostend::query_convention::token_itself
                                     : ostend::query_convention::predicting;
    p.map_as_prior = false;
    return p;
}

std::string without_article(const std::string& text) {
    return std::regex_replace(text, std::regex("^(a|an|the|some) "), "");
}

} // namespace

TEST_CASE("oracle recalls follow from the points of each convention") {
    auto lmm = ostend_hosts::tiny_llava::load(models + "tiny-llava");
    REQUIRE(lmm);
    const auto segmenter = chosen_segmenter::load(models + "tiny-sam");
    REQUIRE(segmenter);
    auto scenes = read_scenes(OSTEND_TEST_DATA "/scenes");
    REQUIRE(scenes);
    scenes->resize(12);

    evaluation sums;
    std::array<hit_count, oracle_kinds.size()> expected;
    for (const known_scene& scene : *scenes) {
        for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
            const auto found = ostend::ground(scene.image.view(), *lmm, *segmenter,
                                              {.conventions = conventions_of(oracle_kinds[k])});
            REQUIRE_MESSAGE(found, found.error().message());
            for (const known_object& object : scene.objects) {
                expected[k].add(std::any_of(found->phrases.begin(), found->phrases.end(),
                                            [&](const ostend::grounded_phrase& p) {
                                                return without_article(p.phrase.text) == object.phrase &&
                                                       ostend::decode(object.mask)(p.at.at.y, p.at.at.x) != 0;
                                            }));
            }
            if (oracle_kinds[k] == "mean_token") {
                REQUIRE(sums.update(scene, *found));
            }
        }
    }
    const json figures = sums.compute();
    for (std::size_t k = 0; k < oracle_kinds.size(); ++k) {
        const std::string kind(oracle_kinds[k]);
        CAPTURE(kind);
        const json& counts = figures.at("counts").at("oracle_by_point").at(kind);
        CHECK(counts.at("numerator") == expected[k].hits);
        CHECK(counts.at("denominator") == expected[k].of);
        CHECK(figures.at("oracle_by_point").at(kind) == expected[k].as_ratio().value());
    }
    CHECK(figures.at("oracle_mask_recall") == figures.at("oracle_by_point").at("mean_token"));
    CHECK(expected[0].hits != expected[3].hits); // the kinds differ

    // There and back; another version, another segmenter, bytes that were cut off or lie.
    const std::string bytes = sums.to_bytes("origin");
    const auto back = evaluation::from_bytes(bytes, "origin");
    REQUIRE_MESSAGE(back, back.error().message());
    CHECK(back->compute() == figures);
    CHECK(back->to_bytes("origin") == bytes);
    CHECK_ERROR(evaluation::from_bytes(bytes, "other"), "", "a state of another model");
    ostend::byte_writer older;
    older.put(std::string_view("ostend_evaluate"));
    older.put(std::uint32_t{1});
    older.put(std::string_view("origin"));
    older.put(std::uint64_t{0});
    CHECK_ERROR(evaluation::from_bytes(std::move(older).finish(), "origin"), "a state of version 1",
                "goes on from version 2: begin with another file");
    for (std::size_t size = 0; size < bytes.size(); size += 41) {
        CHECK_FALSE(evaluation::from_bytes(std::string_view(bytes).substr(0, size), "origin"));
    }
    CHECK_FALSE(evaluation::from_bytes(bytes + "x", "origin"));
}

TEST_CASE("segmenters by name") {
    const auto built_in = chosen_segmenter::load("built-in");
    REQUIRE(built_in);
    CHECK(built_in->name() == "built-in graph cut");
    CHECK(built_in->title() == "built-in graph-cut segmenter");
    const auto small = chosen_segmenter::load(models + "tiny-sam");
    REQUIRE(small);
    CHECK(small->name() == models + "tiny-sam");
    CHECK(small->title() == "segmenter " + models + "tiny-sam");

    const auto scenes = read_scenes(OSTEND_TEST_DATA "/scenes");
    REQUIRE(scenes);
    const auto image = scenes->front().image.view();
    ostend::prompt asked;
    asked.points.push_back({{40, 60}, true});
    const std::vector<ostend::prompt> prompts{asked};
    const auto cut = built_in->segment(image, prompts);
    const auto own_cut = ostend::graph_cut_segmenter().segment(image, prompts);
    REQUIRE((cut && own_cut));
    CHECK(cut->front().front().mask == own_cut->front().front().mask);
    const auto net = small->segment(image, prompts);
    const auto own_net = ostend_hosts::tiny_sam::load(models + "tiny-sam")->segment(image, prompts);
    REQUIRE((net && own_net));
    CHECK(net->front().front().mask == own_net->front().front().mask);

    CHECK_ERROR(chosen_segmenter::load("builtin"), "--segmenter", "there is no folder 'builtin'");
    CHECK_ERROR(chosen_segmenter::load(""), "--segmenter", "there is no folder ''");
    CHECK_ERROR(chosen_segmenter::load(models + "tiny-sam/encoder.onnx"), "--segmenter", "no folder");
    CHECK_ERROR(chosen_segmenter::load(OSTEND_TEST_DATA), "model.safetensors", "cannot be opened");
    CHECK_ERROR(chosen_segmenter::load(models + "tiny-llava"), "encoder.stem.0.weight", "no such tensor");
}
