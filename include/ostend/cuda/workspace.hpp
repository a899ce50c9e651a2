// workspace: memory that a call on a stream uses while it runs. The caller owns it; nothing here allocates.
//
// Every function that needs one has a workspace_bytes(shape) that the shape alone decides. The memory is free
// again once the stream has passed the call: calls on one stream may share it, calls on two may not.
#pragma once

#include "ostend/cuda/device_view.hpp"

#include <cstddef>

namespace ostend::inline v0 {

/// Bytes of device memory, aligned to 256 as cudaMalloc's are.
using device_workspace = device_view<std::byte, 1>;

} // namespace ostend::inline v0

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

constexpr index workspace_alignment = 256;

/// Room for count T, rounded up so that the next piece is aligned too.
template <class T>
[[nodiscard]] constexpr index workspace_room(index count) noexcept {
    return blocks_for(count * static_cast<index>(sizeof(T)), workspace_alignment) * workspace_alignment;
}

/// Cuts a workspace into pieces, in order.
class workspace_cutter {
public:
    workspace_cutter(const char* who, const device_workspace& workspace, index needed)
        : next_(workspace.data()) {
        OSTEND_EXPECTS(workspace.extent(0) >= needed,
                       std::string(who) + ": the workspace has " + std::to_string(workspace.extent(0)) +
                           " bytes, this shape needs " + std::to_string(needed));
        OSTEND_EXPECTS(workspace.extent(0) <= 1 || workspace.stride(0) == 1,
                       std::string(who) + ": the workspace has gaps between its bytes");
        OSTEND_EXPECTS(needed == 0 || std::bit_cast<std::uintptr_t>(next_) % workspace_alignment == 0,
                       std::string(who) + ": the workspace is not aligned to 256 bytes");
    }
    template <class T>
    [[nodiscard]] T* take(index count) {
        auto* const piece = static_cast<T*>(static_cast<void*>(next_));
        next_ += workspace_room<T>(count);
        return piece;
    }

private:
    std::byte* next_;
};

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
