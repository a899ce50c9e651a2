// sprite: the emoji of a class as an RGBA raster with premultiplied alpha in [0, 1].
//
// Glyphs come from the colour bitmaps of Noto Color Emoji (Debian package fonts-noto-color-emoji), read once;
// a sprite of a size is resampled from its glyph at each call.
#pragma once

#include "ostend/core/result.hpp"
#include "scenes/raster.hpp"

#include <string>
#include <vector>

namespace ostend::scenes {

inline constexpr const char* default_font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/// The glyphs of all classes, cropped to alpha > 40/255. Const access is safe from several threads.
class glyph_sheet {
public:
    /// Precondition: 0 <= class_index < classes.size().
    [[nodiscard]] const raster& glyph(int class_index) const {
        return glyphs_.at(static_cast<std::size_t>(class_index));
    }

private:
    friend result<glyph_sheet> load_glyphs(const std::string& font);
    std::vector<raster> glyphs_;
};

/// Errors: no such file, not a font, no colour bitmaps of 109 pixels, a class without a glyph.
[[nodiscard]] result<glyph_sheet> load_glyphs(const std::string& font = default_font);

/// The glyph with its longer side resized to `size` pixels (Lanczos down, bicubic up), mirrored before and
/// turned after.
[[nodiscard]] raster make_sprite(const raster& glyph, int size, bool mirror, double degrees);

} // namespace ostend::scenes
