// graph_cut_options: the numbers of the built-in segmenter (graph_cut.hpp).
//
// Energies are in units of negative log likelihood. Weights were chosen on scenes of emoji (tools/scenes),
// with points and maps of a small LLaVA.
#pragma once

#include "ostend/core/element.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ostend::inline v0 {

struct graph_cut_options {
    index work_side = 96; ///< the first cuts are made on an image reduced to at most this
    std::vector<double> radii = {0.10, 0.155, 0.217}; ///< assumed sizes, in parts of the longer side
    int iterations = 2;                               ///< of models and cut
    int object_components = 5;
    int background_components = 6;
    float smoothness = 8.0F;        ///< cost of an outline through a flat area, a pixel
    float smoothness_floor = 0.18F; ///< and along the sharpest edge
    float colour_limit = 6.0F;      ///< largest vote of a colour
    float place = 1.1F; ///< vote of the place: this at the centre, 0 at the radius, -3 times it far off
    float prior = 4.0F; ///< vote of the mask prompt: half of this at probability 1, less it at 0
    float prior_middle = 0.5F;     ///< the probability that votes for neither side
    float prior_pull = 1.0F;       ///< how far the mask prompt pulls the first centre away from the point
    double prior_reach = 0.21;     ///< and from how far, in parts of the longer side
    float seed = 4.0F;             ///< vote of the point's own pixels
    double reach = 2.28;           ///< nothing farther than this many radii from the centre is object
    double inner = 1.4;            ///< the first object model is of what is nearer than this many radii
    double outer = 1.2;            ///< the first background model of what is farther than this
    double background_decay = 3.0; ///< radii over which a pixel's say in the background model fades

    /// Whether a segmenter can be made of them: sizes, lengths and counts above 0, at most 64 components,
    /// votes and costs finite and not negative.
    [[nodiscard]] bool usable() const {
        const auto positive = [](double v) { return std::isfinite(v) && v > 0; };
        const auto weight = [](float v) { return std::isfinite(v) && v >= 0; };
        const auto count = [](int n) { return n >= 1 && n <= 64; };
        return work_side >= 8 && !radii.empty() && std::all_of(radii.begin(), radii.end(), positive) &&
               iterations >= 1 && count(object_components) && count(background_components) &&
               weight(smoothness) && weight(smoothness_floor) && colour_limit > 0 && weight(colour_limit) &&
               weight(place) && weight(prior) && std::isfinite(prior_middle) && std::isfinite(prior_pull) &&
               weight(seed) && positive(prior_reach) && positive(reach) && positive(inner) &&
               positive(outer) && positive(background_decay);
    }
};

} // namespace ostend::inline v0
