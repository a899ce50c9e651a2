// caption: the sentence of a scene, in the words that the models were trained on.
#pragma once

#include "scenes/random.hpp"

#include <span>
#include <string>

namespace ostend::scenes {

/// "there is a dog , a cat and a bunch of grapes .": the things in the order given, by index of their class,
/// opening and joining words drawn. Precondition: at least one thing.
[[nodiscard]] std::string make_caption(std::span<const int> things, random& draw);

} // namespace ostend::scenes
