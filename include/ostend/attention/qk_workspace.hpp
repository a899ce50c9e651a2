// qk_workspace: the memory of reduce_qk(blocked, ...), which grows to what a call needs and stays for the
// next.
#pragma once

#include "ostend/attention/kernel_table.hpp"
#include "ostend/attention/line_floats.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ostend::inline v0 {
/// One for each call at a time. Members are the business of reduce_qk.
struct qk_workspace {
    struct run { ///< consecutive queries of one head in consecutive slots of a tile
        index head = 0, first_query = 0, count = 0, slot = 0;
    };
    struct rows { ///< of the order: selected heads, then queries
        index first = 0, count = 0;
    };
    /// What one tile of rows works in.
    struct tile {
        detail::line_floats q, q_low, scores, added, peaks, image_rows, row_values, key_values, row;
        std::vector<double> totals;
        std::vector<std::uint16_t> halves;
        std::vector<std::int32_t> limits, numbers;
        std::vector<const std::byte*> keys; ///< as below, where this tile widens them
        std::vector<index> head_strides;
        std::vector<run> runs;
        std::vector<detail::kv_rows> segments;
    };

    std::vector<tile> tiles;
    std::vector<rows> plan;
    std::vector<float> sums;
    std::vector<detail::image_key> image;
    std::vector<detail::image_block> image_blocks;
    std::vector<index> keys_read, heads;
    std::vector<const std::byte*> keys; ///< head 0 of each key that is read, and the last one 16 times more
    std::vector<index> head_strides;
};

} // namespace ostend::inline v0
