// select_heads: which heads of which layers make a map, and with what weight.
//
// The paper takes the mean over every head of every layer (the default). The first release of the authors'
// code keeps one head of each layer by a slicing slip: head_selection::from_end(2). A selection does not
// know the model; weights() resolves it for given numbers of layers and heads.
#pragma once

#include "ostend/tensor/matrix.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// One head of one layer. Negative numbers count from the end: head -2 is head H - 2.
struct head_id {
    int layer = 0;
    int head = 0;
    friend bool operator==(const head_id&, const head_id&) = default;
};

/// How the selected heads become one row: their weighted mean, or the largest value of each image token.
/// The maximum looks at every head of non-zero weight and ignores how large the weight is.
enum class head_reduction { mean, max };

class head_selection {
public:
    /// Every head of every layer, equally (the default).
    head_selection() = default;
    static head_selection all() { return {}; }
    /// A set of heads, equally; a head named twice counts once.
    static head_selection pairs(std::vector<head_id> heads) {
        head_selection s(kind::pairs);
        s.pairs_ = std::move(heads);
        return s;
    }
    /// Every listed head of every listed layer, equally. An empty list means all.
    static head_selection grid(std::vector<int> layers, std::vector<int> heads) {
        head_selection s(kind::grid);
        s.layers_ = std::move(layers);
        s.heads_ = std::move(heads);
        return s;
    }
    /// Head H - n of every layer. n = 2 reproduces groundLMM at commit de8b74d.
    static head_selection from_end(int n) {
        OSTEND_EXPECTS_ALWAYS(n >= 1, "head_selection::from_end: n is " + std::to_string(n) +
                                          "; the last head is n = 1");
        return grid({}, {-n});
    }
    /// A weight for each head, [layers, heads], finite and >= 0; only their ratios matter.
    static head_selection weighted(matrix<float> weights) {
        head_selection s(kind::weighted);
        s.weights_ = std::move(weights);
        return s;
    }

    /// The weights [layers, heads] of a model of that size: their sum is 1, heads not selected are exactly 0.
    /// Precondition: at least one head is selected and every named one exists. Complexity: O(layers * heads).
    [[nodiscard]] matrix<float> weights(int layers, int heads) const {
        OSTEND_EXPECTS_ALWAYS(layers > 0 && heads > 0, "head_selection::weights: a model of " +
                                                           std::to_string(layers) + " layers and " +
                                                           std::to_string(heads) + " heads");
        matrix<float> out = raw_weights(layers, heads);
        double sum = 0;
        for (const float w : out.values()) {
            OSTEND_EXPECTS_ALWAYS(std::isfinite(w) && w >= 0, "head_selection::weights: a weight is " +
                                                                  std::to_string(w) +
                                                                  "; weights are finite and not negative");
            sum += static_cast<double>(w);
        }
        OSTEND_EXPECTS_ALWAYS(sum > 0, "head_selection::weights: no head is selected");
        for (float& w : out.values()) {
            w = static_cast<float>(static_cast<double>(w) / sum);
        }
        return out;
    }

    friend bool operator==(const head_selection&, const head_selection&) = default;

private:
    enum class kind { grid, pairs, weighted };
    explicit head_selection(kind k) : kind_(k) {}

    static index resolve(int named, int count, const char* what) {
        const int n = named < 0 ? named + count : named;
        OSTEND_EXPECTS_ALWAYS(n >= 0 && n < count, std::string("head_selection: there is no ") + what + " " +
                                                       std::to_string(named) + " among " +
                                                       std::to_string(count));
        return n;
    }
    static std::vector<index> resolve_all(const std::vector<int>& named, int count, const char* what) {
        std::vector<index> out;
        out.reserve(named.size());
        for (const int n : named) {
            out.push_back(resolve(n, count, what));
        }
        for (int n = 0; named.empty() && n < count; ++n) {
            out.push_back(n);
        }
        return out;
    }
    [[nodiscard]] matrix<float> raw_weights(int layers, int heads) const {
        if (kind_ == kind::weighted) {
            OSTEND_EXPECTS_ALWAYS(weights_.rows() == layers && weights_.columns() == heads,
                                  "head_selection: weights for " + std::to_string(weights_.rows()) +
                                      " layers and " + std::to_string(weights_.columns()) +
                                      " heads, a model of " + std::to_string(layers) + " and " +
                                      std::to_string(heads));
            return weights_;
        }
        matrix<float> out(layers, heads);
        if (kind_ == kind::pairs) {
            for (const head_id& id : pairs_) {
                out(resolve(id.layer, layers, "layer"), resolve(id.head, heads, "head")) = 1;
            }
            return out;
        }
        for (const index layer : resolve_all(layers_, layers, "layer")) {
            for (const index head : resolve_all(heads_, heads, "head")) {
                out(layer, head) = 1;
            }
        }
        return out;
    }

    kind kind_ = kind::grid;
    std::vector<head_id> pairs_ = {};
    std::vector<int> layers_ = {};
    std::vector<int> heads_ = {};
    matrix<float> weights_ = {};
};

} // namespace ostend::inline v0
