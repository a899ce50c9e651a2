// reduce_qk(blocked, ...): attention over the image keys out of q and k in f32, without the attention matrix.
//
// Tiles of up to 64 rows (one query of one head) go over the keys once each (qk_tile.hpp), with inner loops
// of the CPU's best instruction set (kernels.hpp); then their rows are added to the sums, heads in index
// order. Several threads do several tiles, then parts of the image tokens: the same additions in the same
// order.
#pragma once

#include "ostend/attention/qk_tile.hpp"
#include "ostend/core/execution.hpp"

#include <algorithm>
#include <type_traits>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Makes the sums [images, queries] (many) or [queries, images] of w. all_log_sum_exp may be null.
template <execution E>
status run_tiles(const E& on, const qk_plan& plan, head_reduction reduce, float* all_log_sum_exp) {
    qk_workspace& w = plan.w;
    w.sums.assign(w.image.size() * static_cast<std::size_t>(plan.queries), 0.0F);
    // So many tiles are held at once where threads share them; the count is no matter of bits.
    constexpr index at_once = std::is_same_v<E, sequential> ? 1 : 16;
    if (static_cast<index>(w.tiles.size()) < at_once) {
        w.tiles.resize(at_once);
    }
    const auto count = static_cast<index>(w.plan.size());
    for (index first = 0; first < count; first += at_once) {
        const index some = std::min(at_once, count - first);
        std::vector<qk_tile> tiles;
        for (index i = 0; i < some; ++i) {
            tiles.emplace_back(plan, w.tiles[static_cast<std::size_t>(i)],
                               w.plan[static_cast<std::size_t>(first + i)], reduce);
        }
        status done = try_each_part(
            on, some, [&](index i) { return tiles[static_cast<std::size_t>(i)].run(all_log_sum_exp); });
        if (!done) {
            return done;
        }
        const index parts = std::clamp<index>(plan.images / 64, 1, at_once);
        for_each_part(on, parts, [&](index part) {
            const index_span keys = part_of(plan.images, parts, part);
            for (const qk_tile& tile : tiles) {
                tile.add_to_sums(keys.begin, keys.end);
            }
        });
    }
    return success{};
}

/// Adds the sums to out, in squares of both: one of them is read across its rows.
inline void add_sums(const qk_plan& plan, bool mean, const tensor_view<float, 2>& out) {
    const index queries = out.extent(0), tokens = out.extent(1);
    const index query_step = plan.many ? 1 : tokens, token_step = plan.many ? queries : 1;
    constexpr index side = 16;
    for (index q = 0; q < queries; q += side) {
        for (index t = 0; t < tokens; t += side) {
            for (index i = q; i < std::min(q + side, queries); ++i) {
                const float* sum = plan.w.sums.data() + i * query_step + t * token_step;
                float* to = &out(i, t);
                for (index j = t; j < std::min(t + side, tokens); ++j) {
                    *to = mean ? *to + *sum : std::max(*to, *sum);
                    sum += token_step;
                    to += out.stride(1);
                }
            }
        }
    }
}

template <execution E>
status blocked_reduce(const E& on, const qk_block& block, const key_selection& image,
                      std::span<const float> head_weights, head_reduction reduce,
                      const tensor_view<float, 2>& out, const known_log_sum_exp* known,
                      qk_workspace& workspace, const attention_kernels& kernels) {
    expect_reduction(block, image, head_weights, out);
    const index tile_rows = std::is_same_v<E, sequential> ? 64 : 16;
    const qk_plan plan(block, image, head_weights, known, tile_rows, kernels, workspace);
    if (status done = run_tiles(on, plan, reduce, nullptr); !done) {
        return done;
    }
    add_sums(plan, reduce == head_reduction::mean, out);
    return success{};
}

} // namespace detail

/// As reduce_qk(scalar, ...), in f32. Allocates only while the workspace grows.
/// Error of one row's probability p against exact arithmetic, with u = 2^-24: at most u (2 (d + 6) m + 80) p,
/// m the largest scale * sum|q_x k_x| + |bias| of a visible key, or |sink|; probabilities below e^-87 of the
/// row's largest are 0. bf16 keys without gaps go through the CPU's dot product of bf16 pairs where it has a
/// fast one (AMX for many queries and d a multiple of 32, AVX512-BF16 on AMD), q as the sum of two bf16
/// numbers: at most u (4 (d + 38) m + 80) p then, or as above for q that is bf16 itself, and numbers below
/// 2^-126 count as 0. A product or score that leaves f32 is an error, which the scalar form need not meet.
/// Workspace, in floats: tokens * (rows of a tile + queries) + d * rows + 512 rows + small terms, where a
/// tile has at most 64 rows, and 32 beyond 1,536 image tokens; with threads, 16 times what belongs to a tile.
template <execution E>
status reduce_qk(blocked_tag, const E& on, const qk_block& block, const key_selection& image,
                 std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                 qk_workspace& workspace) {
    return detail::blocked_reduce(on, block, image, head_weights, reduce, out, nullptr, workspace,
                                  detail::best_kernels());
}
inline status reduce_qk(blocked_tag tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce, tensor_view<float, 2> out,
                        qk_workspace& workspace) {
    return reduce_qk(tag, seq, block, image, head_weights, reduce, out, workspace);
}
/// With a workspace of its own: allocates.
inline status reduce_qk(blocked_tag tag, const qk_block& block, const key_selection& image,
                        std::span<const float> head_weights, head_reduction reduce,
                        tensor_view<float, 2> out) {
    qk_workspace workspace;
    return reduce_qk(tag, seq, block, image, head_weights, reduce, out, workspace);
}

} // namespace ostend::inline OSTEND_KERNELS
