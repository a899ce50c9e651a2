// scene_files: scenes as a folder of PNG files and one scenes.json.
//
// scenes.json: {"generator", "seed", "aspect", "scenes": [{"file", "width", "height", "caption", "objects":
// [{"class": row of models/classes.tsv from 0, "article", "phrase" (without the article, names the class),
// "root", "box": [x0, y0, x1, y1] of the sprite, half-open, "mask": {"size": [height, width], "counts":
// COCO's compressed run lengths}}]}]}
#pragma once

#include "io/json.hpp"
#include "scenes/scene.hpp"

#include <string>

namespace ostend::scenes {

/// "scene_0042.png". Precondition: number >= 0.
[[nodiscard]] std::string scene_file_name(std::uint64_t number);

/// One entry of "scenes".
[[nodiscard]] ostend_tools::json to_json(const scene& s, const std::string& file);

} // namespace ostend::scenes
