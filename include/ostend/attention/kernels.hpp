// kernels: the inner loops of aggregate and reduce_qk for the CPU that the program runs on.
//
// On x86-64 they are compiled for AVX2, AVX-512, AVX-512 with bf16 and AMX whatever the program's flags are;
// the first use asks the CPU. Elsewhere there is the portable form alone, of the width of the flags.
#pragma once

#include "ostend/attention/kernels_portable.hpp"

#include <vector>

#include OSTEND_ON_X86("ostend/attention/kernels_x86.inc", "ostend/attention/kernels_other.inc")

namespace ostend::inline OSTEND_KERNELS {
namespace detail {

/// The best table for this CPU.
inline const attention_kernels& best_kernels() {
    static const attention_kernels best = all_kernels().back();
    return best;
}

} // namespace detail
} // namespace ostend::inline OSTEND_KERNELS
