// Uses a view of an Eigen matrix through the installed headers.
#include <ostend/adapt/eigen.hpp>

#include <cstdio>

int main() {
    const Eigen::MatrixXf values = Eigen::MatrixXf::Constant(2, 3, 1.0F);
    const auto view = ostend::as_view(values);
    float sum = 0;
    for (ostend::index r = 0; r < view.extent(0); ++r) {
        for (ostend::index c = 0; c < view.extent(1); ++c) {
            sum += view(r, c);
        }
    }
    std::printf("uses ostend: %d\n", static_cast<int>(sum));
    return sum == 6 ? 0 : 1;
}
