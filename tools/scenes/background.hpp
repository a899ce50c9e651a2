// background: what a scene's objects are painted on: a gradient, noise, stripes or a photograph's texture.
#pragma once

#include "scenes/random.hpp"
#include "scenes/raster.hpp"

namespace ostend::scenes {

enum class background_kind { gradient, noise, stripes, texture };

/// width x height RGB, values in [0, 255], of a kind drawn with equal chances. Periods and grids are relative
/// to the longer side (that is what the model's view is scaled by); a period of 60 px is one at 144.
[[nodiscard]] raster make_background(int width, int height, random& draw);
[[nodiscard]] raster make_background(int width, int height, background_kind kind, random& draw);

} // namespace ostend::scenes
