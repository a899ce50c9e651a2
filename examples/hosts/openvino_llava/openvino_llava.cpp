#include "openvino_llava/openvino_llava.hpp"

#include "tiny_llava/conversation.hpp"
#include "tiny_llava/preprocess.hpp"
#include "tiny_llava/safetensors.hpp"

#include "ostend/geometry/llava.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace ostend_hosts {
namespace {

using ostend::error;
using ostend::index;
using ostend::status;
using ostend::success;

} // namespace

ostend::result<openvino_llava> openvino_llava::load(const std::filesystem::path& directory,
                                                    const openvino_llava_options& options) {
    OSTEND_EXPECTS(options.text_block >= 1,
                   "openvino_llava: text_block is " + std::to_string(options.text_block));
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
    openvino_llava host(*config, *std::move(vocabulary));
    host.options_ = options;
    if (const status compiled = host.compile(*file); !compiled) {
        return compiled.error();
    }
    return host;
}

status openvino_llava::compile(const safetensors& file) {
    const llama_config& sizes = config_.language;
    auto rows = file.values("language_model.model.embed_tokens.weight", {sizes.vocabulary, sizes.width});
    if (!rows) {
        return rows.error();
    }
    table_ = ostend::matrix<float>(sizes.vocabulary, sizes.width);
    std::copy(rows->begin(), rows->end(), table_.row(0).begin());

    file_weights weights(file);
    const auto graphs = ostend::openvino_result([&] {
        return std::pair(vision_graph(config_, std::ref(weights)),
                         language_graph(config_.language, std::ref(weights)));
    });
    if (weights.error()) {
        return *weights.error();
    }
    if (!graphs) {
        return graphs.error().in(file.file());
    }
    // Recording is these lines, and record_openvino_attention behind each run.
    auto layers = ostend::expose_openvino_attention(
        *graphs->second, {.keys = options_.keys, .last_queries = options_.text_block});
    if (!layers) {
        return layers.error();
    }
    layers_ = *std::move(layers);
    const auto compiled = ostend::openvino_result([&] {
        ov::Core core;
        vision_ = core.compile_model(graphs->first, "CPU", options_.properties).create_infer_request();
        compiled_ = core.compile_model(graphs->second, "CPU", options_.properties);
        language_ = compiled_.create_infer_request();
        return true;
    });
    return compiled ? status(success{}) : compiled.error();
}

ostend::result<ostend::matrix<float>> openvino_llava::see(const ostend::image_view& image) {
    const auto square = fit_to_square(image, config_.vision.image_size, config_.pixels);
    if (!square) {
        return square.error();
    }
    const matrix patches = cut_patches(*square, config_.vision, config_.pixels);
    return ostend::openvino_result([&] {
        vision_.set_input_tensor(ostend::copy_to_openvino(
            ostend::tensor_view<const float, 2>(patches.data(), {patches.rows(), patches.cols()})));
        vision_.infer();
        const ov::Tensor features = vision_.get_output_tensor();
        ostend::matrix<float> out(patches.rows(), config_.language.width);
        std::copy_n(features.data<const float>(), out.values().size(), out.row(0).begin());
        return out;
    });
}

ostend::layout openvino_llava::layout_of(ostend::image_size image) const {
    return ostend::geometry::llava_pad(
        image, {.grid = config_.vision.grid(), .cell = static_cast<double>(config_.vision.patch_size)});
}

ostend::result<ostend::layout_finding> openvino_llava::check_layout(ostend::image_size image,
                                                                    const ostend::probe_options& options) {
    return ostend::probe_layout(
        layout_of(image), [this](const ostend::image_view& view) { return see(view); }, options);
}

ov::Tensor openvino_llava::embed(std::span<const std::int32_t> tokens) const {
    ov::Tensor out(ov::element::f32, {1, tokens.size(), static_cast<std::size_t>(table_.columns())});
    auto* to = out.data<float>();
    for (const std::int32_t token : tokens) {
        const auto row = table_.row(token);
        to = std::copy(row.begin(), row.end(), to);
    }
    return out;
}

// Runs positions `first` and on behind those in the states; the most likely next token, the first of equals.
ostend::result<std::int32_t> openvino_llava::read(const ov::Tensor& embeddings, index first) {
    const std::size_t count = embeddings.get_shape()[1];
    const auto logits = ostend::openvino_result([&] {
        ov::Tensor positions(ov::element::i64, {1, count});
        std::iota(positions.data<std::int64_t>(), positions.data<std::int64_t>() + count, first);
        ov::Tensor beams(ov::element::i32, {1});
        *beams.data<std::int32_t>() = 0;
        language_.set_tensor("embeddings", embeddings);
        language_.set_tensor("positions", positions);
        language_.set_tensor("beams", beams);
        language_.infer();
        return language_.get_tensor("logits");
    });
    if (!logits) {
        return logits.error();
    }
    const std::span<const float> values(logits->data<const float>(), logits->get_size());
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
        return error{.what = "the model's logits are not finite", .field = "logits"};
    }
    return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

ostend::result<ostend::generation> openvino_llava::generate(const ostend::image_view& image,
                                                            const ostend::generate_request& request) {
    OSTEND_EXPECTS(request.max_tokens >= 0, "generate: max_tokens is " + std::to_string(request.max_tokens));
    std::vector<std::int32_t> answer;
    if (request.text) {
        auto encoded = encode_answer(vocabulary_, config_, *request.text);
        if (!encoded) {
            return encoded.error();
        }
        answer = *std::move(encoded);
    }
    const auto prompt = encode_prompt(vocabulary_, config_, request.prompt);
    if (!prompt) {
        return prompt.error();
    }
    const auto seen = see(image);
    if (!seen) {
        return seen.error();
    }
    // The last token is predicted but never read, so it needs no position.
    const llama_config& sizes = config_.language;
    const auto prompt_size = static_cast<index>(prompt->tokens.size());
    const index most = request.text
                           ? static_cast<index>(answer.size())
                           : std::min<index>(request.max_tokens, sizes.max_positions - prompt_size + 1);
    if (prompt_size > sizes.max_positions || prompt_size + most - 1 > sizes.max_positions) {
        return error{.what = std::to_string(prompt_size + most - 1) + " tokens are more than the model's " +
                             std::to_string(sizes.max_positions) + " positions",
                     .field = request.text ? "text" : "prompt"};
    }

    ostend::recorder_options recording;
    if (request.record) {
        recording = request.recording;
        recording.layers = static_cast<int>(sizes.layers);
        recording.heads = static_cast<int>(sizes.heads);
        recording.image = prompt->image;
        if (options_.keys == ostend::openvino_keys::states) {
            recording.mode = ostend::recording::deferred;
        }
    }
    ostend::recorder recorder(recording);
    index read_so_far = 0;
    index predicted = 0; // by the last query of the next run
    const auto run = [&](const ov::Tensor& embeddings) -> ostend::result<std::int32_t> {
        const auto queries = static_cast<index>(embeddings.get_shape()[1]);
        auto next = read(embeddings, read_so_far);
        read_so_far += queries;
        if (next && request.record) {
            const index shown = std::min(queries, options_.text_block);
            if (const status recorded =
                    ostend::record_openvino_attention(recorder, language_, layers_, predicted - (shown - 1));
                !recorded) {
                return recorded.error();
            }
        }
        return next;
    };

    const auto reset = ostend::openvino_result([&] {
        language_.reset_state();
        return true;
    });
    if (!reset) {
        return reset.error();
    }
    ov::Tensor embeddings = embed(prompt->tokens);
    std::copy(seen->values().begin(), seen->values().end(),
              embeddings.data<float>() + prompt->image.key(0) * sizes.width);
    if (most > 0) {
        auto next = run(embeddings);
        if (request.text) {
            const std::span<const std::int32_t> given(answer.data(), answer.size() - 1);
            for (index i = 0; next && i < static_cast<index>(given.size()); i += options_.text_block) {
                const index count = std::min(options_.text_block, static_cast<index>(given.size()) - i);
                predicted = i + count;
                next =
                    run(embed(given.subspan(static_cast<std::size_t>(i), static_cast<std::size_t>(count))));
            }
        } else {
            while (next) {
                answer.push_back(*next);
                predicted = static_cast<index>(answer.size());
                if (*next == config_.end_token || predicted == most) {
                    break;
                }
                next = run(embed({&answer.back(), 1}));
            }
        }
        if (!next) {
            return next.error();
        }
    }
    if (const status flushed = ostend::flush_openvino_attention(recorder, language_, layers_); !flushed) {
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
