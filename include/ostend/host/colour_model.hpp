// colour_model: how likely is a colour on the object, or off it? A mixture of Gaussians in RGB.
//
// Fitted without chance: clusters are split along their main axis (Orchard and Bouman 1991) and settled by a
// round of Lloyd's algorithm. The likelihood is that of the best component alone, as in GrabCut, which costs
// no exponential. Variances have a floor, so that flat colours and few pixels give finite models.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/expects.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

using colour = std::array<float, 3>; ///< red, green, blue in [0, 255]

struct colour_sample {
    colour value = {};
    float weight = 1; ///< > 0
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

class colour_model {
public:
    /// Fits at most `components` Gaussians and reorders the samples; false when there are none, and the model
    /// stays as it was. Preconditions: components in [1, 64]; weights above 0, colours finite.
    /// O(samples * components).
    bool fit(std::span<colour_sample> samples, int components) {
        OSTEND_EXPECTS(components >= 1 && components <= 64,
                       "colour_model::fit: " + std::to_string(components) + " components");
        if (samples.empty()) {
            return false;
        }
        std::vector<cluster> clusters{gather(samples)};
        OSTEND_EXPECTS(clusters[0].usable(),
                       "colour_model::fit: a weight is not above 0, or a colour not finite");
        while (static_cast<int>(clusters.size()) < components && split_widest(clusters)) {
        }
        settle(samples, clusters);
        double total = 0;
        for (const cluster& c : clusters) {
            total += c.weight;
        }
        gaussians_.clear();
        for (const cluster& c : clusters) {
            if (c.weight > 0) {
                gaussians_.push_back(to_gaussian(c, total));
            }
        }
        return true;
    }

    /// -log of the density of the best component, up to a constant. Precondition: fitted. O(components).
    [[nodiscard]] float cost(const colour& c) const {
        float least = std::numeric_limits<float>::max();
        for (const gaussian& g : gaussians_) {
            const float r = c[0] - g.mean[0];
            const float u = c[1] - g.mean[1];
            const float b = c[2] - g.mean[2];
            const float distance =
                g.inverse[0] * r * r + g.inverse[3] * u * u + g.inverse[5] * b * b +
                2.0F * (g.inverse[1] * r * u + g.inverse[2] * r * b + g.inverse[4] * u * b);
            least = std::min(least, g.offset + 0.5F * distance);
        }
        return least;
    }
    [[nodiscard]] bool fitted() const noexcept { return !gaussians_.empty(); }

private:
    static constexpr double variance_floor = 16.0;

    struct gaussian {
        colour mean{};
        std::array<float, 6> inverse{}; ///< of the covariance: rr rg rb gg gb bb
        float offset = 0;               ///< log of the root of its determinant, less the log of its weight
    };

    struct cluster {
        std::span<colour_sample> members = {};
        double weight = 0;
        std::array<double, 3> first{};
        std::array<double, 6> second{};

        void add(const colour_sample& s) {
            const double w = s.weight;
            const double r = s.value[0];
            const double g = s.value[1];
            const double b = s.value[2];
            weight += w;
            first[0] += w * r;
            first[1] += w * g;
            first[2] += w * b;
            second[0] += w * r * r;
            second[1] += w * r * g;
            second[2] += w * r * b;
            second[3] += w * g * g;
            second[4] += w * g * b;
            second[5] += w * b * b;
        }
        [[nodiscard]] bool usable() const {
            return std::isfinite(weight + second[0] + second[3] + second[5]) &&
                   std::all_of(members.begin(), members.end(),
                               [](const colour_sample& s) { return s.weight > 0; });
        }
        [[nodiscard]] colour mean() const {
            return {static_cast<float>(first[0] / weight), static_cast<float>(first[1] / weight),
                    static_cast<float>(first[2] / weight)};
        }
        [[nodiscard]] std::array<double, 6> covariance() const {
            std::array<double, 6> c{};
            for (std::size_t i = 0, k = 0; i < 3; ++i) {
                for (std::size_t j = i; j < 3; ++j, ++k) {
                    c[k] = second[k] / weight - first[i] / weight * (first[j] / weight);
                }
            }
            return c;
        }
    };

    [[nodiscard]] static cluster gather(std::span<colour_sample> members) {
        cluster c;
        c.members = members;
        for (const colour_sample& s : members) {
            c.add(s);
        }
        return c;
    }

    [[nodiscard]] static gaussian to_gaussian(const cluster& from, double total) {
        auto c = from.covariance();
        for (const std::size_t diagonal : {0, 3, 5}) {
            c[diagonal] = std::max(c[diagonal], 0.0) + variance_floor;
        }
        const std::array<double, 6> cofactors{c[3] * c[5] - c[4] * c[4], c[2] * c[4] - c[1] * c[5],
                                              c[1] * c[4] - c[2] * c[3], c[0] * c[5] - c[2] * c[2],
                                              c[1] * c[2] - c[0] * c[4], c[0] * c[3] - c[1] * c[1]};
        const double determinant = c[0] * cofactors[0] + c[1] * cofactors[1] + c[2] * cofactors[2];
        gaussian g{
            from.mean(), {}, static_cast<float>(0.5 * std::log(determinant) - std::log(from.weight / total))};
        for (std::size_t k = 0; k < 6; ++k) {
            g.inverse[k] = static_cast<float>(cofactors[k] / determinant);
        }
        return g;
    }

    /// The direction of the largest variance and that variance, by power iteration.
    [[nodiscard]] static std::pair<std::array<double, 3>, double>
    main_axis(const std::array<double, 6>& covariance) {
        const auto& c = covariance;
        std::array<double, 3> v{1.0, 0.9, 0.8}; // unequal: a start across the axis would never turn
        double length = 0;
        for (int step = 0; step < 12; ++step) {
            const std::array<double, 3> n{c[0] * v[0] + c[1] * v[1] + c[2] * v[2],
                                          c[1] * v[0] + c[3] * v[1] + c[4] * v[2],
                                          c[2] * v[0] + c[4] * v[1] + c[5] * v[2]};
            length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
            if (!(length > 0)) {
                break;
            }
            v = {n[0] / length, n[1] / length, n[2] / length};
        }
        return {v, length};
    }

    /// Cuts the cluster with the most variance (times its weight) at its mean, across its main axis. False
    /// when every cluster is one colour.
    static bool split_widest(std::vector<cluster>& clusters) {
        std::size_t widest = 0;
        double most = 0;
        std::array<double, 3> axis{};
        for (std::size_t k = 0; k < clusters.size(); ++k) {
            const auto [direction, variance] = main_axis(clusters[k].covariance());
            if (variance > 1e-3 && variance * clusters[k].weight > most) {
                most = variance * clusters[k].weight;
                widest = k;
                axis = direction;
            }
        }
        if (most <= 0) {
            return false;
        }
        const colour mean = clusters[widest].mean();
        const std::span<colour_sample> members = clusters[widest].members;
        std::size_t low = 0;
        for (std::size_t i = 0; i < members.size(); ++i) { // not std::partition: its order is not specified
            const colour& v = members[i].value;
            const double along = (static_cast<double>(v[0]) - mean[0]) * axis[0] +
                                 (static_cast<double>(v[1]) - mean[1]) * axis[1] +
                                 (static_cast<double>(v[2]) - mean[2]) * axis[2];
            if (along <= 0) {
                std::swap(members[i], members[low++]);
            }
        }
        if (low == 0 || low == members.size()) {
            return false; // rounding put all on one side
        }
        clusters[widest] = gather(members.first(low));
        clusters.push_back(gather(members.subspan(low)));
        return true;
    }

    /// Every sample to the cluster with the nearest mean.
    static void settle(std::span<const colour_sample> samples, std::vector<cluster>& clusters) {
        std::vector<colour> means;
        means.reserve(clusters.size());
        for (const cluster& c : clusters) {
            means.push_back(c.mean());
        }
        std::vector<cluster> next(clusters.size());
        for (const colour_sample& s : samples) {
            std::size_t best = 0;
            float least = std::numeric_limits<float>::max();
            for (std::size_t k = 0; k < means.size(); ++k) {
                const float r = s.value[0] - means[k][0];
                const float g = s.value[1] - means[k][1];
                const float b = s.value[2] - means[k][2];
                const float d = r * r + g * g + b * b;
                if (d < least) {
                    least = d;
                    best = k;
                }
            }
            next[best].add(s);
        }
        clusters = std::move(next);
    }

    std::vector<gaussian> gaussians_;
};

} // namespace ostend::inline OSTEND_KERNELS
