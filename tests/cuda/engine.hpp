// The flow as an engine calls it, from queries and keys to peaks; docs/cuda.md quotes it.
#pragma once

#include "ostend/cuda/argmax.hpp"
#include "ostend/cuda/from_qk.hpp"
#include "ostend/cuda/normalise.hpp"
#include "ostend/cuda/phrase_maps.hpp"

#include <vector>

namespace ostend_test {

/// Views of memory that the engine owns.
struct engine_views {
    std::vector<ostend::device_qk<ostend::bf16>> layers = {}; ///< a chunk of queries with each layer's keys
    ostend::device_keys image = {};
    ostend::device_view<const float, 2> weights = {}; ///< [layers, heads]
    ostend::device_groups groups = {};
    ostend::device_resampling resampling = {};
    ostend::device_view<float, 2> token_maps = {};  ///< [tokens, image_tokens], zero
    ostend::device_view<float, 2> phrase_maps = {}; ///< [phrases, image_tokens]
    ostend::device_view<ostend::device_peak, 1> peaks = {};
    ostend::device_workspace workspace = {};
};

// [begin engine]
template <class Stream> // ostend::cuda, from ostend/cuda/stream.cuh
ostend::status ground_on(const Stream& on, const engine_views& e) {
    for (std::size_t l = 0; l < e.layers.size(); ++l) {
        const auto weights = e.weights[static_cast<ostend::index>(l)];
        if (auto s = reduce_qk(on, e.layers[l], e.image, weights, e.token_maps, e.workspace); !s) {
            return s;
        }
    }
    if (auto s = group_maps(on, e.token_maps, e.groups, e.phrase_maps); !s) {
        return s;
    }
    if (auto s = subtract_mean(on, e.phrase_maps, e.token_maps, e.phrase_maps, e.workspace); !s) {
        return s;
    }
    return find_peak_of_each(on, e.phrase_maps, e.resampling, e.peaks, e.workspace);
}
// [end engine]

} // namespace ostend_test
