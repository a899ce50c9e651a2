// ggml_keys: the keys of a ggml attention, or of a whole cache of llama.cpp, as a key source.
//
// llama.cpp keeps keys cell by cell: [d, kv_heads, cells] in ggml's order, for each stream (a sequence with
// cells of its own). An attention node reads a permuted view of the first cells of some streams. Which cells
// live is said by the mask, not by the extent.
#pragma once

#include "ostend/adapt/ggml_tensor.hpp"
#include "ostend/attention/key_source.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace ostend::inline v0 {

namespace detail {

[[nodiscard]] inline std::optional<element_type> ggml_codec(ggml_type type) {
    switch (type) {
    case GGML_TYPE_F32:
        return element_type::f32;
    case GGML_TYPE_F16:
        return element_type::f16;
    case GGML_TYPE_BF16:
        return element_type::bf16;
    case GGML_TYPE_Q8_0:
        return element_type::q8_0;
    case GGML_TYPE_Q4_0:
        return element_type::q4_0;
    default:
        return std::nullopt;
    }
}

} // namespace detail

namespace detail {

/// The keys by their addresses, in whatever memory: nothing is read.
[[nodiscard]] inline result<key_source> ggml_keys_anywhere(const ggml_tensor& k, index stream,
                                                           std::span<const index> cells = {}) {
    const auto wrong = [&](std::string what) { return error{std::move(what), ggml_place(k)}; };
    const auto codec = ggml_codec(k.type);
    if (!codec) {
        return wrong("keys of type " + std::string(ggml_type_name(k.type)) +
                     " are not read; use f32, f16, bf16, q8_0 or q4_0");
    }
    if (stream < 0 || stream >= k.ne[3] || k.ne[0] < 1 || k.ne[2] < 1) {
        return wrong("stream " + std::to_string(stream) + " of " + std::to_string(k.ne[3]) + ", " +
                     std::to_string(k.ne[2]) + " heads of size " + std::to_string(k.ne[0]));
    }
    if (is_quantised(*codec) && (k.ne[0] % quantised_block != 0 || k.nb[0] != ggml_type_size(k.type))) {
        return wrong("its blocks have gaps, or a head of size " + std::to_string(k.ne[0]) + " cuts one");
    }
    const key_page page{.data = static_cast<const std::byte*>(k.data) + stream * static_cast<index>(k.nb[3]),
                        .first = 0,
                        .count = static_cast<index>(k.ne[1]),
                        .key_stride = static_cast<index>(k.nb[1]),
                        .head_stride = static_cast<index>(k.nb[2]),
                        .element_stride = is_quantised(*codec) ? 0 : static_cast<index>(k.nb[0]),
                        .codec = *codec};
    return key_source(page, static_cast<index>(k.ne[2]), static_cast<index>(k.ne[0]), cells);
}

} // namespace detail

/// Keys as an attention node reads them: k of ne = {d, keys, kv_heads, streams}, any byte strides (src[1] of
/// GGML_OP_FLASH_ATTN_EXT, or src[0] of the product k * q). cells: key i lives in cell cells[i]; empty: key i
/// is cell i. The tensor and the list must outlive it. Precondition: cells inside the keys.
/// Errors: a type other than f32, f16, bf16, q8_0, q4_0; data that are not on the host; a stream that is not
/// there; blocks with gaps or cut ones.
[[nodiscard]] inline result<key_source> ggml_keys(const ggml_tensor& k, index stream = 0,
                                                  std::span<const index> cells = {}) {
    if (const status readable = detail::ggml_check_host(k); !readable) {
        return readable.error();
    }
    return detail::ggml_keys_anywhere(k, stream, cells);
}

/// Where the keys of an attention lie in the cache that they are a view of.
struct ggml_cache_place {
    const ggml_tensor* cache = nullptr; ///< the tensor that owns the memory; of ne = {width, cells, streams}
    index first_row = 0;                ///< the row of key 0, counted over all streams
    index stream = 0;                   ///< first_row / cells
};

/// The place of an attention's keys of one of its streams. Errors: k is no view into rows of a cache.
[[nodiscard]] inline result<ggml_cache_place> ggml_place_in_cache(const ggml_tensor& k, index stream = 0) {
    const ggml_tensor& cache = detail::ggml_root(k);
    const auto row = static_cast<index>(cache.nb[1]);
    const index offset = static_cast<const std::byte*>(k.data) - static_cast<const std::byte*>(cache.data) +
                         stream * static_cast<index>(k.nb[3]);
    if (&cache == &k || static_cast<index>(k.nb[1]) != row || row < 1 || offset % row != 0 ||
        cache.ne[1] < 1) {
        return error{"the keys are no rows of a cache, so that image tokens cannot be told among them",
                     detail::ggml_place(k)};
    }
    return ggml_cache_place{&cache, offset / row, offset / row / static_cast<index>(cache.ne[1])};
}

namespace detail {

/// The first `count` cells of the stream by their addresses; -1: all of them.
[[nodiscard]] inline result<key_source> ggml_stream_keys_anywhere(const ggml_tensor& k, index stream,
                                                                  index count = -1) {
    const auto keys = ggml_keys_anywhere(k, stream);
    if (!keys) {
        return keys.error();
    }
    const auto place = ggml_place_in_cache(k, stream);
    if (!place) {
        return place.error();
    }
    const auto cells = static_cast<index>(place->cache->ne[1]);
    if (place->first_row % cells != 0) {
        return error{"the keys do not start at the first cell of their stream", ggml_place(k)};
    }
    key_page page = keys->pages()[0];
    page.count = count < 0 ? cells : count;
    return key_source(page, keys->kv_heads(), keys->d());
}

} // namespace detail

/// All cells of the stream that an attention's keys belong to, as they are now; valid while the cache lives.
/// Errors as ggml_keys and ggml_place_in_cache; keys that do not start at the stream's first cell.
[[nodiscard]] inline result<key_source> ggml_stream_keys(const ggml_tensor& k, index stream = 0) {
    if (const status readable = detail::ggml_check_host(k); !readable) {
        return readable.error();
    }
    return detail::ggml_stream_keys_anywhere(k, stream);
}

} // namespace ostend::inline v0
