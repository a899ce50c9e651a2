#include "tiny_llava/tiny_llava.hpp"

#include "tiny_llava/conversation.hpp"
#include "tiny_llava/safetensors.hpp"

#include "ostend/geometry/llava.hpp"

#include <algorithm>
#include <utility>

namespace ostend_hosts {
namespace {

using ostend::error;
using ostend::index;

// Keys of one layer as the recorder reads them where they are: [positions, kv_heads, d].
ostend::key_source as_keys(const matrix_ref& keys, const llama_config& config) {
    const ostend::tensor_view<const float, 3> view(keys.data(),
                                                   {keys.rows(), config.kv_heads, config.head_dim},
                                                   {keys.outerStride(), config.head_dim, 1});
    return ostend::key_source::cell_major(view);
}

// A layer's queries with the keys that each may see.
ostend::qk_block as_block(const attention_inputs& layer, const llama_config& config) {
    const index queries = layer.queries.rows();
    ostend::qk_block block;
    block.q = {layer.queries.data(),
               {queries, config.heads, config.head_dim},
               {layer.queries.outerStride(), config.head_dim, 1}};
    block.keys = as_keys(layer.keys, config);
    for (index i = 0; i < queries; ++i) {
        block.visible.emplace_back(ostend::causal_limit{layer.keys.rows() - (queries - 1 - i)});
    }
    return block;
}

std::int32_t most_likely(const matrix& logits) {
    Index best = 0; // the first of equals, as torch.argmax
    logits.bottomRows(1).row(0).maxCoeff(&best);
    return static_cast<std::int32_t>(best);
}

} // namespace

tiny_llava::tiny_llava(model_config config, weight_reader& weights, tokenizer vocabulary)
    : config_(config), vocabulary_(std::move(vocabulary)), vision_(weights, config.vision),
      projector_in_(weights.read_linear("multi_modal_projector.linear_1", config.language.width,
                                        config.vision.width, config.projector_bias)),
      projector_out_(weights.read_linear("multi_modal_projector.linear_2", config.language.width,
                                         config.language.width, config.projector_bias)),
      language_(weights, config.language) {}

ostend::result<tiny_llava> tiny_llava::load(const std::filesystem::path& directory) {
    const auto config = model_config::read(directory);
    if (!config) {
        return config.error();
    }
    auto vocabulary = read_vocabulary(directory, *config);
    if (!vocabulary) {
        return vocabulary.error();
    }
    const auto file = safetensors::read(directory / "model.safetensors");
    if (!file) {
        return file.error();
    }
    weight_reader weights(*file);
    tiny_llava model(*config, weights, *std::move(vocabulary));
    if (weights.error()) {
        return *weights.error();
    }
    return model;
}

ostend::result<matrix> tiny_llava::see(const ostend::image_view& image) const {
    const auto square = fit_to_square(image, config_.vision.image_size, config_.pixels);
    if (!square) {
        return square.error();
    }
    matrix hidden = projector_in_(vision_(cut_patches(*square, config_.vision, config_.pixels)));
    activate(config_.projector_act, hidden);
    return projector_out_(hidden);
}

ostend::layout tiny_llava::layout_of(ostend::image_size image) const {
    return ostend::geometry::llava_pad(
        image, {.grid = config_.vision.grid(), .cell = static_cast<double>(config_.vision.patch_size)});
}

ostend::result<ostend::layout_finding> tiny_llava::check_layout(ostend::image_size image,
                                                                const ostend::probe_options& options) const {
    const auto features = [this](const ostend::image_view& view) -> ostend::result<ostend::matrix<float>> {
        const auto seen = see(view);
        if (!seen) {
            return seen.error();
        }
        ostend::matrix<float> out(seen->rows(), seen->cols());
        std::copy_n(seen->data(), seen->size(), out.values().begin()); // both row-major
        return out;
    };
    return ostend::probe_layout(layout_of(image), features, options);
}

ostend::result<prompt_input> tiny_llava::read_prompt(const ostend::image_view& image,
                                                     std::string prompt) const {
    const auto read = encode_prompt(vocabulary_, config_, std::move(prompt));
    if (!read) {
        return read.error();
    }
    const auto seen = see(image);
    if (!seen) {
        return seen.error();
    }
    prompt_input input{
        .tokens = read->tokens, .embeddings = language_.embed(read->tokens), .image = read->image};
    input.embeddings.middleRows(input.image.key(0), seen->rows()) = *seen;
    return input;
}

ostend::result<ostend::generation> tiny_llava::generate(const ostend::image_view& image,
                                                        const ostend::generate_request& request) const {
    OSTEND_EXPECTS(request.max_tokens >= 0, "generate: max_tokens is " + std::to_string(request.max_tokens));
    const llama_config& sizes = config_.language;
    std::vector<std::int32_t> answer;
    if (request.text) {
        auto read = encode_answer(vocabulary_, config_, *request.text);
        if (!read) {
            return read.error();
        }
        answer = *std::move(read);
    }
    const auto prompt = read_prompt(image, request.prompt);
    if (!prompt) {
        return prompt.error();
    }

    // The last token is predicted but never read, so it needs no position.
    const Index prompt_size = prompt->embeddings.rows();
    const Index most = request.text
                           ? Index(answer.size())
                           : std::min<Index>(request.max_tokens, sizes.max_positions - prompt_size + 1);
    if (prompt_size > sizes.max_positions || prompt_size + most - 1 > sizes.max_positions) {
        return error{.what = std::to_string(prompt_size + most - 1) + " tokens are more than the model's " +
                             std::to_string(sizes.max_positions) + " positions",
                     .field = request.text ? "text" : "prompt"};
    }
    kv_cache cache(sizes, prompt_size + std::max<Index>(most, 1) - 1);

    // The recorder gets the queries that predict tokens, and which token the first of them predicts.
    ostend::recorder_options recording;
    if (request.record) {
        recording = request.recording;
        recording.layers = static_cast<int>(sizes.layers);
        recording.heads = static_cast<int>(sizes.heads);
        recording.image = prompt->image;
    }
    ostend::recorder recorder(recording);
    index predicted = 0;
    attention_observer observe;
    if (request.record) {
        observe = [&](const attention_inputs& layer) {
            recorder.add({.layer = layer.layer, .token = predicted}, as_block(layer, sizes));
        };
    }

    const error not_finite{.what = "the model's logits are not finite", .field = "logits"};
    if (request.text) {
        const std::vector<std::int32_t> read(answer.begin(), answer.end() - 1);
        matrix x(prompt_size + Index(read.size()), sizes.width);
        x << prompt->embeddings, language_.embed(read);
        if (!language_.forward(std::move(x), cache, Index(answer.size()), observe).allFinite()) {
            return not_finite;
        }
    } else {
        matrix next = prompt->embeddings;
        while (Index(answer.size()) < most) {
            predicted = static_cast<index>(answer.size());
            const matrix logits = language_.forward(std::move(next), cache, 1, observe);
            if (!logits.allFinite()) {
                return not_finite;
            }
            answer.push_back(most_likely(logits));
            if (answer.back() == config_.end_token) {
                break;
            }
            next = language_.embed({answer.back()});
        }
    }
    const auto flushed = recorder.flush_all(
        [&](int layer) { return as_keys(cache.keys[std::size_t(layer)].topRows(cache.used), sizes); });
    if (!flushed) {
        return flushed.error();
    }

    auto tokens = decode_answer(vocabulary_, config_, answer);
    if (!tokens) {
        return tokens.error();
    }
    return ostend::generation{.tokens = *std::move(tokens),
                              .attention = std::move(recorder),
                              .grid = layout_of({image.extent(1), image.extent(0)})};
}

} // namespace ostend_hosts
