// 02: tensor views. The library owns no tensors; it reads yours where they are.
//
// A view is a pointer, extents and strides in elements. What keeps your numbers (a vector, half precision, a
// transposed matrix, Eigen) does not matter to the functions that read the view, and nothing is copied.
//
// Prints one 2 x 3 matrix as seven views show it.
#include "ostend/adapt/eigen.hpp"
#include "ostend/tensor/view.hpp"

#include <cstdio>
#include <vector>

namespace {

/// Any view of two axes, of any element type and strides.
template <class T>
void print(const char* name, const ostend::tensor_view<T, 2>& view) {
    std::printf("%-20s", name);
    for (ostend::index row = 0; row < view.extent(0); ++row) {
        for (ostend::index column = 0; column < view.extent(1); ++column) {
            std::printf(" %2g", static_cast<double>(ostend::to_float(view.load(row, column))));
        }
        std::printf(row + 1 < view.extent(0) ? "  |" : "\n");
    }
}

} // namespace

int main() {
    std::vector<float> numbers{1, 2, 3, 4, 5, 6};
    const ostend::tensor_view<float, 2> view(numbers.data(), {2, 3}); // row after row: strides {3, 1}
    print("a vector", view);
    numbers[0] = 7;
    print("changed beneath it", view);

    print("transposed", view.permuted({1, 0}));
    print("columns 0 and 2", view.range(1, 0, 2, 2)); // of axis 1, from 0, two of them, every second
    print("upside down", ostend::tensor_view<float, 2>(numbers.data() + 3, {2, 3}, {-3, 1}));

    // Two bytes a number, as models keep them: load() gives the element, to_float() its value.
    std::vector<ostend::f16> half;
    for (const float number : numbers) {
        half.push_back(ostend::to_f16(number));
    }
    print("half precision", ostend::tensor_view<const ostend::f16, 2>(half.data(), {2, 3}));

    // as_view() knows foreign tensors by an adapter. Eigen stores column after column: strides {1, 2}.
    Eigen::MatrixXf matrix(2, 3);
    matrix << 7, 2, 3, 4, 5, 6;
    print("Eigen", ostend::as_view(matrix));
    // ostend::as_view(matrix * 2) does not compile: "evaluate a lazy expression into a tensor first".
}
