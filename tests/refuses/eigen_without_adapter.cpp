// refuses: this type is not a tensor that the library knows.
#include "ostend/tensor/traits.hpp"

#include <Eigen/Core>

auto refused(const Eigen::MatrixXf& m) { return ostend::as_view(m); }
