// launch: what a kernel is here, and where its threads stand. No CUDA is needed to compile this.
//
// A kernel's body is a plain struct. It runs in phases; between two of them all threads of a block wait for
// each other, so within a phase no thread may read what another one writes. Phases are numbered rather than
// parted by __syncthreads, so that the same body runs on the host, thread after thread, in the tests.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/result.hpp"

#include <concepts>
#include <optional>
#include <string>

namespace ostend::inline v0 {

/// Numbers of blocks.
struct launch_grid {
    index x = 0;
    index y = 1;
    index z = 1;
};

/// The block and the thread in it.
struct thread_place {
    index x = 0;
    index y = 0;
    index z = 0;
    int thread = 0;
};

/// `threads` a block; `shared` is the block's memory, without a value at first; `own` is what a thread keeps
/// between phases.
template <class B>
concept kernel_body = requires(const B& body, const thread_place& at, typename B::shared& shared,
                               typename B::own& own) {
    { B::threads } -> std::convertible_to<int>;
    { body.phases() } -> std::same_as<int>;
    body.run(0, at, shared, own);
};

namespace detail {
struct no_work {
    static constexpr int threads = 1;
    struct shared {};
    struct own {};
    OSTEND_DEVICE int phases() const { return 0; }
    OSTEND_DEVICE void run(int /*phase*/, const thread_place& /*at*/, shared& /*s*/, own& /*o*/) const {}
};
} // namespace detail

/// Puts kernels in order on a queue of work: ostend::cuda (cuda/stream.cuh) on a stream. launch returns once
/// the kernel is queued; its status is the launch's.
template <class S>
concept device_stream = requires(const S& stream, const detail::no_work& body) {
    { stream.launch(body, launch_grid{}) } -> std::same_as<status>;
};

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// Queues one kernel after the other; after one that could not be queued, none.
template <device_stream On>
class launches {
public:
    explicit launches(const On& on) : on_(on) {}

    template <kernel_body B>
    launches& then(const B& body, const launch_grid& grid) {
        if (!failed_ && grid.x > 0 && grid.y > 0 && grid.z > 0) {
            OSTEND_EXPECTS(grid.x < (index{1} << 31U) && grid.y < 65536 && grid.z < 65536,
                           "launch: " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
                               std::to_string(grid.z) + " blocks are more than a kernel can have");
            if (const status queued = on_.launch(body, grid); !queued) {
                failed_ = queued.error();
            }
        }
        return *this;
    }
    [[nodiscard]] status outcome() const { return failed_ ? status(*failed_) : status(success{}); }

private:
    const On& on_;
    std::optional<error> failed_;
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
