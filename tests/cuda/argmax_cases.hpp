// find_peak_of_each on a machine against find_peak: the same pixel and the same bits of its value.
#pragma once

#include "ostend/cuda/argmax.hpp"
#include "ostend/geometry/llava.hpp"
#include "ostend/geometry/stretch.hpp"

#include "cuda/compare.hpp"
#include "cuda/machine.hpp"
#include "cuda/oracle.hpp"

#include <limits>

namespace ostend_test {

/// An image in two tiles, a newline after each row of cells, tokens of both views in turn.
inline ostend::layout two_tiles(ostend::image_size image) {
    ostend::layout grid{image, {}, {}};
    const double scale = 60.0 / static_cast<double>(image.width);
    const double down = 56.0 / static_cast<double>(image.height);
    for (int v = 0; v < 2; ++v) {
        grid.views.push_back({{scale, v == 0 ? 0.0 : -30.0}, {down, 0}, 4, 3, 10, 14, 0});
    }
    for (ostend::index r = 0; r < 4; ++r) {
        for (int v = 0; v < 2; ++v) {
            for (ostend::index c = 0; c < 3; ++c) {
                grid.tokens.push_back({ostend::token_kind::cell, v, r, c});
            }
            grid.tokens.push_back({ostend::token_kind::newline, v, 0, 0});
        }
    }
    return grid;
}

/// Maps of several kinds: noise, few levels (many ties), one bump, constant, with values that are not finite
/// or too large.
inline ostend::matrix<float> maps_of_each_kind(std::mt19937& random, ostend::index tokens) {
    ostend::matrix<float> maps = random_matrix(random, 9, tokens);
    for (ostend::index t = 0; t < tokens; ++t) {
        maps(1, t) = static_cast<float>(random() % 2);
        maps(2, t) = -2.5F;
        maps(3, t) = 0;
        maps(4, t) *= 1e-42F;
        maps(5, t) *= 1e30F;
        maps(8, t) *= 1e37F;
    }
    maps(3, tokens / 3) = 1;
    maps(6, tokens / 2) = std::numeric_limits<float>::quiet_NaN();
    maps(7, tokens - 1) = -std::numeric_limits<float>::infinity();
    maps(8, tokens / 2) = 3e38F;
    return maps;
}

template <class Machine>
void check_peaks(Machine& machine, std::mt19937& random, const ostend::layout& grid,
                 const ostend::peak_options& options) {
    using ostend::index;
    const auto packed = ostend::pack_resampling(grid, options);
    const auto maps = maps_of_each_kind(random, packed.shape.tokens);
    auto strided =
        random_tensor<float, 2>(random, {maps.rows(), maps.columns()}, false, 1, [] { return 9.0F; });
    for (index m = 0; m < maps.rows(); ++m) {
        for (index t = 0; t < maps.columns(); ++t) {
            strided.at({m, t}) = maps(m, t);
        }
    }
    auto words = machine.upload(packed.words);
    auto values = machine.upload(strided.storage);
    auto workspace =
        machine.workspace(ostend::workspace_bytes(ostend::peaks_shape{maps.rows(), packed.shape}));
    std::array<std::vector<ostend::device_peak>, 2> got;
    for (unsigned seed : {0U, 1U}) {
        auto found = machine.upload(std::vector<ostend::device_peak>(static_cast<std::size_t>(maps.rows())));
        REQUIRE(ostend::find_peak_of_each(machine.stream(seed), strided.on(values.data()),
                                          {packed.shape, view_of(words, std::array{words.size()})},
                                          view_of(found, std::array{maps.rows()}), workspace.view()));
        got[seed] = found.read();
    }
    CHECK(got[0] == got[1]);
    for (index m = 0; m < maps.rows(); ++m) {
        const auto want = oracle_peak(maps.row(m), grid, options);
        const auto have = ostend::to_result(got[0][static_cast<std::size_t>(m)]);
        INFO("map " << m << ", " << grid.original.width << " x " << grid.original.height << ", view "
                    << options.view);
        const bool large = got[0][static_cast<std::size_t>(m)].state == ostend::peak_state::too_large;
        CHECK(large == (m == 8));
        CHECK((m >= 6 || have.has_value()));
        if (have) { // the host forgives a NaN that no pixel reads
            REQUIRE(want.has_value());
            CHECK(have->at == want->at);
            CHECK(have->value == want->value);
        }
    }
}

template <class Machine>
void peak_cases(Machine& machine) {
    std::mt19937 random(23);
    using ostend::geometry::llava_pad;
    using ostend::geometry::stretch;
    const std::vector<ostend::layout> grids = {
        stretch({100, 70}),    stretch({24, 24}),   stretch({7, 300}),
        llava_pad({640, 480}), llava_pad({33, 90}), two_tiles({120, 90}),
        stretch({1, 1}),       llava_pad({200, 7}), stretch({701, 512}),
    };
    for (const ostend::layout& grid : grids) {
        for (int view = 0; view < static_cast<int>(grid.views.size()); ++view) {
            check_peaks(machine, random, grid, {.view = view});
            check_peaks(machine, random, grid, {.kernel = ostend::interpolation::bilinear, .view = view});
            check_peaks(machine, random, grid, {.remove_corners = true, .view = view});
            check_peaks(machine, random, grid, {.remove_corners = true, .corner_value = 3.0F, .view = view});
        }
    }
}

} // namespace ostend_test
