// threads: the parallel_for in the box. Threads are started for each call, some 25 us each, and own nothing.
#pragma once

#include "ostend/core/execution.hpp"

#include <thread>
#include <vector>

namespace ostend::inline v0 {

/// So many threads, the calling one among them; 0: one a core. Each takes the next part when it is free.
/// Where the system refuses a thread, the others do its parts. With a glibc before 2.34 programs are linked
/// with -pthread. Precondition: count >= 0.
struct threads {
    int count = 0;

    void operator()(index parts, part_work work) const {
        OSTEND_EXPECTS_ALWAYS(count >= 0, "threads: a count of " + std::to_string(count));
        const unsigned wanted =
            count > 0 ? static_cast<unsigned>(count) : std::thread::hardware_concurrency();
        std::atomic<index> next{0};
        const auto take = [&] {
            for (index i = next++; i < parts; i = next++) {
                work(i);
            }
        };
        std::vector<std::thread> helpers;
        OSTEND_TRY {
            for (index i = 1; i < std::min<index>(wanted, parts); ++i) {
                helpers.emplace_back(take);
            }
        }
        OSTEND_CATCH_ALL {} // no thread or no memory to be had: fewer helpers
        take();
        for (std::thread& t : helpers) {
            t.join();
        }
    }
};
inline constexpr threads par{};

} // namespace ostend::inline v0
