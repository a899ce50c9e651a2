// NumPy's .npy files of f4, f8, f2, u1, b1, i4, i8 in C order, validated as untrusted bytes.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_tools {

struct npy_array {
    ostend::element_type type = ostend::element_type::f32;
    std::vector<ostend::index> shape;
    std::string bytes; ///< the elements, C order

    [[nodiscard]] ostend::index size() const;
    /// All elements widened or rounded to f32.
    [[nodiscard]] std::vector<float> as_floats() const;
    /// All elements cut to 0 .. 255.
    [[nodiscard]] std::vector<std::uint8_t> as_bytes() const;
};

ostend::result<npy_array> parse_npy(std::string_view file);
ostend::result<npy_array> read_npy(const std::filesystem::path& path);

/// The file of an array, version 1.0. Precondition: bytes holds shape's elements, of a type that parse_npy
/// reads.
std::string npy_file(const npy_array& array);

} // namespace ostend_tools
