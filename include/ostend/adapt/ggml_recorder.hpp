// ggml_recorder: a recorder of attention that hangs on the evaluation callback of a ggml graph (llama.cpp's
// cb_eval), so that nothing in the engine is changed and flash attention stays on.
//
//     ggml_recorder rec({.layers = llama_model_n_layer(model), .heads = llama_model_n_head(model)});
//     params.cb_eval = ostend::ggml_recorder::eval, params.cb_eval_user_data = &rec;
//     rec.begin_image(); ... decode the image ... rec.end_image();
//     rec.before_decode(columns); ... llama_decode ...            // ggml_llama.hpp makes columns of a batch
//     rec.maps()
//
// It asks for the attention nodes of the layers whose heads are selected, and only of decodes that were
// announced to want a row: warm-up runs and other prompts cost nothing, and the answers are the same for
// every token. Each node that is asked for cuts the graph there, and on a device waits for it and is copied:
// the queries that are wanted, and keys at a flush, or for each query online.
#pragma once

#include "ostend/adapt/ggml_image_cells.hpp"
#include "ostend/adapt/ggml_mask.hpp"
#include "ostend/attention/recorder.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ostend::inline v0 {

/// One column of a batch: which sequence it belongs to and, where its row is wanted, which token of the
/// answer its query predicts.
struct ggml_column {
    int sequence = 0;
    std::optional<index> token = {};
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {

/// Not to be moved or copied once the graph knows its address. One graph at a time.
class ggml_recorder {
public:
    /// options.layers and heads of the model; the image keys are filled in here. Sequences have recorders of
    /// their own, so a listener sees all of them as sequence 0.
    explicit ggml_recorder(recorder_options options) : options_(std::move(options)), judge_(options_) {}
    ggml_recorder(const ggml_recorder&) = delete;
    ggml_recorder& operator=(const ggml_recorder&) = delete;

    /// The callback, with the recorder's address as user data.
    static bool eval(ggml_tensor* node, bool ask, void* self) {
        auto& r = *static_cast<ggml_recorder*>(self);
        return ask ? r.on_ask(*node) : r.on_node(*node);
    }
    /// Another callback that is asked and told as if this one were not there.
    void chain(ggml_backend_sched_eval_callback other, void* data) {
        other_ = other;
        other_data_ = data;
    }

    /// What is decoded until end_image is an image of the sequence; image 0 begins the sequence anew, its
    /// recorded tokens included.
    void begin_image(int sequence = 0, int image = 0) {
        if (image == 0) {
            forget(sequence);
        }
        cells_.begin(sequence, image);
        stop();
    }
    /// order: column i of the maps is the order[i]-th image token that was decoded, for hosts whose tokens do
    /// not lie as their layout has them; empty: as they were decoded. Precondition: those tokens were
    /// decoded.
    void end_image(std::span<const index> order = {}) { cells_.end(order); }
    /// Instead: the rows of the key caches that hold the image, in image-token order (prefix reuse), once
    /// they are written; image 0 begins the sequence anew, as with begin_image.
    void give_image(std::span<const index> rows, int sequence = 0, int image = 0) {
        if (image == 0) {
            forget(sequence);
        }
        cells_.give(sequence, image, rows);
    }

    /// Announces what the next decodes run, column by column in the order of the batch. A token that is
    /// announced again forgets what was recorded of it and of those behind it (rejected drafts).
    void before_decode(std::span<const ggml_column> columns) {
        columns_.assign(columns.begin(), columns.end());
        of_sequence_.clear();
        done_.clear();
        mask_ = {};
        armed_ = false;
        std::set<int> met;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            of_sequence_[columns_[i].sequence].push_back(i);
            if (!columns_[i].token) {
                continue;
            }
            armed_ = true;
            if (met.insert(columns_[i].sequence).second) {
                truncate(*columns_[i].token, columns_[i].sequence);
            }
        }
    }
    /// The same for `count` columns of a prompt's last part, of which the last predicts token 0.
    void before_prompt(index count, int sequence = 0) {
        std::vector<ggml_column> columns(static_cast<std::size_t>(count), ggml_column{sequence, {}});
        if (count > 0) {
            columns.back().token = 0;
        }
        before_decode(columns);
    }
    /// What runs from here on is not recorded.
    void stop() { before_decode({}); }

    /// The position whose query predicts token 0 of a sequence's answer: the one of the first call since
    /// begin_image, forget or begin_answer, which is remembered.
    index answer_starts(int sequence, index position) {
        return starts_.try_emplace(sequence, position).first->second;
    }
    /// A new answer about the same image: forgets the tokens and where they started.
    void begin_answer(int sequence = 0) {
        recorders_.erase(sequence);
        failures_.erase(sequence);
        starts_.erase(sequence);
    }

    /// Deferred recording: does all kept queries. Call it before keys are moved other than by a graph: a
    /// stream that is copied, a state that is read, a memory that is cleared. (Context shifts and cells that
    /// are written again are seen in the graph, and the queries done before.)
    status flush() {
        for (auto& [sequence, recorded] : recorders_) {
            const int of = sequence;
            const auto done = recorded.flush_all([&](int layer) {
                return keys_now(stream_keys_.at({layer, of}));
            });
            if (!done) {
                fail(of, 0, done.error());
            }
        }
        seen_.clear();
        return check();
    }
    /// Keeps the first `tokens` tokens of a sequence.
    void truncate(index tokens, int sequence = 0) {
        if (const auto found = recorders_.find(sequence); found != recorders_.end()) {
            found->second.truncate(tokens);
        }
        if (const auto failed = failures_.find(sequence);
            failed != failures_.end() && failed->second.token >= tokens) {
            failures_.erase(failed);
        }
    }
    /// Forgets all of a sequence, its image too.
    void forget(int sequence) {
        begin_answer(sequence);
        cells_.forget(sequence);
    }
    /// `to` becomes a copy of `from`, image, tokens and what went wrong, as llama_memory_seq_cp makes it in a
    /// unified cache.
    void copy_sequence(int from, int to) {
        if (from == to) {
            return;
        }
        cells_.copy(from, to);
        begin_answer(to);
        if (const auto start = starts_.find(from); start != starts_.end()) {
            starts_[to] = index{start->second};
        }
        if (const auto failed = failures_.find(from); failed != failures_.end()) {
            failures_.emplace(to, failure(failed->second));
        }
        if (const auto found = recorders_.find(from); found != recorders_.end()) {
            recorders_.emplace(to, recorder(found->second));
            for (int layer = 0; layer < options_.layers; ++layer) {
                if (const auto keys = stream_keys_.find({layer, from}); keys != stream_keys_.end()) {
                    stream_keys_[{layer, to}] = stream_keys(keys->second);
                }
            }
        }
    }

    /// The first thing that went wrong.
    [[nodiscard]] status check() const {
        if (!failures_.empty()) {
            return failures_.begin()->second.why;
        }
        for (const auto& [sequence, recorded] : recorders_) {
            if (const status good = recorded.check(); !good) {
                return good;
            }
        }
        return success{};
    }
    [[nodiscard]] status check(int sequence) const {
        const auto failed = failures_.find(sequence);
        return failed == failures_.end() ? status(success{}) : status(failed->second.why);
    }
    /// As recorder::maps, of one sequence; errors of the graph first.
    [[nodiscard]] result<matrix<float>> maps(query_convention convention = query_convention::predicting,
                                             int sequence = 0) const {
        if (const status good = check(sequence); !good) {
            return good.error();
        }
        const auto found = recorders_.find(sequence);
        return found == recorders_.end() ? result<matrix<float>>(matrix<float>())
                                         : found->second.maps(convention);
    }
    /// The recorder of a sequence, as its sequence 0. Errors: those of the graph; nothing was recorded.
    [[nodiscard]] result<recorder> recorded(int sequence = 0) const {
        if (const status good = check(sequence); !good) {
            return good.error();
        }
        const auto found = recorders_.find(sequence);
        if (found == recorders_.end()) {
            return error{"no attention was seen; was the callback given to the context, and each decode "
                         "announced?",
                         "ggml_recorder"};
        }
        return found->second;
    }

private:
    using lane_key = std::pair<int, int>; // layer; sequence where they have streams of their own, else -1
    struct query_place {
        index stream = 0; ///< in the node
        index query = 0;  ///< of the stream, in the node
        int lane = -1;
        index column = 0; ///< of the lane, of all that were announced
    };
    /// The row of the last query: the layers of a graph share a mask. Other graphs write other rows into the
    /// same tensor, but not of the same announced column.
    struct kept_mask {
        const ggml_tensor* mask = nullptr;
        int lane = -1;
        index column = 0;
        v0::detail::ggml_mask_row row = {};
    };

    /// The keys that kept queries of a layer and sequence see.
    struct stream_keys {
        key_source keys = {};               ///< by their addresses
        const ggml_tensor* cache = nullptr; ///< that they are copied from; null: the host reads them
    };
    /// Copies of what lies on a device, until the next query.
    struct copies {
        std::vector<float> rows = {}; ///< queries, or rows of a softmax
        std::vector<float> sinks = {};
        std::vector<std::byte> keys = {};
    };

    bool on_ask(ggml_tensor& node);
    bool on_node(ggml_tensor& node);
    void watch_writes(const ggml_tensor& node);
    void record(const ggml_tensor& node, int layer);
    [[nodiscard]] const ggml_column* find_column(int lane, index done) const;
    status add(const ggml_attention& attention, const ggml_cache_place& place, const row_key& where,
               const query_place& of, int sequence);
    result<const v0::detail::ggml_mask_row*> mask_of(const ggml_attention& attention, const query_place& of);
    result<qk_block> block_of(const ggml_attention& attention, const key_source& keys, const query_place& of,
                              const v0::detail::ggml_mask_row& mask);
    key_source keys_now(const stream_keys& from) {
        return from.cache == nullptr ? from.keys : ggml_copied_keys(from.keys, *from.cache, copies_.keys);
    }
    status keep_keys(const ggml_attention& attention, const ggml_cache_place& place, int layer, int sequence,
                     index stream, const v0::detail::ggml_mask_row& mask, const ggml_tensor* copied_from);
    recorder& recorder_of(int sequence, const key_selection& image);
    void fail(int sequence, index token, const error& why) {
        failures_.try_emplace(sequence, failure{token, why});
    }
    void fail_all(const error& why);

    struct failure {
        index token = 0;
        error why = {};
    };
    recorder_options options_;
    recorder judge_; // of no tokens: says which layers are used
    std::map<int, recorder> recorders_ = {};
    std::map<int, failure> failures_ = {};
    ggml_image_cells cells_ = {};
    std::map<const void*, std::vector<bool>> seen_ = {};          // rows that kept queries see
    std::map<std::pair<int, int>, stream_keys> stream_keys_ = {}; // of layer, sequence
    copies copies_ = {};
    kept_mask mask_ = {};
    std::vector<float> slopes_ = {}; // of as many heads, for slopes_bias_
    float slopes_bias_ = 0;
    std::vector<ggml_column> columns_ = {};
    std::map<int, std::vector<std::size_t>> of_sequence_ = {};
    std::map<lane_key, index> done_ = {};
    std::map<int, index> starts_ = {};
    ggml_backend_sched_eval_callback other_ = nullptr;
    void* other_data_ = nullptr;
    std::optional<int> checking_ = {};
    int near_layer_ = -1;
    bool armed_ = false, wanted_ = false, other_wanted_ = false;
};

} // namespace ostend::inline OSTEND_KERNELS

#include "ostend/adapt/ggml_recorder_impl.hpp"
