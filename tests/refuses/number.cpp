// refuses: this type is not a tensor that the library knows.
#include "ostend/tensor/traits.hpp"

auto refused(int x) { return ostend::as_view(x); }
