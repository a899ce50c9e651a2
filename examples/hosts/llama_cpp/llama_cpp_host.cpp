#include "llama_cpp/llama_cpp_host.hpp"

#include "ostend/adapt/ggml.hpp"
#include "ostend/adapt/ggml_llama.hpp"
#include "ostend/geometry/llava.hpp"

#include <mtmd-helper.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <thread>
#include <utility>

namespace ostend_hosts {
namespace {

using ostend::error;
using ostend::index;
using ostend::status;
using ostend::success;

// llama.cpp says why in its log only: the last line that is an error, for ours.
std::string last_complaint; // NOLINT: the log of llama.cpp is one for the process

void listen(ggml_log_level level, const char* text, void* /*data*/) {
    if (level == GGML_LOG_LEVEL_ERROR) {
        last_complaint = text;
        while (!last_complaint.empty() && (last_complaint.back() == '\n' || last_complaint.back() == '.')) {
            last_complaint.pop_back();
        }
    }
}

// Runs a call whose failure becomes a refusal: complaints of calls before are not of this one.
template <class Call>
auto heard(Call&& call) {
    last_complaint.clear();
    return call();
}

error refusal(const std::string& what, const std::string& field) {
    return {last_complaint.empty() ? what : what + " (" + last_complaint + ")", field};
}

std::vector<const mtmd_input_chunk*> list(const mtmd::input_chunks_ptr& chunks) {
    std::vector<const mtmd_input_chunk*> out;
    for (std::size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); ++i) {
        out.push_back(mtmd_input_chunks_get(chunks.get(), i));
    }
    return out;
}
bool is_image(const mtmd_input_chunk* chunk) {
    return mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_IMAGE;
}

std::string extents_of(const ggml_tensor& t) {
    std::string out;
    for (const std::int64_t n : t.ne) {
        out += (out.empty() ? "" : " x ") + std::to_string(n);
    }
    return out;
}

// llama.cpp asserts these, or believes them.
status check_language(const gguf_file& file) {
    const std::string root = file.architecture() + ".";
    const auto blocks = file.number((root + "block_count").c_str());
    if (!blocks || *blocks < 1 || *blocks > 512) { // LLAMA_MAX_LAYERS
        return error{"is missing, or not a number from 1 to 512", file.path() + ": " + root + "block_count"};
    }
    const auto positions = file.number((root + "context_length").c_str());
    constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max();
    if (!positions || *positions < 1 || *positions > most) {
        return error{"is missing, or not a number from 1 to " + std::to_string(most),
                     file.path() + ": " + root + "context_length"};
    }
    return success{};
}

// A batch of tokens of sequence 0 from a position on; logits of the last, or of all.
class token_batch {
public:
    token_batch(std::vector<llama_token> tokens, llama_pos first, bool all)
        : tokens_(std::move(tokens)), positions_(tokens_.size()), counts_(tokens_.size(), 1),
          sequences_(tokens_.size(), &sequence_), wanted_(tokens_.size(), all ? 1 : 0) {
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            positions_[i] = first + static_cast<llama_pos>(i);
        }
        wanted_.back() = 1;
    }
    token_batch(const token_batch&) = delete; // it points into itself
    token_batch& operator=(const token_batch&) = delete;
    [[nodiscard]] llama_batch get() {
        return {static_cast<std::int32_t>(tokens_.size()),
                tokens_.data(),
                nullptr,
                positions_.data(),
                counts_.data(),
                sequences_.data(),
                wanted_.data()};
    }

private:
    llama_seq_id sequence_ = 0;
    std::vector<llama_token> tokens_;
    std::vector<llama_pos> positions_;
    std::vector<std::int32_t> counts_;
    std::vector<llama_seq_id*> sequences_;
    std::vector<std::int8_t> wanted_;
};

// The most likely next token, the first of equals. Error: logits that are not finite.
ostend::result<llama_token> most_likely(llama_context* context, int vocabulary) {
    const float* const logits = llama_get_logits_ith(context, -1);
    const bool finite = logits != nullptr &&
                        std::all_of(logits, logits + vocabulary, [](float v) { return std::isfinite(v); });
    if (!finite) {
        return error{"the model's logits are not finite", "logits"};
    }
    return static_cast<llama_token>(std::max_element(logits, logits + vocabulary) - logits);
}

} // namespace

ostend::result<llama_cpp_host> llama_cpp_host::load(const llama_cpp_options& options) {
    llama_log_set(listen, nullptr);
    mtmd_log_set(listen, nullptr);
    mtmd_helper_log_set(listen, nullptr);
    const auto language = gguf_file::read(options.model);
    if (!language) {
        return language.error();
    }
    if (language->architecture() == "clip") {
        return error{"is a vision tower (mmproj), not a language model", options.model};
    }
    if (status sound = check_language(*language); !sound) {
        return sound.error();
    }
    const auto tower = gguf_file::read(options.mmproj);
    if (!tower) {
        return tower.error();
    }
    if (tower->architecture() != "clip") {
        return error{"is a model of architecture '" + tower->architecture() +
                         "', not a vision tower; a LLaVA has a second file, its mmproj",
                     options.mmproj};
    }

    llama_cpp_host host;
    host.options_ = options;
    if (host.options_.threads <= 0) {
        host.options_.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    }
    llama_backend_init();
    llama_model_params how = llama_model_default_params();
    how.n_gpu_layers = options.gpu_layers;
    host.model_.reset(heard([&] { return llama_model_load_from_file(options.model.c_str(), how); }));
    if (!host.model_) {
        return refusal("cannot be loaded", options.model);
    }
    host.vocabulary_ = llama_model_get_vocab(host.model_.get());
    host.prompt_ = language->text("ostend.prompt").value_or("USER: <image>\nDescribe the image. ASSISTANT:");
    if (status read = host.read_tower(*tower, llama_model_n_embd_inp(host.model_.get())); !read) {
        return read.error();
    }
    mtmd_context_params seeing = mtmd_context_params_default();
    seeing.use_gpu = false;
    seeing.print_timings = false;
    seeing.n_threads = host.options_.threads;
    seeing.warmup = false;
    host.vision_.reset(
        heard([&] { return mtmd_init_from_file(options.mmproj.c_str(), host.model_.get(), seeing); }));
    if (!host.vision_) {
        return refusal("cannot be loaded", options.mmproj);
    }
    if (status probed = host.probe_class_token(options.probe_pairs); !probed) {
        return probed.error();
    }
    return host;
}

status llama_cpp_host::read_tower(const gguf_file& file, int width) {
    const auto wrong = [&](const std::string& field, const std::string& what) {
        return error{what, file.path() + ": " + field};
    };
    const auto projector = file.text("clip.projector_type").value_or("mlp");
    if (projector != "mlp") {
        return wrong("clip.projector_type", "is '" + projector + "'; this host knows LLaVA's, 'mlp'");
    }
    if (file.has("clip.vision.image_grid_pinpoints")) {
        return wrong("clip.vision.image_grid_pinpoints",
                     "pictures cut into tiles are not known to this host");
    }
    const ggml_tensor* const last = file.tensor("mm.2.weight");
    if (last == nullptr) {
        return wrong("mm.2.weight", "is missing; LLaVA's projector has two layers");
    }
    if (last->ne[1] != width) {
        return wrong("mm.2.weight", "the features are " + std::to_string(last->ne[1]) +
                                        " wide, but the language model reads " + std::to_string(width) +
                                        "; the files belong to different models");
    }
    const auto side = file.number("clip.vision.image_size");
    const auto cell = file.number("clip.vision.patch_size");
    if (!side || !cell || *cell < 1 || *side % *cell != 0 || *side > 8192 || *side / *cell < 1) {
        return wrong("clip.vision.image_size", "is not a multiple of clip.vision.patch_size");
    }
    const auto width_seen = file.number("clip.vision.embedding_length");
    if (!width_seen || *width_seen < 1) {
        return wrong("clip.vision.embedding_length", "is missing, or not a number from 1 on");
    }
    const auto has_extents = [](const ggml_tensor* t, const std::array<std::int64_t, 4>& wanted) {
        return t != nullptr && std::equal(wanted.begin(), wanted.end(), std::begin(t->ne));
    };
    const ggml_tensor* const patches = file.tensor("v.patch_embd.weight");
    if (!has_extents(patches, {*cell, *cell, 3, *width_seen})) {
        return wrong("v.patch_embd.weight", patches == nullptr
                                                ? std::string("is missing")
                                                : "is of " + extents_of(*patches) +
                                                      "; clip.vision.patch_size is " + std::to_string(*cell) +
                                                      " and embedding_length " + std::to_string(*width_seen));
    }
    has_class_token_ = file.tensor("v.class_embd") != nullptr;
    const std::int64_t grid = *side / *cell;
    const ggml_tensor* const positions = file.tensor("v.position_embd.weight");
    if (!has_extents(positions, {*width_seen, grid * grid + (has_class_token_ ? 1 : 0), 1, 1})) {
        return wrong("v.position_embd.weight", positions == nullptr
                                                   ? std::string("is missing")
                                                   : "is of " + extents_of(*positions) +
                                                         "; clip.vision.image_size " + std::to_string(*side) +
                                                         " has " + std::to_string(grid * grid) + " patches" +
                                                         (has_class_token_ ? " beside the class token" : ""));
    }
    const auto heads = file.number("clip.vision.attention.head_count");
    if (!heads || *heads < 1 || *width_seen % *heads != 0) {
        return wrong("clip.vision.attention.head_count",
                     "is missing, or no divisor of clip.vision.embedding_length");
    }
    pixel_config pixels;
    for (auto [key, values] :
         {std::pair{"clip.vision.image_mean", &pixels.mean}, {"clip.vision.image_std", &pixels.deviation}}) {
        const auto found = file.three(key);
        if (!found || !std::all_of(found->begin(), found->end(), [](float v) { return v > 0 && v <= 1; })) {
            return wrong(key, "is not three numbers above 0 and up to 1");
        }
        *values = *found;
    }
    side_ = *side;
    cell_ = *cell;
    pixels_ = pixels;
    return success{};
}

status llama_cpp_host::probe_class_token(int pairs) {
    if (!has_class_token_) {
        return success{};
    }
    const auto found = check_layout({side_, side_}, {.pairs = pairs});
    if (!found) {
        return found.error();
    }
    is_shifted_ = found->fault == ostend::layout_fault::shifted && found->shift == 1;
    if (!is_shifted_ && found->fault != ostend::layout_fault::none) {
        return error{"the image tokens do not lie where a LLaVA has them: " + found->says, options_.mmproj};
    }
    met_ = is_shifted_
               ? "llama.cpp's class-token defect is in this build: image token k shows patch k + 1, and the "
                 "maps are put right"
               : "the class token of this build stands where LLaVA has it";
    return success{};
}

ostend::layout llama_cpp_host::layout_of(ostend::image_size image) const {
    return ostend::geometry::llava_pad(image, {.grid = side_ / cell_, .cell = static_cast<double>(cell_)});
}

std::vector<index> llama_cpp_host::token_order() const {
    std::vector<index> order;
    for (index column = 0; is_shifted_ && column < (side_ / cell_) * (side_ / cell_); ++column) {
        order.push_back(std::max<index>(column - 1, 0));
    }
    return order;
}

ostend::result<ostend::layout_finding> llama_cpp_host::check_layout(ostend::image_size image,
                                                                    const ostend::probe_options& options) {
    const std::vector<index> order = token_order();
    const auto features = [&](const ostend::image_view& picture) -> ostend::result<ostend::matrix<float>> {
        auto seen = see(picture);
        if (!seen || order.empty()) {
            return seen;
        }
        ostend::matrix<float> out(seen->rows(), seen->columns());
        for (index column = 0; column < out.rows(); ++column) {
            const auto from = seen->row(order[static_cast<std::size_t>(column)]);
            std::copy(from.begin(), from.end(), out.row(column).begin());
        }
        return out;
    };
    return ostend::probe_layout(layout_of(image), features, options);
}

ostend::result<mtmd::input_chunks_ptr> llama_cpp_host::read_prompt(const ostend::image_view& image,
                                                                   const std::string& prompt) const {
    const auto square = fit_to_square(image, side_, pixels_);
    if (!square) {
        return square.error();
    }
    const std::string placeholder = "<image>";
    const std::string marker = mtmd_get_marker(vision_.get());
    std::string text = prompt;
    std::size_t at = text.find(placeholder);
    if (at == std::string::npos) {
        text.insert(0, placeholder);
        at = 0;
    }
    text.replace(at, placeholder.size(), marker);
    if (text.find(placeholder) != std::string::npos ||
        text.find(marker, at + marker.size()) != std::string::npos) {
        return error{"has more than one image", "prompt"};
    }
    const mtmd::bitmap bitmap(static_cast<std::uint32_t>(side_), static_cast<std::uint32_t>(side_),
                              square->data());
    const mtmd_bitmap* const pictures[] = {bitmap.ptr.get()}; // NOLINT: as the C interface wants it
    const mtmd_input_text input{text.c_str(), text.size(), true, true};
    mtmd::input_chunks_ptr chunks(mtmd_input_chunks_init());
    if (heard([&] { return mtmd_tokenize(vision_.get(), chunks.get(), &input, pictures, 1); }) != 0) {
        return refusal("cannot be made into tokens", "prompt");
    }
    index images = 0;
    for (const mtmd_input_chunk* const chunk : list(chunks)) {
        if (is_image(chunk)) {
            ++images;
            const auto tokens = static_cast<index>(mtmd_input_chunk_get_n_tokens(chunk));
            if (const index patches = (side_ / cell_) * (side_ / cell_); tokens != patches) {
                return error{"libmtmd makes " + std::to_string(tokens) + " image tokens of " +
                                 std::to_string(patches) + " patches",
                             options_.mmproj};
            }
        }
    }
    if (images != 1) {
        return error{"became " + std::to_string(images) + " images", "prompt"};
    }
    return chunks;
}

ostend::result<ostend::matrix<float>> llama_cpp_host::see(const ostend::image_view& image) {
    const auto chunks = read_prompt(image, "<image>");
    if (!chunks) {
        return chunks.error();
    }
    for (const mtmd_input_chunk* const chunk : list(*chunks)) {
        if (!is_image(chunk)) {
            continue;
        }
        if (heard([&] { return mtmd_encode_chunk(vision_.get(), chunk); }) != 0) {
            return refusal("the vision tower failed", options_.mmproj);
        }
        ostend::matrix<float> out(static_cast<index>(mtmd_input_chunk_get_n_tokens(chunk)),
                                  llama_model_n_embd_inp(model_.get()));
        const float* const seen = mtmd_get_output_embd(vision_.get());
        std::copy_n(seen, out.values().size(), out.row(0).data());
        return out;
    }
    return error{"holds no image", "prompt"};
}

ostend::result<std::vector<llama_token>> llama_cpp_host::tokens_of(const std::string& text) const {
    std::vector<llama_token> out(text.size() + 2);
    const auto fill = [&] {
        return llama_tokenize(vocabulary_, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
                              static_cast<std::int32_t>(out.size()), false, false);
    };
    std::int32_t count = fill();
    if (count < 0 && count != std::numeric_limits<std::int32_t>::min()) { // more than one a byte
        out.resize(static_cast<std::size_t>(-count));
        count = fill();
    }
    if (count < 0) {
        return error{"cannot be made into tokens", "text"};
    }
    out.resize(static_cast<std::size_t>(count));
    return out;
}

std::vector<ostend::token_text> llama_cpp_host::texts_of(const std::vector<llama_token>& tokens) const {
    std::vector<ostend::token_text> out;
    bool first = true; // nothing written yet: the space that opens a text is not written
    for (const llama_token token : tokens) {
        ostend::token_text t{.id = token};
        t.special = llama_vocab_is_control(vocabulary_, token) || llama_vocab_is_eog(vocabulary_, token);
        if (!t.special) {
            std::string bytes(256, '\0');
            const auto fill = [&] {
                return llama_token_to_piece(vocabulary_, token, bytes.data(),
                                            static_cast<std::int32_t>(bytes.size()), 0, false);
            };
            int size = fill();
            if (size < 0) { // it is longer
                bytes.resize(static_cast<std::size_t>(-size));
                size = fill();
            }
            t.bytes = bytes.substr(0, static_cast<std::size_t>(std::max(size, 0)));
        }
        if (first && !t.bytes.empty()) {
            first = false;
            if (t.bytes.front() == ' ') {
                t.bytes.erase(0, 1);
            }
        }
        out.push_back(std::move(t));
    }
    return out;
}

ostend::result<ostend::generation> llama_cpp_host::generate(const ostend::image_view& image,
                                                            const ostend::generate_request& request) {
    OSTEND_EXPECTS(request.max_tokens >= 0, "generate: max_tokens is " + std::to_string(request.max_tokens));
    const auto chunks = read_prompt(image, request.prompt.empty() ? prompt_ : request.prompt);
    if (!chunks) {
        return chunks.error();
    }
    const auto parts = list(*chunks);
    if (is_image(parts.back())) {
        return error{"ends with the image; some text has to stand behind it", "prompt"};
    }
    std::vector<llama_token> answer;
    if (request.text) {
        auto tokens = tokens_of(*request.text);
        if (!tokens) {
            return tokens.error();
        }
        answer = *std::move(tokens);
        answer.push_back(llama_vocab_eos(vocabulary_));
    }
    const auto prompt_size = static_cast<index>(mtmd_helper_get_n_tokens(chunks->get()));
    const index room = llama_model_n_ctx_train(model_.get()) - prompt_size + 1;
    const index most = request.text ? static_cast<index>(answer.size()) : std::min(request.max_tokens, room);
    if (room < 1 || most > room) {
        return error{std::to_string(prompt_size + most - 1) + " tokens are more than the model's " +
                         std::to_string(llama_model_n_ctx_train(model_.get())) + " positions",
                     request.text ? "text" : "prompt"};
    }

    // Recording is these lines, begin_image and end_image, and a before_decode before each decode.
    ostend::recorder_options recording = request.recording;
    recording.layers = llama_model_n_layer(model_.get());
    recording.heads = llama_model_n_head(model_.get());
    const std::vector<index> order = token_order();
    if (!order.empty()) {
        recording.mass_tolerance = 1; // a column counts twice
    }
    ostend::ggml_recorder recorder(recording);
    llama_context_params how = llama_context_default_params();
    if (request.record) {
        how.cb_eval = ostend::ggml_recorder::eval;
        how.cb_eval_user_data = &recorder;
    }
    how.n_ctx = static_cast<std::uint32_t>(prompt_size + most);
    how.n_batch = how.n_ctx;
    how.n_threads = how.n_threads_batch = options_.threads;
    how.flash_attn_type =
        options_.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    how.type_k = options_.key_type;
    how.no_perf = true;
    const context_ptr context(heard([&] { return llama_init_from_model(model_.get(), how); }));
    if (!context) {
        return refusal("no context can be made", options_.model);
    }

    llama_pos at = 0;
    const auto decode = [&](std::vector<llama_token> tokens, bool all, bool announce) -> status {
        token_batch batch(std::move(tokens), at, all);
        at += batch.get().n_tokens;
        if (announce) {
            ostend::before_decode(recorder, context.get(), batch.get());
        }
        return heard([&] { return llama_decode(context.get(), batch.get()); }) == 0
                   ? status(success{})
                   : refusal("decoding failed", options_.model);
    };
    for (const mtmd_input_chunk* const chunk : parts) {
        if (is_image(chunk)) {
            recorder.begin_image();
            const int failed = heard([&] {
                return mtmd_helper_eval_chunk_single(vision_.get(), context.get(), chunk, at, 0,
                                                     static_cast<std::int32_t>(how.n_batch), false, &at);
            });
            if (failed != 0) { // end_image would miss what was not written
                return refusal("the image cannot be decoded", options_.mmproj);
            }
            recorder.end_image(order);
            continue;
        }
        std::size_t count = 0;
        const llama_token* const tokens = mtmd_input_chunk_get_tokens_text(chunk, &count);
        // The last position of the prompt predicts token 0; what stands before it predicts nothing of ours.
        if (const status done = decode({tokens, tokens + count}, false, chunk == parts.back()); !done) {
            return done.error();
        }
    }

    const int vocabulary = llama_vocab_n_tokens(vocabulary_);
    if (request.text) {
        if (answer.size() > 1) {
            if (const status done = decode({answer.begin(), answer.end() - 1}, true, true); !done) {
                return done.error();
            }
        }
        if (const auto next = most_likely(context.get(), vocabulary); !next) {
            return next.error();
        }
    } else {
        while (static_cast<index>(answer.size()) < most) {
            const auto next = most_likely(context.get(), vocabulary);
            if (!next) {
                return next.error();
            }
            answer.push_back(*next);
            if (llama_vocab_is_eog(vocabulary_, *next) || static_cast<index>(answer.size()) == most) {
                break;
            }
            if (const status done = decode({*next}, false, true); !done) {
                return done.error();
            }
        }
    }

    ostend::generation out{.tokens = texts_of(answer),
                           .attention = ostend::recorder({}),
                           .grid = layout_of({image.extent(1), image.extent(0)})};
    if (request.record && !answer.empty()) {
        if (const status flushed = recorder.flush(); !flushed) {
            return flushed.error();
        }
        auto recorded = recorder.recorded();
        if (!recorded) {
            return recorded.error();
        }
        out.attention = *std::move(recorded);
    }
    return out;
}

} // namespace ostend_hosts
