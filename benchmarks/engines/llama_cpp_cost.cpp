// llama_cpp_cost: what recording costs in llama.cpp, flash attention on: a model of the shapes of
// LLaVA-1.5-7B's language model (a few layers, random weights, few words) decodes an answer token by token,
// each token once a variant, in turn, so that noise of the machine hits all of them alike.
//
// Every variant has a context of its own (the callback belongs to a context) with the same cells, and all
// must say the same words.
#include "ostend/adapt/ggml.hpp"
#include "ostend/adapt/ggml_llama.hpp"

#include <CLI/CLI.hpp>
#include <ggml-cpu.h>
#include <gguf.h>
#include <llama.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using ostend::index;

constexpr int width = 4096;
constexpr int heads = 32;
constexpr int feed_forward = 11008;
constexpr int words = 256;
constexpr int text_tokens = 16; // between the image and the answer, and before it

struct settings {
    std::vector<std::string> weights = {"f16", "q4_0"};
    std::vector<int> image_tokens = {576, 2880};
    std::vector<int> threads = {1, 2};
    int layers = 2;
    int tokens = 64;
    int rounds = 5;
    std::string folder = std::filesystem::temp_directory_path().string();
};

/// Caught in main: files and contexts go first.
[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

// ---- the model -------------------------------------------------------------------------------------------

/// A file that is gone with this object.
struct temporary_file {
    std::string path;
    explicit temporary_file(std::string p) : path(std::move(p)) {}
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() { std::remove(path.c_str()); }
};

/// Normal values of deviation 0.02, a few million of them over and over: random weights as fast as they are
/// written.
class weight_source {
public:
    weight_source() : values_(5 * 1024 * 1024) {
        std::mt19937 random(1);
        std::normal_distribution<float> normal(0, 0.02F);
        std::generate(values_.begin(), values_.end(), [&] { return normal(random); });
        for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q4_0}) {
            std::vector<std::byte>& out = bytes_[type];
            out.resize(ggml_row_size(type, static_cast<std::int64_t>(values_.size())));
            ggml_quantize_chunk(type, values_.data(), out.data(), 0, 1,
                                static_cast<std::int64_t>(values_.size()), nullptr);
        }
    }
    void write(std::FILE* file, const ggml_tensor& t) {
        if (t.type == GGML_TYPE_F32) { // a normalisation
            const std::vector<float> ones(static_cast<std::size_t>(t.ne[0]), 1.0F);
            put(file, ones.data(), ggml_nbytes(&t));
            return;
        }
        const std::vector<std::byte>& from = bytes_.at(t.type);
        for (std::size_t left = ggml_nbytes(&t); left > 0;) {
            const std::size_t n = std::min(left, from.size());
            put(file, from.data(), n);
            left -= n;
        }
    }
    static void put(std::FILE* file, const void* data, std::size_t bytes) {
        if (std::fwrite(data, 1, bytes, file) != bytes) {
            fail("the model cannot be written; is the disk full? (--folder names another)");
        }
    }

private:
    std::vector<float> values_;
    std::map<ggml_type, std::vector<std::byte>> bytes_ = {};
};

/// The bytes of the layers' weights.
std::size_t write_model(const std::string& path, ggml_type type, int layers) {
    const std::unique_ptr<gguf_context, void (*)(gguf_context*)> file(gguf_init_empty(), gguf_free);
    gguf_set_val_str(file.get(), "general.architecture", "llama");
    gguf_set_val_u32(file.get(), "llama.block_count", static_cast<std::uint32_t>(layers));
    gguf_set_val_u32(file.get(), "llama.context_length", 4096);
    gguf_set_val_u32(file.get(), "llama.embedding_length", width);
    gguf_set_val_u32(file.get(), "llama.feed_forward_length", feed_forward);
    gguf_set_val_u32(file.get(), "llama.attention.head_count", heads);
    gguf_set_val_u32(file.get(), "llama.attention.head_count_kv", heads);
    gguf_set_val_u32(file.get(), "llama.rope.dimension_count", width / heads);
    gguf_set_val_f32(file.get(), "llama.attention.layer_norm_rms_epsilon", 1e-5F);
    gguf_set_val_u32(file.get(), "llama.vocab_size", words);
    gguf_set_val_str(file.get(), "tokenizer.ggml.model", "none");

    const std::unique_ptr<ggml_context, void (*)(ggml_context*)> ctx(
        ggml_init({ggml_tensor_overhead() * (static_cast<std::size_t>(layers) * 9 + 8), nullptr, true}),
        ggml_free);
    std::vector<const ggml_tensor*> all;
    std::size_t bytes = 0;
    const auto add = [&](const std::string& name, ggml_type of, std::int64_t in, std::int64_t out) {
        ggml_tensor* const t =
            out > 0 ? ggml_new_tensor_2d(ctx.get(), of, in, out) : ggml_new_tensor_1d(ctx.get(), of, in);
        ggml_set_name(t, (name + ".weight").c_str());
        gguf_add_tensor(file.get(), t);
        all.push_back(t);
        bytes += name.substr(0, 4) == "blk." ? ggml_nbytes(t) : 0;
    };
    add("token_embd", GGML_TYPE_F16, width, words);
    add("output_norm", GGML_TYPE_F32, width, 0);
    add("output", GGML_TYPE_F16, width, words);
    for (int layer = 0; layer < layers; ++layer) {
        const std::string blk = "blk." + std::to_string(layer) + ".";
        for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
            add(blk + name, type, width, width);
        }
        add(blk + "ffn_gate", type, width, feed_forward);
        add(blk + "ffn_up", type, width, feed_forward);
        add(blk + "ffn_down", type, feed_forward, width);
        add(blk + "attn_norm", GGML_TYPE_F32, width, 0);
        add(blk + "ffn_norm", GGML_TYPE_F32, width, 0);
    }
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> to(std::fopen(path.c_str(), "wb"), std::fclose);
    if (!to || !gguf_write_to_file_ptr(file.get(), to.get(), true)) {
        fail("the model cannot be written to " + path);
    }
    weight_source source;
    const std::vector<std::byte> zeros(64);
    for (const ggml_tensor* const t : all) {
        source.write(to.get(), *t);
        weight_source::put(to.get(), zeros.data(), GGML_PAD(ggml_nbytes(t), 32) - ggml_nbytes(t));
    }
    return bytes;
}

// ---- the variants ----------------------------------------------------------------------------------------

enum class kind { none, idle, cut, at_rest, deferred, online };

struct variant {
    std::string name;
    kind how = kind::none;
    bool one_layer = false;
    [[nodiscard]] bool has_recorder() const { return how >= kind::at_rest; }
    [[nodiscard]] bool records() const { return how >= kind::deferred; }
};

const std::vector<variant>& variants() {
    static const std::vector<variant> all{
        {"no callback", kind::none},
        {"no callback, another context", kind::none}, // how far this machine can tell variants apart
        {"callback that asks for nothing", kind::idle},
        {"callback that asks for attention, and does nothing", kind::cut},
        {"recorder at rest", kind::at_rest},
        {"deferred: q is copied", kind::deferred},
        {"deferred, one layer", kind::deferred, true},
        {"online", kind::online},
        {"online, one layer", kind::online, true},
    };
    return all;
}

bool ask_nothing(ggml_tensor* /*node*/, bool /*ask*/, void* /*data*/) { return false; }
bool ask_attention(ggml_tensor* node, bool ask, void* /*data*/) {
    return !ask || node->op == GGML_OP_FLASH_ATTN_EXT;
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

/// A batch of consecutive tokens, or of embeddings, of sequence 0; logits of the last token where it has
/// them.
struct owned_batch {
    llama_batch b;
    owned_batch(int first, const std::vector<llama_token>& tokens)
        : b(llama_batch_init(static_cast<int>(tokens.size()), 0, 1)) {
        fill(first, static_cast<int>(tokens.size()));
        std::copy(tokens.begin(), tokens.end(), b.token);
        b.logits[b.n_tokens - 1] = 1;
    }
    owned_batch(int first, const float* embeddings, int count) : b(llama_batch_init(count, width, 1)) {
        fill(first, count);
        std::copy_n(embeddings, static_cast<std::size_t>(count) * width, b.embd);
    }
    owned_batch(const owned_batch&) = delete;
    owned_batch& operator=(const owned_batch&) = delete;
    ~owned_batch() { llama_batch_free(b); }

private:
    void fill(int first, int count) {
        b.n_tokens = count;
        for (int i = 0; i < count; ++i) {
            b.pos[i] = first + i;
            b.n_seq_id[i] = 1;
            b.seq_id[i][0] = 0;
            b.logits[i] = 0;
        }
    }
};

class runner {
public:
    runner(llama_model* model, const variant& v, const settings& s, int image_tokens, int cells) : how_(v) {
        llama_context_params params = llama_context_default_params();
        params.n_ctx = static_cast<std::uint32_t>(cells);
        params.n_batch = params.n_ubatch = 512;
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
        params.no_perf = true;
        if (v.how == kind::idle || v.how == kind::cut) {
            params.cb_eval = v.how == kind::idle ? ask_nothing : ask_attention;
        } else if (v.has_recorder()) {
            recorder_ = std::make_unique<ostend::ggml_recorder>(ostend::recorder_options{
                .layers = s.layers,
                .heads = heads,
                .heads_used = v.one_layer ? ostend::head_selection::grid({s.layers / 2}, {})
                                          : ostend::head_selection::all(),
                .mode = v.how == kind::deferred ? ostend::recording::deferred : ostend::recording::online,
                .flush_every = s.tokens + 1});
            params.cb_eval = ostend::ggml_recorder::eval;
            params.cb_eval_user_data = recorder_.get();
        }
        context_.reset(llama_init_from_model(model, params));
        if (!context_) {
            fail("llama.cpp makes no context");
        }
        for (index i = 0; recorder_ && i < image_tokens; ++i) {
            image_.push_back(text_tokens + i);
        }
    }
    /// The prompt's state; what comes next is an answer from its start on.
    void begin(const std::vector<std::uint8_t>& state) {
        llama_memory_clear(memory(), false);
        if (llama_state_seq_set_data(context_.get(), state.data(), state.size(), 0) == 0) {
            fail("the prompt's state cannot be copied");
        }
        if (recorder_) {
            recorder_->give_image(image_);
        }
    }
    void use(int threads, ggml_threadpool_t pool) {
        llama_set_n_threads(context_.get(), threads, threads);
        llama_attach_threadpool(context_.get(), pool, pool);
    }
    /// One token in, the next out.
    times decode(int position, llama_token token, llama_token& next) {
        const owned_batch batch(position, {token});
        return time_of([&] {
            if (how_.records()) {
                ostend::before_decode(*recorder_, context_.get(), batch.b);
            }
            if (llama_decode(context_.get(), batch.b) != 0) {
                fail("llama.cpp decodes no token");
            }
            const float* const logits = llama_get_logits_ith(context_.get(), -1);
            next = static_cast<llama_token>(std::max_element(logits, logits + words) - logits);
        });
    }
    times flush() {
        return time_of([&] {
            if (const auto done = recorder_->flush(); !done) {
                fail(done.error().message());
            }
        });
    }
    [[nodiscard]] ostend::matrix<float> maps() const {
        auto all = recorder_->maps();
        if (!all) {
            fail(all.error().message());
        }
        return *std::move(all);
    }
    [[nodiscard]] llama_context* context() { return context_.get(); }
    [[nodiscard]] llama_memory_t memory() { return llama_get_memory(context_.get()); }

private:
    struct free_context {
        void operator()(llama_context* c) const { llama_free(c); }
    };
    variant how_;
    std::unique_ptr<ostend::ggml_recorder> recorder_; // before the context, which knows its address
    std::unique_ptr<llama_context, free_context> context_;
    std::vector<index> image_ = {};
};

// ---- the measurement -------------------------------------------------------------------------------------

double median(std::vector<double> v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
}

struct measured {
    std::vector<times> tokens = {};
    std::vector<times> flushes = {};
};

/// Text, image and text, decoded once; the state of the sequence.
std::vector<std::uint8_t> decode_prompt(llama_model* model, const settings& s, int image_tokens, int cells,
                                        ggml_threadpool_t pool, int threads) {
    runner one(model, variants().front(), s, image_tokens, cells);
    one.use(threads, pool);
    std::mt19937 random(2);
    std::normal_distribution<float> normal(0, 0.5F);
    std::vector<llama_token> text(text_tokens);
    std::generate(text.begin(), text.end(), [&] { return static_cast<llama_token>(random() % words); });
    const auto decode = [&](const owned_batch& batch) {
        if (llama_decode(one.context(), batch.b) != 0) {
            fail("llama.cpp decodes no prompt");
        }
    };
    decode(owned_batch(0, text));
    std::vector<float> part(static_cast<std::size_t>(512) * width);
    for (int at = 0; at < image_tokens; at += 512) {
        std::generate(part.begin(), part.end(), [&] { return normal(random); });
        decode(owned_batch(text_tokens + at, part.data(), std::min(512, image_tokens - at)));
    }
    decode(owned_batch(text_tokens + image_tokens, text));
    std::vector<std::uint8_t> state(llama_state_seq_get_size(one.context(), 0));
    llama_state_seq_get_data(one.context(), state.data(), state.size(), 0);
    return state;
}

using runners = std::vector<std::unique_ptr<runner>>; // of variants()

/// Contexts with the prompt in their caches, made in any order: where a cache happens to lie in memory
/// counts.
runners make_runners(llama_model* model, const settings& s, int image_tokens, int cells,
                     const std::vector<std::uint8_t>& state, std::mt19937& random) {
    std::vector<std::size_t> order(variants().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    runners all(order.size());
    for (const std::size_t v : order) {
        all[v] = std::make_unique<runner>(model, variants()[v], s, image_tokens, cells);
        all[v]->begin(state);
    }
    return all;
}

/// One answer, each token by each variant in turn.
void measure(runners& all, const settings& s, int image_tokens, std::mt19937& random,
             std::vector<measured>& out) {
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    llama_token token = 1;
    for (int t = 0; t < s.tokens; ++t) {
        llama_token said = -1;
        std::shuffle(order.begin(), order.end(), random); // none always follows the same one
        for (const std::size_t v : order) {
            llama_token next = 0;
            out[v].tokens.push_back(all[v]->decode(2 * text_tokens + image_tokens + t, token, next));
            if (said >= 0 && next != said) {
                fail("'" + variants()[v].name + "' changes the answer");
            }
            said = next;
        }
        token = said;
    }
    for (std::size_t v = 0; v < all.size(); ++v) {
        if (variants()[v].how == kind::deferred) {
            out[v].flushes.push_back(all[v]->flush());
        }
    }
}

/// Both ways of recording saw the same, and something.
void check_maps(const runners& all, const settings& s, int image_tokens) {
    const auto find = [&](kind how) -> const runner& {
        for (std::size_t v = 0; v < all.size(); ++v) {
            if (variants()[v].how == how && !variants()[v].one_layer) {
                return *all[v];
            }
        }
        fail("a variant is missing");
    };
    const auto kept = find(kind::deferred).maps(), at_once = find(kind::online).maps();
    if (kept.rows() != s.tokens || kept.columns() != image_tokens || at_once.rows() != kept.rows()) {
        fail("the maps are not of as many tokens");
    }
    for (std::size_t i = 0; i < kept.values().size(); ++i) {
        if (!(std::abs(kept.values()[i] - at_once.values()[i]) <= 1e-6F && at_once.values()[i] > 0)) {
            fail("the maps of the two ways of recording differ");
        }
    }
}

/// MB a token that the model reads (weights, keys and values), and those that a variant and its flush read
/// more.
struct bytes_read {
    double model = 0, token = 0, flush = 0;
};
bytes_read bytes_of(const variant& v, const settings& s, int image_tokens, std::size_t weights) {
    const double keys = 2.0 * text_tokens + image_tokens + (s.tokens + 1) / 2.0; // as they are on average
    const double layers = v.one_layer ? 1 : s.layers;
    const double cache = keys * width * 2;
    const double model = (static_cast<double>(weights) + s.layers * 2 * cache) * 1e-6;
    switch (v.how) {
    case kind::online:
        return {model, layers * cache * 1e-6, 0};
    case kind::deferred:
        return {model, layers * width * 4 * 1e-6, layers * (cache / s.tokens + width * 4.0) * 1e-6};
    default:
        return {model, 0, 0};
    }
}

void print_row(const std::string& name, double token, double layer, double share, double cpu_layer,
               double cpu_share, double bytes) {
    std::printf("| %s | %.2f | %+.3f | %+.1f %% | %+.3f | %+.1f %% | %.2f |\n", name.c_str(), token, layer,
                share, cpu_layer, cpu_share, bytes);
}

void print(const std::vector<measured>& all, const settings& s, const std::string& title, int image_tokens,
           std::size_t weights) {
    std::printf("\n%s\n\n| | ms a token | ms a layer more | of the time | processor ms a layer more | of the "
                "processor's time | MB read more |\n|---|--:|--:|--:|--:|--:|--:|\n",
                title.c_str());
    const auto pick = [](const std::vector<times>& from, bool cpu) {
        std::vector<double> out;
        for (const times& t : from) {
            out.push_back(t.of(cpu));
        }
        return out;
    };
    // What a token takes more than the same token without a callback.
    const auto more = [&](std::size_t v, bool cpu) {
        auto a = pick(all[v].tokens, cpu);
        const auto b = pick(all[0].tokens, cpu);
        std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::minus<>());
        return median(std::move(a));
    };
    const times base{median(pick(all[0].tokens, false)), median(pick(all[0].tokens, true))};
    const bytes_read base_bytes = bytes_of(variants()[0], s, image_tokens, weights);
    std::printf("| %s | %.2f | | | | | %.1f in all |\n", variants()[0].name.c_str(), base.wall,
                base_bytes.model);
    for (std::size_t v = 1; v < all.size(); ++v) {
        const variant& how = variants()[v];
        const double layers = how.one_layer ? 1 : s.layers;
        const times extra{more(v, false), more(v, true)};
        const auto row = [&](const std::string& name, const times& t, double bytes) {
            print_row(name, base.wall + t.wall, t.wall / layers, 100 * t.wall / base.wall, t.cpu / layers,
                      100 * t.cpu / base.cpu, bytes);
        };
        const bytes_read bytes = bytes_of(how, s, image_tokens, weights);
        row(how.name, extra, bytes.token);
        if (how.how == kind::deferred) {
            const times flush{median(pick(all[v].flushes, false)) / s.tokens,
                              median(pick(all[v].flushes, true)) / s.tokens};
            row(how.one_layer ? "… and flushed" : "deferred: q is copied, and flushed",
                {extra.wall + flush.wall, extra.cpu + flush.cpu}, bytes.token + bytes.flush);
        }
    }
    std::fflush(stdout);
}

using model_ptr = std::unique_ptr<llama_model, void (*)(llama_model*)>;

/// bytes: of the layers' weights. The file is gone again: what llama.cpp maps stays.
model_ptr make_model(const settings& s, const std::string& weights, std::size_t& bytes) {
    const ggml_type type = weights == "f16" ? GGML_TYPE_F16 : GGML_TYPE_Q4_0;
    const temporary_file file(s.folder + "/ostend-cost-" + std::to_string(getpid()) + ".gguf");
    std::fprintf(stderr, "%s: writing %d layers to %s\n", weights.c_str(), s.layers, file.path.c_str());
    bytes = write_model(file.path, type, s.layers);
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    model_ptr model(llama_model_load_from_file(file.path.c_str(), params), llama_model_free);
    if (!model) {
        fail("llama.cpp loads no model");
    }
    return model;
}

void run(const settings& s, const std::string& weights) {
    std::size_t bytes = 0;
    const model_ptr model = make_model(s, weights, bytes);
    std::map<int, ggml_threadpool_t> pools;
    for (const int threads : s.threads) {
        ggml_threadpool_params how = ggml_threadpool_params_default(threads);
        pools[threads] = ggml_threadpool_new(&how);
    }
    const auto most = std::prev(pools.end());
    for (const int image_tokens : s.image_tokens) {
        const int cells = GGML_PAD(2 * text_tokens + image_tokens + s.tokens, 256);
        std::fprintf(stderr, "%s: decoding a prompt with %d image tokens\n", weights.c_str(), image_tokens);
        const auto state = decode_prompt(model.get(), s, image_tokens, cells, most->second, most->first);
        for (const auto& [threads, pool] : pools) {
            std::fprintf(stderr, "%s, %d image tokens, %d threads: %d rounds of %d tokens\n", weights.c_str(),
                         image_tokens, threads, s.rounds, s.tokens);
            std::vector<measured> found(variants().size());
            std::mt19937 random(3);
            for (int round = 0; round < s.rounds; ++round) {
                runners all = make_runners(model.get(), s, image_tokens, cells, state, random);
                for (auto& one : all) {
                    one->use(threads, pool);
                }
                measure(all, s, image_tokens, random, found);
                check_maps(all, s, image_tokens);
            }
            print(found, s,
                  weights + " weights, " + std::to_string(image_tokens) + " image tokens, " +
                      std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
                  image_tokens, bytes);
        }
    }
    for (const auto& [threads, pool] : pools) {
        ggml_threadpool_free(pool);
    }
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "What recording costs in llama.cpp: decodes an answer with a model of LLaVA-1.5-7B's shapes (random\n"
        "weights, a few layers), with and without recorders, and prints a table for each setting. The model "
        "is\n"
        "written to a folder, 0.4 GB a layer, and removed when it is loaded."};
    settings s;
    app.add_option("--weights", s.weights, "types of the weights")
        ->check(CLI::IsMember({"f16", "q4_0"}))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--image-tokens", s.image_tokens, "image tokens in the cache")
        ->check(CLI::Range(1, 3800))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--threads", s.threads, "threads of llama.cpp")
        ->check(CLI::Range(1, 512))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--layers", s.layers, "layers of the model")
        ->check(CLI::Range(1, 32))
        ->capture_default_str();
    app.add_option("--tokens", s.tokens, "tokens of the answer")
        ->check(CLI::Range(1, 200))
        ->capture_default_str();
    app.add_option("--rounds", s.rounds, "answers, of whose tokens the median is taken")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--folder", s.folder, "where the model is written")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
    std::printf("%d layers of %d heads x %d, feed-forward %d; keys f16, flash attention on; medians of %d "
                "tokens\n",
                s.layers, heads, width / heads, feed_forward, s.rounds * s.tokens);
    try {
        for (const std::string& weights : s.weights) {
            run(s, weights);
        }
    } catch (const std::runtime_error& e) {
        std::fprintf(stderr, "llama_cpp_cost: %s\n", e.what());
        return 1;
    }
    return 0;
}
