#include "ostend/adapt/tbb.hpp"

#include "adapt/any_thread.hpp"

#include <tbb/task_arena.h>

TEST_CASE("oneTBB runs parts as the loop does, in arenas of any size") {
    ostend_test::check_parallel_for(ostend::tbb_tasks{});
    for (const int size : {1, 2, 3, 7}) {
        tbb::task_arena arena(size);
        arena.execute([] { ostend_test::check_parallel_for(ostend::tbb_tasks{}); });
    }
}
