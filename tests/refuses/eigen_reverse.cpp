// refuses: this type is not a tensor that the library knows.
#include "ostend/adapt/eigen.hpp"

auto refused(Eigen::VectorXf& v) { return ostend::as_view(v.reverse()); }
