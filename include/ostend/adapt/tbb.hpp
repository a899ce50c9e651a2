// tbb: parts of work run by oneTBB's workers, as many as the calling arena has. Link with -ltbb.
//
//     find_peak_of_each(maps, layout, options, ostend::tbb_tasks{});
#pragma once

#include "ostend/core/execution.hpp"

#include <tbb/parallel_for.h>

namespace ostend::inline v0 {

/// A parallel_for of oneTBB's. Limit the threads with tbb::task_arena or tbb::global_control.
struct tbb_tasks {
    void operator()(index parts, part_work work) const { tbb::parallel_for(index{0}, parts, work); }
};

} // namespace ostend::inline v0
