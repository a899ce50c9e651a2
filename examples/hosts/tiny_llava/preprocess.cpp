#include "tiny_llava/preprocess.hpp"
#include "ostend/geometry/antialias_taps.hpp"

#include <algorithm>
#include <cmath>

namespace ostend_hosts {
namespace {

using byte = std::uint8_t;
using ostend::index;

// Weights are integers in units of 2^-22: 32 bits less 8 for the pixel and 2 for overshoot.
constexpr int precision = 22;

byte to_byte(int sum) { return static_cast<byte>(std::clamp(sum >> precision, 0, 255)); }

// Keys' cubic with a = -1/2.
double cubic(double x) {
    x = std::abs(x);
    if (x < 1.0) {
        return (1.5 * x - 2.5) * x * x + 1.0;
    }
    if (x < 2.0) {
        return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0;
    }
    return 0.0;
}

using taps = ostend::pixel_taps<int>;

std::vector<taps> make_taps(index source, index target) {
    return ostend::antialias_taps(source, target, 2.0, cubic, [](double share) {
        return static_cast<int>(std::lround(share * (1 << precision)));
    });
}

} // namespace

ostend::result<std::vector<byte>> fit_to_square(const ostend::image_view& image, Index side,
                                                const pixel_config& pixels) {
    const index height = image.extent(0);
    const index width = image.extent(1);
    const auto fail = [&](const char* why) {
        const std::string size = std::to_string(width) + " x " + std::to_string(height);
        return ostend::error{.what = "an image of " + size + " pixels " + why, .field = "image"};
    };
    if (image.extent(2) != 3) {
        return fail("does not have the three channels red, green, blue");
    }
    if (width == 0 || height == 0) {
        return fail("is empty");
    }
    if (width == 1 && height == 1) {
        return fail("leaves nothing to point at");
    }
    if (width > 32768 || height > 32768) {
        return fail("has a side above 32768");
    }

    const index square = std::max(width, height);
    const index left = (square - width) / 2;
    const index top = (square - height) / 2;
    const auto bytes = [&](index rows) { return static_cast<std::size_t>(rows * side * 3); };
    std::array<byte, 3> grey{};
    for (std::size_t c = 0; c < 3; ++c) {
        grey[c] = static_cast<byte>(pixels.mean[c] * 255.0F);
    }

    // Rows first: each row of the square, padded in a buffer, becomes a row of the target's width.
    const bool resize = square != side;
    const std::vector<taps> filter = resize ? make_taps(square, side) : std::vector<taps>();
    std::vector<byte> narrow(bytes(square));
    for (std::size_t i = 0; i < narrow.size(); ++i) {
        narrow[i] = grey[i % 3];
    }
    std::vector<byte> row(static_cast<std::size_t>(square * 3));
    for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = grey[i % 3];
    }
    for (index y = 0; y < height; ++y) {
        for (index x = 0; x < width; ++x) {
            for (index c = 0; c < 3; ++c) {
                row[static_cast<std::size_t>((left + x) * 3 + c)] = image.load(y, x, c);
            }
        }
        byte* out = narrow.data() + (top + y) * side * 3;
        if (!resize) {
            std::copy(row.begin(), row.end(), out);
            continue;
        }
        for (const taps& t : filter) {
            for (index c = 0; c < 3; ++c) {
                int sum = 1 << (precision - 1);
                for (std::size_t i = 0; i < t.weights.size(); ++i) {
                    sum += row[(static_cast<std::size_t>(t.first) + i) * 3 + std::size_t(c)] * t.weights[i];
                }
                *out++ = to_byte(sum);
            }
        }
    }
    if (!resize) {
        return narrow;
    }

    // Then columns.
    std::vector<byte> result(bytes(side));
    std::vector<int> sums(static_cast<std::size_t>(side * 3));
    for (index y = 0; y < side; ++y) {
        const taps& t = filter[static_cast<std::size_t>(y)];
        std::fill(sums.begin(), sums.end(), 1 << (precision - 1));
        for (std::size_t i = 0; i < t.weights.size(); ++i) {
            const byte* const from = narrow.data() + (std::size_t(t.first) + i) * sums.size();
            for (std::size_t x = 0; x < sums.size(); ++x) {
                sums[x] += from[x] * t.weights[i];
            }
        }
        std::transform(sums.begin(), sums.end(), result.begin() + y * side * 3, to_byte);
    }
    return result;
}

matrix cut_patches(const std::vector<byte>& square, const vision_config& vision, const pixel_config& pixels) {
    const Index size = vision.patch_size;
    const Index grid = vision.grid();
    matrix patches(grid * grid, 3 * size * size);
    for (Index patch = 0; patch < patches.rows(); ++patch) {
        const Index top = patch / grid * size;
        const Index left = patch % grid * size;
        float* out = patches.row(patch).data();
        for (Index c = 0; c < 3; ++c) {
            const float mean = pixels.mean[std::size_t(c)];
            const float deviation = pixels.deviation[std::size_t(c)];
            for (Index y = top; y < top + size; ++y) {
                for (Index x = left; x < left + size; ++x) {
                    const byte value = square[std::size_t((y * vision.image_size + x) * 3 + c)];
                    *out++ = (float(value) / 255.0F - mean) / deviation;
                }
            }
        }
    }
    return patches;
}

} // namespace ostend_hosts
