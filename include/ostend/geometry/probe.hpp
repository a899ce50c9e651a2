// probe: does each image token show the pixels that the layout says? A self-test for hosts.
//
// Pairs of images are made in which each cell is lit or dark by a code (the second of a pair is the first's
// negative), and the host's features of both are compared: a token's features follow the code of the cell
// that it shows. All cells are tried at once, so 48 pairs do for a 24 x 24 grid. It finds tokens that are one
// off, a transposed grid, padding on the wrong side, another patch size; it knows nothing of the model.
#pragma once

#include "ostend/geometry/grid.hpp"
#include "ostend/geometry/probe_diagnosis.hpp"
#include "ostend/tensor/matrix.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace ostend::inline v0 {

struct probe_options {
    int pairs = 48;            ///< of images; more for deep towers, whose tokens see one another
    double clearness = 1.3;    ///< a token is judged when its cell's response is this many times the second's
    double faintness = 0.25;   ///< nor is one whose response has less than this part of the median's energy
    std::uint64_t seed = 2026; ///< of the code
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// +1 or -1 for a pair and a cell, from a hash (SplitMix64).
[[nodiscard]] inline float code_of(std::uint64_t seed, index pair, index token) {
    std::uint64_t z = seed + 0x9E3779B97F4A7C15U * (static_cast<std::uint64_t>(pair) * 1048583U +
                                                    static_cast<std::uint64_t>(token) + 1U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return ((z ^ (z >> 31U)) & 1U) != 0 ? 1.0F : -1.0F;
}

/// The token that each pixel of the original image belongs to, -1 for none; of several views the first that
/// has the pixel. [height, width].
[[nodiscard]] inline std::vector<index> tokens_of_pixels(const layout& grid) {
    std::vector<index> owner(static_cast<std::size_t>(grid.original.area()), -1);
    for (index t = 0; t < static_cast<index>(grid.tokens.size()); ++t) {
        const layout_token& place = grid.tokens[static_cast<std::size_t>(t)];
        if (place.kind != token_kind::cell || place.view != 0) {
            continue;
        }
        const box_in<original_frame> box = cell_box(grid, t);
        const auto first = [](double edge) { return static_cast<index>(std::ceil(edge - 0.5)); };
        for (index y = first(box.y0); y < first(box.y1); ++y) {
            for (index x = first(box.x0); x < first(box.x1); ++x) {
                owner[static_cast<std::size_t>(y * grid.original.width + x)] = t;
            }
        }
    }
    return owner;
}

/// Whether a cell of the first view has about a pixel of the original image or more. Without one of their own
/// tokens show their neighbours.
[[nodiscard]] inline bool cells_have_pixels(const layout& grid) {
    if (grid.views.empty()) {
        return true;
    }
    const grid_view& view = grid.views.front();
    return view.cell_width >= 0.9 * view.x.scale && view.cell_height >= 0.9 * view.y.scale;
}

/// Paints an image [height, width, 3]: a cell is lit where sign * code is 1.
inline void paint_code(const std::vector<index>& owner, std::uint64_t seed, index pair, float sign,
                       std::vector<std::uint8_t>& pixels) {
    constexpr std::array<std::uint8_t, 3> lit{250, 225, 60};
    constexpr std::array<std::uint8_t, 3> dark{20, 40, 110};
    for (std::size_t i = 0; i < owner.size(); ++i) {
        const bool on = owner[i] >= 0 && sign * code_of(seed, pair, owner[i]) > 0;
        std::copy_n((on ? lit : dark).begin(), 3, pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
    }
}

} // namespace detail

/// Probes the first view of a layout. features(image) gives what the language model sees of an image of the
/// layout's original size: result<matrix<float>> [image_tokens, d], the same for the same image. Cells that
/// lie in the padding are not judged; where cells are smaller than a pixel, nothing is (unclear). Errors: the
/// host's own; another number of features than the layout has tokens; features that are not finite.
/// Complexity: 2 * pairs images through the host, and O(pairs * tokens * (d + tokens)).
/// Preconditions: a valid layout (see validate), pairs >= 8, clearness >= 1.
template <class Features>
requires std::same_as<std::invoke_result_t<Features&, const image_view&>, result<matrix<float>>>
[[nodiscard]] result<layout_finding> probe_layout(const layout& grid, Features&& features,
                                                  const probe_options& options = {}) {
    OSTEND_EXPECTS(options.pairs >= 8 && options.clearness >= 1,
                   "probe_layout: fewer than 8 pairs, or a clearness below 1");
    const auto tokens = static_cast<index>(grid.tokens.size());
    const std::vector<index> owner = detail::tokens_of_pixels(grid);
    std::vector<bool> visible(grid.tokens.size(), false);
    for (const index t : owner) {
        if (t >= 0) {
            visible[static_cast<std::size_t>(t)] = true;
        }
    }
    if (!detail::cells_have_pixels(grid)) {
        layout_finding small;
        small.shows.assign(grid.tokens.size(), -1);
        small.says = "Cells are smaller than the image's pixels: nothing can be said of so small an image.";
        return small;
    }
    // Features are mixed down to a few numbers by fixed signs: norms are kept well enough to tell cells
    // apart.
    constexpr index mixed = 16;
    std::vector<float> response(static_cast<std::size_t>(options.pairs * tokens * mixed), 0.0F);
    std::vector<std::uint8_t> pixels(3 * owner.size());
    const image_view image(pixels.data(), {grid.original.height, grid.original.width, 3});
    for (index pair = 0; pair < options.pairs; ++pair) {
        for (const float sign : {1.0F, -1.0F}) {
            detail::paint_code(owner, options.seed, pair, sign, pixels);
            const result<matrix<float>> seen = features(image);
            if (!seen) {
                return seen.error();
            }
            if (seen->rows() != tokens || seen->columns() < 1) {
                return error{"the host gives features of " + std::to_string(seen->rows()) +
                                 " image tokens, the layout has " + std::to_string(tokens),
                             "features"};
            }
            for (index t = 0; t < tokens; ++t) {
                float* into = &response[static_cast<std::size_t>((pair * tokens + t) * mixed)];
                for (index x = 0; x < seen->columns(); ++x) {
                    const float value = (*seen)(t, x);
                    if (!std::isfinite(value)) {
                        return error{"the features of image token " + std::to_string(t) + " are not finite",
                                     "features", static_cast<std::size_t>(t)};
                    }
                    into[x % mixed] += sign * detail::code_of(options.seed + 1, x, 0) * value;
                }
            }
        }
    }
    // The cell whose code a token's responses follow: the largest norm of the sum of code * response.
    std::vector<index> shows(grid.tokens.size(), -1);
    std::vector<double> strength(grid.tokens.size(), 0.0);
    std::vector<float> sum(mixed);
    for (index t = 0; t < tokens; ++t) {
        if (grid.tokens[static_cast<std::size_t>(t)].kind != token_kind::cell ||
            grid.tokens[static_cast<std::size_t>(t)].view != 0) {
            continue;
        }
        double best = 0;
        double second = 0;
        index shown = -1;
        for (index cell = 0; cell < tokens; ++cell) {
            if (!visible[static_cast<std::size_t>(cell)]) {
                continue;
            }
            std::fill(sum.begin(), sum.end(), 0.0F);
            for (index pair = 0; pair < options.pairs; ++pair) {
                const float code = detail::code_of(options.seed, pair, cell);
                const float* from = &response[static_cast<std::size_t>((pair * tokens + t) * mixed)];
                for (index x = 0; x < mixed; ++x) {
                    sum[static_cast<std::size_t>(x)] += code * from[x];
                }
            }
            double norm = 0;
            for (const float v : sum) {
                norm += static_cast<double>(v) * static_cast<double>(v);
            }
            if (norm > best) {
                second = best;
                best = norm;
                shown = cell;
            } else {
                second = std::max(second, norm);
            }
        }
        if (best > options.clearness * options.clearness * second) {
            shows[static_cast<std::size_t>(t)] = shown;
            strength[static_cast<std::size_t>(t)] = best;
        }
    }
    // Tokens of padding answer too, faintly, through attention to their neighbours: they show no cell.
    std::vector<double> clear;
    std::copy_if(strength.begin(), strength.end(), std::back_inserter(clear), [](double v) { return v > 0; });
    if (!clear.empty()) {
        const auto middle = clear.begin() + static_cast<std::ptrdiff_t>(clear.size() / 2);
        std::nth_element(clear.begin(), middle, clear.end());
        for (std::size_t t = 0; t < shows.size(); ++t) {
            shows[t] = strength[t] < options.faintness * *middle ? -1 : shows[t];
        }
    }
    return diagnose_layout(grid, std::move(shows));
}

} // namespace ostend::inline OSTEND_KERNELS
