// colour_model against Gaussian likelihoods computed by hand, clusters that are known, and degenerate
// colours.
#include "ostend/host/colour_model.hpp"

#include "support/expects.hpp"

#include <cmath>
#include <random>

namespace {

using ostend::colour;
using ostend::colour_model;
using ostend::colour_sample;

/// A Gaussian in f64: mean, covariance with 16 on its diagonal, share of the weight.
struct plain_gaussian {
    double mean[3] = {};
    double covariance[3][3] = {};
    double share = 0;

    plain_gaussian(const std::vector<colour_sample>& samples, double total) {
        double weight = 0;
        for (const auto& s : samples) {
            weight += static_cast<double>(s.weight);
            for (std::size_t i = 0; i < 3; ++i) {
                mean[i] += static_cast<double>(s.weight * s.value[i]);
            }
        }
        for (double& m : mean) {
            m /= weight;
        }
        for (const auto& s : samples) {
            for (std::size_t i = 0; i < 3; ++i) {
                for (std::size_t j = 0; j < 3; ++j) {
                    covariance[i][j] += static_cast<double>(s.weight) / weight *
                                        (static_cast<double>(s.value[i]) - mean[i]) *
                                        (static_cast<double>(s.value[j]) - mean[j]);
                }
            }
        }
        for (std::size_t i = 0; i < 3; ++i) {
            covariance[i][i] += 16;
        }
        share = weight / total;
    }

    /// -log(share * density), less the constant log((2 pi)^1.5); by Gauss's elimination.
    [[nodiscard]] double cost(const colour& c) const {
        double a[3][4];
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                a[i][j] = covariance[i][j];
            }
            a[i][3] = static_cast<double>(c[i]) - mean[i];
        }
        double determinant = 1;
        for (std::size_t k = 0; k < 3; ++k) {
            determinant *= a[k][k]; // positive definite: no pivot is 0
            for (std::size_t i = k + 1; i < 3; ++i) {
                const double factor = a[i][k] / a[k][k];
                for (std::size_t j = k; j < 4; ++j) {
                    a[i][j] -= factor * a[k][j];
                }
            }
        }
        double x[3] = {};
        for (std::size_t k = 3; k-- > 0;) {
            x[k] = a[k][3];
            for (std::size_t j = k + 1; j < 3; ++j) {
                x[k] -= a[k][j] * x[j];
            }
            x[k] /= a[k][k];
        }
        double distance = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            distance += (static_cast<double>(c[i]) - mean[i]) * x[i];
        }
        return 0.5 * distance + 0.5 * std::log(determinant) - std::log(share);
    }
};

double plain_cost(const std::vector<std::vector<colour_sample>>& clusters, const colour& c) {
    double total = 0;
    for (const auto& cluster : clusters) {
        for (const auto& s : cluster) {
            total += static_cast<double>(s.weight);
        }
    }
    double least = std::numeric_limits<double>::infinity();
    for (const auto& cluster : clusters) {
        least = std::min(least, plain_gaussian(cluster, total).cost(c));
    }
    return least;
}

class palette {
public:
    explicit palette(unsigned seed) : engine_(seed) {}
    float number(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
    colour any() { return {number(0, 255), number(0, 255), number(0, 255)}; }
    colour near(const colour& c, float spread) {
        return {c[0] + number(-spread, spread), c[1] + number(-spread, spread),
                c[2] + number(-spread, spread)};
    }

private:
    std::mt19937 engine_;
};

std::vector<colour_sample> joined(const std::vector<std::vector<colour_sample>>& clusters) {
    std::vector<colour_sample> all;
    for (const auto& cluster : clusters) {
        all.insert(all.end(), cluster.begin(), cluster.end());
    }
    return all;
}

void check_costs(const colour_model& model, const std::vector<std::vector<colour_sample>>& clusters,
                 palette& draw) {
    for (int i = 0; i < 30; ++i) {
        const colour c = i < 15 ? draw.any() : draw.near(clusters[0][0].value, 20);
        const double wanted = plain_cost(clusters, c);
        CHECK(std::abs(static_cast<double>(model.cost(c)) - wanted) < 1e-3 * std::max(1.0, std::abs(wanted)));
    }
}

TEST_CASE("one component: the cost is that of the weighted Gaussian") {
    palette draw(1);
    for (int round = 0; round < 60; ++round) {
        std::vector<colour_sample> samples;
        const int count = 1 + round * 3;
        const colour middle = draw.any();
        for (int i = 0; i < count; ++i) {
            const colour c = round % 3 == 0 ? draw.any() : draw.near(middle, static_cast<float>(round));
            samples.push_back({c, draw.number(0.02F, 3)});
        }
        auto given = samples;
        colour_model model;
        CHECK(!model.fitted());
        CHECK(model.fit(given, 1));
        CHECK(model.fitted());
        check_costs(model, {samples}, draw);
    }
}

TEST_CASE("clusters that lie far apart are found, whatever the order of their samples") {
    palette draw(2);
    const colour centres[] = {{20, 20, 20}, {230, 30, 40}, {40, 220, 60}, {30, 50, 235}, {240, 240, 230}};
    for (int round = 0; round < 40; ++round) {
        const auto count = static_cast<std::size_t>(2 + round % 4);
        std::vector<std::vector<colour_sample>> clusters(count);
        for (std::size_t k = 0; k < count; ++k) {
            for (int i = 0; i < 40 + 20 * round % 50; ++i) {
                clusters[k].push_back({draw.near(centres[k], 9), draw.number(0.5F, 1.5F)});
            }
        }
        auto samples = joined(clusters);
        std::mt19937 engine(static_cast<unsigned>(round));
        std::shuffle(samples.begin(), samples.end(), engine);
        colour_model model;
        CHECK(model.fit(samples, static_cast<int>(count)));
        check_costs(model, clusters, draw);
        CHECK(model.cost(centres[0]) < model.cost({128, 128, 128}));
    }
}

TEST_CASE("flat colours, few samples and more components than colours give finite costs") {
    palette draw(3);
    for (const int components : {1, 2, 5, 64}) {
        for (const int colours : {1, 2, 3, 5}) {
            std::vector<colour_sample> samples;
            std::vector<std::vector<colour_sample>> clusters;
            for (int k = 0; k < colours; ++k) {
                const colour c{static_cast<float>(50 * k), static_cast<float>(255 - 50 * k), 7};
                clusters.push_back(std::vector<colour_sample>(static_cast<std::size_t>(3 + k), {c, 1}));
            }
            samples = joined(clusters);
            colour_model model;
            CHECK(model.fit(samples, components));
            for (int i = 0; i < 20; ++i) {
                CHECK(std::isfinite(model.cost(draw.any())));
            }
            if (components >= colours) {
                check_costs(model, clusters, draw); // one component a colour, of the floor's variance
            }
        }
    }
    std::vector<colour_sample> one{{{0, 0, 0}, 1e-6F}};
    colour_model black;
    CHECK(black.fit(one, 5));
    CHECK(black.cost({0, 0, 0}) == doctest::Approx(0.5 * std::log(16.0 * 16 * 16)));
    CHECK(black.cost({4, 0, 0}) == doctest::Approx(0.5 + 0.5 * std::log(16.0 * 16 * 16)));
}

TEST_CASE("the same samples give the same model; an empty fit changes nothing") {
    palette draw(4);
    std::vector<colour_sample> samples;
    for (int i = 0; i < 500; ++i) {
        samples.push_back({draw.any(), draw.number(0.1F, 1)});
    }
    auto again = samples;
    colour_model a;
    colour_model b;
    CHECK(a.fit(samples, 6));
    CHECK(b.fit(again, 6));
    CHECK(!b.fit({}, 6));
    for (int i = 0; i < 200; ++i) {
        const colour c = draw.any();
        CHECK(a.cost(c) == b.cost(c));
    }
}

TEST_CASE("refusals") {
    colour_model model;
    std::vector<colour_sample> samples(4);
    CHECK_EXPECTS(model.fit(samples, 0), "0 components");
    CHECK_EXPECTS(model.fit(samples, 65), "65 components");
    for (const float bad :
         {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        samples[2].weight = bad;
        CHECK_EXPECTS(model.fit(samples, 2), "a weight is not above 0, or a colour not finite");
    }
    samples[2] = {{0, std::numeric_limits<float>::quiet_NaN(), 0}, 1};
    CHECK_EXPECTS(model.fit(samples, 2), "a colour not finite");
    CHECK(!model.fitted());
}

} // namespace
