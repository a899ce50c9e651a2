// execution: who runs the parts of a piece of work: the calling thread, threads of the box, or the host's
// own.
//
// A function that can use threads takes an execution as `on`. It cuts its work over axes that are not
// reduced, into parts that the shape alone decides: the bits are the same whoever runs them, and however many
// do. `par` starts its threads anew for each call (some 25 us each); a host that has a pool passes
// it:
//
//     find_peaks(maps, resampling, ostend::seq);                  // on the calling thread: the default
//     find_peaks(maps, resampling, ostend::par);                  // a thread a core; ostend::threads{3}:
//     three find_peaks(maps, resampling, [&](ostend::index count, ostend::part_work work) {
//         pool.parallel_for(0, count, work);                      // each work(i) once, back when all are
//         done
//     });
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/result.hpp"

#include <algorithm>
#include <atomic>
#include <concepts>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

namespace ostend::inline v0 {

/// One part after the other on the calling thread, in order. What it gives is what every execution gives.
struct sequential {};
inline constexpr sequential seq{};

/// So many threads, the calling one among them, started for each call; 0: one a core. Where the system
/// refuses a thread, the others do its parts. With a glibc older than 2.34 programs are linked with -pthread.
struct threads {
    int count = 0;
};
inline constexpr threads par{};

/// What a host's parallel_for is handed: work(i) does part i. A reference: it is not kept beyond the call.
class part_work {
public:
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, part_work> && std::invocable<F&, index>) part_work(F& f)
    noexcept
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
          call_([](void* object, index i) { (*static_cast<F*>(object))(i); }) {}

    void operator()(index i) const { call_(object_, i); }

private:
    void* object_;
    void (*call_)(void*, index);
};

/// A host's own: for_each(count, work) calls work(i) once for each i of [0, count), in any order and on any
/// threads, and returns when all have returned. work never throws.
template <class E>
concept parallel_for = std::invocable<const E&, index, part_work>;

template <class E>
concept execution = std::same_as<E, sequential> || std::same_as<E, threads> || parallel_for<E>;

/// Indices [begin, end).
struct index_span {
    index begin = 0;
    index end = 0;
    friend bool operator==(const index_span&, const index_span&) = default;
};

/// The indices [0, count) cut into so many nearly equal parts: part i. Precondition: 0 <= i < parts.
[[nodiscard]] inline index_span part_of(index count, index parts, index i) {
    OSTEND_EXPECTS_ALWAYS(count >= 0 && i >= 0 && i < parts, "part_of: part " + std::to_string(i) + " of " +
                                                                 std::to_string(parts) + " of " +
                                                                 std::to_string(count) + " indices");
    const index each = count / parts;
    const index longer = count % parts; // the first so many parts have one index more
    const index begin = i * each + std::min(i, longer);
    return {begin, begin + each + (i < longer ? 1 : 0)};
}

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The box's own parallel_for: parts are taken in order by whoever is free.
inline void start(const threads& on, index count, part_work work) {
    OSTEND_EXPECTS(on.count >= 0, "threads: a count of " + std::to_string(on.count));
    const auto cores = static_cast<index>(std::max(1U, std::thread::hardware_concurrency()));
    const index helpers = std::min(on.count > 0 ? static_cast<index>(on.count) : cores, count) - 1;
    std::atomic<index> next{0};
    const auto take = [&] {
        for (index i = next++; i < count; i = next++) {
            work(i);
        }
    };
    // Not launch::async: with both policies a thread that cannot be started is none instead of an exception.
    std::vector<std::future<void>> started;
    for (index i = 0; i < helpers; ++i) {
        started.push_back(std::async(std::launch::async | std::launch::deferred, take));
    }
    take();
    for (std::future<void>& f : started) {
        f.wait();
    }
}
template <parallel_for E>
void start(const E& on, index count, part_work work) {
    on(count, work);
}

} // namespace detail

/// Does f(i) for each i of [0, count), run by `on`. When parts throw (only an expects handler of the host's
/// or f itself does), parts after the first of them may be left out, those before it are done, and its
/// exception is thrown here, on the calling thread: the same for every execution; a parallel_for never sees
/// one. Preconditions: count >= 0; a host's parallel_for does what it must. f is called from several threads
/// at once. Cost of a part, but for seq: an allocation and three atomic steps, about 0.3 us.
template <execution E, class F>
requires std::invocable<F&, index>
void for_each_part(const E& on, index count, F&& f) {
    OSTEND_EXPECTS(count >= 0, "for_each_part: " + std::to_string(count) + " parts");
    if constexpr (std::same_as<E, sequential>) {
        for (index i = 0; i < count; ++i) {
            f(i);
        }
    } else {
        std::atomic<index> failed{count};
        std::atomic<index> done{0};
        std::mutex mutex;
        std::future<void> failure;
        const auto part = [&](index i) {
            ++done;
            if (i > failed) {
                return;
            }
            // A task catches what its function throws; so this header needs no exceptions to compile.
            bool returned = false;
            std::packaged_task<void()> task([&] {
                f(i);
                returned = true;
            });
            task();
            if (!returned) {
                const std::lock_guard lock(mutex);
                if (i < failed) {
                    failed = i;
                    failure = task.get_future();
                }
            }
        };
        detail::start(on, count, part);
        OSTEND_EXPECTS(done == count, "for_each_part: the host's parallel_for ran " +
                                          std::to_string(done.load()) + " parts of " + std::to_string(count));
        if (failure.valid()) {
            failure.get();
        }
    }
}

/// As for_each_part, for parts that can fail: f(i) is a status. Returns the error of the first part, in
/// order, that has one; parts after it may be left out.
template <execution E, class F>
requires std::same_as<std::invoke_result_t<F&, index>, status>
[[nodiscard]] status try_each_part(const E& on, index count, F&& f) {
    std::atomic<index> failed{count};
    std::mutex mutex;
    std::optional<error> first;
    for_each_part(on, count, [&](index i) {
        if (i > failed) {
            return;
        }
        const status outcome = f(i);
        if (!outcome) {
            const std::lock_guard lock(mutex);
            if (i < failed) {
                failed = i;
                first = outcome.error();
            }
        }
    });
    if (first) {
        return *first;
    }
    return success{};
}

} // namespace ostend::inline OSTEND_KERNELS
