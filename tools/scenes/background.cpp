#include "scenes/background.hpp"

#include "scenes/texture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace ostend::scenes {
namespace {

using rgb = std::array<double, 3>;

rgb random_colour(random& draw) {
    rgb c{};
    for (double& v : c) {
        v = draw.uniform(0, 255);
    }
    return c;
}

void mix(float* pixel, const rgb& a, const rgb& b, double t) {
    for (std::size_t c = 0; c < 3; ++c) {
        pixel[c] = static_cast<float>(a[c] + t * (b[c] - a[c]));
    }
}

raster gradient(int side, random& draw) {
    const rgb from = random_colour(draw);
    const rgb to = random_colour(draw);
    const double turn = draw.uniform();
    const double ux = cosine_of_turns(turn);
    const double uy = sine_of_turns(turn);
    const double reach = (std::abs(ux) + std::abs(uy)) / 2.0;
    raster out(side, side, 3);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            const double along = ((x + 0.5) / side - 0.5) * ux + ((y + 0.5) / side - 0.5) * uy;
            mix(out.at(y, x), from, to, 0.5 + along / (2.0 * reach));
        }
    }
    return out;
}

raster noise(int side, random& draw) {
    const rgb base = random_colour(draw);
    raster out(side, side, 3);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            mix(out.at(y, x), base, base, 0.0);
        }
    }
    for (const int grid : {4, 9, 20, 45}) {
        const double amplitude = draw.uniform(5, 40) / std::sqrt(grid / 4.0);
        raster field(grid, grid, 3);
        for (float& v : field.values) {
            v = static_cast<float>(amplitude * draw.normal());
        }
        field = resize(field, side, side, kernel::bicubic);
        for (std::size_t i = 0; i < out.values.size(); ++i) {
            out.values[i] += field.values[i];
        }
    }
    return out;
}

raster stripes(int side, double pixels_per_unit, random& draw) {
    const rgb first = random_colour(draw);
    rgb second = random_colour(draw);
    for (std::size_t c = 0; c < 3; ++c) {
        second[c] = 0.55 * first[c] + 0.45 * second[c];
    }
    const double period = draw.uniform(8, 60) * pixels_per_unit;
    const double turn = draw.uniform();
    const double ux = cosine_of_turns(turn) / period;
    const double uy = sine_of_turns(turn) / period;
    const double phase = draw.uniform();
    const bool hard = draw.chance(0.4);
    const double sigma = draw.uniform(0, 14);
    raster out(side, side, 3);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            const double wave = 0.5 + 0.5 * sine_of_turns(x * ux + y * uy + phase);
            mix(out.at(y, x), first, second, hard ? (wave > 0.5 ? 1.0 : 0.0) : wave);
        }
    }
    for (float& v : out.values) {
        v += static_cast<float>(sigma * draw.normal());
    }
    return out;
}

raster texture(int side, random& draw) {
    const raster photograph = make_texture(draw.below(texture_kinds), draw);
    const int extent = texture_side / 2 + draw.below(texture_side / 2 + 1);
    const int x = draw.below(texture_side - extent + 1);
    const int y = draw.below(texture_side - extent + 1);
    raster out = resize(crop(photograph, x, y, extent, extent), side, side, kernel::bicubic);
    const auto contrast = static_cast<float>(draw.uniform(0.4, 0.9));
    const auto offset = static_cast<float>(draw.uniform(-30, 30));
    for (float& v : out.values) {
        v = (v - 128.0F) * contrast + 128.0F + offset;
    }
    return out;
}

} // namespace

raster make_background(int width, int height, background_kind kind, random& draw) {
    const int longest = std::max(width, height);
    const int side = longest + longest / 3; // the crop is of a larger picture
    raster whole;
    switch (kind) {
    case background_kind::gradient:
        whole = gradient(side, draw);
        break;
    case background_kind::noise:
        whole = noise(side, draw);
        break;
    case background_kind::stripes:
        whole = stripes(side, longest / 144.0, draw);
        break;
    case background_kind::texture:
        whole = texture(longest, draw);
        break; // it is cropped already
    }
    const int x = draw.below(whole.width - width + 1);
    const int y = draw.below(whole.height - height + 1);
    raster out = crop(whole, x, y, width, height);
    if (draw.chance(0.5)) {
        out = mirrored(out);
    }
    std::array<std::size_t, 3> order{0, 1, 2};
    std::swap(order[2], order[static_cast<std::size_t>(draw.below(3))]);
    std::swap(order[1], order[static_cast<std::size_t>(draw.below(2))]);
    const auto brightness = static_cast<float>(draw.uniform(0.7, 1.15));
    for (std::size_t i = 0; i < out.values.size(); i += 3) {
        const std::array<float, 3> from{out.values[i], out.values[i + 1], out.values[i + 2]};
        for (std::size_t c = 0; c < 3; ++c) {
            out.values[i + c] = std::clamp(from[order[c]] * brightness, 0.0F, 255.0F);
        }
    }
    return out;
}

raster make_background(int width, int height, random& draw) {
    const int kind = draw.below(4);
    return make_background(width, height, static_cast<background_kind>(kind), draw);
}

} // namespace ostend::scenes
