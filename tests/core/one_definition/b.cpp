// Compiled with OSTEND_CHECKS=0 and, where the processor has them, with -mavx2 -mfma; see
// tests/CMakeLists.txt.
#include "sum.hpp"

std::string one_definition::guarded_in_unchecked() { return guarded(-1); }

std::string one_definition::name_in_unchecked() { return kernel_namespace(); }
