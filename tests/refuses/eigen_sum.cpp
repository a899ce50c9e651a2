// refuses: this type is not a tensor that the library knows.
#include "ostend/adapt/eigen.hpp"

auto refused(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
    const auto lazy = a + b;
    return ostend::as_view(lazy);
}
