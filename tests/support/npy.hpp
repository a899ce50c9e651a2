// Reads golden .npy files (little-endian float32, C order) and the golden manifest.
#pragma once

#include "ostend/core/element.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace ostend_test {

struct float_array {
    std::vector<ostend::index> shape;
    std::vector<float> values;

    /// The i-th slice along the first axis.
    [[nodiscard]] std::span<const float> slice(ostend::index i) const {
        const std::size_t count = values.size() / static_cast<std::size_t>(shape.at(0));
        return std::span<const float>(values).subspan(static_cast<std::size_t>(i) * count, count);
    }
};

inline float_array read_golden(const std::string& name) {
    std::ifstream file(OSTEND_TEST_DATA "/golden/" + name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE_MESSAGE(bytes.size() > 10, name);
    const auto header_size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[8])) +
                             256U * static_cast<unsigned char>(bytes[9]);
    const std::string header = bytes.substr(10, header_size);
    REQUIRE(header.find("'<f4'") != std::string::npos);
    REQUIRE(header.find("'fortran_order': False") != std::string::npos);
    float_array out;
    std::size_t count = 1;
    const std::size_t end = header.find(')');
    for (std::size_t at = header.find('(') + 1; at < end;) {
        if (std::isdigit(static_cast<unsigned char>(header[at])) == 0) {
            ++at;
            continue;
        }
        std::size_t used = 0;
        out.shape.push_back(std::stol(header.substr(at), &used));
        count *= static_cast<std::size_t>(out.shape.back());
        at += used;
    }
    REQUIRE(bytes.size() == 10 + header_size + 4 * count);
    out.values.resize(count);
    std::memcpy(out.values.data(), bytes.data() + 10 + header_size, 4 * count);
    return out;
}

/// The golden cases of one category.
inline std::vector<nlohmann::json> golden_cases(const std::string& category) {
    std::ifstream file(OSTEND_TEST_DATA "/golden/manifest.json");
    const nlohmann::json manifest = nlohmann::json::parse(file);
    std::vector<nlohmann::json> found;
    for (const auto& c : manifest.at("cases")) {
        if (c.at("category") == category) {
            found.push_back(c);
        }
    }
    REQUIRE(!found.empty());
    return found;
}

} // namespace ostend_test
