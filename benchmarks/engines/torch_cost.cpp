// torch_cost: what recording costs beside torch's fused attention: layers of LLaVA-1.5-7B's shapes (random
// weights) decode tokens behind an image, each token once a variant, in turn, so that noise of the machine
// hits all of them alike. All variants must give the same bits.
#include "ostend/adapt/torch_attention.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::int64_t heads = 32;
constexpr std::int64_t d = 128;
constexpr std::int64_t width = heads * d;
constexpr std::int64_t feed_forward = 11008;
constexpr std::int64_t text_tokens = 32; // in the cache beside the image

struct settings {
    std::vector<std::string> types = {"f32", "bf16"};
    std::vector<int> image_tokens = {576, 2880};
    std::vector<int> threads = {1, 2};
    int layers = 4;
    int tokens = 32;
    int rounds = 3;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "torch_cost: %s\n", what.c_str());
    std::exit(1);
}

/// All layers have the same weights: those of one are larger than any cache of a processor, so that each
/// layer reads them from memory all the same. Keys and values are each layer's own.
class decoder {
public:
    decoder(at::ScalarType type, const settings& s, std::int64_t image)
        : past_(text_tokens + image), keys_(at::randn({s.layers, 1, heads, past_ + s.tokens, d}).to(type)),
          values_(at::randn_like(keys_)) {
        const auto weights = [type](std::int64_t in, std::int64_t out) {
            return (at::randn({out, in}) / std::sqrt(static_cast<double>(in))).to(type).t();
        };
        qkv_ = weights(width, 3 * width);
        out_ = weights(width, width);
        up_ = weights(width, 2 * feed_forward);
        down_ = weights(feed_forward, width);
    }

    /// Token t of the answer, after those before; x [1, width].
    at::Tensor run(at::Tensor x, int t, ostend::recorder* recorder) {
        const std::int64_t at = past_ + t;
        for (int l = 0; l < keys_.size(0); ++l) {
            const auto parts = at::matmul(x, qkv_).view({1, 3, heads, 1, d});
            const at::Tensor q = parts.select(1, 0);
            keys_[l].narrow(2, at, 1).copy_(parts.select(1, 1));
            values_[l].narrow(2, at, 1).copy_(parts.select(1, 2));
            const at::Tensor k = keys_[l].narrow(2, 0, at + 1);
            const at::Tensor v = values_[l].narrow(2, 0, at + 1);
            const at::Tensor seen = at::scaled_dot_product_attention(q, k, v);
            if (recorder != nullptr) {
                if (const auto good =
                        ostend::record_torch_attention(*recorder, {.layer = l, .token = t}, q, k);
                    !good) {
                    fail(good.error().message());
                }
            }
            x = at::rms_norm(x + at::matmul(seen.reshape({1, width}), out_), {width});
            const auto gates = at::matmul(x, up_).chunk(2, 1);
            x = at::rms_norm(x + at::matmul(at::silu(gates[0]) * gates[1], down_), {width});
        }
        return x;
    }

    void flush(ostend::recorder& recorder, int tokens) {
        for (int l = 0; l < keys_.size(0); ++l) {
            const auto good =
                ostend::flush_torch_attention(recorder, l, keys_[l].narrow(2, 0, past_ + tokens));
            if (!good) {
                fail(good.error().message());
            }
        }
    }

private:
    std::int64_t past_;
    at::Tensor keys_, values_; ///< [layers, 1, heads, positions, d]
    at::Tensor qkv_, out_, up_, down_;
};

struct variant {
    const char* name;
    std::optional<ostend::recording> mode;
};
const std::vector<variant> variants = {{"nothing is recorded", {}},
                                       {"the same again", {}},
                                       {"deferred: q is copied", ostend::recording::deferred},
                                       {"online", ostend::recording::online}};

template <class F>
double milliseconds(F&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

/// Times of each variant's tokens, and of the flushes.
struct measured {
    std::vector<std::vector<double>> tokens = std::vector<std::vector<double>>(variants.size());
    std::vector<double> flushes = {};
};

/// One answer, each token by each variant in turn.
void answer(decoder& model, at::ScalarType type, const settings& s, std::int64_t image, std::mt19937& random,
            measured& out) {
    std::vector<std::optional<ostend::recorder>> recorders;
    for (const variant& v : variants) {
        recorders.emplace_back();
        if (v.mode) {
            recorders.back().emplace(
                ostend::recorder_options{.layers = s.layers,
                                         .heads = static_cast<int>(heads),
                                         .image = ostend::key_selection(text_tokens / 2, image),
                                         .mode = *v.mode,
                                         .flush_every = s.tokens + 1});
        }
    }
    std::vector<std::size_t> order(variants.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int t = 0; t < s.tokens; ++t) {
        const at::Tensor x = at::randn({1, width}).to(type);
        at::Tensor said;
        std::shuffle(order.begin(), order.end(), random); // none always follows the same one
        for (const std::size_t v : order) {
            at::Tensor given;
            out.tokens[v].push_back(
                milliseconds([&] { given = model.run(x, t, recorders[v] ? &*recorders[v] : nullptr); }));
            if (said.defined() && !at::equal(said, given)) {
                fail(std::string("'") + variants[v].name + "' changes the answer");
            }
            said = given;
        }
    }
    out.flushes.push_back(milliseconds([&] { model.flush(*recorders[2], s.tokens); }) / s.tokens);

    const auto kept = recorders[2]->maps(), at_once = recorders[3]->maps();
    if (!kept || !at_once || kept->rows() != s.tokens || at_once->rows() != s.tokens) {
        fail("the maps are not of as many tokens");
    }
    for (std::size_t i = 0; i < kept->values().size(); ++i) {
        if (!(std::abs(kept->values()[i] - at_once->values()[i]) <= 1e-6F && at_once->values()[i] > 0)) {
            fail("the maps of the two ways of recording differ");
        }
    }
}

void print(const measured& all, const settings& s, const std::string& title) {
    std::printf("\n%s\n\n| | ms a layer and token | more | of the time |\n|---|--:|--:|--:|\n",
                title.c_str());
    const double base = median(all.tokens[0]) / s.layers;
    const auto row = [&](const std::string& name, double more) {
        std::printf("| %s | %.3f | %+.3f | %+.1f %% |\n", name.c_str(), base + more, more, 100 * more / base);
    };
    for (std::size_t v = 0; v < variants.size(); ++v) {
        std::vector<double> more(all.tokens[v].size()); // to the same token without a recorder
        std::transform(all.tokens[v].begin(), all.tokens[v].end(), all.tokens[0].begin(), more.begin(),
                       [&](double with, double without) { return (with - without) / s.layers; });
        row(variants[v].name, median(more));
        if (variants[v].mode == ostend::recording::deferred) {
            row("… and flushed", median(more) + median(all.flushes) / s.layers);
        }
    }
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "What recording costs beside torch's fused attention: layers of LLaVA-1.5-7B's shapes decode\n"
        "tokens behind an image, with and without recorders; a table for each setting."};
    settings s;
    app.add_option("--types", s.types, "of weights, keys and values")
        ->capture_default_str()
        ->check(CLI::IsMember({"f32", "bf16"}));
    app.add_option("--image-tokens", s.image_tokens)->capture_default_str()->check(CLI::Range(1, 100000));
    app.add_option("--threads", s.threads, "of torch")->capture_default_str()->check(CLI::Range(1, 512));
    app.add_option("--layers", s.layers)->capture_default_str()->check(CLI::Range(1, 32));
    app.add_option("--tokens", s.tokens, "of the answer")->capture_default_str()->check(CLI::Range(1, 1000));
    app.add_option("--rounds", s.rounds, "answers, of whose tokens the median is taken")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    CLI11_PARSE(app, argc, argv);

    const c10::InferenceMode no_grad;
    std::mt19937 random(1);
    for (const std::string& type_name : s.types) {
        const at::ScalarType type = type_name == "f32" ? at::kFloat : at::kBFloat16;
        for (const int image : s.image_tokens) {
            decoder model(type, s, image);
            for (const int threads : s.threads) {
                at::set_num_threads(threads);
                std::fprintf(stderr, "%s, %d image tokens, %d threads: %d answers of %d tokens\n",
                             type_name.c_str(), image, threads, s.rounds, s.tokens);
                measured all;
                for (int round = 0; round < s.rounds; ++round) {
                    answer(model, type, s, image, random, all);
                }
                print(all, s,
                      type_name + ", " + std::to_string(image) + " image tokens, " + std::to_string(threads) +
                          (threads == 1 ? " thread" : " threads"));
            }
        }
    }
    return 0;
}
