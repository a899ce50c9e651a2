#include "ostend/adapt/openmp.hpp"

#include "adapt/any_thread.hpp"
#include "support/expects.hpp"

TEST_CASE("OpenMP runs parts as the loop does, on any number of threads") {
    for (const int count : {0, 1, 2, 3, 7}) {
        ostend_test::check_parallel_for(ostend::openmp{count});
    }
    CHECK_EXPECTS(ostend::for_each_part(ostend::openmp{-1}, 3, [](ostend::index) {}), "a count of -1");
}

TEST_CASE("on as many as are asked for") {
    std::atomic<int> team = 0;
    ostend::for_each_part(ostend::openmp{3}, 6, [&](ostend::index) { team = omp_get_num_threads(); });
    CHECK(team == 3);
}
