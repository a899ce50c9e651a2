// recorder: collects a generation's attention over the image, token by token and layer by layer.
//
// It only reads what the host gives. Online: each row is reduced as it comes, and memory is 4 bytes a token
// and image token (8 while layers of the token are missing), whatever the layers and heads. Deferred: queries
// are kept (layers x flush_every x heads x d floats at most, for a sequence) and done many at a time in one
// pass over a layer's keys; rows of attention are always reduced at once. Recorders of different layers merge
// to the same bits as one for all.
#pragma once

#include "ostend/attention/aggregate.hpp"
#include "ostend/attention/exact_rows.hpp"
#include "ostend/attention/from_qk.hpp"
#include "ostend/attention/kept_queries.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// Which query's row belongs to a token: the query that predicts it (the position before; the default), or
/// the token's own query (the one that predicts the next token).
enum class query_convention { predicting, token_itself };

enum class recording { online, deferred };

/// Where a row belongs.
struct row_key {
    int layer = 0;
    index token =
        0; ///< the generated token that the query predicts; 0 is predicted by the last of the prompt
    int sequence = 0;
    std::uint64_t epoch = 0; ///< deferred: the host's count of key moves and evictions in this cache
};

/// Sees all that is added to a recorder, of every layer and head, before it is reduced: what a dump is made
/// of (tools/dump). It is called during add; views are valid until it returns.
class attention_listener {
public:
    virtual ~attention_listener() = default;
    virtual void on_queries(const row_key& key, const qk_block& block, const key_selection& image) = 0;
    /// rows: [heads, queries, keys], widened to f32.
    virtual void on_rows(const row_key& key, const tensor_view<const float, 3>& rows,
                         const key_selection& image) = 0;
};

struct recorder_options {
    int layers = 0;           ///< of the model, the ones not selected included
    int heads = 0;            ///< query heads of a layer
    key_selection image = {}; ///< the image keys, in image-token order
    head_selection heads_used = head_selection::all();
    head_reduction reduce = head_reduction::mean;
    recording mode = recording::online;
    index flush_every = 64;       ///< deferred: at most so many queries of a layer and sequence are kept
    float mass_tolerance = 4e-3F; ///< mean: image mass above 1 + this is an error (bf16 rounds up by 2e-3)
    attention_listener* listener = nullptr; ///< not owned; null: nobody listens
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// The columns of maps [tokens, image_tokens] that show one image of the conversation.
/// Precondition: maps are of that selection. Complexity O(values copied).
[[nodiscard]] inline matrix<float> maps_of_image(const matrix<float>& maps, const key_selection& selection,
                                                 int image) {
    OSTEND_EXPECTS(maps.columns() == selection.size(),
                   "maps_of_image: maps of " + std::to_string(maps.columns()) +
                       " image tokens, a selection of " + std::to_string(selection.size()));
    const token_range tokens = selection.tokens_of_image(image);
    matrix<float> out(maps.rows(), tokens.count);
    for (index row = 0; row < maps.rows(); ++row) {
        const std::span<const float> from = maps.row(row);
        std::copy_n(from.begin() + tokens.first, tokens.count, out.row(row).begin());
    }
    return out;
}

/// Several threads may call const members of one recorder; any other call needs it alone. For parallel
/// layers or devices give each thread its own recorder and merge.
///
/// Misuse (a layer, head or key that is not there, a row added twice) is a precondition. Wrong data (NaN or
/// infinite attention, image mass above 1, a negative probability, keys that moved before a flush) is
/// remembered with its token, so that add in a decode loop needs no check: check() and maps() report it.
/// truncate() forgets the errors of the tokens that it takes away.
class recorder {
public:
    /// Preconditions: layers, heads, flush_every >= 1; the selected heads exist; 0 <= mass_tolerance <= 1.
    /// With 0 layers and 0 heads it belongs to no model yet: it has no tokens, and add is a misuse.
    explicit recorder(recorder_options options) : options_(std::move(options)) {
        if (options_.layers == 0 && options_.heads == 0) {
            return;
        }
        OSTEND_EXPECTS(options_.layers >= 1 && options_.heads >= 1,
                       "recorder: a model of " + std::to_string(options_.layers) + " layers and " +
                           std::to_string(options_.heads) + " heads");
        OSTEND_EXPECTS(options_.flush_every >= 1,
                       "recorder: flush_every is " + std::to_string(options_.flush_every));
        OSTEND_EXPECTS(options_.mass_tolerance >= 0 && options_.mass_tolerance <= 1,
                       "recorder: mass_tolerance is " + std::to_string(options_.mass_tolerance));
        weights_ = options_.heads_used.weights(options_.layers, options_.heads);
        for (int layer = 0; layer < options_.layers; ++layer) {
            layers_used_ += uses(layer) ? 1 : 0;
        }
        row_.resize(static_cast<std::size_t>(options_.image.size()));
    }

    [[nodiscard]] const recorder_options& options() const noexcept { return options_; }
    [[nodiscard]] index image_tokens() const noexcept { return options_.image.size(); }
    /// One more than the last token that any layer has a row or a kept query of; 0 for an unknown sequence.
    [[nodiscard]] index tokens(int sequence = 0) const {
        const auto found = sequences_.find(sequence);
        return found == sequences_.end() ? 0 : found->second.rows();
    }
    /// Whether a head of this layer is selected; rows of other layers are not needed and cost nothing.
    [[nodiscard]] bool uses(int layer) const { return layer_weight(layer) > 0; }

    /// Attention of one query [heads, keys], or of a block [heads, queries, keys] whose queries predict
    /// key.token, key.token + 1, ...: any tensor with traits, any element type and strides. A prefill block
    /// may begin before the first generated token: its rows with a negative token are skipped.
    /// image: the keys of this call where they are not those of the options (cells move); as many.
    /// Preconditions: layer, heads and keys exist; the last token >= 0; no (token, layer) twice.
    /// Complexity: O(queries * used heads * image tokens); allocates when the sequence grows.
    template <class Tensor>
    requires(tensor_like<Tensor> || has_dynamic_rank<std::remove_reference_t<Tensor>>) void add(
        const row_key& key, Tensor&& attention, const key_selection& image) {
        using type = std::remove_reference_t<Tensor>;
        if constexpr (has_dynamic_rank<type>) {
            if (dynamic_tensor_traits<type>::rank(attention) == 2) {
                add_view(key, as_view<2>(attention), image);
            } else {
                add_view(key, as_view<3>(attention), image);
            }
        } else {
            add_view(key, as_view(attention), image);
        }
    }
    template <class Tensor>
    requires(tensor_like<Tensor> ||
             has_dynamic_rank<std::remove_reference_t<Tensor>>) void add(const row_key& key,
                                                                         Tensor&& attention) {
        add(key, attention, options_.image);
    }

    /// Queries and keys of one layer (attention_row, attention_rows or a qk_block); queries predict
    /// key.token, key.token + 1, ... as above. Online: reduced at once. Deferred: copied, and done at the
    /// next flush, or here with block.keys when flush_every queries of the layer and sequence wait. A kept
    /// query that meets keys of another epoch is an error of its token.
    void add(const row_key& key, const qk_block& block) { add(key, block, options_.image); }
    void add(const row_key& key, const qk_block& block, const key_selection& image);

    /// Deferred: does the kept queries of a layer (of one sequence, or of all) in one pass over its keys.
    /// Errors: the epoch is not the one that a query was added with, or keys that it saw are gone; its tokens
    /// then stay without this layer. Complexity: O(queries * heads * keys * d).
    status flush(int layer, const key_source& keys, std::uint64_t epoch = 0,
                 std::optional<int> sequence = {});
    /// The same for every layer with kept queries: keys_of(layer) or keys_of(layer, sequence) -> key_source.
    template <class KeysOf>
    status flush_all(KeysOf&& keys_of, std::uint64_t epoch = 0) {
        status first = success{};
        while (!kept_.empty()) {
            const auto [sequence, layer] = kept_.begin()->first;
            status done = success{};
            if constexpr (std::is_invocable_v<KeysOf&, int, int>) {
                done = flush(layer, keys_of(layer, sequence), epoch, sequence);
            } else {
                done = flush(layer, keys_of(layer), epoch);
            }
            first = first ? done : first;
        }
        return first;
    }
    /// Kept queries that wait for a flush, over all layers of a sequence.
    [[nodiscard]] index pending(int sequence = 0) const;
    /// The same of one layer.
    [[nodiscard]] index pending(int sequence, int layer) const;

    /// Keeps the first `tokens` tokens of a sequence (a rejected draft, regeneration); the next is added
    /// anew.
    void truncate(index tokens, int sequence = 0);
    /// Makes `to` a copy of `from` (a fork); what `to` held is gone. Copying the recorder forks everything.
    void copy_sequence(int from, int to);

    /// Adds the rows of another recorder of the same model, image size and selection, which saw other layers.
    /// Exact: bit-equal to one recorder that saw all layers, for any split of layers and any order.
    /// Errors, which change nothing: a (token, layer) is in both; the other still keeps queries.
    /// Precondition: options of the same layers, heads, selection, reduction and number of image tokens.
    status merge(const recorder& other);

    /// The error of the first token of a sequence that has one. Layers that have not come yet are none.
    [[nodiscard]] status check(int sequence = 0) const;

    /// Token maps [tokens, image_tokens]. predicting: row t is the query that predicted token t.
    /// token_itself: row t is token t's own query, recorded as predicting t + 1; one row less (and row 0 of
    /// the recording, the prompt's last query, is not looked at). Errors name the token and the layer: one
    /// that is missing, a remembered one, queries not yet flushed.
    [[nodiscard]] result<matrix<float>> maps(query_convention convention = query_convention::predicting,
                                             int sequence = 0) const;
    /// One row of maps(predicting) into out [image_tokens], for hosts that cannot hold all of them twice.
    /// Precondition: 0 <= token < tokens(sequence). Errors as maps(), of this token alone.
    status read_map(index token, std::span<float> out, int sequence = 0) const;

private:
    using kept_key = std::pair<int, int>; // sequence, layer

    [[nodiscard]] double layer_weight(int layer) const {
        expect_layer(layer);
        double sum = 0;
        for (const float w : weights_.row(layer)) {
            sum += static_cast<double>(w);
        }
        return sum;
    }
    void expect_layer(int layer) const {
        OSTEND_EXPECTS(layer >= 0 && layer < options_.layers, "recorder: layer " + std::to_string(layer) +
                                                                  " of a model of " +
                                                                  std::to_string(options_.layers));
    }
    v0::detail::exact_rows& rows_of(int sequence) {
        return sequences_
            .try_emplace(sequence, image_tokens(), options_.layers, layers_used_, options_.reduce)
            .first->second;
    }
    static std::string place(index token, int layer, int sequence) {
        return "token " + std::to_string(token) + " in layer " + std::to_string(layer) +
               (sequence == 0 ? "" : " of sequence " + std::to_string(sequence));
    }

    template <class View>
    void add_view(const row_key& key, const View& view, const key_selection& image);
    void begin(const row_key& key, index heads, index queries, const key_selection& image);
    void deliver(const row_key& key, std::span<const float> row);
    void reduce_block(const row_key& where, std::span<const index> tokens, const qk_block& block,
                      const key_selection& image);
    void finish(const row_key& where, v0::detail::kept_queries& kept, const key_source& keys);
    template <class T>
    void tell(const row_key& key, const tensor_view<const T, 3>& rows, const key_selection& image) const;
    void lose(int sequence, int layer, const v0::detail::kept_queries& kept, const std::string& why);

    recorder_options options_ = {};
    matrix<float> weights_ = {};
    int layers_used_ = 0;
    std::map<int, v0::detail::exact_rows> sequences_ = {};
    std::map<kept_key, std::vector<v0::detail::kept_queries>> kept_ = {};
    v0::detail::line_floats row_ =
        {}; // workspaces: one layer's row, its rows of a block, and that of reduce_qk
    v0::detail::line_floats rows_ = {};
    qk_workspace work_ = {};
};

} // namespace ostend::inline OSTEND_KERNELS

#include "ostend/attention/recorder_impl.hpp"
