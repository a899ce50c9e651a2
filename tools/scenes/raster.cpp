#include "scenes/raster.hpp"

#include "scenes/random.hpp"

#include <algorithm>
#include <cmath>

namespace ostend::scenes {
namespace {

double cubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    }
    if (x < 2.0) {
        return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    }
    return 0.0;
}

double sinc(double x) { return x == 0.0 ? 1.0 : sine_of_turns(x / 2.0) / (3.141592653589793 * x); }

double lanczos(double x) { return std::abs(x) < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0; }

struct taps {
    int first = 0;
    std::vector<float> weights = {};
};

std::vector<taps> taps_of(int from, int to, kernel filter) {
    const double scale = static_cast<double>(from) / to;
    const double widened = std::max(1.0, scale);
    const double support = (filter == kernel::bicubic ? 2.0 : 3.0) * widened;
    std::vector<taps> all(static_cast<std::size_t>(to));
    for (int i = 0; i < to; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(0, static_cast<int>(centre - support + 0.5));
        const int last = std::min(from, static_cast<int>(centre + support + 0.5));
        std::vector<double> w;
        double sum = 0.0;
        for (int x = first; x < last; ++x) {
            const double at = (x - centre + 0.5) / widened;
            w.push_back(filter == kernel::bicubic ? cubic(at) : lanczos(at));
            sum += w.back();
        }
        taps& t = all[static_cast<std::size_t>(i)];
        t.first = first;
        for (const double v : w) {
            t.weights.push_back(static_cast<float>(v / sum));
        }
    }
    return all;
}

raster resize_rows(const raster& image, int height, kernel filter) {
    raster out(image.width, height, image.channels);
    const auto taps = taps_of(image.height, height, filter);
    const std::size_t row = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
    for (int y = 0; y < height; ++y) {
        float* to = out.at(y, 0);
        const auto& t = taps[static_cast<std::size_t>(y)];
        for (std::size_t k = 0; k < t.weights.size(); ++k) {
            const float* from = image.at(t.first + static_cast<int>(k), 0);
            for (std::size_t i = 0; i < row; ++i) {
                to[i] += t.weights[k] * from[i];
            }
        }
    }
    return out;
}

raster resize_columns(const raster& image, int width, kernel filter) {
    raster out(width, image.height, image.channels);
    const auto taps = taps_of(image.width, width, filter);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < width; ++x) {
            float* to = out.at(y, x);
            const auto& t = taps[static_cast<std::size_t>(x)];
            for (std::size_t k = 0; k < t.weights.size(); ++k) {
                const float* from = image.at(y, t.first + static_cast<int>(k));
                for (int c = 0; c < image.channels; ++c) {
                    to[c] += t.weights[k] * from[c];
                }
            }
        }
    }
    return out;
}

} // namespace

raster resize(const raster& image, int width, int height, kernel filter) {
    return resize_rows(resize_columns(image, width, filter), height, filter);
}

raster rotate(const raster& image, double degrees) {
    const double c = cosine_of_turns(degrees / 360.0);
    const double s = sine_of_turns(degrees / 360.0);
    const double half_width = (std::abs(c) * image.width + std::abs(s) * image.height) / 2.0;
    const double half_height = (std::abs(s) * image.width + std::abs(c) * image.height) / 2.0;
    raster out(2 * static_cast<int>(std::ceil(half_width - 1e-9)),
               2 * static_cast<int>(std::ceil(half_height - 1e-9)), image.channels);
    for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
            const double dx = x + 0.5 - out.width / 2.0;
            const double dy = y + 0.5 - out.height / 2.0;
            const double sx = c * dx - s * dy + image.width / 2.0;
            const double sy = s * dx + c * dy + image.height / 2.0;
            if (sx < 0.0 || sy < 0.0 || sx >= image.width || sy >= image.height) {
                continue;
            }
            const double fx = std::floor(sx - 0.5);
            const double fy = std::floor(sy - 0.5);
            float* to = out.at(y, x);
            for (int j = -1; j <= 2; ++j) {
                const double wy = cubic(sy - 0.5 - fy - j);
                const int py = std::clamp(static_cast<int>(fy) + j, 0, image.height - 1);
                for (int i = -1; i <= 2; ++i) {
                    const auto w = static_cast<float>(wy * cubic(sx - 0.5 - fx - i));
                    const int px = std::clamp(static_cast<int>(fx) + i, 0, image.width - 1);
                    const float* from = image.at(py, px);
                    for (int k = 0; k < image.channels; ++k) {
                        to[k] += w * from[k];
                    }
                }
            }
        }
    }
    return out;
}

raster crop(const raster& image, int x, int y, int width, int height) {
    raster out(width, height, image.channels);
    for (int row = 0; row < height; ++row) {
        const float* from = image.at(y + row, x);
        std::copy(from, from + static_cast<std::ptrdiff_t>(width) * image.channels, out.at(row, 0));
    }
    return out;
}

raster mirrored(const raster& image) {
    raster out(image.width, image.height, image.channels);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            const float* from = image.at(y, image.width - 1 - x);
            std::copy(from, from + image.channels, out.at(y, x));
        }
    }
    return out;
}

} // namespace ostend::scenes
