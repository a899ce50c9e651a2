// Reads the golden manifest and its .npy masks, for the tests of masks and metrics.
#pragma once

#include "ostend/mask/bitmap.hpp"
#include "ostend/mask/coco_string.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace ostend_test {

inline std::string golden_path(const std::string& file) {
    return std::string(OSTEND_TEST_DATA) + "/golden/" + file;
}

inline std::vector<nlohmann::json> golden_cases(const std::string& category) {
    static const nlohmann::json manifest = [] {
        std::ifstream in(golden_path("manifest.json"));
        return nlohmann::json::parse(in);
    }();
    std::vector<nlohmann::json> found;
    for (const auto& one : manifest["cases"]) {
        if (one["category"] == category) {
            found.push_back(one);
        }
    }
    REQUIRE(!found.empty());
    return found;
}

struct byte_array {
    std::vector<ostend::index> shape;
    std::vector<std::uint8_t> values;
};

/// A .npy file of one-byte elements in C order.
inline byte_array read_npy_bytes(const std::string& file) {
    std::ifstream in(golden_path(file), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), {});
    REQUIRE(all.size() > 10);
    const bool second_version = all[6] != 1;
    const std::size_t start = second_version ? 12 : 10;
    std::size_t length = static_cast<unsigned char>(all[8]) + 256U * static_cast<unsigned char>(all[9]);
    const std::string header = all.substr(start, length);
    REQUIRE(header.find("False") != std::string::npos);
    REQUIRE((header.find("|u1") != std::string::npos || header.find("|b1") != std::string::npos));
    byte_array out;
    const char* p = header.c_str() + header.find('(') + 1;
    while (*p != ')') {
        if (*p >= '0' && *p <= '9') {
            char* next = nullptr;
            out.shape.push_back(std::strtoll(p, &next, 10));
            p = next;
        } else {
            ++p;
        }
    }
    out.values.assign(all.begin() + static_cast<std::ptrdiff_t>(start + length), all.end());
    ostend::index size = 1;
    for (const ostend::index n : out.shape) {
        size *= n;
    }
    REQUIRE(out.values.size() == static_cast<std::size_t>(size));
    return out;
}

inline ostend::bitmap read_npy_mask(const std::string& file) {
    const byte_array array = read_npy_bytes(file);
    REQUIRE(array.shape.size() == 2);
    ostend::bitmap out(array.shape[0], array.shape[1]);
    for (std::size_t i = 0; i < array.values.size(); ++i) {
        out.pixels[i] = array.values[i] != 0 ? 1 : 0;
    }
    return out;
}

inline ostend::rle read_rle(const nlohmann::json& from) {
    return ostend::from_coco_string(from["counts"].get<std::string>(), from["size"][0].get<ostend::index>(),
                                    from["size"][1].get<ostend::index>())
        .value();
}

inline std::vector<ostend::rle> read_rles(const nlohmann::json& from) {
    std::vector<ostend::rle> out;
    for (const auto& one : from) {
        out.push_back(read_rle(one));
    }
    return out;
}

} // namespace ostend_test
