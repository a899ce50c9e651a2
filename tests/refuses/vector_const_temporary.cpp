// refuses: this temporary owns its elements and would be gone before the view is used.
#include "ostend/tensor/traits.hpp"

const std::vector<float> make();
auto refused() { return ostend::as_view(make()); }
