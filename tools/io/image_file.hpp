// Image files through stb: PNG, JPEG, BMP, TGA, GIF (first frame), PNM in; PNG out.
#pragma once

#include "ostend/core/result.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ostend_tools {

/// RGB bytes, rows from top to bottom.
struct rgb_image {
    ostend::index height = 0;
    ostend::index width = 0;
    std::vector<std::uint8_t> pixels;

    [[nodiscard]] ostend::image_view view() const { return {pixels.data(), {height, width, 3}}; }
};

/// Reads an image; transparency is laid over white. An error names the file and says what is wrong with it.
ostend::result<rgb_image> read_image(const std::filesystem::path& path);
ostend::result<rgb_image> decode_image(std::string_view bytes);

/// An 8-bit PNG of `channels` interleaved bytes a pixel (1, 3 or 4).
std::string encode_png(const std::uint8_t* pixels, ostend::index width, ostend::index height, int channels);
/// The same of an RGB image of any strides.
std::string encode_png(const ostend::image_view& image);

} // namespace ostend_tools
