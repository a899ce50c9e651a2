// texture: procedural stand-ins for photographs, so that the generator needs no image files.
//
// The training scenes used nine sample photographs (a portrait, walls, gravel, grass, a star field, coins,
// the moon, a retina, stained tissue). Each texture here imitates the structure of one: its scale, contrast
// and colours, not its content.
#pragma once

#include "scenes/random.hpp"
#include "scenes/raster.hpp"

namespace ostend::scenes {

inline constexpr int texture_kinds = 9;
inline constexpr int texture_side = 320;

/// A square RGB picture, texture_side on a side, values in [0, 255]. Precondition: 0 <= kind < texture_kinds.
[[nodiscard]] raster make_texture(int kind, random& draw);

/// A sum of bicubic-enlarged Gaussian noise fields, one channel, mean 0: octave k has a grid of
/// `coarsest * 2^k` cells a side and a standard deviation of amplitude * falloff^k (before enlargement).
[[nodiscard]] raster cloud(int side, int coarsest, int octaves, double amplitude, double falloff,
                           random& draw);

} // namespace ostend::scenes
