#include "scenes/sprite.hpp"

#include "scenes/classes.hpp"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <cmath>
#include <memory>

namespace ostend::scenes {
namespace {

constexpr int strike_size = 109;

struct close_library {
    void operator()(FT_Library library) const { FT_Done_FreeType(library); }
};
struct close_face {
    void operator()(FT_Face face) const { FT_Done_Face(face); }
};

raster from_bitmap(const FT_Bitmap& bitmap) {
    raster out(static_cast<int>(bitmap.width), static_cast<int>(bitmap.rows), 4);
    for (int y = 0; y < out.height; ++y) {
        const unsigned char* row = bitmap.buffer + static_cast<std::ptrdiff_t>(y) * bitmap.pitch;
        for (int x = 0; x < out.width; ++x) {
            constexpr int from_bgra[4] = {2, 1, 0, 3};
            for (int c = 0; c < 4; ++c) {
                out.at(y, x)[c] = static_cast<float>(row[4 * x + from_bgra[c]]) / 255.0F;
            }
        }
    }
    return out;
}

/// The smallest box that holds every pixel of alpha > 40/255.
raster cropped(const raster& image) {
    int x0 = image.width;
    int y0 = image.height;
    int x1 = 0;
    int y1 = 0;
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            if (image.at(y, x)[3] * 255.0F > 40.5F) { // the bytes are whole numbers
                x0 = std::min(x0, x);
                y0 = std::min(y0, y);
                x1 = std::max(x1, x + 1);
                y1 = std::max(y1, y + 1);
            }
        }
    }
    return x0 < x1 ? crop(image, x0, y0, x1 - x0, y1 - y0) : raster{};
}

/// Kernels with negative lobes overshoot: alpha back into [0, 1], colours into [0, alpha].
void clip(raster& image) {
    for (std::size_t i = 0; i < image.values.size(); i += 4) {
        const float alpha = std::clamp(image.values[i + 3], 0.0F, 1.0F);
        image.values[i + 3] = alpha;
        for (std::size_t c = 0; c < 3; ++c) {
            image.values[i + c] = std::clamp(image.values[i + c], 0.0F, alpha);
        }
    }
}

} // namespace

result<glyph_sheet> load_glyphs(const std::string& font) {
    FT_Library raw_library = nullptr;
    if (FT_Init_FreeType(&raw_library) != 0) {
        return error{"FreeType does not start"};
    }
    const std::unique_ptr<std::remove_pointer_t<FT_Library>, close_library> library(raw_library);
    FT_Face raw_face = nullptr;
    if (FT_New_Face(raw_library, font.c_str(), 0, &raw_face) != 0) {
        return error{"no readable font (Debian: apt-get install fonts-noto-color-emoji)", font};
    }
    const std::unique_ptr<std::remove_pointer_t<FT_Face>, close_face> face(raw_face);
    int strike = -1;
    for (int i = 0; i < raw_face->num_fixed_sizes; ++i) {
        if (raw_face->available_sizes[i].y_ppem == strike_size * 64) {
            strike = i;
        }
    }
    if (strike < 0 || FT_Select_Size(raw_face, strike) != 0) {
        return error{"the font has no bitmaps of " + std::to_string(strike_size) + " pixels", font};
    }
    glyph_sheet sheet;
    for (const emoji_class& kind : classes) {
        const FT_UInt number = FT_Get_Char_Index(raw_face, kind.code_point);
        if (number == 0 || FT_Load_Glyph(raw_face, number, FT_LOAD_COLOR) != 0 ||
            raw_face->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_BGRA) {
            return error{"the font has no colour glyph for '" + std::string(kind.phrase) + "'", font};
        }
        sheet.glyphs_.push_back(cropped(from_bitmap(raw_face->glyph->bitmap)));
        if (sheet.glyphs_.back().values.empty()) {
            return error{"the glyph of '" + std::string(kind.phrase) + "' is empty", font};
        }
    }
    return sheet;
}

raster make_sprite(const raster& glyph, int size, bool mirror, double degrees) {
    const double scale = static_cast<double>(size) / std::max(glyph.width, glyph.height);
    const int width = std::max(1, static_cast<int>(std::floor(glyph.width * scale + 0.5)));
    const int height = std::max(1, static_cast<int>(std::floor(glyph.height * scale + 0.5)));
    raster out = resize(mirror ? mirrored(glyph) : glyph, width, height,
                        scale < 1.0 ? kernel::lanczos3 : kernel::bicubic);
    clip(out);
    if (degrees != 0.0) {
        out = rotate(out, degrees);
        clip(out);
    }
    return out;
}

} // namespace ostend::scenes
