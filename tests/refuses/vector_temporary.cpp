// refuses: this temporary owns its elements and would be gone before the view is used.
#include "ostend/tensor/traits.hpp"

auto refused() { return ostend::as_view(std::vector<float>{1, 2}); }
