#include "scenes/texture.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ostend::scenes {
namespace {

struct colour {
    double r = 0;
    double g = 0;
    double b = 0;
};

constexpr int side = texture_side;

colour grey(double v) { return {v, v, v}; }

void put(raster& image, int y, int x, const colour& c, double weight = 1.0) {
    if (y < 0 || x < 0 || y >= image.height || x >= image.width) {
        return;
    }
    float* p = image.at(y, x);
    const std::array<double, 3> to{c.r, c.g, c.b};
    for (std::size_t k = 0; k < 3; ++k) {
        p[k] = static_cast<float>(p[k] + weight * (to[k] - static_cast<double>(p[k])));
    }
}

raster filled(const colour& c) {
    raster out(side, side, 3);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            put(out, y, x, c);
        }
    }
    return out;
}

/// Adds a one-channel field, times a colour, to every pixel.
void add(raster& image, const raster& field, const colour& tint) {
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            const float v = *field.at(y, x);
            float* p = image.at(y, x);
            p[0] += v * static_cast<float>(tint.r);
            p[1] += v * static_cast<float>(tint.g);
            p[2] += v * static_cast<float>(tint.b);
        }
    }
}

/// An ellipse with a soft edge; `shade` lightens the upper left and darkens the lower right.
void ellipse(raster& image, double cx, double cy, double rx, double ry, const colour& c, double softness,
             double shade) {
    for (int y = static_cast<int>(cy - ry - 2); y <= static_cast<int>(cy + ry + 2); ++y) {
        for (int x = static_cast<int>(cx - rx - 2); x <= static_cast<int>(cx + rx + 2); ++x) {
            const double u = (x + 0.5 - cx) / rx;
            const double v = (y + 0.5 - cy) / ry;
            const double inside = (1.0 - std::sqrt(u * u + v * v)) / softness;
            const double light = -shade * (u + v);
            put(image, y, x, {c.r + light, c.g + light, c.b + light}, std::clamp(inside, 0.0, 1.0));
        }
    }
}

raster portrait(random& draw) {
    raster out = filled({draw.uniform(60, 160), draw.uniform(60, 140), draw.uniform(60, 160)});
    for (int i = 0; i < 14; ++i) {
        const colour c = i % 3 == 0
                             ? colour{draw.uniform(180, 240), draw.uniform(120, 180), draw.uniform(90, 150)}
                             : colour{draw.uniform(10, 240), draw.uniform(10, 200), draw.uniform(10, 200)};
        const double size = draw.uniform(20, 90);
        ellipse(out, draw.uniform(0, side), draw.uniform(0, side), size, size * draw.uniform(0.6, 1.8), c,
                draw.uniform(0.05, 0.6), draw.uniform(0, 40));
    }
    add(out, cloud(side, 6, 5, 14, 0.7, draw), {1, 0.95, 0.9});
    return out;
}

raster bricks(random& draw) {
    raster out = filled(grey(draw.uniform(150, 190)));
    const double height = draw.uniform(26, 40);
    const double width = height * draw.uniform(2.0, 3.0);
    const double joint = draw.uniform(2.0, 4.0);
    const double base = draw.uniform(90, 130);
    std::array<double, 512> tone{};
    for (double& t : tone) {
        t = base + draw.uniform(-25, 25);
    }
    for (int y = 0; y < side; ++y) {
        const int row = static_cast<int>(y / height);
        for (int x = 0; x < side; ++x) {
            const double along = x + (row % 2 == 0 ? 0.0 : width / 2.0);
            const int column = static_cast<int>(along / width);
            const double edge = std::min(std::min(y - row * height, (row + 1) * height - y),
                                         std::min(along - column * width, (column + 1) * width - along));
            const double inside = std::clamp((edge - joint) / 2.0 + 0.5, 0.0, 1.0);
            put(out, y, x, grey(tone[static_cast<std::size_t>((row * 31 + column * 7) % 512)]), inside);
        }
    }
    add(out, cloud(side, 10, 5, 9, 0.95, draw), grey(1));
    return out;
}

raster gravel(random& draw) {
    constexpr int cells = 26; // stones a row
    constexpr double pitch = static_cast<double>(side) / cells;
    struct stone {
        double x, y, tone, tilt_x, tilt_y;
    };
    std::vector<stone> stones;
    for (int i = 0; i < (cells + 2) * (cells + 2); ++i) {
        const int row = i / (cells + 2) - 1;
        const int column = i % (cells + 2) - 1;
        const double x = (column + draw.uniform()) * pitch;
        const double y = (row + draw.uniform()) * pitch;
        const double tone = draw.uniform(60, 190);
        const double tilt_x = draw.uniform(-3, 3);
        stones.push_back({x, y, tone, tilt_x, draw.uniform(-3, 3)});
    }
    raster out(side, side, 3);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            double first = 1e9;
            double second = 1e9;
            const stone* nearest = nullptr;
            const int row = static_cast<int>(y / pitch) + 1;
            const int column = static_cast<int>(x / pitch) + 1;
            for (int j = std::max(0, row - 2); j <= std::min(cells + 1, row + 2); ++j) {
                for (int i = std::max(0, column - 2); i <= std::min(cells + 1, column + 2); ++i) {
                    const int at = j * (cells + 2) + i;
                    const stone& s = stones[static_cast<std::size_t>(at)];
                    const double d = (x - s.x) * (x - s.x) + (y - s.y) * (y - s.y);
                    if (d < first) {
                        second = first;
                        first = d;
                        nearest = &s;
                    } else if (d < second) {
                        second = d;
                    }
                }
            }
            const double gap = std::clamp((std::sqrt(second) - std::sqrt(first)) / 4.0, 0.0, 1.0);
            const double lit =
                nearest->tone + nearest->tilt_x * (x - nearest->x) + nearest->tilt_y * (y - nearest->y);
            put(out, y, x, grey(40.0 + gap * (std::clamp(lit, 30.0, 230.0) - 40.0)));
        }
    }
    add(out, cloud(side, 40, 2, 10, 1, draw), grey(1));
    return out;
}

raster grass(random& draw) {
    raster out = filled(grey(70));
    for (int i = 0; i < 5000; ++i) {
        double x = draw.uniform(-10, side + 10);
        double y = draw.uniform(-10, side + 10);
        const double turn = draw.uniform(-0.12, 0.12) + 0.25;
        const double bend = draw.uniform(-0.004, 0.004);
        const int length = 8 + draw.below(26);
        const double tone = draw.uniform(35, 200);
        for (int k = 0; k < length; ++k) {
            x += cosine_of_turns(turn + bend * k);
            y -= sine_of_turns(turn + bend * k);
            const int px = static_cast<int>(std::floor(x));
            put(out, static_cast<int>(std::floor(y)), px, grey(tone), 0.8);
            put(out, static_cast<int>(std::floor(y)), px + 1, grey(tone), 0.4);
        }
    }
    return out;
}

raster star_field(random& draw) {
    raster out = filled({12, 11, 14});
    add(out, cloud(side, 20, 4, 6, 0.9, draw), {1, 1, 1});
    for (int i = 0; i < 420; ++i) {
        const double size = i < 30 ? draw.uniform(3, 11) : draw.uniform(1, 3);
        const double glow = draw.uniform(90, 255);
        const double warm = draw.uniform(-60, 60);
        ellipse(out, draw.uniform(0, side), draw.uniform(0, side), size, size * draw.uniform(0.5, 1.6),
                {glow, glow - std::abs(warm) * 0.4, glow - warm}, 0.9, 0);
    }
    return out;
}

raster coins(random& draw) {
    raster out = filled(grey(draw.uniform(40, 80)));
    add(out, cloud(side, 2, 2, 18, 0.5, draw), grey(1));
    for (int row = 0; row < 4; ++row) {
        for (int column = 0; column < 6; ++column) {
            const double size = draw.uniform(17, 25);
            const double tone = draw.uniform(120, 190);
            const double x = (column + 0.5) * side / 6.0 + draw.uniform(-4, 4);
            const double y = (row + 0.5) * side / 4.0 + draw.uniform(-8, 8);
            ellipse(out, x, y, size, size, grey(tone), 0.08, 20);
            ellipse(out, x + draw.uniform(-3, 3), y, size * 0.45, size * 0.6,
                    grey(tone + draw.uniform(-40, 40)), 0.4, 30);
        }
    }
    add(out, cloud(side, 50, 2, 12, 1, draw), grey(1));
    return out;
}

raster moon(random& draw) {
    raster out = filled(grey(draw.uniform(100, 125)));
    add(out, cloud(side, 3, 6, 9, 0.75, draw), grey(1));
    for (int i = 0; i < 60; ++i) {
        const double size = i < 6 ? draw.uniform(14, 34) : draw.uniform(2, 9);
        const double x = draw.uniform(0, side);
        const double y = draw.uniform(0, side);
        ellipse(out, x, y, size, size * 0.85, grey(150), 0.3, 10);
        ellipse(out, x + size * 0.08, y + size * 0.08, size * 0.85, size * 0.7, grey(95), 0.35, -25);
    }
    return out;
}

raster retina(random& draw) {
    raster out = filled({8, 4, 4});
    ellipse(out, side / 2.0, side / 2.0, side * 0.49, side * 0.49,
            {draw.uniform(190, 225), draw.uniform(95, 125), draw.uniform(50, 75)}, 0.06, -12);
    ellipse(out, side * 0.3, side * 0.5, 24, 26, {250, 200, 130}, 0.5, 0);
    for (int i = 0; i < 26; ++i) {
        double x = side * 0.3;
        double y = side * 0.5;
        double turn = draw.uniform();
        const int length = 80 + draw.below(160);
        const double width = draw.uniform(1.0, 2.6);
        for (int k = 0; k < length; ++k) {
            turn += draw.uniform(-0.02, 0.02);
            x += cosine_of_turns(turn);
            y += sine_of_turns(turn);
            const double dx = x - side / 2.0;
            const double dy = y - side / 2.0;
            if (dx * dx + dy * dy > 0.23 * side * side) {
                break;
            }
            ellipse(out, x, y, width, width, {140, 50, 40}, 0.8, 0);
        }
    }
    add(out, cloud(side, 8, 5, 6, 0.7, draw), {1, 0.8, 0.6});
    return out;
}

raster tissue(random& draw) {
    raster out = filled({draw.uniform(195, 225), draw.uniform(190, 215), draw.uniform(210, 235)});
    add(out, cloud(side, 5, 5, 16, 0.8, draw), {1, 1, 0.6});
    for (int i = 0; i < 500; ++i) {
        const double size = draw.uniform(3, 8);
        const bool brown = i % 3 == 0;
        const colour c = brown
                             ? colour{draw.uniform(120, 180), draw.uniform(80, 130), draw.uniform(60, 110)}
                             : colour{draw.uniform(110, 150), draw.uniform(125, 160), draw.uniform(170, 200)};
        ellipse(out, draw.uniform(0, side), draw.uniform(0, side), size, size * draw.uniform(0.6, 1.7), c,
                0.5, 5);
    }
    add(out, cloud(side, 60, 2, 7, 1, draw), {1, 1, 1});
    return out;
}

} // namespace

raster cloud(int extent, int coarsest, int octaves, double amplitude, double falloff, random& draw) {
    raster sum(extent, extent, 1);
    int grid = coarsest;
    for (int k = 0; k < octaves; ++k, grid *= 2, amplitude *= falloff) {
        raster noise(std::min(grid, extent), std::min(grid, extent), 1);
        for (float& v : noise.values) {
            v = static_cast<float>(amplitude * draw.normal());
        }
        noise = resize(noise, extent, extent, kernel::bicubic);
        for (std::size_t i = 0; i < sum.values.size(); ++i) {
            sum.values[i] += noise.values[i];
        }
    }
    return sum;
}

raster make_texture(int kind, random& draw) {
    constexpr std::array<raster (*)(random&), texture_kinds> makers{
        portrait, bricks, gravel, grass, star_field, coins, moon, retina, tissue};
    raster out = makers.at(static_cast<std::size_t>(kind))(draw);
    for (float& v : out.values) {
        v = std::clamp(v, 0.0F, 255.0F);
    }
    return out;
}

} // namespace ostend::scenes
