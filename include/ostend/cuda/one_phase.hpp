// one_phase: what kernels share whose threads need nothing of each other: one thread a column of some rows.
#pragma once

#include "ostend/cuda/device_view.hpp"
#include "ostend/cuda/launch.hpp"

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// A row, and a column that may lie beyond the last one.
struct row_place {
    index row = 0;
    index column = 0;
};

/// The base of a body.
struct one_phase {
    static constexpr int threads = 128;
    struct shared {};
    struct own {};

    OSTEND_DEVICE int phases() const { return 1; }

    /// Blocks for rows of so many columns: the rows one after the other, each with blocks of its own.
    [[nodiscard]] static constexpr index blocks(index rows, index columns) {
        return rows * blocks_for(columns, threads);
    }
    /// Where a thread of these blocks stands; neighbours stand in neighbouring columns.
    OSTEND_DEVICE static row_place place(const thread_place& at, index columns) {
        const index of_row = blocks_for(columns, threads);
        return {at.x / of_row, at.x % of_row * threads + at.thread};
    }
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
