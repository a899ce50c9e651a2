// recorder_impl: the bodies of recorder's members; include recorder.hpp.
//
// Every path ends in deliver(): one layer's reduced row of one token is judged there, and only there, so that
// rows, blocks, online and kept queries are held to the same rules without another pass over the inputs.
// Longer than most headers: the ways in share the marks of what was taken and are undone together.
#pragma once

#include "ostend/attention/recorder.hpp"
#include "ostend/attention/row_judgement.hpp"

#include <algorithm>
#include <limits>

namespace ostend::inline OSTEND_KERNELS {
/// Preconditions of an add, and the marks that its rows are taken; nothing changes when one fails.
inline void recorder::begin(const row_key& key, index heads, index queries, const key_selection& image) {
    expect_layer(key.layer);
    OSTEND_EXPECTS(heads == options_.heads, "recorder::add: attention of " + std::to_string(heads) +
                                                " heads, the model has " + std::to_string(options_.heads));
    OSTEND_EXPECTS(image.size() == image_tokens(), "recorder::add: " + std::to_string(image.size()) +
                                                       " image keys, the recorder was made for " +
                                                       std::to_string(image_tokens()));
    OSTEND_EXPECTS(key.token + queries > 0,
                   "recorder::add: the last query predicts token " + std::to_string(key.token + queries - 1));
    v0::detail::exact_rows& rows = rows_of(key.sequence);
    const index first = std::max<index>(key.token, 0);
    for (index token = first; token < key.token + queries; ++token) {
        OSTEND_EXPECTS(!rows.has(token, key.layer),
                       "recorder::add: " + place(token, key.layer, key.sequence) +
                           " was added before; truncate first to add it anew");
    }
    rows.grow(key.token + queries);
    for (index token = first; token < key.token + queries; ++token) {
        rows.mark(token, key.layer);
    }
}

/// Hands rows to the listener, widened where they are not f32.
template <class T>
void recorder::tell(const row_key& key, const tensor_view<const T, 3>& rows,
                    const key_selection& image) const {
    if constexpr (std::same_as<T, float>) {
        options_.listener->on_rows(key, rows, image);
    } else {
        std::vector<float> widened;
        widened.reserve(static_cast<std::size_t>(rows.size()));
        for (index head = 0; head < rows.extent(0); ++head) {
            for (index query = 0; query < rows.extent(1); ++query) {
                for (index k = 0; k < rows.extent(2); ++k) {
                    widened.push_back(to_float(rows.load(head, query, k)));
                }
            }
        }
        options_.listener->on_rows(key, {widened.data(), rows.extents()}, image);
    }
}

template <class View>
void recorder::add_view(const row_key& key, const View& view, const key_selection& image) {
    static_assert(View::rank == 2 || View::rank == 3,
                  "ostend: attention is [heads, keys], or [heads, queries, keys] for a block.");
    static_assert(std::same_as<typename View::space, host_space>,
                  "ostend: the recorder reads host memory; copy this tensor to the host first.");
    using value = typename View::value_type;
    tensor_view<const value, 3> block;
    if constexpr (View::rank == 2) {
        block = {view.data(), {view.extent(0), 1, view.extent(1)}, {view.stride(0), 0, view.stride(1)}};
    } else {
        block = view;
    }
    const index queries = block.extent(1);
    if (queries == 0) {
        return;
    }
    detail::expect_image_keys("recorder::add", image, block.extent(2));
    begin(key, block.extent(0), queries, image);
    if (options_.listener != nullptr) {
        tell(key, block, image);
    }
    if (!uses(key.layer)) {
        return;
    }
    for (index query = std::max<index>(-key.token, 0); query < queries; ++query) {
        std::fill(row_.begin(), row_.end(), reduction_start(options_.reduce));
        reduce_heads(block.slice(1, query), image, weights_.row(key.layer), options_.reduce, row_);
        deliver({key.layer, key.token + query, key.sequence}, row_);
    }
}

inline void recorder::add(const row_key& key, const qk_block& block, const key_selection& image) {
    const index queries = block.q.extent(0);
    if (queries == 0) {
        return;
    }
    detail::expect_block(block);
    detail::expect_image_keys("recorder::add", image, block.keys.keys());
    begin(key, block.q.extent(1), queries, image);
    if (options_.listener != nullptr) {
        options_.listener->on_queries(key, block, image);
    }
    if (!uses(key.layer)) {
        return;
    }
    const index skipped = std::max<index>(-key.token, 0);
    // Beside sinks, ALiBi counts from the last key where the visibility is a mask row (score.hpp), and the
    // keys of a flush may end elsewhere; with this rare combination nothing is kept.
    const bool needs_own_keys = !block.score.alibi_slopes.empty() && !block.score.sinks.empty();
    if (options_.mode == recording::online || needs_own_keys) {
        qk_block wanted = block;
        wanted.q = block.q.range(0, skipped, queries - skipped);
        if (wanted.visible.size() > 1) {
            wanted.visible.erase(wanted.visible.begin(), wanted.visible.begin() + skipped);
        }
        std::vector<index> tokens;
        for (index query = skipped; query < queries; ++query) {
            tokens.push_back(key.token + query);
        }
        reduce_block(key, tokens, wanted, image);
        return;
    }
    const kept_key where{key.sequence, key.layer};
    std::vector<v0::detail::kept_queries>& kept = kept_[where];
    if (!kept.empty() && kept.back().epoch() != key.epoch) {
        for (const v0::detail::kept_queries& old : kept) {
            lose(key.sequence, key.layer, old,
                 "the keys moved from epoch " + std::to_string(old.epoch()) + " to " +
                     std::to_string(key.epoch) + " before its query was flushed");
        }
        kept.clear();
    }
    index waiting = 0;
    for (const v0::detail::kept_queries& k : kept) {
        waiting += static_cast<index>(k.tokens().size());
    }
    for (index query = skipped; query < queries; ++query) {
        if (kept.empty() || !kept.back().fits(block, image)) {
            kept.emplace_back(block, image, key.epoch, options_.flush_every - waiting);
        }
        kept.back().keep(key.token + query, block, query);
        if (++waiting >= options_.flush_every) {
            for (v0::detail::kept_queries& k : kept) {
                finish(key, k, block.keys);
            }
            kept.clear();
            waiting = 0;
        }
    }
    if (kept.empty()) {
        kept_.erase(where);
    }
}

/// Reduces a block whose query i predicts tokens[i]. A query with wrong data must not cost the others theirs,
/// so a block that fails is done again one by one.
inline void recorder::reduce_block(const row_key& where, std::span<const index> tokens, const qk_block& block,
                                   const key_selection& image) {
    const auto queries = static_cast<index>(tokens.size());
    // 0 starts both reductions: probabilities are not negative.
    rows_.assign(static_cast<std::size_t>(queries * image_tokens()), 0.0F);
    const status done = reduce_qk(blocked, block, image, weights_.row(where.layer), options_.reduce,
                                  {rows_.data(), {queries, image_tokens()}}, work_);
    if (done) {
        for (index i = 0; i < queries; ++i) {
            deliver({where.layer, tokens[static_cast<std::size_t>(i)], where.sequence},
                    {rows_.data() + i * image_tokens(), static_cast<std::size_t>(image_tokens())});
        }
    } else if (queries == 1) {
        const error& e = done.error();
        rows_of(where.sequence)
            .fail(tokens[0], where.layer,
                  {place(tokens[0], where.layer, where.sequence) + ": " + e.what, e.field,
                   static_cast<std::size_t>(tokens[0])});
    } else {
        qk_block one = block;
        for (index i = 0; i < queries; ++i) {
            one.q = block.q.range(0, i, 1);
            if (block.visible.size() > 1) {
                one.visible = {block.visible[static_cast<std::size_t>(i)]};
            }
            reduce_block(where, tokens.subspan(static_cast<std::size_t>(i), 1), one, image);
        }
    }
}

/// Judges one layer's reduced row and adds it, or remembers what is wrong with it.
inline void recorder::deliver(const row_key& key, std::span<const float> row) {
    v0::detail::exact_rows& rows = rows_of(key.sequence);
    const float least = options_.reduce == head_reduction::mean ? 0 : std::numeric_limits<float>::lowest();
    const detail::row_judgement judged = detail::judge(row, least);
    if (!judged.is_good) {
        const auto bad =
            std::find_if_not(row.begin(), row.end(), [&](float p) { return detail::is_attention(p, least); });
        const auto i = static_cast<std::size_t>(bad - row.begin());
        rows.fail(key.token, key.layer,
                  {"the attention of " + place(key.token, key.layer, key.sequence) + " is " +
                       std::to_string(*bad) + " at image token " + std::to_string(i),
                   "attention", i});
        return;
    }
    const double mass = judged.mass;
    const double whole = layer_weight(key.layer);
    if (options_.reduce == head_reduction::mean &&
        mass > whole * (1 + static_cast<double>(options_.mass_tolerance))) {
        rows.fail(key.token, key.layer,
                  {"the attention of " + place(key.token, key.layer, key.sequence) + " has mass " +
                       std::to_string(mass / whole) + " on the image; a row of probabilities has at most 1",
                   "attention", static_cast<std::size_t>(key.token)});
        return;
    }
    rows.add(key.token, row);
}

inline void recorder::lose(int sequence, int layer, const v0::detail::kept_queries& kept,
                           const std::string& why) {
    for (const index token : kept.tokens()) {
        rows_of(sequence).fail(
            token, layer,
            {place(token, layer, sequence) + ": " + why, "epoch", static_cast<std::size_t>(token)});
    }
}

inline void recorder::finish(const row_key& where, v0::detail::kept_queries& kept, const key_source& keys) {
    if (kept.tokens().empty()) {
        return;
    }
    if (kept.needed_keys() > keys.keys()) {
        lose(where.sequence, where.layer, kept,
             "its query saw " + std::to_string(kept.needed_keys()) + " keys, of which " +
                 std::to_string(keys.keys()) + " are left at the flush");
        return;
    }
    reduce_block(where, kept.tokens(), kept.block(keys), kept.image());
}

inline status recorder::flush(int layer, const key_source& keys, std::uint64_t epoch,
                              std::optional<int> sequence) {
    expect_layer(layer);
    status first = success{};
    for (auto at = kept_.begin(); at != kept_.end();) {
        const auto [its_sequence, its_layer] = at->first;
        if (its_layer != layer || (sequence && *sequence != its_sequence)) {
            ++at;
            continue;
        }
        for (v0::detail::kept_queries& kept : at->second) {
            if (kept.epoch() != epoch) {
                lose(its_sequence, layer, kept,
                     "the keys moved from epoch " + std::to_string(kept.epoch()) + " to " +
                         std::to_string(epoch) + " before its query was flushed");
            } else {
                finish({layer, 0, its_sequence, epoch}, kept, keys);
            }
            const auto& failures = rows_of(its_sequence).failures();
            for (const index token : kept.tokens()) {
                const auto failure = failures.find(token);
                if (first && failure != failures.end() && failure->second.layer == layer) {
                    first = failure->second.why;
                }
            }
        }
        at = kept_.erase(at);
    }
    return first;
}

inline index recorder::pending(int sequence) const {
    index count = 0;
    for (const auto& [where, kept] : kept_) {
        for (const v0::detail::kept_queries& k : kept) {
            count += where.first == sequence ? static_cast<index>(k.tokens().size()) : 0;
        }
    }
    return count;
}

inline index recorder::pending(int sequence, int layer) const {
    const auto found = kept_.find({sequence, layer});
    index count = 0;
    if (found != kept_.end()) {
        for (const v0::detail::kept_queries& k : found->second) {
            count += static_cast<index>(k.tokens().size());
        }
    }
    return count;
}

inline void recorder::truncate(index tokens, int sequence) {
    OSTEND_EXPECTS(tokens >= 0, "recorder::truncate: to " + std::to_string(tokens) + " tokens");
    const auto found = sequences_.find(sequence);
    if (found != sequences_.end()) {
        found->second.truncate(tokens);
    }
    for (auto at = kept_.begin(); at != kept_.end();) {
        index left = 0;
        for (v0::detail::kept_queries& kept : at->second) {
            if (at->first.first == sequence) {
                kept.truncate(tokens);
            }
            left += static_cast<index>(kept.tokens().size());
        }
        at = left == 0 ? kept_.erase(at) : std::next(at);
    }
}

inline void recorder::copy_sequence(int from, int to) {
    if (from == to) {
        return;
    }
    truncate(0, to);
    sequences_.erase(to);
    const auto found = sequences_.find(from);
    if (found != sequences_.end()) {
        const v0::detail::exact_rows rows = found->second;
        sequences_.emplace(to, rows);
    }
    for (int layer = 0; layer < options_.layers; ++layer) {
        const auto kept = kept_.find({from, layer});
        if (kept != kept_.end()) {
            const std::vector<v0::detail::kept_queries> queries = kept->second;
            kept_[{to, layer}] = queries;
        }
    }
}

inline status recorder::merge(const recorder& other) {
    const recorder_options& a = options_;
    const recorder_options& b = other.options_;
    OSTEND_EXPECTS(this != &other, "recorder::merge: a recorder with itself");
    OSTEND_EXPECTS(a.layers == b.layers && a.heads == b.heads && a.heads_used == b.heads_used &&
                       a.reduce == b.reduce && a.image.size() == b.image.size(),
                   "recorder::merge: the recorders differ in layers, heads, selected heads, reduction or "
                   "number of image tokens");
    for (const auto& [sequence, rows] : other.sequences_) {
        if (const index waiting = other.pending(sequence); waiting > 0) {
            return error{std::to_string(waiting) + " queries of the other recorder wait for a flush",
                         "merge"};
        }
        const auto mine = sequences_.find(sequence);
        if (mine == sequences_.end()) {
            continue;
        }
        for (index token = 0; token < std::min(rows.rows(), mine->second.rows()); ++token) {
            for (int layer = 0; layer < options_.layers; ++layer) {
                if (rows.has(token, layer) && mine->second.has(token, layer)) {
                    return error{place(token, layer, sequence) + " is in both recorders", "merge",
                                 static_cast<std::size_t>(token)};
                }
            }
        }
    }
    for (const auto& [sequence, rows] : other.sequences_) {
        rows_of(sequence).merge(rows);
    }
    return success{};
}

inline status recorder::check(int sequence) const {
    const auto found = sequences_.find(sequence);
    if (found == sequences_.end() || found->second.failures().empty()) {
        return success{};
    }
    return found->second.failures().begin()->second.why;
}

inline result<matrix<float>> recorder::maps(query_convention convention, int sequence) const {
    const index first = convention == query_convention::token_itself ? 1 : 0;
    const auto found = sequences_.find(sequence);
    if (found == sequences_.end() || found->second.rows() <= first) {
        return matrix<float>(0, image_tokens());
    }
    const v0::detail::exact_rows& rows = found->second;
    const auto failure = rows.failures().lower_bound(first);
    if (failure != rows.failures().end()) {
        return failure->second.why;
    }
    if (const index waiting = pending(sequence); waiting > 0) {
        return error{std::to_string(waiting) + " queries of sequence " + std::to_string(sequence) +
                         " wait for a flush",
                     "recorder"};
    }
    matrix<float> maps(rows.rows() - first, image_tokens());
    for (index token = first; token < rows.rows(); ++token) {
        if (status done = read_map(token, maps.row(token - first), sequence); !done) {
            return done.error();
        }
    }
    return maps;
}

inline status recorder::read_map(index token, std::span<float> out, int sequence) const {
    OSTEND_EXPECTS(token >= 0 && token < tokens(sequence), "recorder::read_map: token " +
                                                               std::to_string(token) + " of " +
                                                               std::to_string(tokens(sequence)));
    OSTEND_EXPECTS(static_cast<index>(out.size()) == image_tokens(),
                   "recorder::read_map: room for " + std::to_string(out.size()) + " of " +
                       std::to_string(image_tokens()) + " image tokens");
    const v0::detail::exact_rows& rows = sequences_.at(sequence);
    const auto failure = rows.failures().find(token);
    if (failure != rows.failures().end()) {
        return failure->second.why;
    }
    for (int layer = 0; layer < options_.layers; ++layer) {
        if (uses(layer) && !rows.has(token, layer)) {
            return error{place(token, layer, sequence) + " was not added", "recorder",
                         static_cast<std::size_t>(token)};
        }
    }
    if (!rows.is_whole(token)) {
        return error{"a query of token " + std::to_string(token) + " waits for a flush", "recorder",
                     static_cast<std::size_t>(token)};
    }
    rows.read(token, out);
    return success{};
}

} // namespace ostend::inline OSTEND_KERNELS
