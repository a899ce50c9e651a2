// refuses: this tensor has another rank.
#include "ostend/tensor/matrix.hpp"

auto refused(const ostend::matrix<float>& m) { return ostend::as_view<3>(m); }
