// openmp: parts of work run by OpenMP's threads. Compile with -fopenmp.
//
//     find_peak_of_each(maps, layout, options, ostend::openmp{});
#pragma once

#include "ostend/core/execution.hpp"

#include <omp.h>

namespace ostend::inline v0 {

static_assert(_OPENMP >= 201511, "adapt/openmp.hpp: compile with -fopenmp (OpenMP 4.5 or later)");

/// A parallel_for of so many threads; 0: as many as omp_get_max_threads() says.
struct openmp {
    int count = 0;

    void operator()(index parts, part_work work) const {
        OSTEND_EXPECTS_ALWAYS(count >= 0, "openmp: a count of " + std::to_string(count));
        const int team = count > 0 ? count : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic) num_threads(team)
        for (index i = 0; i < parts; ++i) {
            work(i);
        }
    }
};

} // namespace ostend::inline v0
