// The values that training/make_reference.py wrote, the two models and the images they were made from.
#pragma once

#include "support/errors.hpp"
#include "support/scratch_folder.hpp"
#include "tiny_llava/tiny_llava.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_test {

struct picture {
    ostend::index width = 0;
    ostend::index height = 0;
    std::vector<std::uint8_t> bytes;
    [[nodiscard]] ostend::image_view view() const { return {bytes.data(), {height, width, 3}}; }
};

/// Reads a PNG file (tiny_llava_test.cpp has the decoder).
picture read_picture(const std::filesystem::path& file);

inline const std::vector<std::string> model_names{"tiny-llava", "tiny-llava-clip"};

inline std::filesystem::path model_folder(const std::string& model) {
    return std::filesystem::path(OSTEND_SOURCE_DIR) / "models" / model;
}
inline std::filesystem::path reference_folder(const std::string& model) {
    return std::filesystem::path(OSTEND_TEST_DATA) / "reference" / model;
}

inline nlohmann::json read_json(const std::filesystem::path& file) {
    std::ifstream in(file);
    REQUIRE_MESSAGE(in, file.string());
    return nlohmann::json::parse(in);
}

inline const ostend_hosts::tiny_llava& model(const std::string& name) {
    static const std::vector<ostend_hosts::tiny_llava> loaded = [] {
        std::vector<ostend_hosts::tiny_llava> all;
        for (const std::string& each : model_names) {
            auto one = ostend_hosts::tiny_llava::load(model_folder(each));
            REQUIRE_MESSAGE(one, one.error().message());
            all.push_back(*std::move(one));
        }
        return all;
    }();
    return loaded[name == model_names[0] ? 0 : 1];
}

/// One image, with what PyTorch made of it.
struct reference_case {
    std::string name;
    picture image;
    std::string caption;
    std::vector<std::int32_t> tokens;
    nlohmann::json phrases;
};

/// The images that captions.json of a folder is about.
inline std::vector<reference_case> read_cases(const std::filesystem::path& captions,
                                              const std::filesystem::path& images) {
    std::vector<reference_case> cases;
    const auto file = read_json(captions / "captions.json");
    for (const auto& entry : file.at("images")) {
        const std::filesystem::path name = entry.at("image").get<std::string>();
        cases.push_back({.name = name.stem().string(),
                         .image = read_picture(images / name),
                         .caption = entry.at("caption"),
                         .tokens = entry.at("ids"),
                         .phrases = entry.at("phrases")});
    }
    return cases;
}

/// The five images of odd shapes that come with logits and rows.
inline std::vector<reference_case> reference_cases(const std::string& model) {
    auto cases = read_cases(reference_folder(model), reference_folder("images"));
    REQUIRE(cases.size() == 5);
    return cases;
}
/// The scenes that the demo shows, with captions and peaks only.
inline std::vector<reference_case> scene_cases(const std::string& model) {
    auto cases =
        read_cases(reference_folder(model) / "scenes", std::filesystem::path(OSTEND_TEST_DATA) / "scenes");
    REQUIRE(cases.size() >= 24);
    return cases;
}

inline std::vector<std::int32_t> ids_of(const std::vector<ostend::token_text>& tokens) {
    std::vector<std::int32_t> ids;
    for (const auto& token : tokens) {
        ids.push_back(token.id);
    }
    return ids;
}
inline std::string text_of(const std::vector<ostend::token_text>& tokens) {
    std::string text;
    for (const auto& token : tokens) {
        text += token.bytes;
    }
    return text;
}

inline double largest_difference(const float* a, const float* b, std::size_t count) {
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double difference = std::abs(double(a[i]) - double(b[i]));
        largest = difference <= largest ? largest : difference; // NaN is kept
    }
    return largest;
}

} // namespace ostend_test
