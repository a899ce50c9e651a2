// refuses: this temporary owns its elements and would be gone before the view is used.
#include "ostend/tensor/matrix.hpp"

auto refused() { return ostend::as_view(ostend::matrix<float>(2, 3)); }
