// What the other files of this folder get wrong, done right: it must compile.
#include "ostend/adapt/eigen.hpp"
#include "ostend/tensor/matrix.hpp"

#include <span>
#include <vector>

float control() {
    Eigen::MatrixXf a = Eigen::MatrixXf::Ones(2, 2);
    const Eigen::MatrixXf sum = a + a;
    const ostend::matrix<float> rows(2, 3);
    std::vector<float> values{1, 2};
    const Eigen::Ref<const Eigen::MatrixXf> ref(sum);
    return ostend::as_view(sum)(0, 0) + ostend::as_view(a.row(0))(1) + ostend::as_view(rows)(1, 2) +
           ostend::as_view(ref)(0, 0) + ostend::as_view(std::span<const float>(values))(1) +
           ostend::as_view<2>(a)(0, 1);
}
