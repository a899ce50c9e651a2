// Attention layers as llama.cpp builds them, on ggml alone: key caches with cells and streams, SET_ROWS,
// permuted views, a mask, the fused node or the softmax, and llama.cpp's names.
#pragma once

#include "ostend/adapt/ggml.hpp"

#include <doctest/doctest.h>
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace ostend_test {

using ostend::index;
constexpr float hidden = -std::numeric_limits<float>::infinity();

struct layer_shape {
    ggml_type type = GGML_TYPE_F16; ///< of the keys
    index d = 32;
    index dv = 32; ///< of the values
    index heads = 6;
    index kv_heads = 2;
    index cells = 512;
    index streams = 1;
    int layers = 2;
    ggml_backend_dev_t device = nullptr; ///< that holds the caches and computes; null: the processor
};

/// What one decode computes. Streams [first_stream, first_stream + streams), each of `queries` columns.
struct decode_step {
    index queries = 1;
    index first_stream = 0;
    index streams = 1;
    index keys = 256;             ///< that attention reads, of each stream
    std::vector<index> rows = {}; ///< cell of each column, counted within its stream; all streams'
    std::function<float(index, index, index)> mask = {}; ///< (stream, query, key)
    bool fused = true;
    float scale = 0.2F;
    float max_bias = 0;
    float softcap = 0;
    bool sinks = false;
    bool shift = false; ///< instead: keys are moved in place, as a context shift does
};

class toy_model {
public:
    explicit toy_model(layer_shape shape, unsigned seed = 1)
        : shape_(shape), random_(seed), cpu_(ggml_backend_cpu_init()) {
        ggml_backend_cpu_set_n_threads(cpu_, 1);
        if (shape.device != nullptr) {
            device_ = ggml_backend_dev_init(shape.device, nullptr);
        }
        ggml_backend_t const main = device_ != nullptr ? device_ : cpu_;
        ggml_backend_t backends[] = {main, cpu_}; // the processor comes last
        sched_ = ggml_backend_sched_new(backends, nullptr, device_ != nullptr ? 2 : 1, 2048, false, true);
        memory_ = ggml_init({ggml_tensor_overhead() * 64, nullptr, true});
        for (int layer = 0; layer < shape.layers; ++layer) {
            keys_.push_back(ggml_new_tensor_3d(memory_, shape.type, shape.d * shape.kv_heads, shape.cells,
                                               shape.streams));
            ggml_format_name(keys_.back(), "cache_k_l%d", layer);
            values_.push_back(ggml_new_tensor_3d(memory_, GGML_TYPE_F16, shape.dv * shape.kv_heads,
                                                 shape.cells, shape.streams));
            ggml_format_name(values_.back(), "cache_v_l%d", layer);
            sinks_.push_back(ggml_new_tensor_1d(memory_, GGML_TYPE_F32, shape.heads));
        }
        buffer_ = ggml_backend_alloc_ctx_tensors(memory_, main);
        ggml_backend_buffer_clear(buffer_, 0);
        for (ggml_tensor* const s : sinks_) {
            fill(s, 1.0F);
        }
    }
    toy_model(const toy_model&) = delete;
    toy_model& operator=(const toy_model&) = delete;
    ~toy_model() {
        ggml_backend_sched_free(sched_);
        ggml_backend_buffer_free(buffer_);
        ggml_free(memory_);
        ggml_backend_free(cpu_);
        if (device_ != nullptr) {
            ggml_backend_free(device_);
        }
    }

    void listen(ggml_backend_sched_eval_callback callback, void* data) {
        ggml_backend_sched_set_eval_callback(sched_, callback, data);
    }
    ggml_backend_sched_t sched() { return sched_; }
    const ggml_tensor* keys(int layer) const { return keys_[static_cast<std::size_t>(layer)]; }

    /// Runs a step; the queries that it used stay in queries().
    void run(const decode_step& step) {
        ggml_context* const ctx =
            ggml_init({ggml_tensor_overhead() * 512 + ggml_graph_overhead(), nullptr, true});
        ggml_cgraph* const graph = ggml_new_graph(ctx);
        const index n = step.queries * step.streams;
        std::vector<std::function<void()>> fills;
        ggml_tensor* const rows = ggml_new_tensor_1d(ctx, GGML_TYPE_I64, n);
        ggml_tensor* const mask =
            ggml_new_tensor_4d(ctx, GGML_TYPE_F16, step.keys, (step.queries + 63) / 64 * 64, 1, step.streams);
        ggml_tensor* const moved = ggml_new_tensor_1d(ctx, GGML_TYPE_I32, shape_.cells * shape_.streams);
        for (ggml_tensor* const input : {rows, mask, moved}) {
            ggml_set_input(input);
            ggml_set_output(input);
        }
        std::vector<ggml_tensor*> q(keys_.size());
        for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
            const int number = static_cast<int>(layer);
            if (step.shift) {
                ggml_tensor* const k =
                    ggml_view_3d(ctx, keys_[layer], shape_.d, shape_.kv_heads, shape_.cells * shape_.streams,
                                 ggml_row_size(shape_.type, shape_.d), keys_[layer]->nb[1], 0);
                ggml_build_forward_expand(graph, ggml_rope_ext_inplace(ctx, k, moved, nullptr,
                                                                       static_cast<int>(shape_.d), 0, 0,
                                                                       10000, 1, 0, 1, 0, 0));
                continue;
            }
            q[layer] = ggml_new_tensor_3d(ctx, GGML_TYPE_F32, shape_.d, shape_.heads, n);
            ggml_format_name(q[layer], "Qcur-%d", number);
            ggml_tensor* const k = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, shape_.d * shape_.kv_heads, n);
            ggml_format_name(k, "Kcur-%d", number);
            ggml_tensor* const v = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, shape_.dv * shape_.kv_heads, n);
            ggml_format_name(v, "Vcur-%d", number);
            for (ggml_tensor* const input : {q[layer], k, v}) {
                ggml_set_input(input);
                ggml_set_output(input);
                fills.push_back([this, input] { fill(input, 1.5F); });
            }
            // A node that has the layer's name, as llama.cpp's have.
            ggml_tensor* const asked = ggml_scale(ctx, q[layer], 1.0F);
            ggml_format_name(asked, "Qcur-%d", number);
            ggml_build_forward_expand(graph, asked);
            ggml_build_forward_expand(graph, store(ctx, keys_[layer], k, rows));
            ggml_build_forward_expand(graph, store(ctx, values_[layer], v, rows));
            ggml_tensor* const out = attend(ctx, step, layer, asked, mask);
            ggml_format_name(out, "kqv_out-%d", number);
            ggml_build_forward_expand(graph, out);
        }
        ggml_backend_sched_reset(sched_);
        REQUIRE(ggml_backend_sched_alloc_graph(sched_, graph));
        for (const auto& f : fills) {
            f();
        }
        set_inputs(step, rows, mask, moved);
        REQUIRE(ggml_backend_sched_graph_compute(sched_, graph) == GGML_STATUS_SUCCESS);
        queries_.clear();
        for (ggml_tensor* const t : q) {
            if (t != nullptr) {
                std::vector<float> values(static_cast<std::size_t>(ggml_nelements(t)));
                ggml_backend_tensor_get(t, values.data(), 0, ggml_nbytes(t));
                queries_.push_back(std::move(values));
            }
        }
        ggml_free(ctx);
    }

    /// The plainest attention: the mean over heads of a layer's row [keys] of one column of the last step.
    std::vector<double> row(const decode_step& step, int layer, index stream, index query) const {
        const std::vector<float>& q = queries_[static_cast<std::size_t>(layer)];
        const index column = stream * step.queries + query;
        std::vector<double> mean(static_cast<std::size_t>(step.keys), 0.0);
        std::vector<std::vector<float>> keys;
        for (index key = 0; key < step.keys; ++key) {
            keys.push_back(key_of(layer, step.first_stream + stream, key));
        }
        for (index head = 0; head < shape_.heads; ++head) {
            const float slope = step.max_bias > 0 ? slope_of(step.max_bias, head) : 1.0F;
            std::vector<double> score;
            double top = -std::numeric_limits<double>::infinity();
            for (index key = 0; key < step.keys; ++key) {
                const std::vector<float>& k = keys[static_cast<std::size_t>(key)];
                double sum = 0;
                for (index x = 0; x < shape_.d; ++x) {
                    sum += static_cast<double>(
                               q[static_cast<std::size_t>((column * shape_.heads + head) * shape_.d + x)]) *
                           static_cast<double>(k[static_cast<std::size_t>(
                               head / (shape_.heads / shape_.kv_heads) * shape_.d + x)]);
                }
                sum *= static_cast<double>(step.scale);
                if (step.softcap > 0) {
                    sum = static_cast<double>(step.softcap) *
                          std::tanh(sum / static_cast<double>(step.softcap));
                }
                score.push_back(sum + static_cast<double>(slope) *
                                          static_cast<double>(step.mask(stream, query, key)));
                top = std::max(top, score.back());
            }
            double total = 0;
            if (step.sinks) {
                float sink = 0;
                ggml_backend_tensor_get(sinks_[static_cast<std::size_t>(layer)], &sink,
                                        static_cast<std::size_t>(head) * 4, 4);
                total = std::exp(static_cast<double>(sink) - top);
            }
            for (const double s : score) {
                total += std::exp(s - top);
            }
            for (std::size_t key = 0; key < score.size(); ++key) {
                mean[key] += std::exp(score[key] - top) / total / static_cast<double>(shape_.heads);
            }
        }
        return mean;
    }
    /// The same, the mean over the layers, of some keys.
    std::vector<double> map(const decode_step& step, index stream, index query,
                            const std::vector<index>& image) const {
        std::vector<double> out(image.size(), 0.0);
        for (int layer = 0; layer < shape_.layers; ++layer) {
            const auto all = row(step, layer, stream, query);
            for (std::size_t i = 0; i < image.size(); ++i) {
                out[i] += all[static_cast<std::size_t>(image[i])] / shape_.layers;
            }
        }
        return out;
    }
    /// All heads of a key as ggml itself reads its type.
    std::vector<float> key_of(int layer, index stream, index cell) const {
        const ggml_tensor* const k = keys_[static_cast<std::size_t>(layer)];
        std::vector<std::byte> bytes(k->nb[1]);
        ggml_backend_tensor_get(k, bytes.data(),
                                static_cast<std::size_t>(stream) * k->nb[2] +
                                    static_cast<std::size_t>(cell) * k->nb[1],
                                bytes.size());
        std::vector<float> out(static_cast<std::size_t>(k->ne[0]));
        if (k->type == GGML_TYPE_F32) {
            std::memcpy(out.data(), bytes.data(), bytes.size());
        } else {
            ggml_get_type_traits(k->type)->to_float(bytes.data(), out.data(), k->ne[0]);
        }
        return out;
    }

private:
    static float slope_of(float max_bias, index head) { // ggml's, for 6 heads: 4 of one series, 2 of the next
        return head < 4 ? std::pow(2.0F, -max_bias / 4 * static_cast<float>(head + 1))
                        : std::pow(2.0F, -max_bias / 8 * static_cast<float>(2 * (head - 4) + 1));
    }
    void fill(ggml_tensor* t, float deviation) {
        std::normal_distribution<float> normal(0, deviation);
        std::vector<float> values(static_cast<std::size_t>(ggml_nelements(t)));
        for (float& v : values) {
            v = normal(random_);
        }
        ggml_backend_tensor_set(t, values.data(), 0, ggml_nbytes(t));
    }
    static ggml_tensor* store(ggml_context* ctx, ggml_tensor* cache, ggml_tensor* values, ggml_tensor* rows) {
        if (cache->ne[2] > 1) {
            cache = ggml_reshape_2d(ctx, cache, cache->ne[0], cache->ne[1] * cache->ne[2]);
        }
        return ggml_set_rows(ctx, cache, values, rows);
    }
    ggml_tensor* attend(ggml_context* ctx, const decode_step& step, std::size_t layer, ggml_tensor* q,
                        ggml_tensor* mask) const {
        const auto view = [&](ggml_tensor* cache, index d) {
            const std::size_t head = ggml_row_size(cache->type, d);
            return ggml_permute(ctx,
                                ggml_view_4d(ctx, cache, d, shape_.kv_heads, step.keys, step.streams, head,
                                             cache->nb[1], cache->nb[2],
                                             cache->nb[2] * static_cast<std::size_t>(step.first_stream)),
                                0, 2, 1, 3);
        };
        ggml_tensor* k = view(keys_[layer], shape_.d);
        if (step.fused && k->type == GGML_TYPE_F32) { // as llama.cpp does it
            k = ggml_cast(ctx, k, GGML_TYPE_F16);
        }
        ggml_tensor* const v = view(values_[layer], shape_.dv);
        q = ggml_permute(ctx,
                         ggml_view_4d(ctx, q, shape_.d, shape_.heads, step.queries, step.streams, q->nb[1],
                                      q->nb[2], q->nb[2] * static_cast<std::size_t>(step.queries), 0),
                         0, 2, 1, 3);
        ggml_tensor* const sinks = step.sinks ? sinks_[layer] : nullptr;
        if (step.fused) {
            ggml_tensor* const out =
                ggml_flash_attn_ext(ctx, q, k, v, mask, step.scale, step.max_bias, step.softcap);
            ggml_flash_attn_ext_add_sinks(out, sinks);
            return ggml_reshape_2d(ctx, out, out->ne[0] * out->ne[1], out->ne[2] * out->ne[3]);
        }
        ggml_tensor* kq = ggml_mul_mat(ctx, k, q);
        float scale = step.scale;
        if (step.softcap > 0) {
            kq =
                ggml_scale(ctx, ggml_tanh(ctx, ggml_scale(ctx, kq, step.scale / step.softcap)), step.softcap);
            scale = 1;
        }
        kq = ggml_soft_max_ext(ctx, kq, mask, scale, step.max_bias);
        ggml_soft_max_add_sinks(kq, sinks);
        ggml_format_name(kq, "kq_soft_max-%d", static_cast<int>(layer));
        ggml_tensor* const out = ggml_mul_mat(ctx, ggml_cont(ctx, ggml_transpose(ctx, v)), kq);
        return ggml_cont_2d(ctx, ggml_permute(ctx, out, 0, 2, 1, 3), out->ne[0] * out->ne[2],
                            out->ne[1] * out->ne[3]);
    }
    void set_inputs(const decode_step& step, ggml_tensor* rows, ggml_tensor* mask, ggml_tensor* moved) const {
        if (step.shift) {
            const std::vector<std::int32_t> by(static_cast<std::size_t>(ggml_nelements(moved)), 3);
            ggml_backend_tensor_set(moved, by.data(), 0, ggml_nbytes(moved));
            return;
        }
        std::vector<std::int64_t> global;
        for (std::size_t i = 0; i < step.rows.size(); ++i) {
            const index stream = step.first_stream + static_cast<index>(i) / step.queries;
            global.push_back(stream * shape_.cells + step.rows[i]);
        }
        REQUIRE(static_cast<std::int64_t>(global.size()) == ggml_nelements(rows));
        ggml_backend_tensor_set(rows, global.data(), 0, ggml_nbytes(rows));
        std::vector<ggml_fp16_t> values(static_cast<std::size_t>(ggml_nelements(mask)),
                                        ggml_fp32_to_fp16(hidden));
        for (index s = 0; s < step.streams; ++s) {
            for (index i = 0; i < step.queries; ++i) {
                for (index key = 0; key < step.keys; ++key) {
                    values[static_cast<std::size_t>((s * mask->ne[1] + i) * step.keys + key)] =
                        ggml_fp32_to_fp16(step.mask(s, i, key));
                }
            }
        }
        ggml_backend_tensor_set(mask, values.data(), 0, ggml_nbytes(mask));
    }

    layer_shape shape_;
    std::mt19937 random_;
    ggml_backend_t cpu_;
    ggml_backend_t device_ = nullptr;
    ggml_backend_sched_t sched_;
    ggml_context* memory_;
    ggml_backend_buffer_t buffer_;
    std::vector<ggml_tensor*> keys_, values_, sinks_;
    std::vector<std::vector<float>> queries_ = {};
};

} // namespace ostend_test
