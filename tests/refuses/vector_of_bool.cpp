// refuses: this type is not a tensor that the library knows.
#include "ostend/tensor/traits.hpp"

auto refused(std::vector<bool>& v) { return ostend::as_view(v); }
