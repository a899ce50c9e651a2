// Pictures of flat shapes whose masks are known, and plain questions about masks.
#pragma once

#include "ostend/mask/bitmap.hpp"
#include "ostend/tensor/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace ostend_test {

using rgb = std::array<std::uint8_t, 3>;

struct painting {
    ostend::index height;
    ostend::index width;
    std::vector<std::uint8_t> bytes;

    painting(ostend::index h, ostend::index w, rgb colour)
        : height(h), width(w), bytes(static_cast<std::size_t>(h * w * 3)) {
        paint(ostend::bitmap(h, w, true), colour);
    }
    void paint(const ostend::bitmap& mask, rgb colour) {
        for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
            for (std::size_t c = 0; c < 3 && mask.pixels[i] != 0; ++c) {
                bytes[3 * i + c] = colour[c];
            }
        }
    }
    void add_noise(int amplitude, unsigned seed) {
        std::mt19937 draw(seed);
        for (auto& b : bytes) {
            const int by = static_cast<int>(draw() % static_cast<unsigned>(2 * amplitude + 1)) - amplitude;
            b = static_cast<std::uint8_t>(std::clamp(b + by, 0, 255));
        }
    }
    [[nodiscard]] ostend::image_view view() const { return {bytes.data(), {height, width, 3}}; }
};

/// The pixels whose centre (x, y) the shape holds.
inline ostend::bitmap draw_shape(ostend::index height, ostend::index width,
                                 const std::function<bool(double x, double y)>& shape) {
    ostend::bitmap mask(height, width);
    for (ostend::index y = 0; y < height; ++y) {
        for (ostend::index x = 0; x < width; ++x) {
            mask(y, x) = shape(static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5) ? 1 : 0;
        }
    }
    return mask;
}

inline ostend::bitmap draw_disc(ostend::index height, ostend::index width, double cx, double cy, double r) {
    return draw_shape(height, width, [=](double x, double y) { return std::hypot(x - cx, y - cy) < r; });
}

inline ostend::bitmap draw_rectangle(ostend::index height, ostend::index width, double x0, double y0,
                                     double x1, double y1) {
    return draw_shape(height, width,
                      [=](double x, double y) { return x > x0 && x < x1 && y > y0 && y < y1; });
}

inline ostend::index count(const ostend::bitmap& mask) {
    return static_cast<ostend::index>(std::count(mask.pixels.begin(), mask.pixels.end(), 1));
}

inline double overlap(const ostend::bitmap& a, const ostend::bitmap& b) {
    double both = 0;
    double either = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        both += a.pixels[i] != 0 && b.pixels[i] != 0 ? 1 : 0;
        either += a.pixels[i] != 0 || b.pixels[i] != 0 ? 1 : 0;
    }
    return both / either;
}

/// Number of pieces of the pixels of one value: 8-connected ones, 4-connected zeros.
inline int pieces(const ostend::bitmap& mask, std::uint8_t value) {
    ostend::bitmap seen(mask.height, mask.width);
    int found = 0;
    for (ostend::index start = 0; start < mask.height * mask.width; ++start) {
        if (mask.pixels[static_cast<std::size_t>(start)] != value ||
            seen.pixels[static_cast<std::size_t>(start)] != 0) {
            continue;
        }
        ++found;
        std::vector<ostend::index> open{start};
        seen.pixels[static_cast<std::size_t>(start)] = 1;
        while (!open.empty()) {
            const ostend::index y = open.back() / mask.width;
            const ostend::index x = open.back() % mask.width;
            open.pop_back();
            for (ostend::index dy = -1; dy <= 1; ++dy) {
                for (ostend::index dx = -1; dx <= 1; ++dx) {
                    const ostend::index v = y + dy;
                    const ostend::index u = x + dx;
                    const bool joined = value == 1 || dy == 0 || dx == 0;
                    if (joined && v >= 0 && u >= 0 && v < mask.height && u < mask.width &&
                        mask(v, u) == value && seen(v, u) == 0) {
                        seen(v, u) = 1;
                        open.push_back(v * mask.width + u);
                    }
                }
            }
        }
    }
    return found;
}

/// Pieces of background that do not reach the border.
inline int holes(const ostend::bitmap& mask) {
    ostend::bitmap framed(mask.height + 2, mask.width + 2);
    for (ostend::index y = 0; y < mask.height; ++y) {
        for (ostend::index x = 0; x < mask.width; ++x) {
            framed(y + 1, x + 1) = mask(y, x);
        }
    }
    return pieces(framed, 0) - 1;
}

} // namespace ostend_test
