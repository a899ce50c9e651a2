// refuses: this temporary owns its elements and would be gone before the view is used.
#include "ostend/adapt/eigen.hpp"

Eigen::MatrixXf make();
auto refused() { return ostend::as_view(make()); }
