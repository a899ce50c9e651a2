// qk_tiling: how queries, heads and keys become tiles, and how many blocks share them out.
//
// A row of the tensor cores' tiles is a query and a head; the query heads of one key/value head share its
// keys. The shape alone decides.
#pragma once

#include "ostend/cuda/qk.hpp"
#include "ostend/cuda/qk_tile.hpp"

#include <algorithm>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A set is the query heads of a key/value head that share a tile.
struct qk_tiling {
    int group = 1;       ///< query heads a key/value head
    int heads_a_set = 1; ///< the last set of a key/value head may have fewer
    int sets_a_head = 1; ///< of a key/value head
    int sets = 1;
    int queries_a_tile = 1;
    int row_tiles = 0;
    int key_tiles = 0;
    int image_tiles = 0;
    int splits = 1; ///< of the keys, for the log-sum-exp
    int shares = 1; ///< of the sets, for the rows
};

[[nodiscard]] constexpr qk_tiling tiling_of(const qk_shape& shape) noexcept {
    constexpr index blocks = 512; // some four a multiprocessor of a large device
    const auto parts = [](index work, index each) { return static_cast<int>(blocks_for(work, each)); };
    const auto enough = [](index have, index most) {
        const index wanted = blocks_for(blocks, std::max<index>(1, have));
        return static_cast<int>(std::clamp<index>(wanted, 1, std::max<index>(1, most)));
    };
    qk_tiling t;
    t.group = shape.kv_heads > 0 ? static_cast<int>(std::max<index>(1, shape.heads / shape.kv_heads)) : 1;
    t.heads_a_set = std::min(t.group, tile_rows);
    t.sets_a_head = parts(t.group, t.heads_a_set);
    t.sets = static_cast<int>(shape.kv_heads) * t.sets_a_head;
    t.queries_a_tile = tile_rows / t.heads_a_set;
    t.row_tiles = parts(shape.queries, t.queries_a_tile);
    t.key_tiles = parts(shape.keys, tile_keys);
    t.image_tiles = parts(shape.image_tokens, tile_keys);
    t.splits = enough(index{t.row_tiles} * t.sets, std::min(t.key_tiles, 64));
    t.shares = enough(index{t.row_tiles} * t.image_tiles, std::min(t.sets, 16));
    return t;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
