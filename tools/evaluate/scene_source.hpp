// Where known scenes come from: a folder that was read, or the generator.
#pragma once

#include "evaluate/evaluation.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace ostend_tools {

struct scene_source {
    std::size_t count = 0;
    std::function<known_scene(std::size_t)> at; ///< scene i < count; drawn ones are made when asked for
};

/// The scenes of a folder, read whole. Errors: those of read_scenes.
ostend::result<scene_source> scenes_of_folder(const std::string& folder);

/// The first `count` scenes of a seed on the canvas of an aspect, "W:H". Errors: the aspect; the font is not
/// there.
ostend::result<scene_source> drawn_scenes(std::uint64_t seed, std::size_t count, const std::string& aspect);

} // namespace ostend_tools
