// scene: two to four emoji on a background, with a caption and the exact mask of each.
//
// The distribution is that of the models' training scenes: sizes, overlap, backgrounds and wording. A scene
// depends on the seed and its number alone, not on how many are made.
#pragma once

#include "ostend/geometry/frames.hpp"
#include "ostend/mask/bitmap.hpp"
#include "scenes/classes.hpp"
#include "scenes/sprite.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ostend::scenes {

struct scene_object {
    int class_index = 0;             ///< into classes
    box_in<original_frame> box = {}; ///< of the whole sprite's canvas, covered parts included
    bitmap mask = {};                ///< pixels with alpha > 0.5 that no later object covers
};

struct scene {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb = {}; ///< [height, width, 3]
    std::string caption = {};
    std::vector<scene_object> objects =
        {}; ///< from left to right by the centre of the box, as in the caption

    [[nodiscard]] image_view image() const {
        return {rgb.data(), {static_cast<index>(height), static_cast<index>(width), 3}};
    }
};

struct aspect_ratio {
    int width = 1;
    int height = 1;
};

/// The canvas of an aspect: 144 on the shorter side. Objects are drawn longer side / 144 times as large, so
/// that a model which pads to a square and resizes to 144 sees them at the size of the square scenes.
/// Errors: a side below 1; a ratio beyond 4:1, where the larger objects would not fit.
[[nodiscard]] result<image_size> canvas_of(const aspect_ratio& aspect);
/// "3:2" and the like. Errors: other text.
[[nodiscard]] result<aspect_ratio> parse_aspect(const std::string& text);

/// Scene `number` of a seed. About 3 ms for 144 x 144. Const use of the sheet: safe from several threads.
[[nodiscard]] scene make_scene(const glyph_sheet& glyphs, const image_size& canvas, std::uint64_t seed,
                               std::uint64_t number);

} // namespace ostend::scenes
