// kernel_qk: a device_qk as kernels have it, once checked: its rows, its scores, its vectors in tiles.
#pragma once

#include "ostend/cuda/qk_tiling.hpp"

#include <bit>
#include <cmath>
#include <string>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// e^x by way of the hardware's 2^x.
OSTEND_DEVICE float exponential(float x) {
    constexpr float log2_e = 1.44269504F;
    return OSTEND_ON_DEVICE(exp2f(x * log2_e), std::exp2(x * log2_e));
}

/// A row of a tile.
struct tile_row {
    index query = 0;
    index head = 0;
    bool used = false;
};

/// The kernels' form of a device_qk.
template <class T>
struct kernel_qk {
    device_tensor<const T, 3> q = {};
    device_tensor<const T, 3> k = {};
    device_tensor<const std::int32_t, 1> cells = {};
    device_tensor<const std::int32_t, 1> live = {};
    device_tensor<const float, 2> added = {};
    qk_tiling tiling = {};
    index queries = 0;
    index cell_count = 0;
    int keys = 0;
    int d = 0;
    float scale = 1;
    float softcap = 0;
    bool is_listed = false;
    bool has_live = false;
    bool has_added = false;
    bool q_aligned = false; ///< every vector to 16 bytes
    bool k_aligned = false;

    /// Of shared memory that hold a vector, zeros included.
    OSTEND_DEVICE int words() const { return (d + 15) / 16 * 8; }

    OSTEND_DEVICE tile_row row(int row_tile, int set, int r) const {
        const int in_tile = r / tiling.heads_a_set;
        const int first = set % tiling.sets_a_head * tiling.heads_a_set + r % tiling.heads_a_set;
        const index query = index{row_tile} * tiling.queries_a_tile + in_tile;
        return {query, set / tiling.sets_a_head * tiling.group + first,
                in_tile < tiling.queries_a_tile && query < queries && first < tiling.group};
    }
    /// Is there a head in the set whose weight is not 0?
    OSTEND_DEVICE bool has_weight(int set, const device_tensor<const float, 1>& weights) const {
        bool found = false;
        for (int r = 0; r < tiling.heads_a_set && !found; ++r) {
            const tile_row at = row(0, set, r);
            found = at.used && *weights.at(at.head) != 0;
        }
        return found;
    }
    /// Keys from here on are hidden from the query.
    OSTEND_DEVICE int limit(index query) const {
        if (!has_live) {
            return keys;
        }
        const int count = *live.at(query);
        return count < 0 ? 0 : count < keys ? count : keys;
    }
    /// The largest limit of a tile's queries.
    OSTEND_DEVICE int limit_of_tile(int row_tile) const {
        if (!has_live) {
            return keys;
        }
        int most = 0;
        for (int i = 0; i < tiling.queries_a_tile; ++i) {
            const index query = index{row_tile} * tiling.queries_a_tile + i;
            const int here = query < queries ? limit(query) : 0;
            most = here > most ? here : most;
        }
        return most;
    }
    /// A score out of a dot product; -inf where the key is hidden. An infinity that is no mask becomes NaN,
    /// so that it cannot pass for a hidden key.
    OSTEND_DEVICE float score(float dot, index query, int key, int limit_of_query) const {
        if (key >= limit_of_query) {
            return -infinity();
        }
        const float mask = has_added ? *added.at(query, key) : 0.0F;
        if (mask == -infinity()) {
            return -infinity();
        }
        float s = scale * dot;
        if (softcap > 0) {
            s = softcap * OSTEND_ON_DEVICE(tanhf(s / softcap), std::tanh(s / softcap)) + 0 * dot;
        }
        s += mask;
        return s + 0 * s;
    }

    template <int D>
    OSTEND_DEVICE void fetch_queries(vector_tile<D>& to, int row_tile, int set, int thread) const {
        const int pieces = words() / 4;
        for (int i = thread; i < tile_rows * pieces; i += tile_threads) {
            const tile_row at = row(row_tile, set, i / pieces);
            fetch_piece(to, i / pieces, i % pieces, at.used ? q.at(at.query, at.head, 0) : nullptr, d,
                        q_aligned, 0);
        }
    }
    /// Row i of the tile is key_at(i); -1: zeros. A cell that does not exist is a vector of NaN.
    template <int D, class KeyAt>
    OSTEND_DEVICE void fetch_keys(vector_tile<D>& to, int set, int thread, const KeyAt& key_at) const {
        const int pieces = words() / 4;
        const int kv_head = set / tiling.sets_a_head;
        for (int i = thread; i < tile_keys * pieces; i += tile_threads) {
            const index key = key_at(i / pieces);
            const index cell = key < 0 ? -1 : is_listed ? index{*cells.at(key)} : key;
            const bool exists = cell >= 0 && cell < cell_count;
            fetch_piece(to, i / pieces, i % pieces, exists ? k.at(kv_head, cell, 0) : nullptr, d, k_aligned,
                        key < 0 ? 0U : 0x7FFF7FFFU);
        }
    }
};

template <class T, std::size_t Rank>
[[nodiscard]] bool vectors_aligned(const device_view<const T, Rank>& view) {
    bool aligned = std::bit_cast<std::uintptr_t>(view.data()) % 16 == 0;
    for (std::size_t axis = 0; axis + 1 < Rank; ++axis) {
        aligned = aligned && (view.extent(axis) <= 1 || view.stride(axis) % 8 == 0);
    }
    return aligned;
}

constexpr index largest_head = 256;

template <class T>
[[nodiscard]] kernel_qk<T> for_kernel(const device_qk<T>& qk, index image_tokens) {
    static_assert(std::is_same_v<T, f16> || std::is_same_v<T, bf16>,
                  "ostend: queries and keys on the device are ostend::f16 or ostend::bf16");
    const index queries = qk.q.extent(0);
    const index heads = qk.q.extent(1);
    const index kv_heads = qk.k.extent(0);
    const index d = qk.q.extent(2);
    const index keys = qk.keys();
    OSTEND_EXPECTS(kv_heads >= 1 && heads >= 1 && heads % kv_heads == 0,
                   "device_qk: " + std::to_string(heads) + " query heads do not divide among " +
                       std::to_string(kv_heads) + " key/value heads");
    OSTEND_EXPECTS(d >= 1 && d == qk.k.extent(2) && d <= largest_head,
                   "device_qk: q has head size " + std::to_string(d) + ", the keys " +
                       std::to_string(qk.k.extent(2)) + "; they agree and are at most 256");
    OSTEND_EXPECTS((d == 1 || (qk.q.stride(2) == 1 && qk.k.stride(2) == 1)),
                   "device_qk: the elements of a vector are not contiguous");
    OSTEND_EXPECTS(keys < (index{1} << 31U) - tile_keys, "device_qk: more than 2^31 - 65 keys");
    OSTEND_EXPECTS(queries < (index{1} << 31U) && heads < (index{1} << 31U),
                   "device_qk: more than 2^31 - 1 queries or heads");
    OSTEND_EXPECTS(std::isfinite(qk.scale), "device_qk: the scale is not finite");
    OSTEND_EXPECTS(std::isfinite(qk.softcap) && qk.softcap >= 0,
                   "device_qk: the soft cap is negative or not finite");
    kernel_qk<T> out;
    out.q = for_kernel(qk.q);
    out.k = for_kernel(qk.k);
    out.cells = for_kernel(qk.cells);
    out.tiling = tiling_of({queries, heads, kv_heads, keys, image_tokens});
    out.queries = queries;
    out.cell_count = qk.k.extent(1);
    out.keys = static_cast<int>(keys);
    out.d = static_cast<int>(d);
    out.scale = qk.scale != 0 ? qk.scale : 1.0F / std::sqrt(static_cast<float>(d));
    out.softcap = qk.softcap;
    out.is_listed = qk.cells.extent(0) > 0;
    out.q_aligned = vectors_aligned(qk.q);
    out.k_aligned = vectors_aligned(qk.k);
    if (const auto* live = std::get_if<live_counts>(&qk.visible)) {
        const index count = live->keys.extent(0);
        OSTEND_EXPECTS(count == 1 || count == queries, "device_qk: " + std::to_string(count) +
                                                           " live counts for " + std::to_string(queries) +
                                                           " queries; give one, or one a query");
        out.has_live = true;
        out.live = for_kernel(live->keys);
        out.live.strides[0] = count == 1 ? 0 : out.live.strides[0];
    }
    if (const auto* added = std::get_if<added_rows>(&qk.visible)) {
        OSTEND_EXPECTS((added->rows.extent(0) == 1 || added->rows.extent(0) == queries) &&
                           added->rows.extent(1) == keys,
                       "device_qk: the mask is [" + std::to_string(added->rows.extent(0)) + ", " +
                           std::to_string(added->rows.extent(1)) + "], expected [" + std::to_string(queries) +
                           " or 1, " + std::to_string(keys) + "]");
        out.has_added = true;
        out.added = for_kernel(added->rows);
        out.added.strides[0] = added->rows.extent(0) == 1 ? 0 : out.added.strides[0];
    }
    return out;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
