// stream: the tag that puts the library's kernels on a CUDA stream of the host's. Needs nvcc.
//
//     ostend::aggregate(ostend::cuda{stream}, attention, image, weights, maps, workspace);
//
// Nothing is allocated, copied or waited for, and the current device is left as it is. An error of a launch
// comes back as a value; what goes wrong while a kernel runs is seen by the host at its next wait, as always.
// Compiled by nvcc 13.0 and not run on a device yet: docs/cuda.md says what was tested, and how.
#pragma once

#include "ostend/cuda/launch.hpp"

#include <cuda_runtime.h>

#include <string>

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

template <class Body>
__global__ void __launch_bounds__(Body::threads) run_body(const Body body) {
    extern __shared__ uint4 block_memory[];
    typename Body::shared& shared = *reinterpret_cast<typename Body::shared*>(block_memory);
    typename Body::own own{};
    const thread_place at{static_cast<index>(blockIdx.x), static_cast<index>(blockIdx.y),
                          static_cast<index>(blockIdx.z), static_cast<int>(threadIdx.x)};
    const int phases = body.phases();
    for (int phase = 0; phase < phases; ++phase) {
        body.run(phase, at, shared, own);
        __syncthreads();
    }
}

inline error launch_error(cudaError_t code, const char* what) {
    return {std::string(what) + ": " + cudaGetErrorName(code) + ", " + cudaGetErrorString(code), "cuda"};
}

} // namespace detail

/// Work goes onto this stream of the current device; nullptr is the default stream. A copy is cheap and owns
/// nothing.
struct cuda {
    cudaStream_t stream = nullptr;

    /// Errors name the step that CUDA refused (the field is "cuda").
    template <class Body>
    [[nodiscard]] status launch(const Body& body, const launch_grid& grid) const {
        constexpr std::size_t bytes = sizeof(typename Body::shared) <= 1 ? 0 : sizeof(typename Body::shared);
        if constexpr (bytes > 48 * 1024) { // what a block has without asking
            const cudaError_t given = cudaFuncSetAttribute(
                detail::run_body<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
            if (given != cudaSuccess) {
                static_cast<void>(cudaGetLastError()); // it is returned, not left behind
                return detail::launch_error(given, "shared memory of a block");
            }
        }
        cudaLaunchConfig_t config = {};
        config.gridDim =
            dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
        config.blockDim = dim3(static_cast<unsigned>(Body::threads));
        config.dynamicSmemBytes = bytes;
        config.stream = stream;
        const cudaError_t launched = cudaLaunchKernelEx(&config, detail::run_body<Body>, body);
        if (launched != cudaSuccess) {
            static_cast<void>(cudaGetLastError());
            return detail::launch_error(launched, "launch");
        }
        return success{};
    }
};

} // namespace ostend::inline OSTEND_KERNELS
