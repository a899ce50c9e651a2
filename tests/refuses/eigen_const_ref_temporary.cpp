// refuses: this temporary owns its elements and would be gone before the view is used.
#include "ostend/adapt/eigen.hpp"

auto refused(const Eigen::MatrixXf& m) { return ostend::as_view(Eigen::Ref<const Eigen::MatrixXf>(m)); }
