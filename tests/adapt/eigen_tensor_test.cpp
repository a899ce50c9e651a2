#include "ostend/adapt/eigen_tensor.hpp"

#include "support/expects.hpp"

#include <cstring>
#include <numeric>
#include <vector>

using namespace ostend;

namespace {
template <class X>
void check_rank_3(X& x) {
    const auto v = as_view(x);
    REQUIRE(v.extents() == std::array<ostend::index, 3>{x.dimension(0), x.dimension(1), x.dimension(2)});
    for (Eigen::Index i = 0; i < x.dimension(0); ++i) {
        for (Eigen::Index j = 0; j < x.dimension(1); ++j) {
            for (Eigen::Index k = 0; k < x.dimension(2); ++k) {
                REQUIRE(v.at(i, j, k) == x(i, j, k));
            }
        }
    }
}
} // namespace

TEST_CASE("tensors of both storage orders") {
    Eigen::Tensor<float, 3> a(2, 3, 4);
    Eigen::Tensor<float, 3, Eigen::RowMajor> b(2, 3, 4);
    a.setRandom();
    b.setRandom();
    check_rank_3(a);
    check_rank_3(b);
    check_rank_3(std::as_const(a));
    CHECK(as_view(b).is_contiguous());
    CHECK(as_view(a).strides() == std::array<ostend::index, 3>{1, 2, 6});
    as_view(a)(1, 2, 3) = 9;
    CHECK(a(1, 2, 3) == 9);
}

TEST_CASE("fixed sizes and maps") {
    Eigen::TensorFixedSize<double, Eigen::Sizes<2, 3, 2>> fixed;
    fixed.setRandom();
    check_rank_3(fixed);
    std::vector<int> data(24);
    std::iota(data.begin(), data.end(), 0);
    Eigen::TensorMap<Eigen::Tensor<int, 3, Eigen::RowMajor>> map(data.data(), 2, 3, 4);
    Eigen::TensorMap<const Eigen::Tensor<int, 3>> constant(data.data(), 4, 3, 2);
    check_rank_3(map);
    check_rank_3(constant);
    static_assert(std::is_same_v<decltype(as_view(constant)), tensor_view<const int, 3>>);
    CHECK(as_view(map)(1, 2, 3) == 23);
    CHECK(as_view(Eigen::TensorMap<Eigen::Tensor<int, 1>>(data.data(), 24))(5) == 5);
}

TEST_CASE("empty extents and unaligned data") {
    Eigen::Tensor<float, 3> none(2, 0, 4);
    CHECK(as_view(none).empty());
    CHECK(as_view(none).extent(2) == 4);
    std::vector<unsigned char> bytes(64);
    const float values[] = {1, 2, 3, 4};
    std::memcpy(bytes.data() + 3, values, sizeof(values));
    Eigen::TensorMap<const Eigen::Tensor<float, 2>> map(reinterpret_cast<const float*>(bytes.data() + 3), 2,
                                                        2);
    CHECK(as_view(map).load(0, 1) == 3);
}

TEST_CASE("lazy expressions and temporaries that own") {
    using tensor = Eigen::Tensor<float, 2>;
    using sum = decltype(std::declval<tensor&>() + std::declval<tensor&>());
    static_assert(!tensor_like<sum> && !tensor_like<Eigen::TensorRef<tensor>&>);
    static_assert(tensor_traits<tensor>::owns && !tensor_traits<Eigen::TensorMap<tensor>>::owns);
    CHECK(true);
}
