// llama: a causal transformer with rotary positions, grouped-query attention and a KV cache.
//
// One function runs a block of new positions: the whole prompt at once (prefill), then a token at a time.
// An observer sees each layer's queries and keys after the rotary embedding, which is all that a recorder of
// attention needs; with or without one, the arithmetic is the same.
#pragma once

#include "tiny_llava/model_config.hpp"

#include "ostend/core/result.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace ostend_hosts {

/// Keys and values of the positions so far: for each layer [capacity, kv_heads * head_dim].
struct kv_cache {
    kv_cache(const llama_config& config, Index capacity);
    std::vector<matrix> keys;
    std::vector<matrix> values;
    Index used = 0;
};

/// What a layer's attention is about to compute, for the last positions only.
struct attention_inputs {
    int layer = 0;
    matrix_ref
        queries;     ///< [wanted, heads * head_dim]; the last row sees all keys, the one before one less, ...
    matrix_ref keys; ///< [positions so far, kv_heads * head_dim]
};
using attention_observer = std::function<void(const attention_inputs&)>;

class llama {
public:
    /// Errors stay in the reader.
    llama(weight_reader& weights, const llama_config& config);

    /// Rows of the table of embeddings. Precondition: 0 <= token < vocabulary.
    [[nodiscard]] matrix embed(const std::vector<std::int32_t>& tokens) const;

    /// Appends positions [n, width] to the cache. Returns the logits [wanted, vocabulary] of the last
    /// `wanted` of them; the last layer computes nothing else for the others. observe may be empty.
    /// Preconditions: 1 <= wanted <= n; the cache is of this model and has room for n more positions.
    [[nodiscard]] matrix forward(matrix x, kv_cache& cache, Index wanted,
                                 const attention_observer& observe = {}) const;

    [[nodiscard]] const llama_config& config() const noexcept { return config_; }

private:
    struct block {
        rms_norm norm1;
        linear q, k, v, out;
        rms_norm norm2;
        linear gate, up, down;
    };
    llama_config config_;
    matrix table_;
    std::vector<block> blocks_;
    rms_norm norm_;
    linear head_;
};

} // namespace ostend_hosts
