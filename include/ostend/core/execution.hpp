// execution: who runs the parts of a piece of work: the calling thread, or several by a parallel_for.
//
// A function that can use threads takes an execution as `on`. It cuts its work over axes that are not
// reduced, into parts that the shape alone decides: the bits are the same whoever runs them, and however many
// do. `par` (core/threads.hpp) starts threads for the call; a host that has a pool passes its own:
//
//     find_peak_of_each(maps, layout, options);                 // seq: the default
//     find_peak_of_each(maps, layout, options, ostend::par);    // a thread a core; ostend::threads{3}: three
//     find_peak_of_each(maps, layout, options, [&](ostend::index count, ostend::part_work work) {
//         pool.parallel_for(0, count, work);                    // each work(i) once; back when all are done
//     });
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/result.hpp"

#include <algorithm>
#include <atomic>
#include <concepts>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>

namespace ostend::inline v0 {

/// One part after the other on the calling thread, in order. What it gives is what every execution gives.
struct sequential {};
inline constexpr sequential seq{};

/// What a host's parallel_for is handed: work(i) does part i. A reference: it is not kept beyond the call.
class part_work {
public:
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, part_work> && std::invocable<F&, index>) part_work(F& f)
    noexcept
        : object_(const_cast<void*>(static_cast<const void*>(&f))),
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
concept execution = std::same_as<E, sequential> || parallel_for<E>;

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

/// Does f(i) for each i of [0, count), run by `on`; f is called from several threads at once. When parts
/// throw (only f itself or an expects handler of the host's does), parts after the first of them may be left
/// out, those before it are done, and its exception is thrown here, on the calling thread: the same for every
/// execution, and a parallel_for never sees one. Preconditions: count >= 0; the parallel_for runs each part.
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
        std::exception_ptr thrown;
        const auto part = [&](index i) {
            ++done;
            if (i > failed) {
                return;
            }
            OSTEND_TRY { f(i); }
            OSTEND_CATCH_ALL {
                const std::lock_guard lock(mutex);
                if (i < failed) {
                    failed = i;
                    thrown = std::current_exception();
                }
            }
        };
        on(count, part_work(part));
        OSTEND_EXPECTS(done == count, "for_each_part: the host's parallel_for ran " +
                                          std::to_string(done.load()) + " parts of " + std::to_string(count));
        if (thrown) {
            std::rethrow_exception(thrown);
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
