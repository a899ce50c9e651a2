// peak_body: the kernel of find_peak_of_each (cuda/argmax.hpp). A block a map.
//
// Each patch (the pixels that read the same cells) is bounded by its Bernstein coefficients, as
// peak/patch.hpp does it; the patch of the highest bound is evaluated, then those whose bound reaches its
// best pixel. A pixel is computed as the host does: products of f32 are exact in f64, so contraction changes
// no bit.
#pragma once

#include "ostend/cuda/launch.hpp"
#include "ostend/cuda/resampling.hpp"

#include <limits>

namespace ostend::inline v0 {

enum class peak_state : std::int32_t { found, not_finite, too_large };

/// What the kernel leaves for each map, in device memory.
struct device_peak {
    std::int32_t x = -1;
    std::int32_t y = -1;
    float value = 0;
    peak_state state = peak_state::found;
    friend bool operator==(const device_peak&, const device_peak&) = default;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr float largest_float = std::numeric_limits<float>::max();
constexpr float smallest_normal = std::numeric_limits<float>::min();

/// The first pixel, in row-major order, of the largest value.
struct pixel_offer {
    float value = 0;
    index flat = -1;

    OSTEND_DEVICE void offer(float v, index at) {
        if (flat < 0 || v > value || (v == value && at < flat)) {
            value = v;
            flat = at;
        }
    }
};

struct peak_body {
    static constexpr int threads = 256;
    struct shared {
        float least[threads];
        float largest[threads];
        float value[threads];
        index flat[threads];
        float margin;
        float floor; ///< the best pixel of the first patch
        index first; ///< that patch
        int open;    ///< patches that may hold a higher pixel
        peak_state state;
    };
    struct own {
        pixel_offer best;
    };

    device_tensor<const float, 2> maps = {};
    kernel_resampling on = {};
    index rows = 0;
    index columns = 0;
    index x_runs = 0;
    index patches = 0;
    bool remove_corners = false;
    bool corner_is_given = false;
    float corner_value = 0;
    float* cells = nullptr;             ///< [maps][rows * columns]
    float* bounds = nullptr;            ///< [maps][patches]
    std::int32_t* candidates = nullptr; ///< [maps][patches]
    device_tensor<device_peak, 1> out = {};

    OSTEND_DEVICE int phases() const { return 9; }

    OSTEND_DEVICE void run(int phase, const thread_place& at, shared& s, own& o) const {
        if (phase > 1 && s.state != peak_state::found) {
            if (phase == 8 && at.thread == 0) {
                *out.at(at.x) = {-1, -1, 0, s.state};
            }
            return;
        }
        switch (phase) {
        case 0:
            return gather(at, s);
        case 1:
            return judge(at, s);
        case 2:
            return bound(at, s);
        case 3:
            return choose(at, s);
        case 4:
            o.best = {};
            evaluate(at, s.first, o);
            s.value[at.thread] = o.best.value;
            s.flat[at.thread] = o.best.flat;
            return;
        case 5:
            if (at.thread == 0) {
                s.floor = join(s).value;
                s.open = 0;
            }
            return;
        case 6:
            return list(at, s);
        case 7:
            for (int i = 0; i < s.open; ++i) {
                evaluate(at, candidates[at.x * patches + i], o);
            }
            s.value[at.thread] = o.best.value;
            s.flat[at.thread] = o.best.flat;
            return;
        default:
            if (at.thread == 0) {
                const pixel_offer best = join(s);
                *out.at(at.x) = {static_cast<std::int32_t>(best.flat % on.x.pixels),
                                 static_cast<std::int32_t>(best.flat / on.x.pixels), best.value,
                                 peak_state::found};
            }
        }
    }

    OSTEND_DEVICE float* cells_of(index map) const { return cells + map * rows * columns; }
    OSTEND_DEVICE bool is_corner(index cell) const {
        const index row = cell / columns;
        const index column = cell % columns;
        return (row == 0 || row == rows - 1) && (column == 0 || column == columns - 1);
    }

    /// Tokens to cells; the least value and the largest magnitude of a thread's.
    OSTEND_DEVICE void gather(const thread_place& at, shared& s) const {
        float least = infinity();
        float largest = 0;
        for (index cell = at.thread; cell < rows * columns; cell += threads) {
            const float v = *maps.at(at.x, on.tokens[cell]);
            cells_of(at.x)[cell] = v;
            least = v < least ? v : least;
            if (!remove_corners || !is_corner(cell)) {
                largest = magnitude(largest, v);
            }
        }
        s.least[at.thread] = least;
        s.largest[at.thread] = largest;
    }
    /// The larger magnitude; infinity once a value is not finite.
    OSTEND_DEVICE static float magnitude(float largest, float v) {
        const float m = !is_finite(v) ? infinity() : v < 0 ? -v : v;
        return m > largest ? m : largest;
    }

    OSTEND_DEVICE void judge(const thread_place& at, shared& s) const {
        if (at.thread != 0) {
            return;
        }
        float least = infinity();
        float largest = 0;
        for (int t = 0; t < threads; ++t) {
            least = s.least[t] < least ? s.least[t] : least;
            largest = s.largest[t] > largest ? s.largest[t] : largest;
        }
        if (remove_corners) {
            const float corner = corner_is_given ? corner_value : least < infinity() ? least : 0.0F;
            float* const of_map = cells_of(at.x);
            of_map[0] = corner;
            of_map[columns - 1] = corner;
            of_map[(rows - 1) * columns] = corner;
            of_map[rows * columns - 1] = corner;
            largest = magnitude(largest, corner);
        }
        s.state = !(largest <= largest_float)    ? peak_state::not_finite
                  : largest < largest_float / 64 ? peak_state::found
                                                 : peak_state::too_large;
        s.margin = 4e-6F * largest + 32.0F * smallest_normal; // rounding_margin of patch.hpp
    }

    OSTEND_DEVICE static float larger(float a, float b) { return a > b ? a : b; }
    OSTEND_DEVICE static float cubic_bound(float v0, float v1, float v2, float v3) {
        return larger(larger(v1, v2), larger(v1 + 0.25F * (v2 - v0), v2 - 0.25F * (v3 - v1)));
    }
    /// The largest Bernstein coefficient of a patch, and the margin.
    OSTEND_DEVICE float bound_of(const float* of_map, index patch, float margin) const {
        const index row_run = patch / x_runs;
        const index column_run = patch % x_runs;
        float net[4][4];
        for (int r = 0; r < on.y.taps; ++r) {
            const float* const row = of_map + on.y.cell(row_run, r) * columns;
            float v[4] = {};
            for (int c = 0; c < on.x.taps; ++c) {
                v[c] = row[on.x.cell(column_run, c)];
            }
            const bool cubic = on.x.taps == 4;
            net[r][0] = cubic ? v[1] : v[0];
            net[r][1] = cubic ? v[1] + 0.25F * (v[2] - v[0]) : v[1];
            net[r][2] = v[2] - 0.25F * (v[3] - v[1]);
            net[r][3] = v[2];
        }
        float most = -infinity();
        for (int c = 0; c < on.x.taps; ++c) {
            const float here = on.y.taps == 4   ? cubic_bound(net[0][c], net[1][c], net[2][c], net[3][c])
                               : on.y.taps == 2 ? larger(net[0][c], net[1][c])
                                                : net[0][c];
            most = larger(most, here + margin);
        }
        return most;
    }
    OSTEND_DEVICE void bound(const thread_place& at, shared& s) const {
        pixel_offer best;
        for (index patch = at.thread; patch < patches; patch += threads) {
            const float b = bound_of(cells_of(at.x), patch, s.margin);
            bounds[at.x * patches + patch] = b;
            best.offer(b, patch);
        }
        s.value[at.thread] = best.value;
        s.flat[at.thread] = best.flat;
    }
    OSTEND_DEVICE static pixel_offer join(const shared& s) {
        pixel_offer best;
        for (int t = 0; t < threads; ++t) {
            if (s.flat[t] >= 0) {
                best.offer(s.value[t], s.flat[t]);
            }
        }
        return best;
    }
    OSTEND_DEVICE void choose(const thread_place& at, shared& s) const {
        if (at.thread == 0) {
            s.first = join(s).flat;
        }
    }
    /// Patches that can reach the floor, in any order.
    OSTEND_DEVICE void list(const thread_place& at, shared& s) const {
        for (index patch = at.thread; patch < patches; patch += threads) {
            if (patch != s.first && bounds[at.x * patches + patch] >= s.floor) {
                int place;
                OSTEND_ON_DEVICE(place = atomicAdd(&s.open, 1), place = s.open++);
                candidates[at.x * patches + place] = static_cast<std::int32_t>(patch);
            }
        }
    }
    /// A thread's share of a patch's pixels.
    OSTEND_DEVICE void evaluate(const thread_place& at, index patch, own& o) const {
        const float* const of_map = cells_of(at.x);
        const index row_run = patch / x_runs;
        const index column_run = patch % x_runs;
        const auto width = static_cast<std::int32_t>(on.x.end(column_run) - on.x.begin(column_run));
        const auto pixels = width * static_cast<std::int32_t>(on.y.end(row_run) - on.y.begin(row_run));
        for (std::int32_t i = at.thread; i < pixels; i += threads) {
            const index y = on.y.begin(row_run) + i / width;
            const index x = on.x.begin(column_run) + i % width;
            double sum = 0;
            for (int r = 0; r < on.y.taps; ++r) {
                const float* const row = of_map + on.y.cell(row_run, r) * columns;
                double line = 0;
                for (int c = 0; c < on.x.taps; ++c) {
                    line += static_cast<double>(on.x.weight(c, x)) *
                            static_cast<double>(row[on.x.cell(column_run, c)]);
                }
                sum += static_cast<double>(on.y.weight(r, y)) * static_cast<double>(static_cast<float>(line));
            }
            o.best.offer(static_cast<float>(sum), y * on.x.pixels + x);
        }
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
