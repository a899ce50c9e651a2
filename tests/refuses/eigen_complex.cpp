// refuses: this type is not a tensor that the library knows.
#include "ostend/adapt/eigen.hpp"

auto refused(const Eigen::MatrixXcf& m) { return ostend::as_view(m); }
