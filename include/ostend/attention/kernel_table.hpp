// kernel_table: what the inner loops of aggregate and reduce_qk are handed, and the table that names them.
//
// One table an instruction set; kernels.hpp chooses among them once the program runs, so that a program built
// with plain flags is as fast as one built for its processor. The bits differ between tables, within the
// bounds that aggregate and reduce_qk state, and never within one.
#pragma once

#include "ostend/attention/key_codec.hpp"

#include <cstddef>
#include <cstdint>

namespace ostend::inline v0 {
namespace detail {

constexpr index keys_of_many = 64;    ///< keys of a block where a vector holds rows
constexpr index keys_of_few = 256;    ///< keys of a block where a vector holds keys
constexpr index fetched_ahead = 8192; ///< bytes

/// An image token and its key: the key's number, later its position among the keys that are read.
struct image_key {
    index key = 0;
    index token = 0;
};

/// The image keys of one block of keys, as positions in the list of image keys.
struct image_block {
    index first = 0, last = 0;
    bool in_a_row = false; ///< their keys follow each other, each once
};

/// Consecutive rows of a tile that share a key/value head.
struct kv_rows {
    index kv_head = 0, slot = 0, rows = 0;
};

/// Keys of a block, their numbers without gaps, in any codec but f64. A regular cache is a first key and
/// strides in bytes; else head 0 of each key is listed with the way to its other heads, and after the count 8
/// more that are wanted next.
struct score_keys {
    const std::byte* first = nullptr;
    index key_stride = 0, head_stride = 0;
    index last = 0; ///< of a regular cache: the last key, which stands for those after it
    const std::byte* const* keys = nullptr; ///< null: a regular cache
    const index* head_strides = nullptr;
    index count = 0; ///< a multiple of 8
    index d = 0;
    index bytes = 0; ///< of one head vector
    element_type codec = element_type::f32;
    float* scratch = nullptr; ///< 16 (d + 32) floats, and 64 for each row

    /// How many keys ahead are fetched where so many heads are read side by side: hardware fetches ahead
    /// within a page only.
    [[nodiscard]] index ahead(index heads) const {
        const index most = keys == nullptr ? fetched_ahead : 8, some = fetched_ahead / (bytes * heads);
        return some < 1 ? 1 : some < most ? some : most;
    }
    [[nodiscard]] const std::byte* at(index j, index kv_head) const {
        return keys == nullptr ? first + (j < last ? j : last) * key_stride + kv_head * head_stride
                               : keys[j] + kv_head * head_strides[j];
    }
};

/// What the softmax keeps of each row of a tile. Arrays of a value a row.
struct soft_rows {
    float* peak = nullptr;                       ///< the largest score so far, or the known log-sum-exp
    float* poison = nullptr;                     ///< 0, or NaN once a score was not finite
    float *highest = nullptr, *lowest = nullptr; ///< of the block's raw scores
    const float* slope = nullptr;
    const float* position = nullptr;
    const std::int32_t* limit = nullptr; ///< keys from here on are hidden
    double* total = nullptr;             ///< the sum of exponentials below peak
};

/// How raw products of one block become scores.
struct score_change {
    float scale = 1;
    float softcap = 0;
    bool has_slopes = false;
    const std::int32_t* keys = nullptr; ///< the number of each key of the block, then large ones
    const float* added = nullptr;       ///< mask values in the order of the scores, or null
};

/// Exponentials on their way to the sums over heads.
struct finished_rows {
    const float* rows = nullptr; ///< many: [image keys, stride]; few: the row's [image keys]
    index stride = 0;
    const float* factors = nullptr; ///< many: [blocks, stride]; few: [blocks]
    const image_key* image = nullptr;
    const image_block* blocks = nullptr;
    index from = 0, to = 0; ///< image keys
    bool in_order = false;  ///< image key i is image token i
    index count = 0;        ///< many: rows
    float* sums = nullptr;  ///< many: [image tokens, sums_stride]; few: [image tokens]
    index sums_stride = 0;
    bool mean = true;
};

struct attention_kernels {
    const char* name = "";
    index lanes = 0;

    /// to[i] = number i of n without gaps, as f32. n is a multiple of 32 where the codec is quantised.
    void (*decode)(const std::byte* from, element_type codec, index n, float* to) = nullptr;

    // aggregate: columns of several rows without gaps (f32, f16, bf16), in their order. Up to `listed` rows
    // stand in the list: those after `count` are read by the next calls, and are fetched ahead.
    void (*add_rows)(const std::byte* const* rows, const float* weights, index count, index listed,
                     element_type codec, index n, float* out) = nullptr;
    void (*max_rows)(const std::byte* const* rows, index count, element_type codec, index n,
                     float* out) = nullptr;
    void (*add_to_sum)(const float* row, index n, double* sum) = nullptr;

    // Many rows of one key/value head: a vector holds rows. q is packed in panels of 2 * lanes rows (the last
    // may have lanes): [d, rows of the panel]. Raw scores [keys, stride]; highest and lowest of each row are
    // kept.
    void (*score_many)(const score_keys&, const kv_rows&, const void* q, const void* q_low, float* scores,
                       index stride, const soft_rows&) = nullptr;
    void (*adjust_many)(const score_change&, float* scores, index stride, index count, index rows,
                        const soft_rows&) = nullptr;
    /// Exponentials of key j go to to[j][0, rows); the block's peaks to peaks.
    void (*soften_many)(const float* scores, index stride, index count, index rows, float scale, bool known,
                        float* const* to, float* peaks, const soft_rows&) = nullptr;
    void (*finish_many)(const finished_rows&) = nullptr;

    // Few rows: a vector holds elements of a head vector, then keys. q [rows, d padded with zeros to a
    // multiple of 32]. Raw scores [rows, stride]. Keys are read in order, each for all heads.
    void (*score_few)(const score_keys&, const kv_rows* heads, index count, const void* q, const void* q_low,
                      float* scores, index stride) = nullptr;
    void (*adjust_few)(const score_change&, float* scores, index count, index row,
                       const soft_rows&) = nullptr;
    /// Exponentials in place, up to a multiple of lanes. Returns the block's peak.
    float (*soften_few)(float* scores, index count, float scale, bool adjusted, bool known, index row,
                        const soft_rows&) = nullptr;
    void (*finish_few)(const finished_rows&) = nullptr;

    /// to[i] *= factors of a block: e^(to[i] - peak[i]) * factor[i], or factor[i] where the peaks are known.
    void (*correct)(float* to, const float* peak, const float* factor, index n, bool known) = nullptr;

    // bf16 keys as they are, by the hardware's dot product of pairs; null where the CPU has none. q and q_low
    // (null: zero) are bf16: many [d / 2, rows of the panel, 2], few [rows, d padded]. many wants a d that is
    // a multiple of pair_step.
    decltype(score_many) score_many_bf16 = nullptr;
    index pair_step = 2;
    decltype(score_few) score_few_bf16 = nullptr;
    /// n numbers as the sum of two bf16, times sign; what is left is below 2^-17 of them. Whether a low part
    /// is not 0.
    bool (*split)(const float* from, float sign, index n, std::uint16_t* high, std::uint16_t* low) = nullptr;
};

} // namespace detail
} // namespace ostend::inline v0
