// ggml_recorder_impl: the bodies of ggml_recorder's members; include ggml_recorder.hpp.
//
// The scheduler asks for every node in order before it runs any of a piece, so what is about to be written is
// known before it is, and a node that was asked for is seen with its inputs still alive.
#pragma once

#include "ostend/adapt/ggml_recorder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend::inline OSTEND_KERNELS {

inline bool ggml_recorder::on_ask(ggml_tensor& node) {
    const std::string_view name = ggml_get_name(&node);
    if (const auto layer = ggml_layer_of(name)) {
        near_layer_ = *layer;
        if (checking_ && name.substr(0, 8) == "kqv_out-") {
            if (*checking_ != *layer) {
                fail_all({"the attention that was taken for layer " + std::to_string(*checking_) +
                              " is that of layer " + std::to_string(*layer),
                          "ggml_recorder"});
            }
            checking_.reset();
        }
    }
    watch_writes(node);
    wanted_ = armed_ && is_ggml_attention(node) && near_layer_ >= 0 && near_layer_ < options_.layers &&
              judge_.uses(near_layer_);
    other_wanted_ = other_ != nullptr && other_(&node, true, other_data_);
    return wanted_ || other_wanted_;
}

inline bool ggml_recorder::on_node(ggml_tensor& node) {
    if (wanted_) {
        wanted_ = false;
        checking_ = near_layer_;
        record(node, near_layer_);
    }
    return !other_wanted_ || other_(&node, false, other_data_);
}

/// Cells that the graph is about to write: nothing of this node has run yet.
inline void ggml_recorder::watch_writes(const ggml_tensor& node) {
    const ggml_tensor* const cache = node.view_src;
    const bool moves_nothing = node.op == GGML_OP_NONE || node.op == GGML_OP_VIEW ||
                               node.op == GGML_OP_RESHAPE || node.op == GGML_OP_PERMUTE ||
                               node.op == GGML_OP_TRANSPOSE;
    if (cache == nullptr || moves_nothing) {
        return;
    }
    const auto seen = seen_.find(cache);
    if (node.op != GGML_OP_SET_ROWS) {
        if (seen != seen_.end()) { // a context shift
            static_cast<void>(flush());
        }
        return;
    }
    // Values are of no interest; transposed, they are written number by number.
    const bool is_values =
        node.ne[0] == 1 || std::string_view(ggml_get_name(cache)).substr(0, 7) == "cache_v";
    if (is_values || !(cells_.learning() || cells_.knows(cache) || seen != seen_.end())) {
        return;
    }
    const auto rows = v0::detail::ggml_rows_written(*node.src[1]);
    if (!rows) {
        cells_.learning() ? fail(cells_.sequence(), 0, rows.error()) : fail_all(rows.error());
        return;
    }
    if (seen != seen_.end() && std::any_of(rows->begin(), rows->end(), [&](index row) {
            return row < static_cast<index>(seen->second.size()) &&
                   seen->second[static_cast<std::size_t>(row)];
        })) {
        static_cast<void>(flush());
    }
    cells_.on_write(cache, *rows);
}

inline void ggml_recorder::record(const ggml_tensor& node, int layer) {
    const auto attention = read_ggml_attention(node);
    if (!attention) {
        fail_all(attention.error());
        return;
    }
    for (index stream = 0; stream < attention->streams(); ++stream) {
        const auto place = ggml_place_in_cache(*attention->k, stream);
        if (!place) {
            fail_all(place.error());
            return;
        }
        // Several streams: each is a sequence, and its columns come in their order; else all in order.
        const int lane = place->cache->ne[2] > 1 ? static_cast<int>(place->stream) : -1;
        index& done = done_[{layer, lane}];
        for (index query = 0; query < attention->queries(); ++query, ++done) {
            const ggml_column* const column = find_column(lane, done);
            if (column == nullptr) {
                fail_all({"layer " + std::to_string(layer) +
                              " decodes more columns than were announced; call before_decode before each "
                              "decode, or stop()",
                          "ggml_recorder"});
                return;
            }
            if (!column->token) {
                continue;
            }
            const row_key where{.layer = layer, .token = *column->token};
            if (const status added =
                    add(*attention, *place, where, {stream, query, lane, done}, column->sequence);
                !added) {
                fail(column->sequence, where.token,
                     added.error().in("layer " + std::to_string(layer) + ", token " +
                                      std::to_string(where.token)));
            }
        }
    }
}

inline const ggml_column* ggml_recorder::find_column(int lane, index done) const {
    const auto at = static_cast<std::size_t>(done);
    if (lane < 0) {
        return at < columns_.size() ? &columns_[at] : nullptr;
    }
    const auto found = of_sequence_.find(lane);
    return found == of_sequence_.end() || at >= found->second.size() ? nullptr : &columns_[found->second[at]];
}

inline result<const v0::detail::ggml_mask_row*> ggml_recorder::mask_of(const ggml_attention& attention,
                                                                       const query_place& of) {
    if (attention.mask == nullptr || mask_.mask != attention.mask || mask_.lane != of.lane ||
        mask_.column != of.column) {
        auto row = ggml_mask_of(attention, of.query, of.stream);
        if (!row) {
            return row.error();
        }
        mask_ = {attention.mask, of.lane, of.column, *std::move(row)};
    }
    return &mask_.row;
}

inline status ggml_recorder::add(const ggml_attention& attention, const ggml_cache_place& place,
                                 const row_key& where, const query_place& of, int sequence) {
    if (attention.heads() != options_.heads) {
        return error{std::to_string(attention.heads()) + " query heads, where the recorder was made for " +
                         std::to_string(options_.heads),
                     "heads"};
    }
    const auto image = cells_.find(place.cache, sequence, place.first_row, attention.keys());
    if (!image) {
        return image.error();
    }
    const key_selection& keys = **image;
    const auto found = mask_of(attention, of);
    if (!found) {
        return found.error();
    }
    const v0::detail::ggml_mask_row& mask = **found;
    if (const status whole = detail::ggml_sees_image(mask, keys); !whole) {
        return whole.error();
    }
    recorder& into = recorder_of(sequence, keys);
    if (into.image_tokens() != keys.size()) {
        return error{"this layer's cache holds " + std::to_string(keys.size()) + " image tokens, another's " +
                         std::to_string(into.image_tokens()),
                     "image cells"};
    }
    if (attention.rows != nullptr) {
        const auto rows = ggml_plane(*attention.rows, of.query, of.stream, copies_.rows); // [heads, keys]
        if (!rows) {
            return rows.error();
        }
        into.add(where, *rows, keys);
        return success{};
    }
    const auto here = v0::detail::ggml_is_on_host(*attention.k);
    if (!here) {
        return here.error();
    }
    const ggml_tensor* const copied_from = *here ? nullptr : place.cache;
    const auto read = v0::detail::ggml_keys_anywhere(*attention.k, of.stream);
    if (!read) {
        return read.error();
    }
    const bool kept = options_.mode == recording::deferred;
    if (kept) {
        const status known = keep_keys(attention, place, where.layer, sequence, of.stream, mask, copied_from);
        if (!known) {
            return known.error();
        }
    }
    // Keys on a device are copied for a query that is done at once, and for the last of those that wait.
    const bool needs_keys = !kept || options_.listener != nullptr ||
                            (attention.max_bias > 0 && attention.sinks != nullptr) ||
                            into.pending(0, where.layer) + 1 >= options_.flush_every;
    const stream_keys from{*read, needs_keys ? copied_from : nullptr};
    const auto block = block_of(attention, keys_now(from), of, mask);
    if (!block) {
        return block.error();
    }
    into.add(where, *block, keys);
    return success{};
}

/// keys: of a query that is only kept they may be addresses on a device, which are not read.
inline result<qk_block> ggml_recorder::block_of(const ggml_attention& attention, const key_source& keys,
                                                const query_place& of,
                                                const v0::detail::ggml_mask_row& mask) {
    const auto q = ggml_plane(*attention.q, of.query, of.stream, copies_.rows); // [heads, d]
    if (!q) {
        return q.error();
    }
    const auto visible = ggml_visibility(attention, mask);
    if (!visible) {
        return visible.error();
    }
    if (attention.max_bias > 0 &&
        (attention.max_bias != slopes_bias_ || attention.heads() != static_cast<index>(slopes_.size()))) {
        slopes_ = ggml_alibi_slopes(attention.max_bias, attention.heads());
        slopes_bias_ = attention.max_bias;
    }
    qk_block block{.q = {q->data(), {1, q->extent(0), q->extent(1)}, {0, q->stride(0), q->stride(1)}},
                   .keys = keys,
                   .score = {.scale = attention.scale, .softcap = attention.softcap},
                   .visible = {*visible}};
    if (attention.max_bias > 0) {
        block.score.alibi_slopes = slopes_;
    }
    if (attention.sinks != nullptr) {
        const auto sinks = ggml_plane(*attention.sinks, 0, 0, copies_.sinks); // [1, heads]
        if (!sinks) {
            return sinks.error();
        }
        block.score.sinks = sinks->slice(0, 0).as_span();
    }
    return block;
}

/// Remembers where a kept query's keys are, and which of them it sees. On a device: as many as were read.
inline status ggml_recorder::keep_keys(const ggml_attention& attention, const ggml_cache_place& place,
                                       int layer, int sequence, index stream,
                                       const v0::detail::ggml_mask_row& mask,
                                       const ggml_tensor* copied_from) {
    stream_keys& known = stream_keys_[{layer, sequence}];
    const index before = copied_from != nullptr && known.cache == copied_from ? known.keys.keys() : 0;
    const auto whole = v0::detail::ggml_stream_keys_anywhere(
        *attention.k, stream, copied_from == nullptr ? -1 : std::max(before, attention.keys()));
    if (!whole) {
        return whole.error();
    }
    known = {*whole, copied_from};
    std::vector<bool>& seen = seen_[place.cache];
    const auto last = static_cast<std::size_t>(place.first_row + attention.keys());
    seen.resize(std::max(seen.size(), last), false);
    for (index key = 0; key < attention.keys(); ++key) {
        const auto row = static_cast<std::size_t>(place.first_row + key);
        seen[row] = seen[row] || mask.sees(key);
    }
    return success{};
}

inline recorder& ggml_recorder::recorder_of(int sequence, const key_selection& image) {
    auto found = recorders_.find(sequence);
    if (found == recorders_.end()) {
        recorder_options options = options_;
        options.image = image;
        found = recorders_.emplace(sequence, recorder(std::move(options))).first;
    }
    return found->second;
}

/// An error of all sequences that the announced columns name.
inline void ggml_recorder::fail_all(const error& why) {
    for (const auto& [sequence, columns] : of_sequence_) {
        index token = 0;
        for (const std::size_t column : columns) {
            if (columns_[column].token) {
                token = *columns_[column].token;
                break;
            }
        }
        fail(sequence, token, why);
    }
}

} // namespace ostend::inline OSTEND_KERNELS
