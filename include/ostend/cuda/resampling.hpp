// resampling for a stream: the interpolation of peak/resample.hpp as one list of words, for a copy to the
// device.
//
// It is made on the host, once for each size of image and grid, so that layouts, padding and tiles are the
// host's own code, and the weights have the host's bits: kernels then find the host's pixel and value.
#pragma once

#include "ostend/cuda/device_view.hpp"
#include "ostend/peak/resample.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace ostend::inline v0 {

/// The sizes that stay on the host.
struct resampling_shape {
    index tokens = 0; ///< of a map
    index rows = 0;   ///< of cells
    index columns = 0;
    image_size pixels = {};
    int x_taps = 0;
    int y_taps = 0;
    index x_runs = 0;
    index y_runs = 0;
    bool remove_corners = false;
    std::optional<float> corner_value = {};

    [[nodiscard]] constexpr index cells() const noexcept { return rows * columns; }
    [[nodiscard]] constexpr index patches() const noexcept { return x_runs * y_runs; }
};

struct packed_resampling {
    resampling_shape shape = {};
    std::vector<std::int32_t> words = {}; ///< copy them to device memory
};

struct device_resampling {
    resampling_shape shape = {};
    device_view<const std::int32_t, 1> words = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr index words_a_run = 6; ///< begin, end, four cells

/// One axis of a packed resampling, as kernels have it.
struct kernel_axis {
    const std::int32_t* weights = nullptr; ///< [taps][pixels], bits of f32
    const std::int32_t* runs = nullptr;    ///< [runs][words_a_run]
    index pixels = 0;
    int taps = 0;

    OSTEND_DEVICE float weight(int tap, index pixel) const {
        return bits_to_float(static_cast<std::uint32_t>(weights[tap * pixels + pixel]));
    }
    OSTEND_DEVICE index begin(index run) const { return runs[run * words_a_run]; }
    OSTEND_DEVICE index end(index run) const { return runs[run * words_a_run + 1]; }
    OSTEND_DEVICE index cell(index run, int tap) const { return runs[run * words_a_run + 2 + tap]; }
};

struct kernel_resampling {
    kernel_axis x = {};
    kernel_axis y = {};
    const std::int32_t* tokens = nullptr; ///< of each cell
};

[[nodiscard]] constexpr index words_of(const resampling_shape& s) noexcept {
    return s.x_taps * s.pixels.width + s.y_taps * s.pixels.height + words_a_run * (s.x_runs + s.y_runs) +
           s.cells();
}

[[nodiscard]] inline kernel_resampling for_kernel(const char* who, const device_resampling& on) {
    const resampling_shape& s = on.shape;
    OSTEND_EXPECTS(on.words.extent(0) == words_of(s) && (on.words.extent(0) <= 1 || on.words.stride(0) == 1),
                   std::string(who) + ": the resampling's words are " + std::to_string(on.words.extent(0)) +
                       ", its shape has " + std::to_string(words_of(s)));
    kernel_resampling out;
    out.x = {on.words.data(), nullptr, s.pixels.width, s.x_taps};
    out.y = {out.x.weights + s.x_taps * s.pixels.width, nullptr, s.pixels.height, s.y_taps};
    out.x.runs = out.y.weights + s.y_taps * s.pixels.height;
    out.y.runs = out.x.runs + words_a_run * s.x_runs;
    out.tokens = out.y.runs + words_a_run * s.y_runs;
    return out;
}

} // namespace detail

/// The interpolation from a view's cells onto the original image, and where its tokens are. Preconditions: as
/// make_resampling; sides and tokens below 2^31. Complexity O(width + height + tokens).
[[nodiscard]] inline packed_resampling pack_resampling(const layout& grid, const peak_options& options = {}) {
    const resampling on = make_resampling(grid, options);
    const auto tokens = static_cast<index>(grid.tokens.size());
    constexpr index most = std::numeric_limits<std::int32_t>::max();
    OSTEND_EXPECTS(on.x.pixels <= most && on.y.pixels <= most && tokens <= most,
                   "pack_resampling: a side or a number of tokens above 2^31 - 1");
    packed_resampling packed;
    packed.shape = {.tokens = tokens,
                    .rows = on.y.cells,
                    .columns = on.x.cells,
                    .pixels = {on.x.pixels, on.y.pixels},
                    .x_taps = on.x.taps,
                    .y_taps = on.y.taps,
                    .x_runs = static_cast<index>(on.x.runs.size()),
                    .y_runs = static_cast<index>(on.y.runs.size()),
                    .remove_corners = options.remove_corners,
                    .corner_value = options.corner_value};
    packed.words.reserve(static_cast<std::size_t>(detail::words_of(packed.shape)));
    for (const axis_weights* axis : {&on.x, &on.y}) {
        for (int tap = 0; tap < axis->taps; ++tap) {
            for (const double w : axis->weights[static_cast<std::size_t>(tap)]) {
                packed.words.push_back(std::bit_cast<std::int32_t>(static_cast<float>(w))); // it is an f32
            }
        }
    }
    for (const axis_weights* axis : {&on.x, &on.y}) {
        for (const axis_run& run : axis->runs) {
            packed.words.push_back(static_cast<std::int32_t>(run.begin));
            packed.words.push_back(static_cast<std::int32_t>(run.end));
            for (const index cell : run.cells) {
                packed.words.push_back(static_cast<std::int32_t>(cell));
            }
        }
    }
    matrix<std::int32_t> token_of(packed.shape.rows, packed.shape.columns, -1);
    for (index t = 0; t < tokens; ++t) {
        const layout_token& place = grid.tokens[static_cast<std::size_t>(t)];
        if (place.kind == token_kind::cell && place.view == options.view) {
            OSTEND_EXPECTS(place.row >= 0 && place.row < packed.shape.rows && place.column >= 0 &&
                               place.column < packed.shape.columns,
                           "pack_resampling: token " + std::to_string(t) + " lies outside its view");
            token_of(place.row, place.column) = static_cast<std::int32_t>(t);
        }
    }
    for (const std::int32_t token : token_of.values()) {
        OSTEND_EXPECTS(token >= 0, "pack_resampling: a cell of the view has no token");
        packed.words.push_back(token);
    }
    return packed;
}

} // namespace ostend::inline OSTEND_KERNELS
