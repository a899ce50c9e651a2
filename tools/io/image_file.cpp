#include "io/image_file.hpp"

#include "io/files.hpp"

#include <limits>

// stb is compiled here and nowhere else.
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#ifndef __clang_analyzer__ // stb is not ours to check
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace ostend_tools {

ostend::result<rgb_image> decode_image(std::string_view bytes) {
    constexpr ostend::index max_pixels = ostend::index{1} << 28;
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return ostend::error{"the image file is too large"};
    }
    const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
    const int size = static_cast<int>(bytes.size());
    int width = 0;
    int height = 0;
    int channels = 0;
    if (stbi_info_from_memory(data, size, &width, &height, &channels) == 0) {
        return ostend::error{"this is not an image that can be read (PNG, JPEG, BMP, TGA, GIF or PNM)"};
    }
    if (width < 1 || height < 1 || ostend::index{width} * height > max_pixels) {
        return ostend::error{"the image claims " + std::to_string(width) + " x " + std::to_string(height) +
                             " pixels, more than can be read"};
    }
    stbi_uc* rgba = stbi_load_from_memory(data, size, &width, &height, &channels, 4);
    if (rgba == nullptr) {
        return ostend::error{std::string("the image is damaged: ") + stbi_failure_reason()};
    }
    rgb_image image{.height = height, .width = width, .pixels = {}};
    image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    for (std::size_t p = 0; p < image.pixels.size() / 3; ++p) {
        const int alpha = rgba[4 * p + 3];
        for (std::size_t c = 0; c < 3; ++c) {
            const int over_white = (rgba[4 * p + c] * alpha + 255 * (255 - alpha) + 127) / 255;
            image.pixels[3 * p + c] = static_cast<std::uint8_t>(over_white);
        }
    }
    stbi_image_free(rgba);
    return image;
}

ostend::result<rgb_image> read_image(const std::filesystem::path& path) {
    const auto bytes = read_file(path);
    if (!bytes) {
        return bytes.error();
    }
    auto image = decode_image(*bytes);
    if (!image) {
        return image.error().in(path.string());
    }
    return image;
}

std::string encode_png(const std::uint8_t* pixels, ostend::index width, ostend::index height, int channels) {
    std::string bytes;
    const auto append = [](void* to, void* data, int size) {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
    };
    stbi_write_png_to_func(append, &bytes, static_cast<int>(width), static_cast<int>(height), channels,
                           pixels, static_cast<int>(width) * channels);
    return bytes;
}

std::string encode_png(const ostend::image_view& image) {
    std::vector<std::uint8_t> pixels; // of any strides
    pixels.reserve(static_cast<std::size_t>(3 * image.extent(0) * image.extent(1)));
    for (ostend::index i = 0; i < 3 * image.extent(0) * image.extent(1); ++i) {
        pixels.push_back(image.load(i / 3 / image.extent(1), i / 3 % image.extent(1), i % 3));
    }
    return encode_png(pixels.data(), image.extent(1), image.extent(0), 3);
}

} // namespace ostend_tools
