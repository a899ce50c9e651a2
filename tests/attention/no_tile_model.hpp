// In place of tile_model.hpp on processors that are no x86-64.
#pragma once

#include "ostend/attention/kernels.hpp"

namespace ostend_test {

inline auto kernels_and_models() { return ostend::OSTEND_KERNELS::detail::all_kernels(); }

} // namespace ostend_test
