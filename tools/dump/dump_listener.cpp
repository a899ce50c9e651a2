#include "dump/dump_listener.hpp"

#include "ostend/attention/from_qk.hpp"

#include <algorithm>
#include <utility>

namespace ostend_tools {
namespace {

using ostend::error;
using ostend::index;

/// How many keys a query sees; none for a mask row, which has no place in a dump.
std::optional<index> keys_seen(const ostend::qk_block& block, index query) {
    if (block.visible.empty()) {
        return block.keys.keys();
    }
    const auto& v = block.visible[block.visible.size() == 1 ? 0 : static_cast<std::size_t>(query)];
    if (const auto* causal = std::get_if<ostend::causal_limit>(&v)) {
        return causal->keys;
    }
    return std::holds_alternative<ostend::all_keys>(v) ? std::optional(block.keys.keys()) : std::nullopt;
}

float load_key(const ostend::key_source& keys, index kv_head, index key, index x) {
    return keys.address(kv_head, key).load(x);
}

/// The image keys of one query, head by head.
std::vector<float> image_row(const ostend::tensor_view<const float, 2>& row,
                             const ostend::key_selection& image) {
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(row.extent(0) * image.size()));
    for (index head = 0; head < row.extent(0); ++head) {
        for (const ostend::key_range& r : image.ranges()) {
            for (index i = 0; i < r.count; ++i) {
                out.push_back(row.load(head, r.first + i * r.step));
            }
        }
    }
    return out;
}

std::string place(index token, int layer) {
    return "token " + std::to_string(token) + " in layer " + std::to_string(layer);
}

} // namespace

void dump_listener::on_rows(const ostend::row_key& key, const ostend::tensor_view<const float, 3>& rows,
                            const ostend::key_selection& image) {
    if (key.sequence != 0) {
        return;
    }
    if (content_ == dump_content::queries) {
        refused_ = "the host records rows of attention, not queries and keys";
        return;
    }
    heads_ = rows.extent(0);
    image_tokens_ = image.size();
    for (index query = std::max<index>(-key.token, 0); query < rows.extent(1); ++query) {
        layers_[key.layer].rows[key.token + query] = image_row(rows.slice(1, query), image);
    }
}

void dump_listener::on_queries(const ostend::row_key& key, const ostend::qk_block& block,
                               const ostend::key_selection& image) {
    if (key.sequence != 0) {
        return;
    }
    if (content_ == dump_content::rows) {
        heads_ = block.q.extent(1);
        image_tokens_ = image.size();
        for (index query = std::max<index>(-key.token, 0); query < block.q.extent(0); ++query) {
            const auto row = attention_probabilities(block, query);
            layers_[key.layer].rows[key.token + query] = image_row(row.view(), image);
        }
        return;
    }
    const shared_shape now{.heads = block.q.extent(1),
                           .kv_heads = block.keys.kv_heads(),
                           .head_dim = block.keys.d(),
                           .scale = block.score.scale,
                           .softcap = block.score.softcap,
                           .epoch = key.epoch,
                           .image = image};
    if (model_ && *model_ != now) {
        refused_ = "the scores, the sizes or the places of the keys change during the generation";
    } else if (!block.score.alibi_slopes.empty() || !block.score.sinks.empty()) {
        refused_ = "the host's scores have ALiBi slopes or sinks";
    } else {
        model_ = now;
        keep_queries(key, block);
    }
}

void dump_listener::keep_queries(const ostend::row_key& key, const ostend::qk_block& block) {
    kept_layer& into = layers_[key.layer];
    for (index i = 0; i < block.q.extent(0); ++i) {
        const auto visible = keys_seen(block, i);
        if (!visible) {
            refused_ = "the host's scores have mask rows";
            return;
        }
        if (i == 0) {
            // In a causal cache the first query's own key and those after it are new, or written anew.
            const index size = model_->kv_heads * model_->head_dim;
            const index first = std::clamp<index>(*visible - 1, 0, into.keys_kept);
            into.keys.resize(static_cast<std::size_t>(first * size));
            for (index cell = first; cell < block.keys.keys(); ++cell) {
                for (index element = 0; element < size; ++element) {
                    into.keys.push_back(
                        load_key(block.keys, element / model_->head_dim, cell, element % model_->head_dim));
                }
            }
            into.keys_kept = block.keys.keys();
        }
        if (key.token + i >= 0) {
            kept_query& kept = into.queries[key.token + i];
            kept = {.values = {}, .visible = *visible};
            for (index element = 0; element < model_->heads * model_->head_dim; ++element) {
                kept.values.push_back(
                    block.q.load(i, element / model_->head_dim, element % model_->head_dim));
            }
        }
    }
}

ostend::result<dumped_rows> dump_listener::rows_of(index tokens) const {
    dumped_rows out{
        .layers = static_cast<index>(layers_.size()), .heads = heads_, .image_tokens = image_tokens_};
    for (index token = 0; token < tokens; ++token) {
        for (int layer = 0; layer < out.layers; ++layer) {
            const auto of_layer = layers_.find(layer);
            if (of_layer == layers_.end() || of_layer->second.rows.count(token) == 0) {
                return error{place(token, layer) + " was not recorded", "rows"};
            }
            const std::vector<float>& row = of_layer->second.rows.at(token);
            out.values.insert(out.values.end(), row.begin(), row.end());
        }
    }
    return out;
}

ostend::result<dumped_queries> dump_listener::queries_of(index tokens) const {
    if (!model_) {
        return error{"nothing was recorded", "q"};
    }
    dumped_queries out{.layers = static_cast<index>(layers_.size()),
                       .heads = model_->heads,
                       .kv_heads = model_->kv_heads,
                       .head_dim = model_->head_dim,
                       .keys = layers_.begin()->second.keys_kept,
                       .scale = model_->scale,
                       .softcap = model_->softcap};
    for (index token = 0; token < tokens; ++token) {
        for (int layer = 0; layer < out.layers; ++layer) {
            const auto of_layer = layers_.find(layer);
            if (of_layer == layers_.end() || of_layer->second.queries.count(token) == 0) {
                return error{place(token, layer) + " was not recorded", "q"};
            }
            const kept_query& q = of_layer->second.queries.at(token);
            if (layer > 0 && q.visible != out.visible.back()) {
                return error{place(token, layer) + " sees other keys than layer 0", "visible"};
            }
            if (layer == 0) {
                out.visible.push_back(q.visible);
            }
            out.q.insert(out.q.end(), q.values.begin(), q.values.end());
        }
    }
    for (const auto& [number, kept] : layers_) {
        if (kept.keys_kept != out.keys) {
            return error{"layer " + std::to_string(number) + " has " + std::to_string(kept.keys_kept) +
                             " keys, layer 0 " + std::to_string(out.keys),
                         "k"};
        }
        out.k.insert(out.k.end(), kept.keys.begin(), kept.keys.end());
    }
    for (index token = 0; token < model_->image.size(); ++token) {
        out.image_keys.push_back(model_->image.key(token));
    }
    return out;
}

ostend::result<attention_dump> dump_listener::finish(const ostend::image_view& image,
                                                     const std::vector<ostend::token_text>& tokens,
                                                     const ostend::layout& grid,
                                                     const std::string& made_with) const {
    if (!refused_.empty()) {
        return error{refused_ + "; dump rows instead", "dump"};
    }
    attention_dump dump{.made_with = made_with,
                        .image = {.height = image.extent(0), .width = image.extent(1), .pixels = {}},
                        .tokens = tokens,
                        .grid = grid};
    for (index y = 0; y < image.extent(0); ++y) {
        for (index x = 0; x < image.extent(1); ++x) {
            for (index c = 0; c < 3; ++c) {
                dump.image.pixels.push_back(image.load(y, x, c));
            }
        }
    }
    const auto count = static_cast<index>(tokens.size());
    if (content_ == dump_content::rows) {
        auto rows = rows_of(count);
        if (!rows) {
            return rows.error();
        }
        dump.attention = *std::move(rows);
    } else {
        auto queries = queries_of(count);
        if (!queries) {
            return queries.error();
        }
        dump.attention = *std::move(queries);
    }
    if (const auto good = check(dump); !good) {
        return good.error();
    }
    return dump;
}

} // namespace ostend_tools
