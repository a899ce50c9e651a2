// One inline function with a precondition, compiled into two units with different flags. Were it in one
// namespace for both, the linker would keep one of the two bodies and one of the units would get the other's.
#pragma once

#include "ostend/core/expects.hpp"

#include <string>

namespace one_definition::inline OSTEND_KERNELS {

#define ONE_DEFINITION_TEXT_(x) #x
#define ONE_DEFINITION_TEXT(x) ONE_DEFINITION_TEXT_(x)

[[gnu::noinline]] inline std::string guarded(int x) {
    OSTEND_EXPECTS(x > 0, "guarded: x is not positive");
    return "assumed";
}

[[gnu::noinline]] inline std::string kernel_namespace() { return ONE_DEFINITION_TEXT(OSTEND_KERNELS); }

} // namespace one_definition::inline OSTEND_KERNELS

namespace one_definition {
std::string guarded_in_checked();   ///< "refused" when the precondition was checked
std::string guarded_in_unchecked(); ///< "assumed" when it was not
std::string name_in_checked();
std::string name_in_unchecked();
} // namespace one_definition
