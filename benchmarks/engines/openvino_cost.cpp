// openvino_cost: what showing and recording attention costs on OpenVINO: a language model with its KV cache
// inside reads an answer token by token, each token once a variant, in turn, so that noise of the machine
// hits all of them alike. Models: LLaVA-1.5-7B's shapes (a few layers, random weights, few words), and one of
// a folder, where a turn is some tokens: a small model stays in the processor's caches.
//
// Every variant has a request, and so a cache, of its own, begins each answer with the same states, and for
// all the same words must be the most likely.
#include "openvino_llava/graphs.hpp"

#include "ostend/adapt/openvino_attention.hpp"

#include <CLI/CLI.hpp>
#include <openvino/op/constant.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using ostend::index;
using ostend::openvino_keys;
using ostend_hosts::llama_config;

constexpr index text_tokens = 16; // before the image, and between it and the answer

struct settings {
    std::string model = {}; ///< a folder; else random weights
    std::vector<std::string> precisions = {"f32"};
    std::vector<int> image_tokens = {576, 2880};
    std::vector<int> threads = {1, 2};
    int layers = 4;
    int tokens = 64;
    int rounds = 3;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "openvino_cost: %s\n", what.c_str());
    std::exit(1);
}
template <class T>
T value_of(ostend::result<T> made) {
    if (!made) {
        fail(made.error().message());
    }
    return *std::move(made);
}

// ---- the model -------------------------------------------------------------------------------------------

llama_config shapes_of_7b(const settings& s) {
    return {.width = 4096,
            .layers = s.layers,
            .heads = 32,
            .kv_heads = 32,
            .head_dim = 128,
            .mlp_width = 11008,
            .vocabulary = 256,
            .max_positions = 4096,
            .epsilon = 1e-5F,
            .rope_theta = 10000,
            .tied = false};
}

/// Normal values of deviation 0.02, and 1 for normalisations. Layers share them: a layer is far larger than
/// any cache of a processor, so each reads its weights from memory all the same.
class random_weights {
public:
    ov::Output<ov::Node> operator()(const std::string& name, const ov::Shape& shape) {
        std::string part = name;
        if (const auto at = name.find("layers."); at != std::string::npos) {
            part = name.substr(name.find('.', at + 7));
        }
        auto& weight = made_[part];
        if (!weight) {
            ov::Tensor values(ov::element::f32, shape);
            std::normal_distribution<float> normal(0, 0.02F);
            std::generate_n(values.data<float>(), values.get_size(),
                            [&] { return shape.size() == 1 ? 1.0F : normal(random_); });
            weight = std::make_shared<ov::op::v0::Constant>(values);
        }
        return weight->output(0);
    }

private:
    std::minstd_rand random_{1};
    std::map<std::string, std::shared_ptr<ov::op::v0::Constant>> made_ = {};
};

// ---- the variants ----------------------------------------------------------------------------------------

enum class showing { nothing, nothing_again, states, outputs };

struct variant {
    std::string name;
    showing shows = showing::nothing;
    std::optional<ostend::recording> records = {};
    bool one_layer = false;
};

const std::vector<variant>& variants() {
    static const std::vector<variant> all{
        {"no outputs", showing::nothing},
        {"no outputs, compiled again", showing::nothing_again}, // how far variants can be told apart
        {"states: q is shown", showing::states},
        {"states: q is kept", showing::states, ostend::recording::deferred},
        {"states: q of one layer is kept", showing::states, ostend::recording::deferred, true},
        {"states: keys are read for each token", showing::states, ostend::recording::online},
        {"outputs: k is shown", showing::outputs},
        {"outputs: rows for each token", showing::outputs, ostend::recording::online},
    };
    return all;
}

struct times {
    double wall = 0, cpu = 0; // ms
    [[nodiscard]] double of(bool processor) const { return processor ? cpu : wall; }
};
double now_ms(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}
template <class Work>
times time_of(Work&& work) {
    const times before{now_ms(CLOCK_MONOTONIC), now_ms(CLOCK_PROCESS_CPUTIME_ID)};
    work();
    return {now_ms(CLOCK_MONOTONIC) - before.wall, now_ms(CLOCK_PROCESS_CPUTIME_ID) - before.cpu};
}

struct compiled_model {
    ov::CompiledModel model = {};
    std::vector<ostend::openvino_attention_layer> layers = {};
};
using states = std::map<std::string, ov::Tensor>;

class runner {
public:
    runner(const variant& how, compiled_model& compiled, const llama_config& config, const settings& s,
           index image_tokens)
        : how_(how), compiled_(compiled), request_(compiled.model.create_infer_request()) {
        options_.layers = static_cast<int>(config.layers);
        options_.heads = static_cast<int>(config.heads);
        options_.image = {text_tokens, image_tokens};
        options_.mode = how.records.value_or(ostend::recording::online);
        options_.flush_every = s.tokens + 1;
        if (how.one_layer) {
            options_.heads_used = ostend::head_selection::grid({options_.layers / 2}, {});
        }
    }
    /// The prompt's states; what comes next is an answer from its start on.
    void begin(const states& prompt) {
        request_.reset_state();
        for (ov::VariableState& state : request_.query_state()) {
            state.set_state(prompt.at(state.get_name()));
        }
        recorder_.emplace(options_);
    }
    /// Positions in, the most likely next token out.
    times read(const ov::Tensor& embeddings, index first, index token, index& next) {
        const std::size_t count = embeddings.get_shape()[1];
        ov::Tensor positions(ov::element::i64, {1, count});
        std::iota(positions.data<std::int64_t>(), positions.data<std::int64_t>() + count, first);
        ov::Tensor beams(ov::element::i32, {1});
        *beams.data<std::int32_t>() = 0;
        request_.set_tensor("embeddings", embeddings);
        request_.set_tensor("positions", positions);
        request_.set_tensor("beams", beams);
        const times taken = time_of([&] {
            request_.infer();
            if (how_.records) {
                const auto recorded =
                    ostend::record_openvino_attention(*recorder_, request_, compiled_.layers, token);
                if (!recorded) {
                    fail(recorded.error().message());
                }
            }
        });
        const ov::Tensor logits = request_.get_tensor("logits");
        const auto* const values = logits.data<const float>();
        next = std::max_element(values, values + logits.get_size()) - values;
        return taken;
    }
    times flush() {
        return time_of([&] {
            const auto done = ostend::flush_openvino_attention(*recorder_, request_, compiled_.layers);
            if (!done) {
                fail(done.error().message());
            }
        });
    }
    [[nodiscard]] states state() {
        states all;
        for (const ov::VariableState& state : request_.query_state()) {
            const ov::Tensor now = state.get_state();
            ov::Tensor copy(now.get_element_type(), now.get_shape());
            now.copy_to(copy);
            all.emplace(state.get_name(), copy);
        }
        return all;
    }
    [[nodiscard]] ostend::matrix<float> maps() const { return value_of(recorder_->maps()); }

private:
    variant how_;
    compiled_model& compiled_;
    ov::InferRequest request_;
    ostend::recorder_options options_ = {};
    std::optional<ostend::recorder> recorder_ = {};
};

// ---- the measurement -------------------------------------------------------------------------------------

struct measured {
    std::vector<times> tokens = {};
    std::vector<times> flushes = {};
};

ov::Tensor random_positions(index count, index width, std::mt19937& random) {
    ov::Tensor out(ov::element::f32, {1, static_cast<std::size_t>(count), static_cast<std::size_t>(width)});
    std::normal_distribution<float> normal(0, 0.5F);
    std::generate_n(out.data<float>(), out.get_size(), [&] { return normal(random); });
    return out;
}

/// Text, image and text, read once; what the states hold then.
states read_prompt(compiled_model& plain, const llama_config& config, const settings& s, index image_tokens) {
    runner one(variants().front(), plain, config, s, image_tokens);
    std::mt19937 random(2);
    const index count = 2 * text_tokens + image_tokens;
    for (index at = 0; at < count; at += 512) {
        index next = 0;
        one.read(random_positions(std::min<index>(512, count - at), config.width, random), at, 0, next);
    }
    return one.state();
}

std::vector<measured> measure(std::vector<runner>& all, const llama_config& config, const settings& s,
                              index image_tokens, const states& prompt, int turn_tokens) {
    std::mt19937 random(3);
    std::vector<ov::Tensor> words;
    for (index i = 0; i < config.vocabulary; ++i) {
        words.push_back(random_positions(1, config.width, random));
    }
    std::vector<measured> out(all.size());
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int round = -1; round < s.rounds; ++round) { // the first is a warm-up
        for (runner& one : all) {
            one.begin(prompt);
        }
        std::vector<index> said(static_cast<std::size_t>(s.tokens), -1);
        for (int turn = 0; turn < s.tokens; turn += turn_tokens) {
            std::shuffle(order.begin(), order.end(), random); // none always follows the same one
            for (const std::size_t v : order) {
                for (int t = turn; t < std::min(turn + turn_tokens, s.tokens); ++t) {
                    const ov::Tensor& word = words[static_cast<std::size_t>(t) % words.size()];
                    index next = 0;
                    const times taken = all[v].read(word, 2 * text_tokens + image_tokens + t, t, next);
                    index& expected = said[static_cast<std::size_t>(t)];
                    if (expected >= 0 && next != expected) {
                        fail("'" + variants()[v].name + "' says another word");
                    }
                    expected = next;
                    if (round >= 0) {
                        out[v].tokens.push_back(taken);
                    }
                }
            }
        }
        for (std::size_t v = 0; v < all.size(); ++v) {
            if (variants()[v].records == ostend::recording::deferred) {
                const times taken = all[v].flush();
                if (round >= 0) {
                    out[v].flushes.push_back(taken);
                }
            }
        }
    }
    return out;
}

/// Every way of recording all layers saw the same, and something. f32 alone: elsewhere the nodes that were
/// taken apart round elsewhere.
double check_maps(const std::vector<runner>& all, const settings& s, index image_tokens, bool exact) {
    std::optional<ostend::matrix<float>> first;
    double worst = 0;
    for (std::size_t v = 0; v < all.size(); ++v) {
        if (!variants()[v].records || variants()[v].one_layer) {
            continue;
        }
        const auto maps = all[v].maps();
        first = first ? first : maps;
        if (maps.rows() != s.tokens || maps.columns() != image_tokens) {
            fail("the maps are not of as many tokens");
        }
        for (std::size_t i = 0; i < maps.values().size(); ++i) {
            const double apart = std::abs(static_cast<double>(maps.values()[i] - first->values()[i]));
            worst = apart <= worst ? worst : apart; // NaN is kept
        }
    }
    if (exact && !(worst < 1e-5)) {
        fail("the maps of two ways of recording differ by " + std::to_string(worst));
    }
    return worst;
}

double median(std::vector<double> v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
}

void print(const std::vector<measured>& all, int layers, const std::string& title) {
    std::printf("\n%s\n\n| | ms a token | ms a layer more | of the time | processor ms a layer more | of the "
                "processor's time |\n|---|--:|--:|--:|--:|--:|\n",
                title.c_str());
    const auto pick = [](const std::vector<times>& from, bool cpu) {
        std::vector<double> out;
        for (const times& t : from) {
            out.push_back(t.of(cpu));
        }
        return out;
    };
    // What a token takes more than the same token without outputs.
    const auto more = [&](std::size_t v, bool cpu) {
        auto a = pick(all[v].tokens, cpu);
        const auto b = pick(all[0].tokens, cpu);
        std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::minus<>());
        return median(std::move(a));
    };
    const times base{median(pick(all[0].tokens, false)), median(pick(all[0].tokens, true))};
    std::printf("| %s | %.2f | | | %.3f in all | |\n", variants()[0].name.c_str(), base.wall,
                base.cpu / layers);
    const auto row = [&](const std::string& name, const times& t) {
        std::printf("| %s | %.2f | %+.3f | %+.1f %% | %+.3f | %+.1f %% |\n", name.c_str(), base.wall + t.wall,
                    t.wall / layers, 100 * t.wall / base.wall, t.cpu / layers, 100 * t.cpu / base.cpu);
    };
    for (std::size_t v = 1; v < all.size(); ++v) {
        const times extra{more(v, false), more(v, true)};
        row(variants()[v].name, extra);
        if (!all[v].flushes.empty()) {
            const double tokens =
                static_cast<double>(all[v].tokens.size()) / static_cast<double>(all[v].flushes.size());
            row("… and flushed", {extra.wall + median(pick(all[v].flushes, false)) / tokens,
                                  extra.cpu + median(pick(all[v].flushes, true)) / tokens});
        }
    }
    std::fflush(stdout);
}

void run(const settings& s, const std::string& name, const llama_config& config,
         const std::vector<int>& image_tokens, const ostend_hosts::weight_source& weights) {
    for (const std::string& precision : s.precisions) {
        const ov::element::Type type = precision == "f32" ? ov::element::f32 : ov::element::bf16;
        for (const int threads : s.threads) {
            std::map<showing, compiled_model> compiled;
            ov::Core core;
            for (const showing shows :
                 {showing::nothing, showing::nothing_again, showing::states, showing::outputs}) {
                const auto graph = ostend_hosts::language_graph(config, weights);
                if (shows == showing::states || shows == showing::outputs) {
                    compiled[shows].layers = value_of(ostend::expose_openvino_attention(
                        *graph,
                        {.keys = shows == showing::states ? openvino_keys::states : openvino_keys::outputs,
                         .last_queries = 1}));
                }
                compiled[shows].model = core.compile_model(graph, "CPU",
                                                           ov::AnyMap{ov::hint::inference_precision(type),
                                                                      ov::hint::kv_cache_precision(type),
                                                                      ov::inference_num_threads(threads)});
            }
            for (const int count : image_tokens) {
                const std::string title = name + ", " + precision + ", " + std::to_string(count) +
                                          " image tokens, " + std::to_string(threads) +
                                          (threads == 1 ? " thread" : " threads");
                std::fprintf(stderr, "%s: %d rounds of %d tokens\n", title.c_str(), s.rounds, s.tokens);
                const states prompt = read_prompt(compiled[showing::nothing], config, s, count);
                std::vector<runner> all;
                for (const variant& v : variants()) {
                    all.emplace_back(v, compiled[v.shows], config, s, count);
                }
                const auto found = measure(all, config, s, count, prompt, s.model.empty() ? 1 : 16);
                const double apart = check_maps(all, s, count, precision == "f32");
                std::fprintf(stderr, "maps of the ways of recording differ by %.1e\n", apart);
                print(found, static_cast<int>(config.layers), title);
            }
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "What showing and recording attention costs on OpenVINO: decodes an answer with a model of\n"
        "LLaVA-1.5-7B's shapes (random weights, a few layers), or with the model of a folder, and prints a\n"
        "table for each setting. The first needs about 10 GB of memory."};
    settings s;
    app.add_option("--model", s.model, "a folder, for its language model; else LLaVA-1.5-7B's shapes");
    app.add_option("--precision", s.precisions, "f32 or bf16, of the arithmetic and of the cache")
        ->check(CLI::IsMember({"f32", "bf16"}))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--image-tokens", s.image_tokens, "image tokens in the cache; of a folder's model its own")
        ->check(CLI::Range(1, 3800))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--threads", s.threads, "threads of OpenVINO")
        ->check(CLI::Range(1, 512))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--layers", s.layers, "layers of the model with random weights")
        ->check(CLI::Range(1, 32))
        ->capture_default_str();
    app.add_option("--tokens", s.tokens, "tokens of the answer")
        ->check(CLI::Range(1, 200))
        ->capture_default_str();
    app.add_option("--rounds", s.rounds, "answers, of whose tokens the median is taken")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    std::printf("medians of %d tokens\n", s.rounds * s.tokens);
    try {
        if (s.model.empty()) {
            random_weights weights;
            run(s, std::to_string(s.layers) + " layers of LLaVA-1.5-7B", shapes_of_7b(s), s.image_tokens,
                std::ref(weights));
            return 0;
        }
        const auto config = value_of(ostend_hosts::model_config::read(s.model));
        const auto file = value_of(ostend_hosts::safetensors::read(s.model + "/model.safetensors"));
        ostend_hosts::file_weights weights(file);
        const auto patches = static_cast<int>(config.vision.grid() * config.vision.grid());
        const auto checked = [&weights](const std::string& name, const ov::Shape& shape) {
            const auto weight = weights(name, shape);
            if (weights.error()) {
                fail(weights.error()->message());
            }
            return weight;
        };
        run(s, s.model, config.language, {patches}, checked);
    } catch (const std::exception& e) { // OpenVINO's, of what a model of ours cannot bring about
        fail(e.what());
    }
    return 0;
}
