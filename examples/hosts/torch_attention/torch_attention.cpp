// torch_attention: where the line goes in attention written with torch. A small decoder with random weights
// (two layers, grouped heads, a key/value cache) reads a prompt with an image in it and decodes a few tokens;
// its attention is torch's fused one. The recorded maps are compared with a softmax written out, and the
// decoder's outputs with those of a run that records nothing.
#include "ostend/adapt/torch_attention.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t layers = 2;
constexpr std::int64_t heads = 8;
constexpr std::int64_t kv_heads = 2;
constexpr std::int64_t d = 16;
constexpr std::int64_t width = heads * d;
constexpr std::int64_t prompt_tokens = 40;
constexpr std::int64_t first_image_token = 5;
constexpr std::int64_t image_tokens = 24;
constexpr std::int64_t steps = 6;

/// What is read besides: the recorder's, or the maps of a softmax that is written out.
struct observer {
    ostend::recorder* recorder = nullptr;
    std::vector<std::vector<double>>* explicit_maps = nullptr; ///< [token][image token]
};

/// The same maps the long way: all probabilities of all heads, then the image's columns.
void add_explicit(const observer& seen, std::int64_t first_token, const at::Tensor& q, const at::Tensor& k) {
    const at::Tensor all_k = k.repeat_interleave(heads / kv_heads, 1).to(at::kDouble);
    at::Tensor scores = at::matmul(q.to(at::kDouble), all_k.transpose(-1, -2)) / std::sqrt(double{d});
    const std::int64_t past = k.size(2) - q.size(2);
    const auto hidden = at::ones({q.size(2), k.size(2)}, at::kBool).triu(past + 1);
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
    const at::Tensor map = at::softmax(scores, -1)
                               .mean(1)
                               .squeeze(0)
                               .narrow(1, first_image_token, image_tokens)
                               .contiguous(); // [queries, image tokens]
    for (std::int64_t i = 0; i < map.size(0); ++i) {
        if (first_token + i < 0) {
            continue;
        }
        auto& row = seen.explicit_maps->at(static_cast<std::size_t>(first_token + i));
        for (std::int64_t j = 0; j < image_tokens; ++j) {
            row[static_cast<std::size_t>(j)] += map[i][j].item<double>() / layers;
        }
    }
}

class attention_layer {
public:
    attention_layer(int number, at::ScalarType type) : number_(number) {
        const auto weights = [type](std::int64_t out) { return (at::randn({width, out}) / 8).to(type); };
        to_q_ = weights(width);
        to_k_ = weights(kv_heads * d);
        to_v_ = weights(kv_heads * d);
        to_out_ = weights(width);
        keys_ = at::zeros({1, kv_heads, prompt_tokens + steps, d}, type);
        values_ = at::zeros_like(keys_);
    }

    /// x [1, positions, width] stand after `past` cached ones; the last of them predicts token `first_token`
    /// + positions - 1.
    at::Tensor forward(const at::Tensor& x, std::int64_t past, std::int64_t first_token,
                       const observer& seen) {
        const std::int64_t positions = x.size(1);
        const auto split = [&](const at::Tensor& weights, std::int64_t count) {
            return at::matmul(x, weights).view({1, positions, count, d}).transpose(1, 2);
        };
        const at::Tensor q = split(to_q_, heads); // [1, heads, positions, d]; nothing is contiguous here
        keys_.narrow(2, past, positions).copy_(split(to_k_, kv_heads));
        values_.narrow(2, past, positions).copy_(split(to_v_, kv_heads));
        const at::Tensor k = keys_.narrow(2, 0, past + positions);
        const at::Tensor v = values_.narrow(2, 0, past + positions);

        const bool causal = positions > 1; // of the prompt; a single query sees all that is cached
        const at::Tensor out = at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal, {}, true);
        if (seen.recorder != nullptr) { // the line that a host adds
            const auto good = ostend::record_torch_attention(
                *seen.recorder, {.layer = number_, .token = first_token}, q, k, {.causal = causal});
            if (!good) {
                std::fprintf(stderr, "torch_attention: %s\n", good.error().message().c_str());
                std::exit(1);
            }
        }
        if (seen.explicit_maps != nullptr) {
            add_explicit(seen, first_token, q, k);
        }
        return x + at::matmul(out.transpose(1, 2).reshape({1, positions, width}), to_out_);
    }

private:
    int number_;
    at::Tensor to_q_, to_k_, to_v_, to_out_;
    at::Tensor keys_, values_; ///< [1, kv_heads, positions, d]
};

/// Reads the prompt, then a few tokens one by one; what the last layer gives at each prediction.
at::Tensor decode(at::ScalarType type, const observer& seen) {
    at::manual_seed(7);
    std::vector<attention_layer> model;
    for (int l = 0; l < layers; ++l) {
        model.emplace_back(l, type);
    }
    const auto run = [&](at::Tensor x, std::int64_t past, std::int64_t first_token) {
        for (attention_layer& layer : model) {
            x = layer.forward(x, past, first_token, seen);
        }
        return x.narrow(1, x.size(1) - 1, 1);
    };
    // The prompt's last position predicts token 0.
    std::vector<at::Tensor> given{run(at::randn({1, prompt_tokens, width}).to(type), 0, 1 - prompt_tokens)};
    for (std::int64_t t = 1; t < steps; ++t) {
        given.push_back(run(at::randn({1, 1, width}).to(type), prompt_tokens + t - 1, t));
    }
    return at::cat(given, 1);
}

/// The greatest difference of the maps, or nothing where an output differs at all.
std::optional<double> compare(at::ScalarType type) {
    ostend::recorder rows(
        {.layers = layers, .heads = heads, .image = ostend::key_selection(first_image_token, image_tokens)});
    std::vector<std::vector<double>> expected(steps, std::vector<double>(image_tokens));
    const at::Tensor with = decode(type, {.recorder = &rows, .explicit_maps = &expected});
    const at::Tensor without = decode(type, {});
    const auto maps = rows.maps();
    if (!maps || !at::equal(with, without) || maps->rows() != steps) {
        return {};
    }
    double difference = 0;
    for (ostend::index t = 0; t < maps->rows(); ++t) {
        for (ostend::index j = 0; j < maps->columns(); ++j) {
            const double is = static_cast<double>((*maps)(t, j));
            const double was = expected[static_cast<std::size_t>(t)][static_cast<std::size_t>(j)];
            difference = std::max(difference, std::abs(is - was));
        }
    }
    return difference;
}

} // namespace

int main() {
    const c10::InferenceMode no_grad;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        const auto difference = compare(type);
        if (!difference || *difference > 1e-6) {
            std::fprintf(stderr, "torch_attention: %s: the maps or the outputs are not as they should be\n",
                         at::toString(type));
            return 1;
        }
        std::printf(
            "%s: %lld tokens x %lld image tokens; greatest difference from a softmax written out %.1e; "
            "outputs the same bits with and without recording\n",
            at::toString(type), static_cast<long long>(steps), static_cast<long long>(image_tokens),
            *difference);
    }
    return 0;
}
