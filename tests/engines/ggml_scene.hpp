// A prompt with an image and a step behind it, on the toy_model of ggml_graphs.hpp, and what tests ask of its
// maps.
#pragma once

#include "engines/ggml_graphs.hpp"
#include "support/errors.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend_test {

inline std::vector<index> shuffled(index count, index cells, unsigned seed) {
    std::vector<index> all(static_cast<std::size_t>(cells));
    std::iota(all.begin(), all.end(), 0);
    std::shuffle(all.begin(), all.end(), std::mt19937(seed));
    all.resize(static_cast<std::size_t>(count));
    return all;
}

/// Prompt of 40 columns of which [5, 35) are the image, then a step of one column; cells may be anywhere.
struct scene {
    std::vector<index> cells;
    std::vector<index> image;
    decode_step before, shown, rest, next;

    explicit scene(const decode_step& how, bool scattered, index stream = 0) {
        cells = scattered ? shuffled(60, how.keys, 7) : shuffled(0, how.keys, 7);
        for (index i = 0; !scattered && i < 60; ++i) {
            cells.push_back(i);
        }
        image.assign(cells.begin() + 5, cells.begin() + 35);
        const auto part = [&](index first, index count) {
            decode_step step = how;
            step.first_stream = stream;
            step.queries = count;
            step.rows.assign(cells.begin() + first, cells.begin() + first + count);
            step.mask = [all = cells, first, alibi = how.max_bias > 0](index, index query, index key) {
                const auto at = std::find(all.begin(), all.begin() + first + query + 1, key);
                if (at == all.begin() + first + query + 1) {
                    return hidden;
                }
                return alibi ? -static_cast<float>(first + query - (at - all.begin())) : 0.0F;
            };
            return step;
        };
        before = part(0, 5);
        shown = part(5, 30);
        rest = part(35, 5);
        next = part(40, 1);
    }
    void show(toy_model& model, ostend::ggml_recorder& recorder, int sequence = 0) const {
        model.run(before);
        recorder.begin_image(sequence);
        model.run(shown);
        recorder.end_image();
    }
};

inline std::vector<ostend::ggml_column> columns(index count, int sequence, index token) {
    std::vector<ostend::ggml_column> out(static_cast<std::size_t>(count), ostend::ggml_column{sequence, {}});
    out.back().token = token;
    return out;
}

inline double difference(std::span<const float> got, const std::vector<double>& wanted) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(got[i]) - wanted[i]));
    }
    return worst;
}

inline ostend::matrix<float> maps_of(const ostend::ggml_recorder& recorder, int sequence = 0) {
    auto maps = recorder.maps(ostend::query_convention::predicting, sequence);
    REQUIRE_MESSAGE(maps, complaint_of(maps));
    return *std::move(maps);
}

inline std::string complaint(const ostend::ggml_recorder& recorder, int sequence = 0) {
    const auto maps = recorder.maps(ostend::query_convention::predicting, sequence);
    return maps ? "none" : maps.error().message();
}

} // namespace ostend_test
