// device_qk: some queries of one layer with the keys, score and visibility they belong to, in device memory.
//
// Queries and keys are of one type, f16 or bf16; products are exact in f32. Of attention/score.hpp: scale,
// soft cap, a live count or an additive mask. ALiBi slopes and sinks are not there.
#pragma once

#include "ostend/attention/score.hpp"
#include "ostend/cuda/device_view.hpp"

#include <cstdint>
#include <variant>

namespace ostend::inline v0 {

/// Query i sees keys [0, keys[i]); one count for all where there is one. In device memory, so that a captured
/// graph can be replayed while a cache grows. Counts are clipped to the keys there are.
struct live_counts {
    device_view<const std::int32_t, 1> keys = {};
};

/// rows [queries, keys] or [1, keys] are added to the scores; -inf hides a key. NaN and +inf make NaN rows.
struct added_rows {
    device_view<const float, 2> rows = {};
};

using device_visibility = std::variant<all_keys, live_counts, added_rows>;

template <class T>
struct device_qk {
    device_view<const T, 3> q = {}; ///< [queries, heads, d]; elements of a vector are contiguous
    device_view<const T, 3> k = {}; ///< [kv_heads, cells, d], so too; a cell-major cache is this, permuted
    device_view<const std::int32_t, 1> cells = {}; ///< key i lives in cell cells[i]; empty: in cell i
    float scale = 0;                               ///< 0: 1 / sqrt(d)
    float softcap = 0;                             ///< 0: none
    device_visibility visible = {};

    [[nodiscard]] index keys() const noexcept { return cells.extent(0) > 0 ? cells.extent(0) : k.extent(1); }
};

struct qk_shape {
    index queries = 0;
    index heads = 0;
    index kv_heads = 0;
    index keys = 0;
    index image_tokens = 0;
};

} // namespace ostend::inline v0
